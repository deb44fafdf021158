/** Pins (datasheet 2.19): pad, function, and level by single-cycle IO. */
import { ld32, st32 } from "../cortex-m/hw";
import { renew } from "./clocks";
import * as R from "./registers";

/** Brings the pins out of reset; before any other function of this file. */
export function pinsInit(): void {
  renew(R.RESET_IO_BANK0 | R.RESET_PADS_BANK0);
}

function pinFunction(pin: u32, pad: u32, funcsel: u32): void {
  st32(R.PADS_BANK0_GPIO0 + pin * 4, pad);
  st32(R.IO_BANK0_CTRL + pin * 8, funcsel);
}

/** A pin that a peripheral drives. */
export function pinPeripheral(pin: u32, funcsel: u32): void {
  pinFunction(pin, R.PAD_IE | R.PAD_DRIVE_8MA | R.PAD_SLEWFAST | R.PAD_SCHMITT, funcsel);
}

/** A pin that a peripheral reads; pulled up while nobody drives it. */
export function pinPeripheralInput(pin: u32, funcsel: u32): void {
  pinFunction(pin, R.PAD_IE | R.PAD_PUE | R.PAD_DRIVE_4MA | R.PAD_SCHMITT, funcsel);
}

/** An output under program control, at the given level from its first moment. */
export function pinOutput(pin: u32, high: bool): void {
  pinSet(pin, high);
  st32(R.SIO_GPIO_OE_SET, 1 << pin);
  pinFunction(pin, R.PAD_IE | R.PAD_DRIVE_8MA | R.PAD_SLEWFAST | R.PAD_SCHMITT, R.FUNCSEL_SIO);
}

/** An input with pull-up whose low level is an interrupt, which `sleepUntil` wakes from (timer.ts). */
export function pinWakeWhenLow(pin: u32): void {
  st32(R.SIO_GPIO_OE_CLR, 1 << pin);
  pinFunction(pin, R.PAD_IE | R.PAD_PUE | R.PAD_DRIVE_4MA | R.PAD_SCHMITT, R.FUNCSEL_SIO);
  st32(R.PROC0_INTE0 + (pin >>> 3) * 4 + R.SET, R.GPIO_LEVEL_LOW << ((pin & 7) * 4));
}

/** Drives an output. */
export function pinSet(pin: u32, high: bool): void {
  st32(high ? R.SIO_GPIO_OUT_SET : R.SIO_GPIO_OUT_CLR, 1 << pin);
}

/** Level of a pin. */
export function pinIsHigh(pin: u32): bool {
  return (ld32(R.SIO_GPIO_IN) & (1 << pin)) != 0;
}
