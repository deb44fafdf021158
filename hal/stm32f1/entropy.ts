/**
 * Entropy of the STM32F103: ADC1 on its internal channels 16 (temperature) and 17 (reference), see ../stm32/entropy.ts.
 */
import { ld32, spin, st32 } from "../cortex-m/hw";
import { poolAddMemory } from "../entropy-pool";
import { entropyAddJitter, entropyAddSample, entropyTake } from "../stm32/entropy";
import {
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
  ADC_CR2_CAL,
  ADC_CR2_EXTSEL_SWSTART,
  ADC_CR2_EXTTRIG,
  ADC_CR2_RSTCAL,
  ADC_CR2_SWSTART,
  ADC_CR2_TSVREFE,
  RCC_APB2ENR,
  RCC_APB2_ADC1,
  RCC_CSR,
  RCC_CSR_LSION,
  RCC_CSR_LSIRDY,
  UNIQUE_ID,
} from "./registers";

/** Turns of a wait: calibration and conversion take under 200 ADC clocks, the oscillator starts in 85 us. */
const ATTEMPTS: u32 = 4000;
const CHANNEL_TEMPERATURE: u32 = 16;
const CHANNEL_REFERENCE: u32 = 17;
const SAMPLES: u32 = 64;
const UPDATES: u32 = 16;

/** Words at the bottom of RAM, where the stack ends: still as they were at power-on when this first runs. */
const POWER_ON_WORDS: u32 = 64;
const RAM: usize = 0x20000000;

let started: bool = false;

function awaitClear(at: usize, mask: u32): void {
  for (let i: u32 = 0; i < ATTEMPTS && (ld32(at) & mask) != 0; i++);
}

/** Powers and calibrates the converter (RM0008 11.4), starts the low-speed oscillator. */
function start(): void {
  started = true;
  st32(RCC_CSR, ld32(RCC_CSR) | RCC_CSR_LSION);
  for (let i: u32 = 0; i < ATTEMPTS && (ld32(RCC_CSR) & RCC_CSR_LSIRDY) == 0; i++);
  st32(RCC_APB2ENR, ld32(RCC_APB2ENR) | RCC_APB2_ADC1);
  const on = ADC_CR2_ADON | ADC_CR2_TSVREFE | ADC_CR2_EXTTRIG | ADC_CR2_EXTSEL_SWSTART;
  st32(ADC1 + ADC_CR2, on);
  // Stabilisation: 1 us for the converter, 10 us for the sensor (DS5319 5.3.18, 5.3.19).
  spin(300);
  st32(ADC1 + ADC_CR2, on | ADC_CR2_RSTCAL);
  awaitClear(ADC1 + ADC_CR2, ADC_CR2_RSTCAL);
  st32(ADC1 + ADC_CR2, on | ADC_CR2_CAL);
  awaitClear(ADC1 + ADC_CR2, ADC_CR2_CAL);
  // One conversion a sequence; sampling time 1.5 clocks, too short to settle, which is what is wanted.
  st32(ADC1 + ADC_SQR1, 0);
  st32(ADC1 + ADC_SMPR1, 0);
  poolAddMemory(UNIQUE_ID, 3);
  poolAddMemory(RAM, POWER_ON_WORDS);
}

function convert(channel: u32): u32 {
  st32(ADC1 + ADC_SQR3, channel);
  st32(ADC1 + ADC_CR2, ld32(ADC1 + ADC_CR2) | ADC_CR2_SWSTART);
  for (let i: u32 = 0; i < ATTEMPTS && (ld32(ADC1 + ADC_SR) & ADC_SR_EOC) == 0; i++);
  return ld32(ADC1 + ADC_DR) & 0xfff;
}

/** 32 bits for seeding; takes about 3 ms. */
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
