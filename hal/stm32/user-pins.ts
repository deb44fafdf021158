/**
 * Digital pins for applications (RM0008 9, RM0368 8): PA0 is 0, PB0 is 16, PC0 is 32. Their modes are the family's:
 * hal/stm32f1/user-pins.ts and hal/stm32f4/user-pins.ts.
 */
import { GPIOA } from "mcu";
import { edgesArm, edgesTake } from "./edges";
import { pinHigh, pinIsLow, pinLine, pinLow } from "./gpio";

/** Ports lie 1 KiB apart. */
export function portOf(pin: u32): usize {
  return GPIOA + ((pin >>> 4) << 10);
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
  if (!edgesArm(pin & 15)) return false;
  pinLine(portOf(pin), pin & 15);
  return true;
}

/** True when a pin has had an edge since the last call. */
export function gpioEdges(pin: u32): bool {
  return edgesTake(pin & 15);
}
