/** Modes of the pins for applications (RM0368 8); the rest is in ../stm32/user-pins.ts. */
import { ld32, st32 } from "../cortex-m/hw";
import { GPIO_OUTPUT } from "../names/gpio-modes";
import { portOf } from "../stm32/user-pins";
import { SPEED_LOW, pinOutput, pinPulled } from "./gpio";
import { RCC_AHB1ENR } from "./registers";

export function gpioMode(pin: u32, mode: u32): void {
  const port = portOf(pin);
  const number = pin & 15;
  st32(RCC_AHB1ENR, ld32(RCC_AHB1ENR) | (1 << (pin >>> 4)));
  // A peripheral answers two cycles after its clock is enabled (ES0299 2.2.7): the read takes them.
  ld32(RCC_AHB1ENR);
  if (mode == GPIO_OUTPUT) pinOutput(port, number, SPEED_LOW);
  else pinPulled(port, number, mode);
}
