/**
 * A pool for seed material: HalfSipHash rounds over a state of 128 bits. Nothing that is mixed in can take away what was there;
 * an output is a finalised copy and leaves no way back to the state.
 *
 * The rounds stand in `halfSipHash` (hal/cpu/half-sip-hash.ts), too. One text for both would have the four words in memory, as no function gives back
 * four: that is eight loads and stores more for each of the six pairs of rounds of a hash whose words are in registers, and each connection, port and
 * identifier asks for one. Nor can `halfSipHash` mix: it gives 32 bits, so what was there would be lost.
 */
import { ld32 } from "./cortex-m/hw";

let v0: u32 = 0;
let v1: u32 = 0;
let v2: u32 = 0x6c796765;
let v3: u32 = 0x74656462;

function sipRound(): void {
  v0 += v1;
  v1 = rotl<u32>(v1, 5) ^ v0;
  v0 = rotl<u32>(v0, 16);
  v2 += v3;
  v3 = rotl<u32>(v3, 8) ^ v2;
  v0 += v3;
  v3 = rotl<u32>(v3, 7) ^ v0;
  v2 += v1;
  v1 = rotl<u32>(v1, 13) ^ v2;
  v2 = rotl<u32>(v2, 16);
}

/** Mixes one word in. */
export function poolAdd(word: u32): void {
  v3 ^= word;
  sipRound();
  sipRound();
  v0 ^= word;
}

/** Mixes in memory: power-on contents of RAM, or an id. */
export function poolAddMemory(at: usize, words: u32): void {
  for (let i: u32 = 0; i < words; i++) poolAdd(ld32(at + <usize>(i << 2)));
}

/** 32 bits from the state. The state moves on, so that a later reading of it does not give this output again. */
export function poolTake(): u32 {
  v2 ^= 0xff;
  sipRound();
  sipRound();
  sipRound();
  sipRound();
  const result = v1 ^ v3;
  // What was put out is mixed back in: the step cannot be run backwards without it.
  poolAdd(result);
  return result;
}
