/**
 * Seeded random numbers (mulberry32): the same seed gives the same run. Everything in the simulation that is random or
 * undefined takes its numbers from one of these.
 */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** 32 bits. */
  u32(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  /** 0 (included) to 1 (not). */
  fraction(): number {
    return this.u32() / 0x1_0000_0000;
  }

  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number {
    return Math.floor(this.fraction() * limit);
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  /** Fills with random bytes. */
  fill(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i += 4) {
      const word = this.u32();
      for (let k = 0; k < 4 && i + k < bytes.length; k++) bytes[i + k] = word >>> (8 * k);
    }
  }

  /** A generator of its own, so that one consumer does not disturb the numbers of another. */
  fork(): Random {
    return new Random(this.u32());
  }
}
