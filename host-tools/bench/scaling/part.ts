import { countOnRp2040 } from "../instructions/rp2040.js";
import { LWIP } from "../instructions/recorded.js";
import {
  manyOptions,
  recordMany,
  recordWaiting,
  type ManyOptions,
} from "../instructions/workloads.js";
import type { BarGroup } from "../chart.js";
import { WAITING } from "../instructions/wasm-subject.js";
import { number, table } from "../table.js";

/** Instructions on the Cortex-M0+, -O2, by number of open connections. */
export interface ScalingResult {
  /** A segment of 64 bytes into each of k connections in turn, received by the application. */
  demux: Record<string, number>;
  /** A segment into one of two connections out of k, which the application is told of. */
  ready2: Record<string, number>;
  /** What an idle connection adds to a segment of another, from 1 connection to the most. */
  growth: number;
  /** One epollWait() that gives two of k connections, and one poll() that does: the turn of the network included. */
  epollWait2: Record<string, number>;
  poll2: Record<string, number>;
  /** What two ready of the most connections cost over two of the fewest. */
  epollWaitGrowth: number;
  pollGrowth: number;
}

/** What waiting costs, by how and how many are watched. */
export async function countWaiting(
  options: Partial<ManyOptions>,
): Promise<Pick<ScalingResult, "epollWait2" | "poll2">> {
  const { trace, measures } = await recordWaiting(options);
  const counts = await countOnRp2040({ trace, optimize: "-O2", options, program: WAITING });
  const found = { epollWait2: {}, poll2: {} } as Pick<ScalingResult, "epollWait2" | "poll2">;
  for (const { name, mark } of measures) {
    const [, how, k] = /^(epoll|poll)(\d+)$/.exec(name) as unknown as [string, string, string];
    found[how === "epoll" ? "epollWait2" : "poll2"][k] = counts.get(mark)?.insn ?? NaN;
  }
  return found;
}

/** From the fewest to the most. */
function growthOf(counts: Record<string, number>): number {
  const all = Object.values(counts);
  return Math.round(((all.at(-1) as number) / (all[0] as number)) * 1000) / 1000;
}

/** Counts. */
export async function countScaling(onStep: (what: string) => void): Promise<ScalingResult> {
  onStep("counting on the emulated RP2040");
  const options = await manyOptions(onStep);
  const recording = await recordMany(options);
  const counts = await countOnRp2040({
    trace: recording.trace,
    optimize: "-O2",
    options,
  });
  const demux: Record<string, number> = {};
  const ready2: Record<string, number> = {};
  for (const { name, mark, units } of recording.measures) {
    const insn = Math.round(((counts.get(mark)?.insn ?? 0) * 10) / units) / 10;
    if (name.startsWith("g")) demux[name.slice(1)] = insn;
    else ready2[name.slice(1)] = insn;
  }
  const waiting = await countWaiting(options);
  return {
    ...{ demux, ready2, growth: growthOf(demux) },
    ...waiting,
    epollWaitGrowth: growthOf(waiting.epollWait2),
    pollGrowth: growthOf(waiting.poll2),
  };
}

/** The result for people. */
export function printScaling(result: ScalingResult): string {
  const { demux, ready2, growth } = result;
  const lwip = LWIP["cortex-m0plus"] ?? {};
  const rows = Object.entries(demux).map(([k, insn]) => [
    `${k} connections in turn`,
    number(insn),
    number(lwip[`g${k}`]),
  ]);
  for (const [k, insn] of Object.entries(ready2)) {
    rows.push([`2 busy of ${k}`, number(insn), "-"]);
  }
  const waits = Object.entries(result.epollWait2).map(([k, insn]) => [
    `2 ready of ${k}`,
    number(insn),
    number(result.poll2[k]),
  ]);
  return [
    table(["a segment of 64 B, M0+ -O2", "insn", "lwIP (recorded)"], rows),
    `growth: ${growth}`,
    table(["one wait, M0+ -O2", "epollWait", "poll"], waits),
    `growth: ${result.epollWaitGrowth} and ${result.pollGrowth}`,
  ].join("\n\n");
}

/** Bars for the chart: ours beside lwIP's, one group a number of connections. */
export function chartScaling({ demux }: ScalingResult): BarGroup[] {
  const lwip = LWIP["cortex-m0plus"] ?? {};
  return Object.entries(demux).map(([k, insn]) => ({
    label: `${k} open`,
    bars: [insn, lwip[`g${k}`] ?? 0],
  }));
}
