/** Modes of the pins of the STM32F4 (RM0368 8); the rest is in ../stm32/gpio.ts. */
import { ld32, st32 } from "../cortex-m/hw";
import { GPIO_AFRL, GPIO_MODER, GPIO_OSPEEDR, GPIO_OTYPER, GPIO_PUPDR } from "./registers";

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
