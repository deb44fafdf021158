/**
 * Two stacks joined by a wire that delays, loses, reorders, duplicates and corrupts by a seed, in virtual time. Corrupted
 * frames arrive with a good FCS, so that only the checksums of the stack stand against them.
 */
import { Random } from "../../host-tools/sim/random.js";
import type { Options } from "../../stack/options.js";
import { StackHarness } from "./stack-harness.js";
import { ip } from "./wire.js";

/** Percentages, each way; delay in milliseconds. */
export interface Trouble {
  loss?: number;
  reorder?: number;
  duplicate?: number;
  corrupt?: number;
  delayMs?: number;
  seed?: number;
}

interface Flight {
  due: number;
  order: number;
  to: StackHarness;
  frame: Uint8Array;
}

export const ADDRESS_A = ip("10.1.0.1");
export const ADDRESS_B = ip("10.1.0.2");

/** Milliseconds after which a test that makes no progress fails. */
const TIME_MAX = 3_600_000;

export class StackPair {
  nowMs = 0;
  frames = 0;
  private readonly random: Random;
  private flights: Flight[] = [];
  private order = 0;

  private constructor(
    readonly a: StackHarness,
    readonly b: StackHarness,
    private readonly trouble: Trouble,
  ) {
    this.random = new Random(trouble.seed ?? 1);
  }

  static async create(trouble: Trouble = {}, options: Partial<Options> = {}): Promise<StackPair> {
    const seed = trouble.seed ?? 1;
    const side = (mac: string, address: number, more: number): Promise<StackHarness> =>
      StackHarness.create({
        mac,
        address,
        mask: ip("255.255.255.0"),
        gateway: 0,
        seeds: [seed * 2 + more, seed * 7 + more],
        options,
      });
    const a = await side("02:00:00:00:01:01", ADDRESS_A, 0);
    const b = await side("02:00:00:00:01:02", ADDRESS_B, 1);
    return new StackPair(a, b, trouble);
  }

  private happens(percent: number | undefined): boolean {
    return percent !== undefined && percent > 0 && this.random.fraction() * 100 < percent;
  }

  private send(to: StackHarness, frame: Uint8Array): void {
    this.frames += 1;
    if (this.happens(this.trouble.loss)) return;
    const delay = this.trouble.delayMs ?? 1;
    const copies = this.happens(this.trouble.duplicate) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const bytes = frame.slice();
      if (this.happens(this.trouble.corrupt)) {
        const at = Math.floor(this.random.fraction() * bytes.length);
        bytes[at] = (bytes[at] as number) ^ (1 << Math.floor(this.random.fraction() * 8));
      }
      const late = this.happens(this.trouble.reorder)
        ? 1 + Math.floor(this.random.fraction() * 5)
        : 0;
      this.flights.push({ due: this.nowMs + delay + late, order: this.order++, to, frame: bytes });
    }
  }

  private collect(): void {
    for (const [from, to] of [
      [this.a, this.b],
      [this.b, this.a],
    ] as const) {
      for (const parsed of from.take()) this.send(to, parsed.bytes);
    }
  }

  /** Runs until `done` says so; it is asked after every event and may use the sockets of both. */
  until(done: () => boolean, what: string): void {
    for (;;) {
      this.a.nowMs = this.nowMs;
      this.b.nowMs = this.nowMs;
      this.a.run();
      this.b.run();
      if (done()) return;
      this.a.run();
      this.b.run();
      this.collect();
      this.flights.sort((x, y) => x.due - y.due || x.order - y.order);
      let next = this.nowMs + 1000;
      for (const stack of [this.a, this.b]) {
        next = Math.min(
          next,
          this.nowMs + Math.max(1, stack.wasm.deadline(this.nowMs >>> 0) >>> 0),
        );
      }
      if (this.flights.length > 0) next = Math.min(next, (this.flights[0] as Flight).due);
      this.nowMs = Math.max(this.nowMs, next);
      if (this.nowMs > TIME_MAX) throw new Error(`no progress: ${what}`);
      while (this.flights.length > 0 && (this.flights[0] as Flight).due <= this.nowMs) {
        const flight = this.flights.shift() as Flight;
        flight.to.nowMs = this.nowMs;
        flight.to.queue(flight.frame);
        flight.to.run();
      }
    }
  }
}
