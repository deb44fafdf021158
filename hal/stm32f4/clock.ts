/**
 * Clocks of the STM32F401: the board's core clock (up to 84 MHz) from an 8 MHz crystal, or 76 MHz from the internal
 * oscillator when there is no crystal, or 16 MHz when the PLL does not lock either. Every wait is bounded, so a board with
 * a fault still comes up and can say so. And a microsecond counter of 32 bits.
 */
import { ld32, st32 } from "../cortex-m/hw";
import { coreClockIs, coreClockMHz } from "../stm32/core";
import {
  TIM_ARR,
  TIM_CNT,
  TIM_CR1,
  TIM_CR1_CEN,
  TIM_EGR,
  TIM_EGR_UG,
  TIM_PSC,
} from "../stm32/registers";
import {
  FLASH_ACR,
  FLASH_ACR_TWO_WAITS,
  PWR_CR,
  PWR_CR_VOS_MASK,
  PWR_CR_VOS_SCALE2,
  RCC_APB1ENR,
  RCC_APB1_PWR,
  RCC_CFGR,
  RCC_CFGR_PPRE1_DIV2,
  RCC_CFGR_SWS_MASK,
  RCC_CFGR_SWS_PLL,
  RCC_CFGR_SW_PLL,
  RCC_CIR,
  RCC_CR,
  RCC_CR_HSEON,
  RCC_CR_HSERDY,
  RCC_CR_HSION,
  RCC_CR_HSIRDY,
  RCC_CR_PLLON,
  RCC_CR_PLLRDY,
  RCC_PLLCFGR,
  RCC_PLLCFGR_N_SHIFT,
  RCC_PLLCFGR_P_DIV4,
  RCC_PLLCFGR_Q_DIV7,
  RCC_PLLCFGR_SRC_HSE,
  TIM2,
} from "./registers";

/** Turns of a wait at 16 MHz, each half a microsecond or more: a crystal starts in 2 ms, the PLL in 200 us (DS9716 6.3). */
const ATTEMPTS: u32 = 60000;

/** From the internal oscillator, which is off by up to 8 % over temperature, an SPI clock stays below its crystal value. */
const INTERNAL_MHZ: u32 = 76;
const INTERNAL_OSCILLATOR_MHZ: u32 = 16;
const CRYSTAL_MHZ: u32 = 8;

function awaitRegister(at: usize, mask: u32, value: u32): bool {
  for (let i: u32 = 0; i < ATTEMPTS; i++) if ((ld32(at) & mask) == value) return true;
  return false;
}

/** Runs from the PLL at `mhz`: 1 MHz into it, four times the core clock out of its oscillator; false if it fails. */
function runFromPll(source: u32, mhz: u32): bool {
  const n = (mhz * 4) << RCC_PLLCFGR_N_SHIFT;
  st32(RCC_PLLCFGR, source | n | RCC_PLLCFGR_P_DIV4 | RCC_PLLCFGR_Q_DIV7);
  st32(RCC_CR, ld32(RCC_CR) | RCC_CR_PLLON);
  if (!awaitRegister(RCC_CR, RCC_CR_PLLRDY, RCC_CR_PLLRDY)) return false;
  st32(FLASH_ACR, FLASH_ACR_TWO_WAITS);
  // Read back, so that they count before the clock is faster (RM0368 3.4.1, ST's HAL).
  ld32(FLASH_ACR);
  st32(RCC_CFGR, RCC_CFGR_PPRE1_DIV2 | RCC_CFGR_SW_PLL);
  return awaitRegister(RCC_CFGR, RCC_CFGR_SWS_MASK, RCC_CFGR_SWS_PLL);
}

/**
 * Sets up the clocks from any state (a bootloader may have left the PLL running); `mhz` is the core clock to run at from
 * the crystal, PCLK1 is half of that, PCLK2 all of it. False when the crystal is not used.
 */
export function clockInit(mhz: u32): bool {
  st32(RCC_CR, ld32(RCC_CR) | RCC_CR_HSION);
  awaitRegister(RCC_CR, RCC_CR_HSIRDY, RCC_CR_HSIRDY);
  st32(RCC_CFGR, RCC_CFGR_PPRE1_DIV2);
  awaitRegister(RCC_CFGR, RCC_CFGR_SWS_MASK, 0);
  st32(RCC_CR, (ld32(RCC_CR) & 0xf8) | RCC_CR_HSION);
  // A PLL that is still on ignores its new dividers (RM0368 6.3.2).
  awaitRegister(RCC_CR, RCC_CR_PLLRDY, 0);
  st32(RCC_CIR, 0);
  st32(RCC_APB1ENR, ld32(RCC_APB1ENR) | RCC_APB1_PWR);
  // A peripheral answers two cycles after its clock is enabled (ES0299 2.2.7): the read takes them.
  ld32(RCC_APB1ENR);
  st32(PWR_CR, (ld32(PWR_CR) & ~PWR_CR_VOS_MASK) | PWR_CR_VOS_SCALE2);
  st32(RCC_CR, ld32(RCC_CR) | RCC_CR_HSEON);
  const crystal = awaitRegister(RCC_CR, RCC_CR_HSERDY, RCC_CR_HSERDY);
  if (!crystal) st32(RCC_CR, ld32(RCC_CR) & ~RCC_CR_HSEON);
  const target = crystal ? mhz : INTERNAL_MHZ;
  const locked = runFromPll(
    crystal ? RCC_PLLCFGR_SRC_HSE | CRYSTAL_MHZ : INTERNAL_OSCILLATOR_MHZ,
    target,
  );
  coreClockIs(locked ? target : INTERNAL_OSCILLATOR_MHZ);
  return locked && crystal;
}

/** Starts the microsecond counter TIM2; its clock is the core clock, because PCLK1 is divided, which doubles it. */
export function timersInit(): void {
  st32(TIM2 + TIM_CR1, 0);
  st32(TIM2 + TIM_PSC, coreClockMHz() - 1);
  st32(TIM2 + TIM_ARR, 0xffffffff);
  // The prescaler takes effect at an update.
  st32(TIM2 + TIM_EGR, TIM_EGR_UG);
  st32(TIM2 + TIM_CR1, TIM_CR1_CEN);
}

/** Microseconds since the timer was started; wraps. */
export function clockUs(): u32 {
  return ld32(TIM2 + TIM_CNT);
}
