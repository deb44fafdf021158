import { PERFECT } from "../../net/link.js";
import { chipRun } from "../../simulate/chips.js";
import { table } from "../table.js";

/** 2 MiB through the echo port of the echo application on the model of a chip, over a cable that loses frames each way. */
export interface EchoCell {
  board: string;
  lossPercent: number;
  bytes: number;
  /** Simulated, from the first byte sent to the last one back. */
  seconds: number;
}

export type EchoResult = EchoCell[];

const BYTES = 2 << 20;
const LOSS_PERCENT = [0, 1, 10];
const SEED = 1;
/** Runs with even numbers have a W5500, the others an ENC28J60. */
const RUNS = [0, 1];

/** Measures; `bytes` in each cell. */
export async function measureEcho(
  onStep: (what: string) => void,
  bytes = BYTES,
): Promise<EchoResult> {
  const result: EchoResult = [];
  for (const lossPercent of LOSS_PERCENT) {
    for (const run of RUNS) {
      onStep(`run ${run}, ${lossPercent} % loss`);
      const { board, simulatedMs } = await chipRun(SEED, run, {
        bytes,
        link: { ...PERFECT, lossPercent },
      });
      result.push({ board, lossPercent, bytes, seconds: Math.round(simulatedMs / 10) / 100 });
    }
  }
  return result;
}

/** The result for people. */
export function printEcho(result: EchoResult): string {
  return table(
    ["echo over a cable that loses frames each way", "loss", "KB", "simulated s", "Mbit/s"],
    result.map(({ board, lossPercent, bytes, seconds }) => [
      board,
      `${lossPercent} %`,
      String(bytes >> 10),
      seconds.toFixed(2),
      ((bytes * 8) / seconds / 1e6).toFixed(2),
    ]),
  );
}
