import { decodeLog } from "../log/decode.js";
import { BOARD_TIMING, clockMsOf, createHw } from "../sim/hw-imports.js";
import { createChip, LINK_BPS } from "../sim/machine-chips.js";
import { DeviceTrap, type DeviceMachine, type MachineEnvironment } from "../sim/machine.js";
import { Random } from "../sim/random.js";
import { buildNative } from "./build.js";
import { NativeFailure, NativeProcess } from "./process.js";
import { violationLog } from "../sim/violations.js";

/** Waking takes a moment, as on the other machines. */
const WAKE_NS = 1000;

/**
 * A virtual board whose firmware is the guarded native build: drivers, stack and application under the sanitizers, over
 * the chip's model. Slower than WebAssembly, and every import is a message; for tests. It is made of a firmware whose
 * board has the target `native`.
 */
export async function createMachine(environment: MachineEnvironment): Promise<DeviceMachine> {
  const { time, log } = environment;
  const { board, app, options } = environment.firmware;
  if (board.chip === "none") throw new Error(`the board ${board.name} has no Ethernet chip`);
  const program = await buildNative({ board: board.name, app, options });
  const { firmware, blobAt } = program;
  const settingsAt = blobAt + ((firmware.blob.length + 3) & ~3);
  const random = new Random(environment.seed);
  const { clock } = time;
  const chip = await createChip(board.chip, {
    clock,
    spiHz: board.spiHz,
    seed: random.u32(),
    onViolation: violationLog(clock, log),
  });
  const { imports } = createHw({
    clock,
    advance: (ns) => clock.advance(ns),
    chip: environment.probe ? environment.probe(chip) : chip,
    spiHz: board.spiHz,
    timing: BOARD_TIMING[board.chip],
    memory: () => native.exports.memory as unknown as WebAssembly.Memory,
    log: (id, args) => log(decodeLog(firmware.messages, id, args, clock.nowNs / 1e6)),
    sleepUntil: (deadlineMs) => {
      const leftMs = (deadlineMs - clockMsOf(clock, 0)) | 0;
      const nowMs = Math.floor(clock.nowNs / 1e6);
      if (leftMs > 0) time.idle((nowMs + leftMs) * 1e6, () => chip.interrupt);
      else time.busy();
      clock.advance(WAKE_NS);
    },
    entropy: () => random.u32(),
    flashBase: () => blobAt,
    settingsBase: () => settingsAt,
  });
  const select = imports["spiSelect"] as () => void;
  const native = new NativeProcess(program, {
    ...imports,
    spiSelect: () => {
      time.busy();
      select();
    },
  });
  const bytes = new Uint8Array(native.exports.memory.buffer);
  bytes.set(firmware.blob, blobAt);
  bytes.set(environment.settings, settingsAt);
  return {
    chip,
    linkBps: LINK_BPS[board.chip],
    run: () => {
      try {
        native.exports["main"]?.();
      } catch (error) {
        if (error instanceof NativeFailure) throw new DeviceTrap(error.message);
        throw error;
      } finally {
        native.close();
      }
      throw new DeviceTrap("the firmware has ended: main() must not return");
    },
  };
}
