import type { Clock } from "../../types.js";

/** 150 MHz PLL: one step of INTLEVEL is four clocks (datasheet 4.1, INTLEVEL). */
const STEP_NS = 4e3 / 150;

/**
 * The INTn pin. It is low while anything unmasked is pending; after the host has cleared something it stays high for the
 * assert wait time, (INTLEVEL + 1) * 26.67 ns when INTLEVEL is not 0, before it goes low for what is left.
 */
export class InterruptPin {
  low = false;
  private pending = false;
  private waitUntilNs = 0;
  private swallowed = false;
  private cancel: (() => void) | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly onChange: (low: boolean) => void,
    /** Asked when the pin would go low: true keeps it high until the next event. */
    private readonly swallow: () => boolean,
  ) {}

  /** The equation's value now. */
  update(pending: boolean): void {
    this.pending = pending;
    if (pending) this.tryAssert();
    else this.release();
  }

  /** A flag was set, perhaps one that was set before. */
  event(): void {
    this.swallowed = false;
  }

  /** The host has cleared a flag; what is left pending waits. */
  cleared(intLevel: number, pending: boolean): void {
    if (intLevel > 0) {
      this.waitUntilNs = this.clock.nowNs + (intLevel + 1) * STEP_NS;
      if (pending) this.set(false);
    }
    this.update(pending);
  }

  reset(): void {
    this.waitUntilNs = 0;
    this.update(false);
  }

  private release(): void {
    this.cancel?.();
    this.cancel = undefined;
    this.swallowed = false;
    this.set(false);
  }

  private tryAssert(): void {
    if (this.low || this.swallowed || this.cancel) return;
    const wait = this.waitUntilNs - this.clock.nowNs;
    if (wait > 0) {
      this.cancel = this.clock.schedule(wait, () => {
        this.cancel = undefined;
        if (this.pending) this.tryAssert();
      });
      return;
    }
    if (this.swallow()) this.swallowed = true;
    else this.set(true);
  }

  private set(low: boolean): void {
    if (this.low === low) return;
    this.low = low;
    this.onChange(low);
  }
}
