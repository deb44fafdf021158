/**
 * Clocks of the STM32F103: 72 MHz from an 8 MHz crystal; 64 MHz from the internal oscillator when there is no crystal;
 * 8 MHz when the PLL does not lock either.
 */
import { st32 } from "../cortex-m/hw";
import { crystalStart, internalOscillator, runFromPll } from "../stm32/clock";
import { coreClockIs } from "../stm32/core";
import {
  HSI_MHZ,
  RCC_CFGR,
  RCC_CFGR_ADCPRE_DIV6,
  RCC_CFGR_PLLMUL_16,
  RCC_CFGR_PLLMUL_9,
  RCC_CFGR_PLLSRC_HSE,
  RCC_CFGR_PPRE1_DIV2,
} from "./registers";

/** Sets up the clocks from any state; false when the crystal is not used. */
export function clockInit(): bool {
  const dividers = RCC_CFGR_PPRE1_DIV2 | RCC_CFGR_ADCPRE_DIV6;
  internalOscillator(dividers);
  const crystal = crystalStart();
  // The internal oscillator reaches the PLL halved: 4 MHz * 16.
  const pll = crystal ? RCC_CFGR_PLLSRC_HSE | RCC_CFGR_PLLMUL_9 : RCC_CFGR_PLLMUL_16;
  st32(RCC_CFGR, dividers | pll);
  const locked = runFromPll(dividers | pll);
  coreClockIs(!locked ? HSI_MHZ : crystal ? 72 : 64);
  return locked && crystal;
}
