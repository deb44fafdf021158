/** An emulated RP2040 board with a scripted SPI slave in place of a chip. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { buildImage } from "../../host-tools/build/device/build.js";
import { loadBoard } from "../../host-tools/build/boards.js";
import { readUf2 } from "../../host-tools/flash/image/uf2.js";
import { packageRoot } from "../../host-tools/root.js";
import { DeviceTrap, StopSimulation } from "../../host-tools/sim/machine.js";
import { VirtualTime } from "../../host-tools/sim/machine-time.js";
import { PINS } from "../../host-tools/sim/machine-rp2040.js";
import { Rp2040Board } from "../../host-tools/sim/rp2040/board.js";
import { LogLineDecoder } from "../../host-tools/sim/rp2040/log-line.js";
import type { SpiSlave } from "../../host-tools/sim/types.js";

/** A transaction on the bus: what the board has sent, and when each byte had passed. */
export interface Transaction {
  mosi: number[];
  timesNs: number[];
}

/** Answers with 1, 2, 3, … after the first byte of each transaction, and remembers all. */
export class ScriptedSlave implements SpiSlave {
  interrupt = false;
  onInterrupt: (low: boolean) => void = () => {};
  readonly transactions: Transaction[] = [];
  readonly resets: boolean[] = [];
  nowNs: () => number = () => 0;

  select(): void {
    this.transactions.push({ mosi: [], timesNs: [] });
  }

  deselect(): void {}

  exchange(mosi: number): number {
    const transaction = this.transactions.at(-1) as Transaction;
    transaction.timesNs.push(this.nowNs());
    transaction.mosi.push(mosi);
    return (transaction.mosi.length - 1) & 0xff;
  }

  reset(low: boolean): void {
    this.resets.push(low);
  }

  setInterrupt(low: boolean): void {
    this.interrupt = low;
    this.onInterrupt(low);
  }
}

export interface Run {
  /** What has ended the run: `timeout`, or the message of a trap. */
  end: string;
  log: string[];
  violations: string[];
  simulatedMs: number;
}

export interface RunOptions {
  app: string;
  board?: string;
  settings?: Uint8Array;
  seed?: number;
  ms?: number;
  slave?: ScriptedSlave;
  /** Before power-on: the board may be tampered with, things may be scheduled. */
  prepare?: (board: Rp2040Board, time: VirtualTime) => void;
}

/** Builds an application of test/device, runs it, and tells what came of it. */
export async function runOnPico(options: RunOptions): Promise<Run> {
  const { board: name = "w5500-evb-pico", seed = 1, ms = 100 } = options;
  const slave = options.slave ?? new ScriptedSlave();
  const board = loadBoard(name);
  const image = await buildImage({
    board: name,
    app: join(packageRoot, "test/device", options.app),
  });
  const time = new VirtualTime();
  slave.nowNs = () => time.clock.nowNs;
  const log: string[] = [];
  const violations: string[] = [];
  const decoder = new LogLineDecoder(image.messages, {
    onLine: ({ level, text }) => log.push(level === "info" ? text : `${level}: ${text}`),
    onLastWords: ({ cause, pc }) => mcu.fail(`last words ${cause.toString(16)} ${pc > 0}`),
  });
  const mcu = new Rp2040Board({
    time,
    chip: slave,
    wiring: {
      ...PINS,
      spiHz: board.spiHz,
      spiModes: [0, 3],
      baud: 115200,
      flashBytes: 0x200000,
    },
    seed,
    onByte: (byte) => decoder.put(byte, time.clock.nowNs / 1e6),
    onViolation: (message) => violations.push(message),
  });
  for (const { address, data } of readUf2(readFileSync(`${image.path}.uf2`))) {
    mcu.load(address, data);
  }
  if (options.settings) mcu.load(0x101ff000, options.settings);
  options.prepare?.(mcu, time);
  time.clock.schedule(ms * 1e6, () => time.stop("timeout"));
  let end = "";
  try {
    mcu.run();
  } catch (error) {
    if (error instanceof StopSimulation) end = error.reason;
    else if (error instanceof DeviceTrap) end = error.message;
    else throw error;
  }
  return { end, log, violations, simulatedMs: time.clock.nowNs / 1e6 };
}
