/**
 * Sleeping until something happens: SysTick ends a sleep at its deadline, an interrupt line (EXTI, lines 0..4: RM0008 10.2,
 * RM0368 10.2) at a falling edge of the chip's INTn, the log's transmitter when it can take the next byte.
 */
import { ld32, st32 } from "../cortex-m/hw";
import { EXTI } from "mcu";
import { sleepMs, wakeClear, wakeOn } from "./core";
import { EXTI_FTSR, EXTI_IMR, EXTI_PR, EXTI_RTSR } from "./registers";
import { uartPoll, uartWakes } from "./uart";

/** Interrupt number of EXTI line 0 and of USART1, the same on both families. */
const IRQ_EXTI0: u32 = 6;
const IRQ_USART1: u32 = 37;

/** Turns of one sleep: each ends with the deadline, INTn, or a byte of the log. */
const SLEEP_TURNS: u32 = 64;

/** Lets a falling edge on an EXTI line (0..4), and the log, wake a sleep. */
export function sleepInit(line: u32): void {
  st32(EXTI + EXTI_RTSR, ld32(EXTI + EXTI_RTSR) & ~(1 << line));
  st32(EXTI + EXTI_FTSR, ld32(EXTI + EXTI_FTSR) | (1 << line));
  st32(EXTI + EXTI_PR, 1 << line);
  st32(EXTI + EXTI_IMR, ld32(EXTI + EXTI_IMR) | (1 << line));
  wakeOn(IRQ_EXTI0 + line);
  wakeOn(IRQ_USART1);
}

/**
 * Sleeps for `ms` milliseconds or until the pin `1 << line` of the input register `input` is low; may return early.
 */
export function sleepFor(ms: i32, line: u32, input: usize): void {
  let over = ms <= 0;
  for (let i: u32 = 0; i < SLEEP_TURNS && !over; i++) {
    // An edge from before is forgotten first and the level read then: a later edge ends the sleep.
    st32(EXTI + EXTI_PR, 1 << line);
    wakeClear(IRQ_EXTI0 + line);
    if ((ld32(input) & (1 << line)) == 0) break;
    const logging = uartPoll();
    uartWakes(logging);
    wakeClear(IRQ_USART1);
    const elapsed = sleepMs(<u32>ms);
    over = elapsed ? true : !logging;
  }
  uartWakes(false);
}
