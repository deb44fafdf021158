/** The microsecond counter of the STM32F103: 32 bits from two chained timers. */
import { ld32, st32 } from "../cortex-m/hw";
import { coreClockMHz } from "../stm32/core";
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
import { TIM2, TIM3 } from "./registers";

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
