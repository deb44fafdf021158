/**
 * Entropy of the STM32F401, which has no random number generator: ADC1 on its internal channels 17 (reference) and 18
 * (temperature), see ../stm32/entropy.ts.
 */
import { ld32, spareRam, spin, st32 } from "../cortex-m/hw";
import { poolAddMemory } from "../entropy-pool";
import { entropyAddJitter, entropyAddSample, entropyTake } from "../stm32/entropy";
import {
  ADC_CR1,
  ADC_CR2,
  ADC_CR2_ADON,
  ADC_DR,
  ADC_SMPR1,
  ADC_SQR1,
  ADC_SQR3,
  ADC_SR,
  ADC_SR_EOC,
} from "../stm32/registers";
import {
  ADC1,
  ADC_CCR,
  ADC_CCR_INTERNAL,
  ADC_CR2_SWSTART,
  RCC_APB2ENR,
  RCC_APB2_ADC1,
  RCC_CSR,
  RCC_CSR_LSION,
  RCC_CSR_LSIRDY,
  UNIQUE_ID,
} from "./registers";

/** Turns of a wait: a conversion takes 15 ADC clocks, the oscillator starts in 40 us. */
const ATTEMPTS: u32 = 4000;
const CHANNEL_REFERENCE: u32 = 17;
const CHANNEL_TEMPERATURE: u32 = 18;
const SAMPLES: u32 = 64;
const UPDATES: u32 = 16;

/**
 * Words of RAM behind the program, and in the middle at least: the boot loader that starts us has its variables at the bottom
 * and its stack at the top. What no one has written is still as it was at power-on.
 */
const POWER_ON_WORDS: u32 = 64;
const RAM_MIDDLE: usize = 0x20008000;
const RAM_LAST: usize = 0x20018000 - 4 * POWER_ON_WORDS;

let started: bool = false;

/** Powers the converter (RM0368 11.3), starts the low-speed oscillator. */
function start(): void {
  started = true;
  st32(RCC_CSR, ld32(RCC_CSR) | RCC_CSR_LSION);
  for (let i: u32 = 0; i < ATTEMPTS && (ld32(RCC_CSR) & RCC_CSR_LSIRDY) == 0; i++);
  st32(RCC_APB2ENR, ld32(RCC_APB2ENR) | RCC_APB2_ADC1);
  // A peripheral answers two cycles after its clock is enabled (ES0299 2.2.7): the read takes them.
  ld32(RCC_APB2ENR);
  st32(ADC_CCR, ADC_CCR_INTERNAL);
  // One conversion a sequence, 12 bits; sampling time 3 clocks, too short to settle, which is what is wanted.
  st32(ADC1 + ADC_CR1, 0);
  st32(ADC1 + ADC_SMPR1, 0);
  st32(ADC1 + ADC_SQR1, 0);
  st32(ADC1 + ADC_CR2, ADC_CR2_ADON);
  // Stabilisation: 3 us for the converter, 10 us for the sensor (DS9716 6.3.20, 6.3.21).
  spin(300);
  poolAddMemory(UNIQUE_ID, 3);
  poolAddMemory(min(max(spareRam(), RAM_MIDDLE), RAM_LAST), POWER_ON_WORDS);
}

function convert(channel: u32): u32 {
  st32(ADC1 + ADC_SQR3, channel);
  st32(ADC1 + ADC_CR2, ADC_CR2_ADON | ADC_CR2_SWSTART);
  for (let i: u32 = 0; i < ATTEMPTS && (ld32(ADC1 + ADC_SR) & ADC_SR_EOC) == 0; i++);
  return ld32(ADC1 + ADC_DR) & 0xfff;
}

/** 32 bits for seeding; takes about 4 ms. */
export function entropyCollect(): u32 {
  if (!started) start();
  let temperature = convert(CHANNEL_TEMPERATURE);
  let reference = convert(CHANNEL_REFERENCE);
  for (let i: u32 = 0; i < SAMPLES; i++) {
    const nextTemperature = convert(CHANNEL_TEMPERATURE);
    entropyAddSample(nextTemperature, temperature);
    temperature = nextTemperature;
    const nextReference = convert(CHANNEL_REFERENCE);
    entropyAddSample(nextReference, reference);
    reference = nextReference;
  }
  entropyAddJitter(UPDATES);
  return entropyTake();
}
