/**
 * Seed material for MCUs without a random number generator. Sources and what they are worth: docs/boards.md, "Entropy".
 *
 * - Noise of the analogue-to-digital converter: the MCU samples its temperature sensor and its voltage reference with the
 *   shortest sampling time, and each sample comes with the cycle counter.
 * - Two clocks against each other: an update of the watchdog's reload register takes some periods of the internal RC
 *   oscillator, and is measured in cycles of the core clock.
 * - What the RAM held at power-on, in the part of the stack that nothing has reached yet.
 * - The chip's unique id: not secret, but it keeps two boards from ever starting alike.
 *
 * Everything goes through HalfSipHash rounds into a state of 128 bits; an output is a finalised copy and leaves no way
 * back to the state.
 */
import { ld32, st32 } from "../cortex-m/hw";
import { cycles } from "./core";
import { IWDG_KR, IWDG_KR_UNLOCK, IWDG_RLR, IWDG_SR } from "./registers";

let v0: u32 = 0;
let v1: u32 = 0;
let v2: u32 = 0x6c796765;
let v3: u32 = 0x74656462;
/** Bits in which samples of one source have differed since the last output. */
let analogueBits: u32 = 0;
let clockBits: u32 = 0;
let dead: bool = false;

/** Turns of the wait for the watchdog's update: five periods of 17 kHz at 84 MHz, ten cycles a turn. */
const UPDATE_ATTEMPTS: u32 = 4000;
/** Reload value that watchdog.ts uses as well. */
const RELOAD: u32 = 4095;

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

/** Mixes one word in; nothing that is mixed in can take away what was there. */
export function entropyAdd(word: u32): void {
  v3 ^= word;
  sipRound();
  sipRound();
  v0 ^= word;
}

/** Mixes in a conversion and the one before it, which has to differ from time to time. */
export function entropyAddSample(sample: u32, before: u32): void {
  analogueBits |= sample ^ before;
  entropyAdd((cycles() << 12) ^ sample);
}

/** Mixes in memory: power-on contents of RAM, or the unique id. */
export function entropyAddMemory(at: usize, words: u32): void {
  for (let i: u32 = 0; i < words; i++) entropyAdd(ld32(at + <usize>(i << 2)));
}

/** Mixes in the time of `updates` updates of the watchdog, some 100 us each; the oscillator runs. */
export function entropyAddJitter(updates: u32): void {
  let before: u32 = 0;
  for (let i: u32 = 0; i < updates; i++) {
    st32(IWDG_KR, IWDG_KR_UNLOCK);
    const start = cycles();
    st32(IWDG_RLR, RELOAD);
    for (let left = UPDATE_ATTEMPTS; left != 0 && ld32(IWDG_SR) != 0; left--);
    const taken = cycles() - start;
    if (i != 0) clockBits |= taken ^ before;
    before = taken;
    entropyAdd(taken);
  }
}

/** True when a source gave the same value at every sample for the last output: then it is broken. */
export function entropySourceIsDead(): bool {
  return dead;
}

/** 32 bits from the state. The state moves on, so that a later reading of it does not give this output again. */
export function entropyTake(): u32 {
  v2 ^= 0xff;
  sipRound();
  sipRound();
  sipRound();
  sipRound();
  const result = v1 ^ v3;
  // What was put out is mixed back in: the step cannot be run backwards without it.
  entropyAdd(result);
  dead = analogueBits == 0 || clockBits == 0;
  analogueBits = 0;
  clockBits = 0;
  return result;
}

/**
 * Eight bytes of identity from the 96 bits at `id` (wafer coordinates, wafer and lot number), to memory at any alignment.
 */
export function foldUniqueId(id: usize, to: usize): u32 {
  const a = ld32(id);
  const b = ld32(id + 4);
  const c = ld32(id + 8);
  const low = (a ^ rotl<u32>(c, 13)) * 0x9e3779b1;
  const high = (b ^ rotl<u32>(a, 7) ^ c) * 0x85ebca6b;
  for (let i: u32 = 0; i < 4; i++) {
    store<u8>(to + <usize>i, <u8>(low >>> (8 * i)));
    store<u8>(to + <usize>(i + 4), <u8>(high >>> (8 * i)));
  }
  return 8;
}
