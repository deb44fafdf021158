/** Modes of the pins for applications (RM0008 9); the rest is in ../stm32/user-pins.ts. */
import { GPIO_INPUT, GPIO_OUTPUT, GPIO_PULL_UP } from "../names/gpio-modes";
import { pinHigh, pinLow } from "../stm32/gpio";
import { portOf } from "../stm32/user-pins";
import { INPUT_FLOATING, INPUT_PULLED, OUTPUT_2MHZ, pinMode } from "./gpio";

export function gpioMode(pin: u32, mode: u32): void {
  const port = portOf(pin);
  const number = pin & 15;
  if (mode == GPIO_OUTPUT) return pinMode(port, number, OUTPUT_2MHZ);
  if (mode == GPIO_INPUT) return pinMode(port, number, INPUT_FLOATING);
  if (mode == GPIO_PULL_UP) pinHigh(port, number);
  else pinLow(port, number);
  pinMode(port, number, INPUT_PULLED);
}
