/**
 * Levels of pins (RM0008 9, RM0368 8), and what joins a pin to an interrupt line. Modes are the family's:
 * hal/stm32f1/gpio.ts and hal/stm32f4/gpio.ts.
 */
import { ld32, st32 } from "../cortex-m/hw";
import { EXTICR1, GPIOA, GPIO_BSRR, GPIO_IDR } from "mcu";

/** Drives an output; one store each, so no other pin is touched. */
export function pinHigh(port: usize, pin: u32): void {
  st32(port + GPIO_BSRR, 1 << pin);
}

export function pinLow(port: usize, pin: u32): void {
  st32(port + GPIO_BSRR, 0x10000 << pin);
}

/** True while the pin is low. */
export function pinIsLow(port: usize, pin: u32): bool {
  return (ld32(port + GPIO_IDR) & (1 << pin)) == 0;
}

/** Joins the interrupt line of a pin's number (0..15) to that pin. */
export function pinLine(port: usize, pin: u32): void {
  const register = EXTICR1 + <usize>((pin >>> 2) << 2);
  const shift = (pin & 3) << 2;
  // Ports lie 1 KiB apart, and EXTICR numbers them from A = 0.
  const number = (<u32>(port - GPIOA)) >>> 10;
  st32(register, (ld32(register) & ~(15 << shift)) | (number << shift));
}
