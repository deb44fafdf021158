/**
 * Pins of the STM32F4 (RM0368 8) and what joins them to interrupt lines.
 */
import { ld32, st32 } from "../cortex-m/hw";
import {
  GPIOA,
  GPIO_AFRL,
  GPIO_BSRR,
  GPIO_IDR,
  GPIO_MODER,
  GPIO_OSPEEDR,
  GPIO_OTYPER,
  GPIO_PUPDR,
  SYSCFG_EXTICR1,
} from "./registers";

const MODE_OUTPUT: u32 = 1;
const MODE_ALTERNATE: u32 = 2;
const PULL_UP: u32 = 1;

/** Output speeds: SPI clocks need at least SPEED_FAST, and the errata sheet of the F401 wants SCK at SPEED_HIGH. */
export const SPEED_LOW: u32 = 0;
export const SPEED_FAST: u32 = 2;
export const SPEED_HIGH: u32 = 3;

function setTwoBits(register: usize, pin: u32, value: u32): void {
  const shift = pin << 1;
  st32(register, (ld32(register) & ~(3 << shift)) | (value << shift));
}

function pushPull(port: usize, pin: u32, speed: u32): void {
  st32(port + GPIO_OTYPER, ld32(port + GPIO_OTYPER) & ~(1 << pin));
  setTwoBits(port + GPIO_OSPEEDR, pin, speed);
}

/** Push-pull output; set its level first. */
export function pinOutput(port: usize, pin: u32, speed: u32): void {
  pushPull(port, pin, speed);
  setTwoBits(port + GPIO_PUPDR, pin, 0);
  setTwoBits(port + GPIO_MODER, pin, MODE_OUTPUT);
}

/** Input with pull-up. */
export function pinInput(port: usize, pin: u32): void {
  pinPulled(port, pin, PULL_UP);
}

/** Input that is pulled: 0 not, 1 up, 2 down. */
export function pinPulled(port: usize, pin: u32, pull: u32): void {
  setTwoBits(port + GPIO_PUPDR, pin, pull);
  setTwoBits(port + GPIO_MODER, pin, 0);
}

/** Alternate function 0..15 (DS9716 table 9), push-pull; `pulled` adds a pull-up, for inputs. */
export function pinAlternate(
  port: usize,
  pin: u32,
  alternate: u32,
  speed: u32,
  pulled: bool,
): void {
  const register = port + GPIO_AFRL + <usize>((pin >>> 3) << 2);
  const shift = (pin & 7) << 2;
  pushPull(port, pin, speed);
  setTwoBits(port + GPIO_PUPDR, pin, pulled ? PULL_UP : 0);
  st32(register, (ld32(register) & ~(15 << shift)) | (alternate << shift));
  setTwoBits(port + GPIO_MODER, pin, MODE_ALTERNATE);
}

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
  const register = SYSCFG_EXTICR1 + <usize>((pin >>> 2) << 2);
  const shift = (pin & 3) << 2;
  // Ports lie 1 KiB apart, and EXTICR numbers them from A = 0.
  const number = (<u32>(port - GPIOA)) >>> 10;
  st32(register, (ld32(register) & ~(15 << shift)) | (number << shift));
}
