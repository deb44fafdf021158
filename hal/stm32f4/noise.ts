/**
 * What is random in an STM32F401, which has no generator: ADC1 on its internal channels, and RAM at power-on. See
 * ../stm32/entropy.ts.
 */
import { ld32, spareRam, spin, st32 } from "../cortex-m/hw";
import { ADC_CR1, ADC_CR2, ADC_CR2_ADON, ADC_SMPR1, ADC_SQR1 } from "../stm32/registers";
import {
  ADC1,
  ADC_CCR,
  ADC_CCR_INTERNAL,
  ADC_CR2_SWSTART,
  RCC_APB2ENR,
  RCC_APB2_ADC1,
} from "./registers";

export const CHANNEL_REFERENCE: u32 = 17;
export const CHANNEL_TEMPERATURE: u32 = 18;
/** What starts a conversion. */
export const ADC_CONVERT: u32 = ADC_CR2_ADON | ADC_CR2_SWSTART;

const RAM_MIDDLE: usize = 0x20008000;
const RAM_END: usize = 0x20018000;

/** Powers the converter (RM0368 11.3). */
export function adcStart(): void {
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
}

/**
 * Where `bytes` bytes of RAM are behind the program, and in the middle at least: the boot loader that starts us has its variables at
 * the bottom and its stack at the top. What no one has written is still as it was at power-on.
 */
export function powerOnRam(bytes: u32): usize {
  return min(max(spareRam(), RAM_MIDDLE), RAM_END - <usize>bytes);
}
