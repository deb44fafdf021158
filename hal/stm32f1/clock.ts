/**
 * Clocks of the STM32F103: 72 MHz from an 8 MHz crystal; 64 MHz from the internal oscillator when there is no crystal;
 * 8 MHz when the PLL does not lock either. Every wait is bounded, so a board with a fault still comes up and can say so.
 * And a microsecond counter of 32 bits from two chained timers.
 */
import { ld32, st32 } from "../cortex-m/hw";
import { coreClockIs, coreClockMHz } from "../stm32/core";
import {
  TIM_ARR,
  TIM_CNT,
  TIM_CR1,
  TIM_CR1_CEN,
  TIM_CR2,
  TIM_CR2_MMS_UPDATE,
  TIM_EGR,
  TIM_EGR_UG,
  TIM_PSC,
  TIM_SMCR,
  TIM_SMCR_SMS_EXTERNAL,
  TIM_SMCR_TS_ITR1,
} from "../stm32/registers";
import {
  FLASH_ACR,
  FLASH_ACR_TWO_WAITS,
  RCC_CFGR,
  RCC_CFGR_ADCPRE_DIV6,
  RCC_CFGR_PLLMUL_16,
  RCC_CFGR_PLLMUL_9,
  RCC_CFGR_PLLSRC_HSE,
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
  TIM2,
  TIM3,
} from "./registers";

/** Turns of a wait at 8 MHz, each a microsecond or more: a crystal starts in 2 ms (DS5319 5.3.6), the PLL in 200 us. */
const ATTEMPTS: u32 = 30000;

function awaitRegister(at: usize, mask: u32, value: u32): bool {
  for (let i: u32 = 0; i < ATTEMPTS; i++) if ((ld32(at) & mask) == value) return true;
  return false;
}

/** Starts the PLL from the chosen source and runs from it; false when it does not lock. */
function runFromPll(source: u32): bool {
  const dividers = RCC_CFGR_PPRE1_DIV2 | RCC_CFGR_ADCPRE_DIV6 | source;
  st32(RCC_CFGR, dividers);
  st32(RCC_CR, ld32(RCC_CR) | RCC_CR_PLLON);
  if (!awaitRegister(RCC_CR, RCC_CR_PLLRDY, RCC_CR_PLLRDY)) return false;
  st32(FLASH_ACR, FLASH_ACR_TWO_WAITS);
  // Read back, so that they count before the clock is faster (RM0368 3.4.1, ST's HAL).
  ld32(FLASH_ACR);
  st32(RCC_CFGR, dividers | RCC_CFGR_SW_PLL);
  return awaitRegister(RCC_CFGR, RCC_CFGR_SWS_MASK, RCC_CFGR_SWS_PLL);
}

/** Sets up the clocks from any state; false when the crystal is not used. */
export function clockInit(): bool {
  st32(RCC_CR, ld32(RCC_CR) | RCC_CR_HSION);
  awaitRegister(RCC_CR, RCC_CR_HSIRDY, RCC_CR_HSIRDY);
  st32(RCC_CFGR, RCC_CFGR_PPRE1_DIV2 | RCC_CFGR_ADCPRE_DIV6);
  awaitRegister(RCC_CFGR, RCC_CFGR_SWS_MASK, 0);
  st32(RCC_CR, (ld32(RCC_CR) & 0xf8) | RCC_CR_HSION);
  st32(RCC_CIR, 0);
  st32(RCC_CR, ld32(RCC_CR) | RCC_CR_HSEON);
  const crystal = awaitRegister(RCC_CR, RCC_CR_HSERDY, RCC_CR_HSERDY);
  if (!crystal) st32(RCC_CR, ld32(RCC_CR) & ~RCC_CR_HSEON);
  // The internal oscillator reaches the PLL halved: 4 MHz * 16.
  const locked = runFromPll(crystal ? RCC_CFGR_PLLSRC_HSE | RCC_CFGR_PLLMUL_9 : RCC_CFGR_PLLMUL_16);
  coreClockIs(!locked ? 8 : crystal ? 72 : 64);
  return locked && crystal;
}

/**
 * Starts the microsecond counter: TIM2 counts microseconds, TIM3 the overflows of TIM2 (RM0008 15.3.15, "using one timer
 * as prescaler for another"). Timer clocks are the core clock: PCLK1 is divided, which doubles them.
 */
export function timersInit(): void {
  st32(TIM2 + TIM_CR1, 0);
  st32(TIM3 + TIM_CR1, 0);
  st32(TIM2 + TIM_PSC, coreClockMHz() - 1);
  st32(TIM2 + TIM_ARR, 0xffff);
  st32(TIM3 + TIM_PSC, 0);
  st32(TIM3 + TIM_ARR, 0xffff);
  // The prescaler takes effect at an update; TIM3 must not see this one.
  st32(TIM2 + TIM_EGR, TIM_EGR_UG);
  st32(TIM2 + TIM_CR2, TIM_CR2_MMS_UPDATE);
  st32(TIM3 + TIM_SMCR, TIM_SMCR_TS_ITR1 | TIM_SMCR_SMS_EXTERNAL);
  st32(TIM3 + TIM_EGR, TIM_EGR_UG);
  st32(TIM3 + TIM_CR1, TIM_CR1_CEN);
  st32(TIM2 + TIM_CR1, TIM_CR1_CEN);
}

/**
 * Microseconds since the timers were started; wraps. TIM3 follows TIM2's overflow a few cycles late, so a reading is
 * believed only if TIM3 is the same before and after, and TIM2 is not in the first two microseconds of a round.
 */
export function clockUs(): u32 {
  let high = ld32(TIM3 + TIM_CNT);
  let low = ld32(TIM2 + TIM_CNT);
  for (let i: u32 = 0; i < 64; i++) {
    const again = ld32(TIM3 + TIM_CNT);
    if (again == high && low >= 2) break;
    high = again;
    low = ld32(TIM2 + TIM_CNT);
  }
  return (high << 16) | low;
}
