import { halfSipHash } from "cpu";

/**
 * Randomness: HalfSipHash-2-4 (the 32-bit member of the SipHash family) with a 64-bit key that is set once from the board's
 * entropy. As a keyed hash it makes initial sequence numbers (RFC 6528) and port offsets (RFC 6056); over a counter it is the
 * generator for everything else. With a fixed seed every run repeats. Why hal/entropy-pool.ts has the rounds a second time is said there.
 */
let key0: u32 = 0;
let key1: u32 = 0;
let counter: u32 = 0;
let multiplier: u32 = 1;

/** Sets the key; the stack's start does it once, before anything is sent. */
export function randomSeed(seed0: u32, seed1: u32): void {
  key0 = seed0;
  key1 = seed1;
  counter = 0;
  multiplier = random32() | 1;
}

/** Secret odd multiplier of the hash tables: cheap, and good enough against aimed collisions in tables this small. */
export function bucketKey(): u32 {
  return multiplier;
}

/** HalfSipHash-2-4 of eleven bytes under the secret key: `a`, `b`, and the three low bytes of `c`. */
export function keyedHash(a: u32, b: u32, c: u32): u32 {
  return halfSipHash(key0, key1, a, b, c);
}

/** 32 unpredictable bits. */
export function random32(): u32 {
  counter += 1;
  return keyedHash(counter, 0x52414e44, 0);
}
