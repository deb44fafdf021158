import { UserError } from "../../errors.js";
import { table } from "../table.js";
import { BOARDS, MEASURE_MS, RATES, run } from "./part.js";
import type { Load } from "./stranger.js";

/** One cell of the table of throughput, with as many seeds as were wanted. */
export interface Cell {
  /** Board, what goes which way, and under what: as `--cell` finds it. */
  cell: string;
  /** Payload of simulated time with each seed, Mbit/s. */
  mbps: number[];
}

export interface CellsResult {
  cells: Cell[];
}

const LOADS: readonly Load[] = ["none", "pings", "broadcasts"];

/** True when each word of `wanted` is in the title. */
function isWanted(title: string, wanted: string): boolean {
  const words = wanted.toLowerCase().split(/\s+/);
  return words.every((word) => title.toLowerCase().includes(word));
}

/** Measures the cells whose title has all words of `wanted`, each with the seeds 1 to `seeds`. */
export async function measureCells(
  onStep: (what: string) => void,
  wanted: string,
  seeds: number,
): Promise<CellsResult> {
  const cells: Cell[] = [];
  for (const [board, { boundMbps }] of Object.entries(BOARDS)) {
    for (const load of LOADS) {
      for (const { name, make } of Object.values(RATES)) {
        const cell = `${board} ${name} ${load === "none" ? "alone" : `under ${load}`}`;
        if (!isWanted(cell, wanted)) continue;
        const mbps: number[] = [];
        for (let seed = 1; seed <= seeds; seed++) {
          onStep(`${cell}, seed ${seed}`);
          const { bytes } = await run(board, load, make(boundMbps), seed);
          mbps.push(Math.round((bytes * 8) / MEASURE_MS) / 1000);
        }
        cells.push({ cell, mbps });
      }
    }
  }
  if (cells.length === 0) {
    throw new UserError(
      `no cell has all words of '${wanted}'; one is "pico-enc28j60 TCP both ways under pings"`,
    );
  }
  return { cells };
}

/** The result for people. */
export function printCells({ cells }: CellsResult): string {
  return table(
    ["emulated, Mbit/s", "mean", "least", "most"],
    cells.map(({ cell, mbps }) => {
      const mean = mbps.reduce((sum, each) => sum + each, 0) / mbps.length;
      return [cell, ...[mean, Math.min(...mbps), Math.max(...mbps)].map((each) => each.toFixed(2))];
    }),
  );
}
