/**
 * Clocks of the STM32F401: the board's core clock (up to 84 MHz) from an 8 MHz crystal, or 76 MHz from the internal
 * oscillator when there is no crystal, or 16 MHz when the PLL does not lock either.
 */
import { ld32, st32 } from "../cortex-m/hw";
import { crystalStart, internalOscillator, runFromPll } from "../stm32/clock";
import { coreClockIs } from "../stm32/core";
import {
  HSI_MHZ,
  PWR_CR,
  PWR_CR_VOS_MASK,
  PWR_CR_VOS_SCALE2,
  RCC_APB1ENR,
  RCC_APB1_PWR,
  RCC_CFGR_PPRE1_DIV2,
  RCC_PLLCFGR,
  RCC_PLLCFGR_N_SHIFT,
  RCC_PLLCFGR_P_DIV4,
  RCC_PLLCFGR_Q_DIV7,
  RCC_PLLCFGR_SRC_HSE,
} from "./registers";

/** From the internal oscillator, which is off by up to 8 % over temperature, an SPI clock stays below its crystal value. */
const INTERNAL_MHZ: u32 = 76;
const CRYSTAL_MHZ: u32 = 8;

/**
 * Sets up the clocks from any state (a bootloader may have left the PLL running); `mhz` is the core clock to run at from
 * the crystal, PCLK1 is half of that, PCLK2 all of it. False when the crystal is not used.
 */
export function clockInit(mhz: u32): bool {
  internalOscillator(RCC_CFGR_PPRE1_DIV2);
  st32(RCC_APB1ENR, ld32(RCC_APB1ENR) | RCC_APB1_PWR);
  // A peripheral answers two cycles after its clock is enabled (ES0299 2.2.7): the read takes them.
  ld32(RCC_APB1ENR);
  st32(PWR_CR, (ld32(PWR_CR) & ~PWR_CR_VOS_MASK) | PWR_CR_VOS_SCALE2);
  const crystal = crystalStart();
  const target = crystal ? mhz : INTERNAL_MHZ;
  const source = crystal ? RCC_PLLCFGR_SRC_HSE | CRYSTAL_MHZ : HSI_MHZ;
  // 1 MHz into the PLL, four times the core clock out of its oscillator.
  const n = (target * 4) << RCC_PLLCFGR_N_SHIFT;
  st32(RCC_PLLCFGR, source | n | RCC_PLLCFGR_P_DIV4 | RCC_PLLCFGR_Q_DIV7);
  const locked = runFromPll(RCC_CFGR_PPRE1_DIV2);
  coreClockIs(locked ? target : HSI_MHZ);
  return locked && crystal;
}
