import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../errors.js";
import { packageRoot } from "../../root.js";
import { countOnRp2040 } from "../instructions/rp2040.js";
import { manyOptions, recordMain } from "../instructions/workloads.js";
import { countWaiting } from "../scaling/part.js";
import { countSpi } from "../spi/part.js";
import { number, table } from "../table.js";

/** Counts that may not grow, by name. */
export type Counts = Record<string, number>;

/** What may be worse without a word, as a part of the count. */
export const TOLERANCE = 0.01;

/** The counts that the repository promises. Who makes one worse changes it in the same commit, and says why. */
export const BASELINE = join(packageRoot, "host-tools", "bench", "baseline.json");

export interface GateResult {
  counts: Counts;
  /** Counts that are worse than the baseline allows, that it does not have, or that it has and nobody counts any more. */
  worse: { name: string; count: number | undefined; baseline: number | undefined }[];
}

/** Counts the quick part: the workloads on the emulated Cortex-M0+ at -O2, and the bytes on the bus. */
export async function quickCounts(onStep: (what: string) => void): Promise<Counts> {
  const counts: Counts = {};
  onStep("instructions on the emulated RP2040");
  const recording = await recordMain();
  const counted = await countOnRp2040({ trace: recording.trace, optimize: "-O2" });
  for (const { name, mark, units, framesOut } of recording.measures) {
    counts[`insn ${name}`] = Math.round((counted.get(mark)?.insn ?? NaN) / units);
    counts[`frames out ${name}`] = Math.round((framesOut / units) * 100) / 100;
  }
  onStep("epollWait: two ready of 16 and of 256");
  const { epollWait2 } = await countWaiting(await manyOptions(onStep));
  for (const [k, insn] of Object.entries(epollWait2)) counts[`insn epollWait 2 of ${k}`] = insn;
  for (const [chip, rows] of Object.entries(await countSpi(onStep))) {
    for (const [name, { bytes, transactions }] of Object.entries(rows)) {
      counts[`${chip} ${name} bytes`] = Math.round(bytes * 100) / 100;
      counts[`${chip} ${name} transactions`] = Math.round(transactions * 100) / 100;
    }
  }
  return counts;
}

/** What is worse than a baseline. */
export function compare(counts: Counts, baseline: Counts): GateResult["worse"] {
  return [...new Set([...Object.keys(counts), ...Object.keys(baseline)])]
    .map((name) => ({ name, count: counts[name], baseline: baseline[name] }))
    .filter(
      ({ count, baseline: promised }) =>
        count === undefined || promised === undefined || !(count <= promised * (1 + TOLERANCE)),
    );
}

/** Counts and compares. */
export async function gate(onStep: (what: string) => void): Promise<GateResult> {
  const counts = await quickCounts(onStep);
  const baseline = JSON.parse(readFileSync(BASELINE, "utf8")) as Counts;
  return { counts, worse: compare(counts, baseline) };
}

/** Writes the present counts into the baseline. */
export async function updateBaseline(onStep: (what: string) => void): Promise<void> {
  writeFileSync(BASELINE, `${JSON.stringify(await quickCounts(onStep), null, 2)}\n`);
}

function difference(count: number | undefined, baseline: number | undefined): string {
  if (count === undefined) return "gone";
  return baseline ? `+${((count / baseline - 1) * 100).toFixed(1)} %` : "new";
}

/**
 * The result for people.
 *
 * @throws UserError when a count is worse.
 */
export function printGate({ counts, worse }: GateResult): string {
  if (worse.length === 0) return `all ${Object.keys(counts).length} counts are within the baseline`;
  const rows = worse.map(({ name, count, baseline }) => [
    name,
    number(baseline),
    number(count),
    difference(count, baseline),
  ]);
  process.stdout.write(`${table(["worse", "baseline", "now", ""], rows)}\n`);
  throw new UserError(
    `${worse.length} counts are more than 1 % worse than host-tools/bench/baseline.json; mend that, or run 'npm run bench -- gate --update' and say why in the commit`,
  );
}
