/** The microsecond counter of the STM32F401: one timer of 32 bits. */
import { ld32, st32 } from "../cortex-m/hw";
import { coreClockMHz } from "../stm32/core";
import {
  TIM_ARR,
  TIM_CNT,
  TIM_CR1,
  TIM_CR1_CEN,
  TIM_EGR,
  TIM_EGR_UG,
  TIM_PSC,
} from "../stm32/registers";
import { TIM2 } from "./registers";

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
