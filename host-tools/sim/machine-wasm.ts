import { decodeLog } from "../log/decode.js";
import { SETTINGS_BYTES } from "../settings.js";
import type { Board } from "../build/boards.js";
import type { Firmware } from "../build/compile.js";
import { createChip, LINK_BPS, type ChipName } from "./machine-chips.js";
import {
  DeviceTrap,
  type DeviceMachine,
  type MachineEnvironment,
  type MachineTime,
  type WireSide,
} from "./machine.js";
import {
  BOARD_TIMING,
  clockMsOf,
  createHw,
  type BoardTiming,
  type BusCount,
  type HwImports,
} from "./hw-imports.js";
import { Pins } from "./pins.js";
import { Random } from "./random.js";
import { trapOf } from "./trap.js";
import type { ChipModel, SpiSlave } from "./types.js";
import type { VirtualClock } from "./virtual-clock.js";
import { violationLog } from "./violations.js";

const PAGE_BYTES = 65536;
/** Waking takes a moment, so that a device that ignores its interrupt cannot stop the clock. */
export const WAKE_NS = 1000;
/** Imports that look at or move time: where the world gets its turn while the processor is busy. */
const BUSY_IMPORTS = [
  "spiSelect",
  "spiSelect2",
  "chipInterrupt",
  "chipInterrupt2",
  "clockMs",
  "clockUs",
  "delayNs",
] as const;

/** How the code of a virtual board gives way to the world. */
export interface Pauses {
  /** The device sleeps until `clockMs()` is `deadlineMs`, INTn is low, or a pin has news. */
  sleep: (deadlineMs: number) => void;
  /** The processor is at work; called before each import that looks at or moves time. */
  turn: (name: string) => void;
}

/** A virtual board that has been made and not started. */
export interface WasmBoard {
  chip: ChipModel;
  /** The second chip of a board that has two. */
  second: ChipModel | undefined;
  instance: WebAssembly.Instance;
  /** Traffic on the SPI bus. */
  bus: BusCount;
  pins: Pins;
  main: () => void;
}

/**
 * A virtual board: the firmware as a WebAssembly instance. Its instructions take no simulated time; SPI bytes, delays
 * and looking at pins and clocks do (hw-imports.ts).
 */
export async function makeWasmBoard(
  environment: Omit<MachineEnvironment, "time"> & {
    clock: VirtualClock;
  } & Pick<MachineTime, "busSpeed" | "negotiationMs">,
  pauses: (chips: Pick<SpiSlave, "interrupt">, pins: Pins) => Pauses,
): Promise<WasmBoard> {
  const { firmware, clock, log, negotiationMs } = environment;
  const { board } = firmware;
  if (board.chip === "none") throw new Error(`the board ${board.name} has no Ethernet chip`);
  const random = new Random(environment.seed);
  const make = (name: ChipName): Promise<ChipModel> =>
    createChip(name, {
      clock,
      spiHz: board.spiHz,
      seed: random.u32(),
      onViolation: violationLog(clock, log),
      ...(negotiationMs !== undefined && { autoNegotiationMs: negotiationMs }),
    });
  const chip = await make(board.chip);
  const entropy = random.fork();
  const second = board.chip2 && (await make(board.chip2));
  const probed: SpiSlave = environment.probe ? environment.probe(chip) : chip;
  const pins = new Pins();
  const either = {
    get interrupt(): boolean {
      return probed.interrupt || (second?.interrupt ?? false);
    },
  };
  const { sleep, turn } = pauses(either, pins);
  const memory = (): WebAssembly.Memory => instance.exports["memory"] as WebAssembly.Memory;
  let blobAt = 0;
  const settingsAt = (): number => blobAt + ((firmware.blob.length + 3) & ~3);
  const { imports, bus } = createHw({
    clock,
    advance: (ns) => clock.advance(ns),
    burstClock: clock,
    chip: probed,
    second,
    spiHz: board.spiHz * (environment.busSpeed ?? 1),
    timing: timingOf(board),
    memory,
    log: (id, args) => log(decodeLog(firmware.messages, id, args, clock.nowNs / 1e6)),
    sleepUntil: sleep,
    entropy: () => entropy.u32(),
    flashBase: () => blobAt,
    settingsBase: settingsAt,
    pins,
  });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(firmware.wasm), {
    hw: withTurns(imports, turn),
  });
  blobAt = memory().buffer.byteLength;
  const flashBytes = settingsAt() - blobAt + SETTINGS_BYTES;
  memory().grow(Math.ceil(flashBytes / PAGE_BYTES));
  const bytes = new Uint8Array(memory().buffer);
  bytes.set(firmware.blob, blobAt);
  bytes.set(environment.settings, settingsAt());
  const main = instance.exports["main"] as (() => void) | undefined;
  if (!main) throw new DeviceTrap(`the application '${firmware.app}' has no exported main()`);
  return { chip, second, instance, bus, pins, main };
}

/** The times of a bus keep the limits of the slower chip on it. */
function timingOf({ chip, chip2 }: Board): BoardTiming {
  return BOARD_TIMING[[chip, chip2].includes("enc28j60") ? "enc28j60" : "w5500"];
}

/** The same as a machine, whose `main` blocks while the world goes on. */
export async function createMachine(environment: MachineEnvironment): Promise<DeviceMachine> {
  const { firmware, time } = environment;
  const { clock, busSpeed = 1, negotiationMs } = time;
  const { chip, second, pins, main } = await makeWasmBoard(
    { ...environment, clock, busSpeed, ...(negotiationMs !== undefined && { negotiationMs }) },
    (chips, pins) => ({
      turn: () => time.busy(),
      sleep: (deadlineMs) => {
        const untilNs = deadlineNs(clock, deadlineMs);
        if (untilNs === undefined) time.busy();
        else time.idle(untilNs, () => chips.interrupt || pins.news);
        clock.advance(WAKE_NS);
      },
    }),
  );
  const { chip2 } = firmware.board;
  const other = second && chip2 && { chip: second, linkBps: LINK_BPS[chip2] };
  return new WasmMachine(chip, LINK_BPS[chipName(firmware)], other, pins, main, firmware);
}

/** The instant at which `clockMs()` reaches a deadline; undefined when it is over. */
export function deadlineNs(clock: VirtualClock, deadlineMs: number): number | undefined {
  const leftMs = (deadlineMs - clockMsOf(clock, 0)) | 0;
  return leftMs > 0 ? (Math.floor(clock.nowNs / 1e6) + leftMs) * 1e6 : undefined;
}

function chipName(firmware: Firmware): ChipName {
  return firmware.board.chip as ChipName;
}

class WasmMachine implements DeviceMachine {
  constructor(
    readonly chip: ChipModel,
    readonly linkBps: number,
    readonly second: WireSide | undefined,
    readonly pins: Pins,
    private readonly main: () => void,
    private readonly firmware: Firmware,
  ) {}

  run(): void {
    try {
      this.main();
    } catch (error) {
      throw trapOf(error, this.firmware);
    }
    throw new DeviceTrap(MAIN_RETURNED);
  }
}

/** What a firmware is told whose `main` returns. */
export const MAIN_RETURNED = "the firmware has ended: main() must not return";

/** Gives the world a turn before each import that looks at or moves time. */
function withTurns(imports: HwImports, turn: (name: string) => void): HwImports {
  const wrapped: HwImports = { ...imports };
  for (const name of BUSY_IMPORTS) {
    const inner = imports[name];
    if (!inner) continue;
    wrapped[name] = (argument) => {
      turn(name);
      return inner(argument as number);
    };
  }
  return wrapped;
}
