import type { Options } from "../../stack/options.js";
import { checkKeys, checkVirtual, strict } from "./checks.js";
import { compileFirmware, type Firmware } from "../build/compile.js";
import { BOARD_TIMING, clockMsOf, createHw, type BusCount } from "../sim/hw-imports.js";
import { createChip, type ChipName } from "../sim/machine-chips.js";
import type { ChipModel, SpiSlave } from "../sim/types.js";
import { VirtualClock } from "../sim/virtual-clock.js";

/** The frame device contract as the test firmware exports it (firmware/nic-bench). */
export interface NicExports {
  nicInit(mac: number): number;
  nicPoll(nowMs: number): void;
  nicLink(): number;
  nicVersion(): number;
  nicDeadline(nowMs: number): number;
  nicCounter(index: number): number;
  rxBegin(): number;
  rxRead(to: number, bytes: number): void;
  rxSkip(bytes: number): void;
  rxEnd(): void;
  rxPutBack(): void;
  txReady(): number;
  txAnswers(): number;
  txBegin(bytes: number): number;
  txWrite(from: number, bytes: number): void;
  txEnd(): void;
  txCancel(): void;
  buffer(): number;
  memory: WebAssembly.Memory;
}

/** Counters by name, in the order of drivers/nic-counters.ts. */
export const NIC_COUNTERS = [
  "rxFrames",
  "txFrames",
  "rxBadHeader",
  "rxOverflow",
  "rxResets",
  "txErrors",
  "txTimeouts",
  "txRetries",
  "txResets",
  "reinits",
  "linkChanges",
] as const;

export type NicCounters = Record<(typeof NIC_COUNTERS)[number], number>;

export interface NicHarnessOptions<Chip extends SpiSlave> {
  /** A virtual board, or one of the project, whose driver is tried. */
  board: string;
  /** The chip, or a scripted stand-in; `clock` is the harness's own. Default: the model of the board's chip. */
  chip: (clock: VirtualClock) => Chip;
  spiHz?: number;
  /** Value of the device's clock at the start, to see it wrap. */
  startMs?: number;
  /** Build options that differ from the board's. */
  options?: Partial<Options>;
}

/** Names of the options, for those who write no TypeScript. */
const OPTIONS: readonly (keyof NicHarnessOptions<never>)[] = [
  ...(["board", "chip", "spiHz", "startMs", "options"] as const),
];

/** What a data sheet forbids ends a test. */
function onViolation(message: string): void {
  throw new Error(message);
}

const firmwares = new Map<string, Promise<Firmware>>();

/** The test firmware for a board and build options, compiled once for all tests of a process. */
function compiled(board: string, options: Partial<Options>): Promise<Firmware> {
  const key = board + JSON.stringify(options);
  let firmware = firmwares.get(key);
  if (!firmware) {
    firmware = compileFirmware({ board, app: "nic-bench", options });
    firmwares.set(key, firmware);
  }
  return firmware;
}

/** A driver compiled for a virtual board and run against a chip on a bench, step by step, in virtual time. */
export class NicHarness<Chip extends SpiSlave = SpiSlave> {
  /** The host-order MAC bytes that `init` gives the driver. */
  static readonly MAC = Uint8Array.of(0x02, 0x00, 0x00, 0x12, 0x34, 0x56);

  private constructor(
    readonly clock: VirtualClock,
    readonly chip: Chip,
    readonly nic: NicExports,
    readonly bus: BusCount,
    /** Log lines as they came: format, then arguments. */
    readonly log: string[],
    private readonly startMs: number,
  ) {}

  static create<Chip extends SpiSlave>(options: NicHarnessOptions<Chip>): Promise<NicHarness<Chip>>;
  static create(options: Omit<NicHarnessOptions<never>, "chip">): Promise<NicHarness<ChipModel>>;
  static async create<Chip extends SpiSlave>(
    options: Omit<NicHarnessOptions<Chip>, "chip"> & Partial<NicHarnessOptions<Chip>>,
  ): Promise<NicHarness<Chip>> {
    checkKeys(options, OPTIONS, "a NicHarness");
    checkVirtual(options.board);
    const firmware = await compiled(options.board, options.options ?? {});
    const clock = new VirtualClock();
    const spiHz = options.spiHz ?? firmware.board.spiHz;
    const model = (): Promise<unknown> =>
      createChip(firmware.board.chip as ChipName, { clock, spiHz, seed: 1, onViolation });
    const chip = options.chip?.(clock) ?? ((await model()) as Chip);
    const log: string[] = [];
    const startMs = options.startMs ?? 0;
    const { imports, bus } = createHw({
      clock,
      chip,
      advance: (ns) => clock.advance(ns),
      spiHz,
      timing: BOARD_TIMING[firmware.board.chip as "w5500" | "enc28j60"],
      memory: () => nic.memory,
      log: (id, args) => void log.push([firmware.messages[id], ...args].join(" ")),
      startMs,
    });
    const instance = new WebAssembly.Instance(new WebAssembly.Module(firmware.wasm), {
      hw: imports,
    });
    const nic = instance.exports as unknown as NicExports;
    return new NicHarness<Chip>(clock, chip, nic, bus, log, startMs);
  }

  /** The device's `clockMs()`. */
  get nowMs(): number {
    return clockMsOf(this.clock, this.startMs);
  }

  /** Puts the MAC into the device's memory and starts the driver; gives what `nicInit` returns. */
  init(): number {
    const at = this.nic.buffer();
    this.bytes(at, 6).set(NicHarness.MAC);
    return this.nic.nicInit(at);
  }

  /** One turn of the main loop. */
  poll(): void {
    this.nic.nicPoll(this.nowMs | 0);
  }

  /** Turns of the main loop for that long, one every `stepMs`; frames are left in the chip. */
  run(ms: number, stepMs = 1): void {
    const endNs = this.clock.nowNs + ms * 1e6;
    while (this.clock.nowNs < endNs) {
      this.poll();
      this.clock.advance(stepMs * 1e6);
    }
    this.poll();
  }

  /** Hands a frame to the driver in pieces of at most `chunk` bytes; false if it has no room now. */
  send(frame: Uint8Array, chunk = frame.length): boolean {
    if (!this.nic.txBegin(frame.length)) return false;
    const at = this.nic.buffer();
    for (let from = 0; from < frame.length; from += chunk) {
      const piece = frame.subarray(from, from + chunk);
      this.bytes(at, piece.length).set(piece);
      this.nic.txWrite(at, piece.length);
    }
    this.nic.txEnd();
    return true;
  }

  /** Takes the oldest frame in pieces of at most `chunk` bytes; undefined if there is none. */
  receive(chunk = 4096): Uint8Array | undefined {
    const length = this.nic.rxBegin();
    if (length === 0) return undefined;
    const frame = new Uint8Array(length);
    const at = this.nic.buffer();
    for (let from = 0; from < length; from += chunk) {
      const bytes = Math.min(chunk, length - from);
      this.nic.rxRead(at, bytes);
      frame.set(this.bytes(at, bytes), from);
    }
    this.nic.rxEnd();
    return frame;
  }

  /** Takes all frames that are there. */
  drain(): Uint8Array[] {
    const frames: Uint8Array[] = [];
    for (;;) {
      const frame = this.receive();
      if (!frame) return frames;
      frames.push(frame);
    }
  }

  get counters(): NicCounters {
    const counts = NIC_COUNTERS.map((name, index) => [name, this.nic.nicCounter(index) >>> 0]);
    return strict(Object.fromEntries(counts) as NicCounters, "the driver", "counter");
  }

  /** What `action` costs on the bus. */
  cost(action: () => void): BusCount {
    const before = { ...this.bus };
    action();
    return {
      bytes: this.bus.bytes - before.bytes,
      transactions: this.bus.transactions - before.transactions,
    };
  }

  /** A window on the device's memory. */
  bytes(at: number, length: number): Uint8Array {
    return new Uint8Array(this.nic.memory.buffer, at, length);
  }
}

/** A frame with the given addresses and type whose payload counts up from `seed`: `bytes` long in all. */
export function testFrame(bytes: number, seed = 0, destination = NicHarness.MAC): Uint8Array {
  const frame = new Uint8Array(bytes);
  for (let i = 14; i < bytes; i++) frame[i] = (seed + i * 7 + (i >> 8)) & 0xff;
  frame.set(destination, 0);
  frame.set([0x02, 0xaa, 0xbb, 0xcc, 0xdd, seed & 0xff], 6);
  frame.set([0x88, 0xb5], 12);
  return frame;
}

/** Compares two runs of frames; "same", or the first difference in words (a dump of frames helps nobody). */
export function compareFrames(got: Uint8Array[], expected: Uint8Array[]): string {
  const at = expected.findIndex(
    (frame, i) => !Buffer.from(frame).equals(got[i] ?? Buffer.alloc(0)),
  );
  if (at >= 0)
    return `frame ${at} of ${expected.length} differs or is missing (${got.length} came)`;
  return got.length === expected.length ? "same" : `${got.length} frames for ${expected.length}`;
}
