import { BasePeripheral, type RP2040 } from "rp2040js";
import type { Random } from "../random.js";

/** Reset bit of each peripheral by the upper bits of its address (RP2040 datasheet 2.14.1). */
const RESET_BITS: Record<number, number> = {
  0x40014: 5,
  0x4001c: 8,
  0x40028: 12,
  0x4002c: 13,
  0x40034: 22,
  0x40038: 23,
  0x4003c: 16,
  0x40040: 17,
  0x40044: 3,
  0x40048: 4,
  0x4004c: 0,
  0x40050: 14,
  0x40054: 21,
  0x4005c: 15,
  0x50000: 2,
  0x50110: 24,
  0x50200: 10,
  0x50300: 11,
};

/** Blocks that the boot ROM has taken out of reset: the flash's pins and pads. */
const RELEASED_BY_ROM = (1 << 6) | (1 << 9);
const ALL = 0x01ffffff;

/** The reset controller as on silicon: everything is held in reset until it is let go. */
export class Resets extends BasePeripheral {
  private held = ALL & ~RELEASED_BY_ROM;

  constructor(mcu: RP2040) {
    super(mcu, "RESETS");
  }

  /** True when the block behind an address cannot answer. */
  holds(address: number): boolean {
    const bit = RESET_BITS[(address >>> 14) << 2];
    return bit !== undefined && (this.held & (1 << bit)) !== 0;
  }

  override readUint32(offset: number): number {
    if (offset === 0) return this.held;
    if (offset === 8) return ALL & ~this.held;
    return super.readUint32(offset);
  }

  override writeUint32(offset: number, value: number): void {
    if (offset === 0) this.held = value & ALL;
    else super.writeUint32(offset, value);
  }
}

/** Time in which the oscillator forgets its phase; inferred, no figure is published. */
const DRIFT_NS = 2000;

/**
 * The ring oscillator's random bit, from the simulation's seed: biased as the real one may be, and the same as before where it
 * is asked again too soon, because its phase has to drift first.
 */
export class RingOscillator extends BasePeripheral {
  private bit = 0;
  private askedNs = -Infinity;

  constructor(
    mcu: RP2040,
    private readonly random: Random,
  ) {
    super(mcu, "ROSC");
  }

  override readUint32(offset: number): number {
    if (offset !== 0x1c) return super.readUint32(offset);
    const { nanos } = this.rp2040.clock;
    const keeps = this.random.chance(Math.exp((this.askedNs - nanos) / DRIFT_NS));
    this.askedNs = nanos;
    const fresh = this.random.chance(0.6) ? 1 : 0;
    if (!keeps) this.bit = fresh;
    return this.bit;
  }
}
