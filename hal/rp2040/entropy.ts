/**
 * Random bits from the ring oscillator (datasheet 2.17.5), sampled against the crystal. The datasheet says itself that
 * RANDOMBIT meets no security standard: its bits are biased and neighbours depend on each other. So samples are taken
 * about a microsecond apart, made unbiased in pairs (von Neumann: 01 is 0, 10 is 1, equal pairs are dropped) and two such
 * bits are combined into one. The result seeds a generator; nobody should take a key from it.
 */
import { ld32, spin } from "../cortex-m/hw";
import * as R from "./registers";
import { clockUs } from "./timer";

/** Pairs looked at for one bit before the oscillator is taken for dead. */
const PAIRS_MAX: u32 = 64;

let mixed: u32 = 0;

/** One unbiased bit; 2 when the oscillator does not change. */
function randomBit(): u32 {
  for (let i: u32 = 0; i < PAIRS_MAX; i++) {
    const a = ld32(R.ROSC_RANDOMBIT) & 1;
    spin(40);
    const b = ld32(R.ROSC_RANDOMBIT) & 1;
    spin(40);
    if (a != b) return a;
  }
  return 2;
}

/** 32 bits for seeding. With a dead oscillator only the time and a counter are left, and the result is predictable. */
export function entropy(): u32 {
  let word: u32 = 0;
  for (let i = 0; i < 32; i++) {
    const bit = randomBit();
    if (bit > 1) break;
    word = (word << 1) | (bit ^ (randomBit() & 1));
  }
  // A multiply and a shift spread what there is; the state makes calls differ even then.
  mixed = (mixed ^ word ^ clockUs()) * 0x9e3779b1;
  mixed ^= mixed >>> 15;
  return mixed ^ word;
}
