import { countOnRp2040 } from "../instructions/rp2040.js";
import { LWIP } from "../instructions/recorded.js";
import { manyOptions, recordMany } from "../instructions/workloads.js";
import type { BarGroup } from "../chart.js";
import { number, table } from "../table.js";

/** Instructions on the Cortex-M0+, -O2, by number of open connections. */
export interface ScalingResult {
  /** A segment of 64 bytes into each of k connections in turn, received by the application. */
  demux: Record<string, number>;
  /** A segment into one of two connections out of k, which the application is told of. */
  ready2: Record<string, number>;
  /** What an idle connection adds to a segment of another, from 1 connection to the most. */
  growth: number;
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
  const all = Object.values(demux);
  const growth = (all.at(-1) as number) / (all[0] as number);
  return { demux, ready2, growth: Math.round(growth * 1000) / 1000 };
}

/** The result for people. */
export function printScaling({ demux, ready2, growth }: ScalingResult): string {
  const lwip = LWIP["cortex-m0plus"] ?? {};
  const rows = Object.entries(demux).map(([k, insn]) => [
    `${k} connections in turn`,
    number(insn),
    number(lwip[`g${k}`]),
  ]);
  for (const [k, insn] of Object.entries(ready2)) {
    rows.push([`2 busy of ${k}`, number(insn), "-"]);
  }
  return `${table(["a segment of 64 B, M0+ -O2", "insn", "lwIP (recorded)"], rows)}\n\ngrowth: ${growth}`;
}

/** Bars for the chart: ours beside lwIP's, one group a number of connections. */
export function chartScaling({ demux }: ScalingResult): BarGroup[] {
  const lwip = LWIP["cortex-m0plus"] ?? {};
  return Object.entries(demux).map(([k, insn]) => ({
    label: `${k} open`,
    bars: [insn, lwip[`g${k}`] ?? 0],
  }));
}
