/** What is random in an STM32F103: ADC1 on its internal channels, and RAM at power-on. See ../stm32/entropy.ts. */
import { ld32, spin, st32 } from "../cortex-m/hw";
import { ADC_CR2, ADC_CR2_ADON, ADC_SMPR1, ADC_SQR1 } from "../stm32/registers";
import { awaitRegister } from "../stm32/wait";
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
} from "./registers";

export const CHANNEL_TEMPERATURE: u32 = 16;
export const CHANNEL_REFERENCE: u32 = 17;

const ON: u32 = ADC_CR2_ADON | ADC_CR2_TSVREFE | ADC_CR2_EXTTRIG | ADC_CR2_EXTSEL_SWSTART;
/** What starts a conversion. */
export const ADC_CONVERT: u32 = ON | ADC_CR2_SWSTART;

/** Turns of a wait: calibration takes under 200 ADC clocks. */
const ATTEMPTS: u32 = 4000;

/** Powers and calibrates the converter (RM0008 11.4). */
export function adcStart(): void {
  st32(RCC_APB2ENR, ld32(RCC_APB2ENR) | RCC_APB2_ADC1);
  st32(ADC1 + ADC_CR2, ON);
  // Stabilisation: 1 us for the converter, 10 us for the sensor (DS5319 5.3.18, 5.3.19).
  spin(300);
  st32(ADC1 + ADC_CR2, ON | ADC_CR2_RSTCAL);
  awaitRegister(ADC1 + ADC_CR2, ADC_CR2_RSTCAL, 0, ATTEMPTS);
  st32(ADC1 + ADC_CR2, ON | ADC_CR2_CAL);
  awaitRegister(ADC1 + ADC_CR2, ADC_CR2_CAL, 0, ATTEMPTS);
  // One conversion a sequence; sampling time 1.5 clocks, too short to settle, which is what is wanted.
  st32(ADC1 + ADC_SQR1, 0);
  st32(ADC1 + ADC_SMPR1, 0);
}

/** The bottom of RAM, where the stack ends: still as it was at power-on when this is first asked. */
export function powerOnRam(_bytes: u32): usize {
  return 0x20000000;
}
