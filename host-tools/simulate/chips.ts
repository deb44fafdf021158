import { Lan } from "../testing/lan.js";
import { PERFECT, type Impairments } from "../net/link.js";
import { Random } from "../sim/random.js";
import { Violation } from "./violation.js";
import { typed } from "../root.js";

/** Boards whose chips are simulated, register by register. */
const BOARDS = ["virtual-w5500", "virtual-enc28j60"] as const;
const ECHO_PORT = 7;
/** Longest wait for the next byte, and for the tables to be empty again, simulated milliseconds. */
const PATIENCE_MS = 900_000;

/** What a run with a chip came to. */
export interface ChipResult {
  board: string;
  link: Impairments;
  bytes: number;
  /** From the first byte sent to the last one that came back. */
  simulatedMs: number;
}

/** Draws the troubles of a run by its number. */
function drawLink(random: Random): Impairments {
  const maybe = (most: number): number => (random.chance(0.5) ? 0 : random.below(most + 1));
  return {
    ...PERFECT,
    lossPercent: maybe(10),
    delayMs: maybe(20),
    reorderPercent: maybe(10),
    duplicatePercent: maybe(10),
    corruptPercent: maybe(5),
  };
}

/**
 * The stack against itself over a chip: a hosted instance sends bytes through the echo service of a firmware that drives the model
 * of a chip, over a cable with troubles. Runs with even numbers have a W5500, the others an ENC28J60.
 */
export async function chipRun(
  seed: number,
  run: number,
  wanted: { bytes?: number; link?: Impairments } = {},
): Promise<ChipResult> {
  const random = new Random(Math.imul(seed, 0x9e37_79b1) + run);
  for (let i = 0; i < 3; i++) random.u32();
  const board = BOARDS[run % 2] as (typeof BOARDS)[number];
  const link = wanted.link ?? drawLink(random);
  const data = new Uint8Array(wanted.bytes ?? 1 + random.below(65_536));
  random.fill(data);
  const lan = new Lan({ seed: random.u32() >>> 8, limitMs: PATIENCE_MS });
  const device = await lan.device({ app: "echo", board, link });
  await device.ready();
  const { stack } = await lan.peer();
  const { fd } = await device.connect(ECHO_PORT);
  const startNs = lan.clock.nowNs;
  let out = 0;
  let back = 0;
  let failed = 0;
  stack.onProgress = () => {
    let moved = 1;
    while (out < data.length && moved > 0) {
      moved = stack.send(fd, data.subarray(out));
      if (moved > 0) out += moved;
    }
    for (moved = stack.recv(fd); moved > 0; moved = stack.recv(fd)) {
      if (Buffer.compare(stack.data(moved), data.subarray(back, back + moved)) !== 0)
        throw new Violation("data come back as they were sent", `${moved} bytes at ${back}`);
      back += moved;
    }
    if (moved === 0 || moved < -11) failed = moved;
  };
  stack.wake();
  while (back < data.length) {
    const before = back;
    await lan.until(() => back !== before || failed !== 0, `byte ${back} of the echo`);
    if (failed !== 0) throw new Violation("an echo comes whole", `${back} bytes, errno ${-failed}`);
  }
  const simulatedMs = (lan.clock.nowNs - startNs) / 1e6;
  stack.onProgress = () => undefined;
  stack.closeSocket(fd);
  await lan.until(() => stack.inUse.tcbs + stack.inUse.timeWait === 0, "an empty table");
  lan.close();
  return { board, link, bytes: data.length, simulatedMs };
}

/** Runs many, telling of each; the first violation ends them. */
export async function chipRuns(
  { runs, seed, first }: { runs: number; seed: number; first: number },
  print: (line: string) => void,
): Promise<void> {
  for (let run = first; run < first + runs; run++) {
    try {
      const { board, bytes, simulatedMs, link } = await chipRun(seed, run);
      print(
        `run ${run}: ${board}, ${bytes} bytes in ${Math.round(simulatedMs)} ms, ${JSON.stringify(link)}`,
      );
    } catch (error) {
      print(
        `again: ${typed("simulate", `--scenario chips --seed ${seed} --first ${run} --runs 1`)}`,
      );
      throw error;
    }
  }
  print(`${runs} runs over chips, seed ${seed}: no violation`);
}
