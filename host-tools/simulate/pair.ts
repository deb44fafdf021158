import type { Firmware } from "../build/compile.js";
import { HostedStack } from "../net/hosted-stack.js";
import { VirtualClock } from "../sim/virtual-clock.js";
import { TroubledLink, type Troubles } from "./link.js";

/** Addresses of the two. */
export const ADDRESSES = [0x0a00_0001, 0x0a00_0002] as const;
const MAC = 0x0200_0000_0001;

/** What a frame goes through: `sent` by stack `side`, or `taken` by it (intact only). */
export type Tap = (event: "sent" | "taken", side: 0 | 1, frame: Uint8Array, nowNs: number) => void;

/** How a pair is made. */
export interface PairOptions {
  firmware: Firmware;
  seed: number;
  troubles: Troubles;
  /** What the millisecond clocks show at the start. */
  startMs?: readonly [number, number];
  onFrame?: Tap;
}

/** Two stacks, joined by a link with troubles, in virtual time. */
export class Pair {
  readonly clock = new VirtualClock();
  readonly stacks: [HostedStack, HostedStack];
  readonly links: [TroubledLink, TroubledLink];
  private boots = 0;

  constructor(private readonly options: PairOptions) {
    const { seed, troubles } = options;
    const link = (from: 0 | 1): TroubledLink => {
      const to = from === 0 ? 1 : 0;
      return new TroubledLink(
        this.clock,
        from,
        troubles,
        seed * 2 + from,
        (frame, intact) => this.receive(to, frame, intact),
        (frame) => this.receive(from, frame, true),
      );
    };
    this.links = [link(0), link(1)];
    this.stacks = [this.boot(0), this.boot(1)];
  }

  /** A new instance of a stack, with all of its memory lost; its clock goes on. */
  reboot(side: 0 | 1): void {
    const { onProgress } = this.stacks[side];
    this.stacks[side].close();
    this.stacks[side] = this.boot(side);
    this.stacks[side].onProgress = onProgress;
  }

  /** Runs until `done` says so; false when `limitMs` of simulated time have passed before. */
  until(done: () => boolean, limitMs: number): boolean {
    const end = this.clock.nowNs + limitMs * 1e6;
    while (!done()) {
      const next = this.clock.nextNs;
      if (next === undefined || next > end) {
        this.clock.advanceTo(end);
        return done();
      }
      this.clock.runNext();
    }
    return true;
  }

  /** Simulated milliseconds since the start. */
  get nowMs(): number {
    return this.clock.nowNs / 1e6;
  }

  /** Ends both. */
  close(): void {
    for (const stack of this.stacks) stack.close();
  }

  private boot(side: 0 | 1): HostedStack {
    const { firmware, seed, startMs, onFrame } = this.options;
    return new HostedStack(firmware, {
      clock: this.clock,
      mac: MAC + side,
      address: ADDRESSES[side],
      mask: 0xffff_ff00,
      seed: seed + 0x10001 * side + 7919 * this.boots++,
      startMs: startMs?.[side] ?? 0,
      send: (frame) => {
        onFrame?.("sent", side, frame, this.clock.nowNs);
        this.links[side].send(frame);
      },
    });
  }

  private receive(side: 0 | 1, frame: Uint8Array, intact: boolean): void {
    if (intact) this.options.onFrame?.("taken", side, frame, this.clock.nowNs);
    this.stacks[side].receive(frame);
  }
}
