import { hasTool } from "../../build/device/tools.js";
import { CORTEX_M0PLUS, CORTEX_M4 } from "../instructions/build.js";
import { countByCallgrind } from "../instructions/callgrind.js";
import { countOnQemu } from "../instructions/qemu.js";
import { LWIP } from "../instructions/recorded.js";
import type { Recording } from "../instructions/recorder.js";
import type { Counted } from "../instructions/rp2040.js";
import { recordMain, recordMany } from "../instructions/workloads.js";
import { LiveLwip } from "./live.js";
import { lwipSource } from "./source.js";

/** A workload on lwIP. */
export interface LwipCount {
  insn: number;
  cycles?: number;
  framesOut?: number;
  /** Not measured in this run, but once on another computer (instructions/recorded.ts). */
  recorded?: true;
}

/** By processor and workload. */
export type LwipCounts = Record<string, Record<string, LwipCount>>;

/** Ways to build it: with what makes it fast on a processor, for workloads a to f; as it comes, with many records, for g. */
const TUNED_ARM = ["-DLWIP_CHKSUM_ALGORITHM=3", "-DLWIP_ALIGNED"];
const TUNED_X86 = ["-DLWIP_CHKSUM_ALGORITHM=3"];
const MANY = ["-DMEMP_NUM_TCP_PCB=264"];

/** More connections than lwIP has records for would go through the recycling of those in TIME-WAIT, which is not meant. */
const CLOSED_BY_SERVER = 4;

/** The most connections that lwIP is built for here. */
const CONNECTIONS_MAX = 264;

function recordedCounts(): LwipCounts {
  return Object.fromEntries(
    Object.entries(LWIP).map(([cpu, rows]) => [
      cpu,
      Object.fromEntries(
        Object.entries(rows).map(([name, insn]) => [name, { insn, recorded: true as const }]),
      ),
    ]),
  );
}

function put(
  rows: Record<string, LwipCount>,
  recording: Recording,
  counts: Map<number, Counted>,
): void {
  for (const { name, mark, units, framesOut } of recording.measures) {
    const counted = counts.get(mark);
    // The r workloads ask about an application that is told of its sockets: lwIP calls it.
    if (!counted || name.startsWith("r")) continue;
    const one = (value: number): number => Math.round((value * 10) / units) / 10;
    rows[name] = {
      insn: one(counted.insn),
      framesOut: Math.round((framesOut * 1000) / units) / 1000,
    };
    if (counted.cycles > 0) rows[name].cycles = one(counted.cycles);
  }
}

/**
 * lwIP on the workloads in this run: on the emulated RP2040, where it talks to the peer, and from the recording of that with
 * QEMU and callgrind. Where its source cannot be had, or a counter is not installed, the recorded figures.
 */
export async function countLwip(onStep: (what: string) => void): Promise<LwipCounts> {
  const result = recordedCounts();
  const source = await lwipSource(onStep);
  if (source === undefined) return result;
  for (const many of [false, true]) {
    const arm = many ? MANY : TUNED_ARM;
    const request = { lwip: { source, flags: arm }, optimize: "-O2" as const };
    onStep(`lwIP: counting (emulated RP2040)${many ? ", many connections" : ""}`);
    const live = await LiveLwip.start(request);
    const recording = many
      ? await recordMany({ TCP_TCBS: CONNECTIONS_MAX }, live)
      : await recordMain(undefined, live, CLOSED_BY_SERVER);
    put((result[CORTEX_M0PLUS.name] ??= {}), recording, live.counts);
    const { trace } = recording;
    if (hasTool("qemu-system-arm")) {
      onStep("lwIP: counting (QEMU)");
      put((result[CORTEX_M4.name] ??= {}), recording, await countOnQemu({ ...request, trace }));
    }
    if (hasTool("valgrind")) {
      onStep("lwIP: counting (callgrind)");
      const flags = many ? MANY : TUNED_X86;
      const counts = await countByCallgrind({ ...request, trace, lwip: { source, flags } });
      put((result["x86-64"] ??= {}), recording, counts);
    }
  }
  return result;
}
