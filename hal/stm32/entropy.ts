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
import { poolAdd, poolAddMemory, poolTake } from "../entropy-pool";
import { log0 } from "../log/lines";
import {
  ADC1,
  ADC_CONVERT,
  CHANNEL_REFERENCE,
  CHANNEL_TEMPERATURE,
  RCC_CSR,
  UNIQUE_ID,
  adcStart,
  powerOnRam,
} from "mcu";
import { cycles } from "./core";
import {
  ADC_CR2,
  ADC_DR,
  ADC_SQR3,
  ADC_SR,
  ADC_SR_EOC,
  IWDG_KR,
  IWDG_KR_UNLOCK,
  IWDG_RLR,
  IWDG_SR,
  RCC_CSR_LSION,
  RCC_CSR_LSIRDY,
} from "./registers";
import { awaitRegister } from "./wait";

/** Samples of each channel and updates of the watchdog, for each output. */
const SAMPLES: u32 = 64;
const UPDATES: u32 = 16;
/** Words of RAM as it was at power-on. */
const POWER_ON_WORDS: u32 = 64;

/** Turns of a wait: a conversion takes 15 ADC clocks, the low-speed oscillator starts in 85 us. */
const ATTEMPTS: u32 = 4000;
/** Turns of the wait for the watchdog's update: five periods of 17 kHz at 84 MHz, ten cycles a turn. */
const UPDATE_ATTEMPTS: u32 = 4000;
/** Reload value that watchdog.ts uses as well. */
const RELOAD: u32 = 4095;

let started: bool = false;
/** Bits in which samples of one source have differed since the last output. */
let analogueBits: u32 = 0;
let clockBits: u32 = 0;

/** Starts the low-speed oscillator and the converter; takes what there is only once. */
function start(): void {
  started = true;
  st32(RCC_CSR, ld32(RCC_CSR) | RCC_CSR_LSION);
  awaitRegister(RCC_CSR, RCC_CSR_LSIRDY, RCC_CSR_LSIRDY, ATTEMPTS);
  adcStart();
  poolAddMemory(UNIQUE_ID, 3);
  poolAddMemory(powerOnRam(4 * POWER_ON_WORDS), POWER_ON_WORDS);
}

function convert(channel: u32): u32 {
  st32(ADC1 + ADC_SQR3, channel);
  st32(ADC1 + ADC_CR2, ADC_CONVERT);
  awaitRegister(ADC1 + ADC_SR, ADC_SR_EOC, ADC_SR_EOC, ATTEMPTS);
  return ld32(ADC1 + ADC_DR) & 0xfff;
}

/** Mixes in a conversion of a channel, which has to differ from the one before from time to time. */
function addSample(channel: u32, before: u32): u32 {
  const sample = convert(channel);
  analogueBits |= sample ^ before;
  poolAdd((cycles() << 12) ^ sample);
  return sample;
}

/** Mixes in the times of updates of the watchdog, some 100 us each; the oscillator runs. */
function addJitter(): void {
  let before: u32 = 0;
  for (let i: u32 = 0; i < UPDATES; i++) {
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

/** 32 bits for seeding, in some 4 ms. Warns when a source gave the same value at every sample: then it is broken. */
export function entropy(): u32 {
  if (!started) start();
  analogueBits = 0;
  clockBits = 0;
  let temperature = convert(CHANNEL_TEMPERATURE);
  let reference = convert(CHANNEL_REFERENCE);
  for (let i: u32 = 0; i < SAMPLES; i++) {
    temperature = addSample(CHANNEL_TEMPERATURE, temperature);
    reference = addSample(CHANNEL_REFERENCE, reference);
  }
  addJitter();
  if (analogueBits == 0 || clockBits == 0) {
    log0("warn: a noise source for random numbers does not move");
  }
  return poolTake();
}

/**
 * Writes eight bytes that differ from chip to chip, at any alignment, and returns 8: the 96 bits of the chip (wafer coordinates, wafer
 * and lot number), folded.
 */
export function uniqueId(to: usize): u32 {
  const a = ld32(UNIQUE_ID);
  const b = ld32(UNIQUE_ID + 4);
  const c = ld32(UNIQUE_ID + 8);
  const low = (a ^ rotl<u32>(c, 13)) * 0x9e3779b1;
  const high = (b ^ rotl<u32>(a, 7) ^ c) * 0x85ebca6b;
  for (let i: u32 = 0; i < 4; i++) {
    store<u8>(to + <usize>i, <u8>(low >>> (8 * i)));
    store<u8>(to + <usize>(i + 4), <u8>(high >>> (8 * i)));
  }
  return 8;
}
