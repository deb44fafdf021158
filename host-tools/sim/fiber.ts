import type { Firmware } from "../build/compile.js";
import { DeviceTrap } from "./machine.js";
import { MAIN_RETURNED, WAKE_NS, deadlineNs, makeWasmBoard } from "./machine-wasm.js";
import type { WasmBoard } from "./machine-wasm.js";
import { trapOf } from "./trap.js";
import type { LogLine } from "../log/decode.js";
import type { SpiSlave } from "./types.js";
import type { VirtualClock } from "./virtual-clock.js";

const PAGE_BYTES = 65536;
/** Where the fiber's stack lies: pages behind everything else. */
const STACK_PAGES = 1;
/** A processor that never sleeps gives way to the others after this simulated time. */
const SLICE_NS = 1_000_000;

/** Exports of a program that was compiled as a fiber (binaryen's asyncify pass). */
interface AsyncifyExports {
  memory: WebAssembly.Memory;
  asyncify_start_unwind(data: number): void;
  asyncify_stop_unwind(): void;
  asyncify_start_rewind(data: number): void;
  asyncify_stop_rewind(): void;
  asyncify_get_state(): number;
}

/** What a fiber is made from. */
export interface FiberOptions {
  firmware: Firmware;
  clock: VirtualClock;
  seed: number;
  settings: Uint8Array;
  log: (line: LogLine) => void;
  /** Puts a probe between the processor and the chip's SPI side. */
  probe?: (chip: SpiSlave) => SpiSlave;
}

/**
 * A virtual board whose `main` leaves the processor whenever it sleeps and goes on where it was, so that many boards and a
 * test run in one thread, in virtual time, and one seed is one run.
 */
export class Fiber {
  /** Instant at which the device wants to go on; it also does when INTn goes low. */
  wakeNs = 0;
  /** Why the device has stopped for good. */
  failure: Error | undefined;
  /** How often the processor has gone to sleep. */
  sleeps = 0;
  private started = false;
  private sliceNs = 0;
  private asleep = false;

  private constructor(
    private readonly options: FiberOptions,
    readonly board: WasmBoard,
    private readonly chips: Pick<SpiSlave, "interrupt">,
    private readonly exports: AsyncifyExports,
    private readonly dataAt: number,
  ) {}

  static async create(options: FiberOptions): Promise<Fiber> {
    // The module may call its imports while it is being made.
    const made: { fiber?: Fiber } = {};
    let either: Pick<SpiSlave, "interrupt"> | undefined;
    const board = await makeWasmBoard(options, (chips) => {
      either = chips;
      return {
        sleep: (deadlineMs) => made.fiber?.sleep(deadlineMs),
        turn: (name) => made.fiber?.turn(name),
      };
    });
    const exports = board.instance.exports as unknown as AsyncifyExports;
    const dataAt = exports.memory.grow(STACK_PAGES) * PAGE_BYTES;
    const words = new Uint32Array(exports.memory.buffer, dataAt, 2);
    words[0] = dataAt + 8;
    words[1] = dataAt + STACK_PAGES * PAGE_BYTES;
    made.fiber = new Fiber(options, board, either as Pick<SpiSlave, "interrupt">, exports, dataAt);
    return made.fiber;
  }

  /** True when the device has something to do now. */
  get ready(): boolean {
    if (this.failure) return false;
    return (
      !this.started ||
      this.chips.interrupt ||
      this.board.pins.news ||
      this.options.clock.nowNs >= this.wakeNs
    );
  }

  /** Lets the device run until it sleeps. */
  resume(): void {
    const { clock, firmware } = this.options;
    try {
      this.sliceNs = clock.nowNs + SLICE_NS;
      if (this.started) this.exports.asyncify_start_rewind(this.dataAt);
      this.started = true;
      this.board.main();
      if (this.exports.asyncify_get_state() !== UNWINDING) throw new DeviceTrap(MAIN_RETURNED);
      this.exports.asyncify_stop_unwind();
    } catch (error) {
      const trap = trapOf(error, firmware);
      if (!(trap instanceof DeviceTrap)) throw trap;
      this.failure = trap;
    }
  }

  /** Before an import that looks at time: a device that is busy for long gives way in `clockMs`. */
  private turn(name: string): void {
    if (name !== "clockMs") return;
    if (this.asleep) {
      this.asleep = false;
      this.exports.asyncify_stop_rewind();
    } else if (this.options.clock.nowNs >= this.sliceNs) {
      this.wakeNs = this.options.clock.nowNs;
      this.asleep = true;
      this.exports.asyncify_start_unwind(this.dataAt);
    }
  }

  /** The import `sleepUntil`: called once to fall asleep, and again when the device goes on. */
  private sleep(deadlineMs: number): void {
    const { clock } = this.options;
    if (this.asleep) {
      this.asleep = false;
      this.exports.asyncify_stop_rewind();
      clock.advance(WAKE_NS);
      return;
    }
    const untilNs = deadlineNs(clock, deadlineMs);
    const sleeps = untilNs !== undefined && !this.chips.interrupt && !this.board.pins.news;
    if (sleeps) this.sleeps += 1;
    if (!sleeps && clock.nowNs < this.sliceNs) return clock.advance(WAKE_NS);
    this.wakeNs = sleeps ? untilNs : clock.nowNs;
    this.asleep = true;
    this.exports.asyncify_start_unwind(this.dataAt);
  }
}

const UNWINDING = 1;

/** Lets devices that share a thread and a clock go on in turn: one that never sleeps must not keep those behind it from running. */
export class FiberTurns {
  /** The device that is looked at first. */
  private turn = 0;

  /** `onTurn` is told the number of each device before it goes on. */
  constructor(
    private readonly clock: VirtualClock,
    private readonly onTurn: (device: number) => void = () => undefined,
  ) {}

  /** Lets the next thing happen, no later than `limitNs`; gives the number of a device that has failed. */
  step(
    devices: readonly { readonly fiber: Fiber | undefined }[],
    limitNs: number,
  ): number | undefined {
    let wakeNs = limitNs;
    for (let i = 0; i < devices.length; i++) {
      const at = (this.turn + i) % devices.length;
      const fiber = devices[at]?.fiber;
      if (!fiber) continue;
      if (fiber.failure) return at;
      if (fiber.ready) {
        this.turn = at + 1;
        this.onTurn(at);
        fiber.resume();
        return undefined;
      }
      wakeNs = Math.min(wakeNs, fiber.wakeNs);
    }
    const next = this.clock.nextNs;
    if (next !== undefined && next <= wakeNs) this.clock.runNext();
    else this.clock.advanceTo(wakeNs);
    return undefined;
  }
}
