import type { Board } from "../../build/boards.js";
import { buildImage, type BuiltImage } from "../../build/device/build.js";
import { flashFactsOf } from "../../flash/board-facts.js";
import { describeLastWords, readFunctions } from "../../log/last-words.js";
import { createChip, LINK_BPS } from "../machine-chips.js";
import { BOARD_TIMING, clockMsOf, createHw, type HwImports } from "../hw-imports.js";
import { DeviceTrap, type DeviceMachine, type MachineEnvironment } from "../machine.js";
import { Pins, STM32_PINS } from "../pins.js";
import { Random } from "../random.js";
import type { ChipModel, SpiSlave } from "../types.js";
import { Bridge, bridgeMemory } from "./bridge.js";
import { Emulator, requireQemu, type EmulatorOptions, type FlashPiece } from "./emulator.js";
import { SerialLog } from "./serial-log.js";
import { violationLog } from "../violations.js";

/** RAM of QEMU's stm32vldiscovery, an STM32F100. */
const DISCOVERY_RAM_BYTES = 8192;
/** USART1 of an STM32F4. */
const F4_USART1 = 0x40011000;
/** Waking takes a moment, so that a device that ignores its interrupt cannot stop the clock. */
const WAKE_NS = 1000;
/** Why nothing more is known of a failed device whose UART is not where start-up looks for it. */
const NO_LAST_WORDS =
  "its last words are lost, because the machine has another UART than the board";
/** Calls to the bridge after which the log is read even when the device does not sleep. */
const CALLS_PER_POLL = 512;

/** A machine of QEMU that runs a board's image. */
export interface EmulatedBoard {
  machine: string;
  /** Where the device finds its log's USART; 0 when the machine's peripherals are those of the board. */
  uart: number;
}

/**
 * The machine for an image. An STM32F103 image runs on the STM32F100 of stm32vldiscovery, which has the same peripherals,
 * when it fits its 8 KB of RAM; else on netduinoplus2, where only the processor and the USART are used.
 */
export function emulatedBoard(board: Board, ramBytes: number): EmulatedBoard {
  if (board.target === "stm32f4") return { machine: "netduinoplus2", uart: 0 };
  if (ramBytes <= DISCOVERY_RAM_BYTES) return { machine: "stm32vldiscovery", uart: 0 };
  return { machine: "netduinoplus2", uart: F4_USART1 };
}

/**
 * What a boot loader in front of the image does, where the board has one: Espruino's calls the second word of the image,
 * with a stack and a vector table of its own; the stack here has no room, so an image that uses it fails.
 */
export function bootLoader(board: Board): FlashPiece[] {
  const { origin, appOrigin } = flashFactsOf(board);
  if (appOrigin === origin) return [];
  const code = Buffer.alloc(24);
  code.writeUInt32LE(0x20000000, 0);
  code.writeUInt32LE((origin + 8) | 1, 4);
  code.writeUInt16LE(0x4801, 8); //  ldr  r0, [pc, #4]   the word at 16
  code.writeUInt16LE(0x6840, 10); // ldr  r0, [r0, #4]
  code.writeUInt16LE(0x4780, 12); // blx  r0
  code.writeUInt16LE(0xe7fe, 14); // b    .
  code.writeUInt32LE(appOrigin, 16);
  return [{ address: origin, data: code }];
}

/** Builds the image of a firmware for QEMU and makes its machine. */
export async function createMachine(environment: MachineEnvironment): Promise<DeviceMachine> {
  const { firmware, time, log } = environment;
  const { board } = firmware;
  if (board.chip === "none") throw new Error(`the board ${board.name} has no Ethernet chip`);
  requireQemu();
  const image = await buildImage({
    board: board.name,
    app: firmware.app,
    options: firmware.options,
    variant: "qemu",
  });
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
  const emulated = emulatedBoard(board, image.size.ram.bytes);
  const memory = bridgeMemory();
  const pins = new Pins(STM32_PINS);
  const { imports } = createHw({
    clock,
    advance: (ns) => clock.advance(ns),
    chip: bus,
    spiHz: board.spiHz,
    timing: BOARD_TIMING[board.chip],
    memory: () => memory,
    pins,
    log: () => undefined,
    sleepUntil: (deadlineMs) => {
      const leftMs = (deadlineMs - clockMsOf(clock, 0)) | 0;
      const nowMs = Math.floor(clock.nowNs / 1e6);
      if (leftMs > 0) time.idle((nowMs + leftMs) * 1e6, () => bus.interrupt || pins.news);
      else time.busy();
      clock.advance(WAKE_NS);
    },
    entropy: () => entropy.u32(),
  });
  imports["hello"] = () => emulated.uart;
  return new QemuMachine(chip, LINK_BPS[board.chip], pins, environment, image, {
    ...emulated,
    imports,
    memory,
  });
}

/** A device whose processor is QEMU's; its calls come over the bridge. */
class QemuMachine implements DeviceMachine {
  constructor(
    readonly chip: ChipModel,
    readonly linkBps: number,
    readonly pins: Pins,
    private readonly environment: MachineEnvironment,
    private readonly image: BuiltImage,
    private readonly parts: EmulatedBoard & { imports: HwImports; memory: WebAssembly.Memory },
  ) {}

  run(): void {
    const { image, parts, environment } = this;
    const { time, log } = environment;
    const emulator = new Emulator(this.emulatorOptions());
    const serial = new SerialLog(
      emulator.serial,
      image.messages,
      () => time.clock.nowNs / 1e6,
      log,
    );
    const { sleepUntil } = parts.imports as { sleepUntil: (ms: number) => void };
    const bridge = new Bridge({
      fromTarget: emulator.fromTarget,
      toTarget: emulator.toTarget,
      memory: parts.memory,
      imports: {
        ...parts.imports,
        sleepUntil: (deadlineMs) => {
          serial.poll();
          sleepUntil(deadlineMs as number);
        },
      },
    });
    try {
      for (let calls = 1; ; calls++) {
        if (calls % CALLS_PER_POLL === 0) serial.poll();
        time.busy();
        bridge.serve();
      }
    } catch (error) {
      serial.poll();
      if (!(error instanceof DeviceTrap)) throw error;
      if (serial.lastWords) {
        const functions = readFunctions(`${image.path}.elf`);
        throw new DeviceTrap(describeLastWords(serial.lastWords, functions));
      }
      const said = emulator.errors || (parts.uart === 0 ? "" : NO_LAST_WORDS);
      throw new DeviceTrap(said ? `${error.message}: ${said}` : error.message);
    } finally {
      serial.close();
      emulator.close();
    }
  }

  private emulatorOptions(): EmulatorOptions {
    const { board } = this.image;
    const { settings } = flashFactsOf(board);
    const pieces = bootLoader(board);
    if (settings !== undefined) {
      pieces.push({ address: settings, data: this.environment.settings });
    }
    return { machine: this.parts.machine, elf: `${this.image.path}.elf`, pieces };
  }
}
