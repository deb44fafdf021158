/**
 * Seed material: the ring oscillator's random bit (datasheet 2.17.5), sampled against the crystal. The datasheet says itself
 * that RANDOMBIT meets no security standard: its bits are biased, and neighbours depend on each other, because the
 * oscillator's phase has to drift for a bit to be new. So samples are at least 10 us apart, as in pico-sdk's pico_rand, and far
 * more of them than bits are wanted go through a pool, together with the flash's unique id and what the RAM held at power-on.
 * The result seeds a generator; nobody should take a key from it.
 */
import { ld32 } from "../cortex-m/hw";
import { poolAdd, poolAddMemory, poolTake } from "../entropy-pool";
import { log0 } from "../log/lines";
import * as R from "./registers";
import { clockUs, delayNs } from "./timer";

/** Time between two samples. */
const SAMPLE_NS: u32 = 10_000;
/** Words of 32 samples for the first output, and for each one after it. */
const WORDS_FIRST: u32 = 32;
const WORDS_MORE: u32 = 8;
/** Words at the bottom of RAM, where the stack ends: still as they were at power-on when this first runs. */
const POWER_ON_WORDS: u32 = 64;
const RAM: usize = 0x20000000;

let started: bool = false;

/** 32 bits for seeding: 11 ms the first time, 3 ms later. Warns when the oscillator does not move. */
export function entropy(): u32 {
  let words = WORDS_MORE;
  if (!started) {
    started = true;
    words = WORDS_FIRST;
    poolAddMemory(R.WATCHDOG_SCRATCH0, 2);
    poolAddMemory(RAM, POWER_ON_WORDS);
  }
  // Bits that were 1, and bits that were 0, in any sample.
  let ones: u32 = 0;
  let zeros: u32 = 0;
  for (let i: u32 = 0; i < words; i++) {
    let word: u32 = 0;
    for (let bit: u32 = 0; bit < 32; bit++) {
      delayNs(SAMPLE_NS);
      word = (word << 1) | (ld32(R.ROSC_RANDOMBIT) & 1);
    }
    ones |= word;
    zeros |= ~word;
    poolAdd(word);
    poolAdd(clockUs());
  }
  if (ones == 0 || zeros == 0) log0("warn: a noise source for random numbers does not move");
  return poolTake();
}
