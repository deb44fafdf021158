/**
 * Seed material for MCUs without a random number generator. Sources and what they are worth: docs/boards.md, "Entropy".
 *
 * - Noise of the analogue-to-digital converter: the MCU samples its temperature sensor and its voltage reference with the
 *   shortest sampling time, and each sample comes with the cycle counter.
 * - Two clocks against each other: an update of the watchdog's reload register takes some periods of the internal RC
 *   oscillator, and is measured in cycles of the core clock.
 * - What the RAM held at power-on, in a part that nothing has reached yet.
 * - The chip's unique id: not secret, but it keeps two boards from ever starting alike.
 *
 * Everything goes into one pool (../entropy-pool.ts).
 */
import { ld32, st32 } from "../cortex-m/hw";
import { poolAdd, poolTake } from "../entropy-pool";
import { cycles } from "./core";
import { IWDG_KR, IWDG_KR_UNLOCK, IWDG_RLR, IWDG_SR } from "./registers";

/** Bits in which samples of one source have differed since the last output. */
let analogueBits: u32 = 0;
let clockBits: u32 = 0;
let dead: bool = false;

/** Turns of the wait for the watchdog's update: five periods of 17 kHz at 84 MHz, ten cycles a turn. */
const UPDATE_ATTEMPTS: u32 = 4000;
/** Reload value that watchdog.ts uses as well. */
const RELOAD: u32 = 4095;

/** Mixes in a conversion and the one before it, which has to differ from time to time. */
export function entropyAddSample(sample: u32, before: u32): void {
  analogueBits |= sample ^ before;
  poolAdd((cycles() << 12) ^ sample);
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
    poolAdd(taken);
  }
}

/** True when a source gave the same value at every sample for the last output: then it is broken. */
export function entropySourceIsDead(): bool {
  return dead;
}

/** 32 bits for seeding from everything that was mixed in. */
export function entropyTake(): u32 {
  dead = analogueBits == 0 || clockBits == 0;
  analogueBits = 0;
  clockBits = 0;
  return poolTake();
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
