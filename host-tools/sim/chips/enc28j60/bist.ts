import { MEMORY_BYTES, type Core } from "./core.js";
import { internetChecksum } from "./crc.js";
import { EBSTCON, R } from "./registers.js";

/** One clock of the core, 25 MHz, for each byte (DS39662E 15.2). */
const BYTE_NS = 40;

const RANDOM_FILL = 0;
const ADDRESS_FILL = 1;
const PATTERN_SHIFT_FILL = 2;

/**
 * The built-in self-test (DS39662E 15): fills the whole packet memory at one byte a clock and sums it up, so that the host
 * can have the DMA sum it up as well and compare. The bytes are there from the beginning: the DMA, which walks at the same
 * pace behind it, finds each.
 */
export class Bist {
  private cancelEnd: (() => void) | undefined;

  constructor(private readonly core: Core) {}

  get running(): boolean {
    return this.cancelEnd !== undefined;
  }

  /** BISTST has been cleared, or the chip is reset. */
  reset(): void {
    this.cancelEnd?.();
    this.cancelEnd = undefined;
  }

  /** EBSTCON has been written. */
  written(): void {
    const control = this.core.registers[R.EBSTCON] as number;
    if (!(control & EBSTCON.BISTST)) return this.reset();
    if (this.running) return;
    if (!(control & EBSTCON.TME)) {
      this.core.violation("BISTST without TME: no test mode");
      return this.finish();
    }
    const mode = (control & EBSTCON.TMSEL) >> 2;
    if (mode > PATTERN_SHIFT_FILL) {
      this.core.violation("EBSTCON.TMSEL 11 is reserved");
      return this.finish();
    }
    this.fill(mode, control >> 5);
    this.cancelEnd = this.core.clock.schedule(MEMORY_BYTES * BYTE_NS, () => {
      this.core.setPair(R.EBSTCSL, internetChecksum(this.core.ram));
      this.finish();
    });
  }

  private finish(): void {
    this.cancelEnd = undefined;
    const { registers } = this.core;
    registers[R.EBSTCON] = (registers[R.EBSTCON] as number) & ~EBSTCON.BISTST;
  }

  private fill(mode: number, shift: number): void {
    const { ram, registers } = this.core;
    let byte = registers[R.EBSTSD] as number;
    for (let address = 0; address < MEMORY_BYTES; address++) {
      ram[address] = mode === ADDRESS_FILL ? address : byte;
      if (mode === RANDOM_FILL) byte = afterRandom(byte);
      else byte = ((byte << shift) | (byte >> (8 - shift))) & 0xff;
    }
  }
}

/** The sheet names a linear feedback shift register and not its taps; these (8, 6, 5, 4) reach all values but 0. */
function afterRandom(byte: number): number {
  const bit = (byte >> 7) ^ (byte >> 5) ^ (byte >> 4) ^ (byte >> 3);
  return ((byte << 1) | (bit & 1)) & 0xff;
}
