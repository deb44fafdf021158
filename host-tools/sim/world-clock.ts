import { VirtualClock } from "./virtual-clock.js";
import type { Clock } from "./types.js";

/** Longest wait that is given to a timer of Node at once. */
const WAIT_MS_MAX = 1000;

/**
 * A clock that goes with real time, for the parts of a paced simulation that live on the main thread: actions run from
 * Node's event loop, in the order of their instants, at or after them.
 */
export class RealClock implements Clock {
  private readonly waiting = new VirtualClock();
  private timer: NodeJS.Timeout | undefined;
  private timerDueNs = Infinity;
  private soon: NodeJS.Immediate | undefined;
  private stopped = false;

  /** `originMs`: the instant of `performance.now()` at which simulated time is 0. */
  constructor(private readonly originMs = performance.now()) {}

  get nowNs(): number {
    return Math.max(0, (performance.now() - this.originMs) * 1e6);
  }

  schedule(delayNs: number, action: () => void): () => void {
    const now = Math.max(this.nowNs, this.waiting.nowNs);
    const cancel = this.waiting.schedule(now - this.waiting.nowNs + delayNs, action);
    this.arm();
    return cancel;
  }

  /** Nothing runs any more, and nothing keeps the process alive. */
  stop(): void {
    this.stopped = true;
    if (this.timer) clearTimeout(this.timer);
    if (this.soon) clearImmediate(this.soon);
  }

  private arm(): void {
    const next = this.waiting.nextNs;
    if (next === undefined || this.stopped || this.soon) return;
    const leftMs = (next - this.nowNs) / 1e6;
    if (leftMs <= 0) {
      this.soon = setImmediate(() => this.run());
      return;
    }
    if (this.timer && this.timerDueNs <= next) return;
    if (this.timer) clearTimeout(this.timer);
    this.timerDueNs = next;
    this.timer = setTimeout(() => this.run(), Math.min(Math.ceil(leftMs), WAIT_MS_MAX));
  }

  private run(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = undefined;
    this.timerDueNs = Infinity;
    this.soon = undefined;
    const now = this.nowNs;
    for (;;) {
      const next = this.waiting.nextNs;
      if (next === undefined || next > now || this.stopped) break;
      this.waiting.runNext();
    }
    this.arm();
  }
}
