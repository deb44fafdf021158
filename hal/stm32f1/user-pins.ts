/** Digital pins for applications (RM0008 9): PA0 is 0, PB0 is 16, PC0 is 32. */
import { GPIO_INPUT, GPIO_OUTPUT, GPIO_PULL_UP } from "../names/gpio-modes";
import { edgesArm, edgesTake } from "../stm32/edges";
import {
  INPUT_FLOATING,
  INPUT_PULLED,
  OUTPUT_2MHZ,
  pinHigh,
  pinIsLow,
  pinLine,
  pinLow,
  pinMode,
} from "./gpio";
import { EXTI, GPIOA } from "./registers";

/** PC13, lit by a low level. */
export const LED_PIN: u32 = 45;
export const LED_LIT: bool = false;
/** A button between PA0 and ground; the board has none that a program could read. */
export const BUTTON_PIN: u32 = 0;
export const BUTTON_PRESSED: bool = false;

/** Ports lie 1 KiB apart. */
function portOf(pin: u32): usize {
  return GPIOA + ((pin >>> 4) << 10);
}

export function gpioMode(pin: u32, mode: u32): void {
  const port = portOf(pin);
  const number = pin & 15;
  if (mode == GPIO_OUTPUT) return pinMode(port, number, OUTPUT_2MHZ);
  if (mode == GPIO_INPUT) return pinMode(port, number, INPUT_FLOATING);
  if (mode == GPIO_PULL_UP) pinHigh(port, number);
  else pinLow(port, number);
  pinMode(port, number, INPUT_PULLED);
}

export function gpioRead(pin: u32): bool {
  return !pinIsLow(portOf(pin), pin & 15);
}

export function gpioWrite(pin: u32, high: bool): void {
  if (high) pinHigh(portOf(pin), pin & 15);
  else pinLow(portOf(pin), pin & 15);
}

/** Lets edges of a pin be seen by `gpioEdges`, and wake a sleep. False when a pin of its number in another port has the line. */
export function gpioArm(pin: u32): bool {
  if (!edgesArm(EXTI, pin & 15)) return false;
  pinLine(portOf(pin), pin & 15);
  return true;
}

/** True when a pin has had an edge since the last call. */
export function gpioEdges(pin: u32): bool {
  return edgesTake(EXTI, pin & 15);
}
