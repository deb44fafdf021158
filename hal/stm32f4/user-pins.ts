/** Digital pins for applications (RM0368 8): PA0 is 0, PB0 is 16, PC0 is 32. */
import { ld32, st32 } from "../cortex-m/hw";
import { GPIO_OUTPUT } from "../names/gpio-modes";
import { edgesArm, edgesTake } from "../stm32/edges";
import { SPEED_LOW, pinHigh, pinIsLow, pinLine, pinLow, pinOutput, pinPulled } from "./gpio";
import { EXTI, GPIOA, RCC_AHB1ENR } from "./registers";

/** LED1: B2, lit by a high level. */
export const LED_PIN: u32 = 18;
export const LED_LIT: bool = true;
/** BTN1: C13, high when pressed. */
export const BUTTON_PIN: u32 = 45;
export const BUTTON_PRESSED: bool = true;

/** Ports lie 1 KiB apart. */
function portOf(pin: u32): usize {
  return GPIOA + ((pin >>> 4) << 10);
}

export function gpioMode(pin: u32, mode: u32): void {
  const port = portOf(pin);
  const number = pin & 15;
  st32(RCC_AHB1ENR, ld32(RCC_AHB1ENR) | (1 << (pin >>> 4)));
  // A peripheral answers two cycles after its clock is enabled (ES0299 2.2.7): the read takes them.
  ld32(RCC_AHB1ENR);
  if (mode == GPIO_OUTPUT) pinOutput(port, number, SPEED_LOW);
  else pinPulled(port, number, mode);
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
