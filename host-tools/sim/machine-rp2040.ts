import { readFileSync } from "node:fs";
import { buildImage } from "../build/device/build.js";
import { flashFactsOf } from "../flash/board-facts.js";
import { readUf2 } from "../flash/image/uf2.js";
import { describeLastWords, readFunctions } from "../log/last-words.js";
import { ensureCrossCompiler } from "../setup/cross-compiler.js";
import { createChip, LINK_BPS } from "./machine-chips.js";
import type { DeviceMachine, MachineEnvironment } from "./machine.js";
import { Random } from "./random.js";
import { Rp2040Board } from "./rp2040/board.js";
import { LogLineDecoder, type MirroredFrame } from "./rp2040/log-line.js";
import type { ChipModel } from "./types.js";
import { violationLog } from "./violations.js";

/** Wiring of both Pico boards (hal/rp2040/pico.ts). */
export const PINS = { miso: 16, cs: 17, sck: 18, mosi: 19, reset: 20, interrupt: 21 };

/** SPI modes: W5500 datasheet 2.1, ENC28J60 datasheet 4.1. */
const SPI_MODES = { w5500: [0, 3], enc28j60: [0] };

/** An emulated RP2040 board: the very UF2 file that is flashed, built here if it is not up to date. */
export async function createMachine(environment: MachineEnvironment): Promise<Rp2040Machine> {
  const { firmware, time, log } = environment;
  const { board } = firmware;
  if (board.chip === "none") throw new Error(`the board ${board.name} has no Ethernet chip`);
  await ensureCrossCompiler((what) => void process.stderr.write(`${what} ...\n`));
  const image = await buildImage({
    board: board.name,
    app: firmware.app,
    options: firmware.options,
  });
  const facts = flashFactsOf(board);
  const random = new Random(environment.seed);
  const { clock } = time;
  const onViolation = violationLog(clock, log);
  const chip = await createChip(board.chip, {
    clock,
    spiHz: board.spiHz,
    seed: random.u32(),
    onViolation,
  });
  const functions = readFunctions(`${image.path}.elf`);
  const decoder = new LogLineDecoder(image.messages, {
    onLine: log,
    onLastWords: (words) => mcu.fail(describeLastWords(words, functions)),
    onFrame: (mirrored) => machine.onMirror(mirrored),
  });
  const mcu = new Rp2040Board({
    time,
    chip: environment.probe ? environment.probe(chip) : chip,
    wiring: {
      ...PINS,
      spiHz: board.spiHz,
      spiModes: SPI_MODES[board.chip],
      baud: Number(board["uartBaud"]),
      flashBytes: facts.bytes,
    },
    seed: random.u32(),
    onByte: (byte) => decoder.put(byte, clock.nowNs / 1e6),
    onViolation,
  });
  for (const { address, data } of readUf2(readFileSync(`${image.path}.uf2`))) {
    mcu.load(address, data);
  }
  if (facts.settings !== undefined) mcu.load(facts.settings, environment.settings);
  const machine = new Rp2040Machine(chip, LINK_BPS[board.chip], mcu);
  return machine;
}

/** An emulated board as the simulation sees it. */
export class Rp2040Machine implements DeviceMachine {
  /** Called with each frame that a firmware built with `--mirror` tells of on its log line. */
  onMirror: (mirrored: MirroredFrame) => void = () => undefined;

  constructor(
    readonly chip: ChipModel,
    readonly linkBps: number,
    readonly board: Rp2040Board,
  ) {}

  run(): void {
    this.board.run();
  }
}
