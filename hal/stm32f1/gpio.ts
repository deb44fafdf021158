/**
 * Pins of the STM32F1 (RM0008 9) and what joins them to interrupt lines.
 */
import { ld32, st32 } from "../cortex-m/hw";
import { AFIO_EXTICR1, GPIOA, GPIO_BRR, GPIO_BSRR, GPIO_CRL, GPIO_IDR } from "./registers";

/** CNF and MODE of a pin (RM0008 table 20). */
export const INPUT_FLOATING: u32 = 0x4;
/** Which way it pulls is the pin's output bit: pinHigh or pinLow. */
export const INPUT_PULLED: u32 = 0x8;
export const OUTPUT_2MHZ: u32 = 0x2;
export const OUTPUT_50MHZ: u32 = 0x3;
export const ALTERNATE_2MHZ: u32 = 0xa;
export const ALTERNATE_50MHZ: u32 = 0xb;

/** Gives pin 0..15 of a port one of the modes above. */
export function pinMode(port: usize, pin: u32, mode: u32): void {
  const register = port + GPIO_CRL + <usize>((pin >>> 3) << 2);
  const shift = (pin & 7) << 2;
  st32(register, (ld32(register) & ~(15 << shift)) | (mode << shift));
}

/** Drives an output; one store each, so no other pin is touched. */
export function pinHigh(port: usize, pin: u32): void {
  st32(port + GPIO_BSRR, 1 << pin);
}

export function pinLow(port: usize, pin: u32): void {
  st32(port + GPIO_BRR, 1 << pin);
}

/** True while the pin is low. */
export function pinIsLow(port: usize, pin: u32): bool {
  return (ld32(port + GPIO_IDR) & (1 << pin)) == 0;
}

/** Joins the interrupt line of a pin's number (0..15) to that pin. */
export function pinLine(port: usize, pin: u32): void {
  const register = AFIO_EXTICR1 + <usize>((pin >>> 2) << 2);
  const shift = (pin & 3) << 2;
  // Ports lie 1 KiB apart, and EXTICR numbers them from A = 0.
  const number = (<u32>(port - GPIOA)) >>> 10;
  st32(register, (ld32(register) & ~(15 << shift)) | (number << shift));
}
