/** Digital pins for applications (datasheet 2.19): GP0 to GP29 have the numbers 0 to 29. */
import { ld32, st32 } from "../cortex-m/hw";
import { GPIO_OUTPUT, GPIO_PULL_DOWN, GPIO_PULL_UP } from "../names/gpio-modes";
import { pinIsHigh, pinOutput, pinSet } from "./pins";
import * as R from "./registers";

/** The LED of the board is lit by a high level. */
export const LED_PIN: u32 = 25;
export const LED_LIT: bool = true;
/** A button between GP22 and ground; the board has none that a program could read. */
export const BUTTON_PIN: u32 = 22;
export const BUTTON_PRESSED: bool = false;

const BOTH_EDGES: u32 = R.GPIO_EDGE_LOW | R.GPIO_EDGE_HIGH;

export function gpioMode(pin: u32, mode: u32): void {
  if (mode == GPIO_OUTPUT) return pinOutput(pin, pinIsHigh(pin));
  let pull: u32 = 0;
  if (mode == GPIO_PULL_UP) pull = R.PAD_PUE;
  else if (mode == GPIO_PULL_DOWN) pull = R.PAD_PDE;
  st32(R.SIO_GPIO_OE_CLR, 1 << pin);
  st32(R.PADS_BANK0_GPIO0 + pin * 4, R.PAD_IE | R.PAD_DRIVE_4MA | R.PAD_SCHMITT | pull);
  st32(R.IO_BANK0_CTRL + pin * 8, R.FUNCSEL_SIO);
}

export function gpioRead(pin: u32): bool {
  return pinIsHigh(pin);
}

export function gpioWrite(pin: u32, high: bool): void {
  pinSet(pin, high);
}

/** Lets edges of a pin be seen by `gpioEdges`, and wake a sleep. False for a pin that cannot. */
export function gpioArm(pin: u32): bool {
  const shift = (pin & 7) * 4;
  st32(R.INTR0 + (pin >>> 3) * 4, BOTH_EDGES << shift);
  st32(R.PROC0_INTE0 + (pin >>> 3) * 4 + R.SET, BOTH_EDGES << shift);
  return true;
}

/** True when a pin has had an edge since the last call. */
export function gpioEdges(pin: u32): bool {
  const register = R.INTR0 + (pin >>> 3) * 4;
  const seen = ld32(register) & (BOTH_EDGES << ((pin & 7) * 4));
  if (seen != 0) st32(register, seen);
  return seen != 0;
}
