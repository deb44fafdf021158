import { decodeLog } from "../log/decode.js";
import { SETTINGS_BYTES } from "../settings.js";
import { createChip, LINK_BPS } from "./machine-chips.js";
import {
  DeviceTrap,
  StopSimulation,
  type DeviceMachine,
  type MachineEnvironment,
} from "./machine.js";
import { BOARD_TIMING, clockMsOf, createHw, type HwImports } from "./hw-imports.js";
import { Random } from "./random.js";
import type { ChipModel, SpiSlave } from "./types.js";
import { violationLog } from "./violations.js";

const PAGE_BYTES = 65536;
/** Waking takes a moment, so that a device that ignores its interrupt cannot stop the clock. */
const WAKE_NS = 1000;
/** Imports that look at or move time: where the world gets its turn while the processor is busy. */
const BUSY_IMPORTS = ["spiSelect", "chipInterrupt", "clockMs", "clockUs", "delayNs"] as const;

/**
 * A virtual board: the firmware as a WebAssembly instance. Its instructions take no simulated time; SPI bytes, delays
 * and looking at pins and clocks do (hw-imports.ts).
 */
export async function createMachine(environment: MachineEnvironment): Promise<DeviceMachine> {
  const { firmware, time, log } = environment;
  const { board } = firmware;
  if (board.chip === "none") throw new Error(`the board ${board.name} has no Ethernet chip`);
  const random = new Random(environment.seed);
  const { clock } = time;
  const chip = await createChip(board.chip, {
    clock,
    spiHz: board.spiHz,
    seed: random.u32(),
    onViolation: violationLog(clock, log),
  });
  const entropy = random.fork();
  const bus: SpiSlave = environment.probe ? environment.probe(chip) : chip;
  const memory = (): WebAssembly.Memory => instance.exports["memory"] as WebAssembly.Memory;
  let blobAt = 0;
  const settingsAt = (): number => blobAt + ((firmware.blob.length + 3) & ~3);
  const { imports } = createHw({
    clock,
    advance: (ns) => clock.advance(ns),
    chip: bus,
    spiHz: board.spiHz,
    timing: BOARD_TIMING[board.chip],
    memory,
    log: (id, args) => log(decodeLog(firmware.messages, id, args, clock.nowNs / 1e6)),
    sleepUntil: (deadlineMs) => {
      const leftMs = (deadlineMs - clockMsOf(clock, 0)) | 0;
      const nowMs = Math.floor(clock.nowNs / 1e6);
      if (leftMs > 0) time.idle((nowMs + leftMs) * 1e6, () => bus.interrupt);
      else time.busy();
      clock.advance(WAKE_NS);
    },
    entropy: () => entropy.u32(),
    flashBase: () => blobAt,
    settingsBase: settingsAt,
  });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(firmware.wasm), {
    hw: withTurns(imports, () => time.busy()),
  });
  blobAt = memory().buffer.byteLength;
  const flashBytes = settingsAt() - blobAt + SETTINGS_BYTES;
  memory().grow(Math.ceil(flashBytes / PAGE_BYTES));
  const bytes = new Uint8Array(memory().buffer);
  bytes.set(firmware.blob, blobAt);
  bytes.set(environment.settings, settingsAt());
  const main = instance.exports["main"] as (() => void) | undefined;
  if (!main) throw new DeviceTrap(`the application '${firmware.app}' has no exported main()`);
  return new WasmMachine(chip, LINK_BPS[board.chip], main);
}

class WasmMachine implements DeviceMachine {
  constructor(
    readonly chip: ChipModel,
    readonly linkBps: number,
    private readonly main: () => void,
  ) {}

  run(): void {
    try {
      this.main();
    } catch (error) {
      if (error instanceof StopSimulation || !(error instanceof WebAssembly.RuntimeError)) {
        throw error;
      }
      throw new DeviceTrap(`the firmware has trapped (${error.message})${trapPlace(error)}`);
    }
    throw new DeviceTrap("the firmware has ended: main() must not return");
  }
}

/** The innermost functions of a trap, as far as the build kept their names. */
function trapPlace(error: Error): string {
  const frames = [...(error.stack ?? "").matchAll(/at (\S+) \(wasm:/g)].map((match) => match[1]);
  return frames.length > 0 ? ` in ${frames.slice(0, 3).join(" < ")}` : "";
}

/** Gives the world a turn before each import that looks at or moves time. */
function withTurns(imports: HwImports, turn: () => void): HwImports {
  const wrapped: HwImports = { ...imports };
  for (const name of BUSY_IMPORTS) {
    const inner = imports[name] as (...args: number[]) => number | void;
    wrapped[name] = (argument) => {
      turn();
      return inner(argument as number);
    };
  }
  return wrapped;
}
