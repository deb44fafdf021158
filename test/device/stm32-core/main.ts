/** Says where its vector table is and whether SysTick ends a sleep; for images of STM32 boards. */
import { boardInit, clockMs, log1, sleepUntil } from "board";
import { ld32 } from "../../../hal/cortex-m/hw";
import { sleepMs } from "../../../hal/stm32/core";

const VTOR: usize = 0xe000ed08;

export function main(): void {
  boardInit();
  log1("info: vectors at %x", ld32(VTOR));
  for (let i: u32 = 0; i < 3; i++) log1("info: slept to the end: %u", sleepMs(1) ? 1 : 0);
  for (;;) sleepUntil(clockMs() + 1000);
}
