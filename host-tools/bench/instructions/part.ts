import { hasTool } from "../../build/device/tools.js";
import { CORTEX_M0PLUS, CORTEX_M4, type ReplayRequest } from "./build.js";
import { countByCallgrind } from "./callgrind.js";
import { countOnQemu } from "./qemu.js";
import { countLwip, type LwipCount } from "../lwip/count.js";
import { TITLES, UIP } from "./recorded.js";
import type { Measure, Recording } from "./recorder.js";
import { countOnRp2040, type Counted } from "./rp2040.js";
import { manyOptions, recordMain, recordMany, type ManyOptions } from "./workloads.js";
import type { BarGroup } from "../chart.js";
import { number, table } from "../table.js";

/** One workload on one processor; counts a unit. */
export interface WorkloadResult {
  insn: number;
  /** null where the counter knows no cycles: QEMU's log and callgrind. */
  cycles: number | null;
  framesOut: number;
  /** The device's copy of received bytes, which `insn` leaves out. */
  copyInsn?: number;
  /** The same as images are built (-Os). */
  image?: { insn: number; cycles: number | null };
  /** lwIP on the same workload: counted in the same run, or a recorded figure that says so. */
  lwip?: LwipCount;
  /** Instructions, ours over theirs; uIP's are recorded ones (recorded.ts). */
  ratio: { lwip?: number; uip?: number };
}

export type InstructionsResult = Record<string, Record<string, WorkloadResult>>;

/** Counts the instructions of a recording on one processor. */
type Engine = (request: ReplayRequest) => Promise<Map<number, Counted>>;

export interface InstructionsOptions {
  onStep: (what: string) => void;
}

/** What counts on which processor; one whose tool is not installed is left out. */
const ENGINES: { cpu: string; where: string; tool?: string; count: Engine }[] = [
  { cpu: CORTEX_M0PLUS.name, where: "emulated RP2040", count: countOnRp2040 },
  { cpu: CORTEX_M4.name, where: "QEMU", tool: "qemu-system-arm", count: countOnQemu },
  { cpu: "x86-64", where: "callgrind", tool: "valgrind", count: countByCallgrind },
];

function round(value: number, units: number): number {
  return Math.round((value * 10) / units) / 10;
}

function cyclesOf(counted: Counted, units: number): number | null {
  return counted.cycles > 0 ? round(counted.cycles, units) : null;
}

function resultOf(
  cpu: string,
  measure: Measure,
  fast: Counted,
  image: Counted | undefined,
  lwip: LwipCount | undefined,
): WorkloadResult {
  const { name, units } = measure;
  const insn = round(fast.insn, units);
  const ratio: WorkloadResult["ratio"] = {};
  const uip = UIP[cpu]?.[name];
  if (lwip !== undefined) ratio.lwip = Math.round((insn / lwip.insn) * 1000) / 1000;
  if (uip !== undefined) ratio.uip = Math.round((insn / uip) * 1000) / 1000;
  const result: WorkloadResult = {
    insn,
    cycles: cyclesOf(fast, units),
    framesOut: Math.round((measure.framesOut / units) * 1000) / 1000,
    ratio,
  };
  if (lwip) result.lwip = lwip;
  if (fast.copyInsn > 0) result.copyInsn = round(fast.copyInsn, units);
  if (image) {
    result.image = { insn: round(image.insn, units), cycles: cyclesOf(image, units) };
  }
  return result;
}

/** Runs the workloads on every processor that there is a counter for. */
export async function countInstructions(options: InstructionsOptions): Promise<InstructionsResult> {
  options.onStep("recording the workloads");
  const many = await manyOptions(options.onStep);
  const recordings: { recording: Recording; options?: ManyOptions }[] = [
    { recording: await recordMain() },
    { recording: await recordMany(many), options: many },
  ];
  const lwip = await countLwip(options.onStep);
  const results: InstructionsResult = {};
  for (const { cpu, where, tool, count } of ENGINES) {
    if (tool !== undefined && !hasTool(tool)) {
      options.onStep(`${cpu}: left out, '${tool}' is not installed`);
      continue;
    }
    const rows: Record<string, WorkloadResult> = {};
    for (const { recording, options: build } of recordings) {
      const request = { trace: recording.trace, ...(build ? { options: build } : {}) };
      options.onStep(`${cpu}: counting (${where})`);
      const fast = await count({ ...request, optimize: "-O2" });
      const image = await count({ ...request, optimize: "-Os" });
      for (const measure of recording.measures) {
        const counted = fast.get(measure.mark);
        if (!counted) throw new Error(`${cpu}: workload ${measure.name} was not counted`);
        const peer = lwip[cpu]?.[measure.name];
        rows[measure.name] = resultOf(cpu, measure, counted, image.get(measure.mark), peer);
      }
    }
    results[cpu] = rows;
  }
  return results;
}

/** The result for people. */
export function printInstructions(result: InstructionsResult): string {
  const parts: string[] = [];
  for (const [cpu, rows] of Object.entries(result)) {
    parts.push(
      table(
        [
          `${cpu}, a unit`,
          "insn",
          "cycles",
          "frames out",
          "-Os insn",
          "lwIP",
          "frames",
          "ratio",
          "uIP*",
          "ratio",
        ],
        Object.entries(rows).map(([name, row]) => [
          `${name.padEnd(8)}${TITLES[name] ?? ""}`,
          number(row.insn),
          number(row.cycles ?? undefined),
          row.framesOut.toFixed(2),
          number(row.image?.insn),
          `${number(row.lwip?.insn)}${row.lwip?.recorded ? "*" : ""}`,
          row.lwip?.framesOut?.toFixed(2) ?? "-",
          row.ratio.lwip?.toFixed(2) ?? "-",
          number(UIP[cpu]?.[name]),
          row.ratio.uip?.toFixed(2) ?? "-",
        ]),
      ),
    );
  }
  parts.push(
    "gcc -O2, the device's byte moves left out. lwIP: 2.2.1, tuned, its g untuned, without a copy into the application's " +
      "memory. * a recorded figure, not counted in this run.",
  );
  return parts.join("\n\n");
}

/** Bars for the chart: ours beside the peers', one group a workload. */
export function chartInstructions(result: InstructionsResult): BarGroup[] {
  const rows = result[CORTEX_M0PLUS.name] ?? {};
  return Object.entries(rows).map(([name, row]) => ({
    label: name,
    bars: [row.insn, row.lwip?.insn ?? 0, UIP[CORTEX_M0PLUS.name]?.[name] ?? 0],
  }));
}
