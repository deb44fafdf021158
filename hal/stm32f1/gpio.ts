/** Modes of the pins of the STM32F1 (RM0008 9); the rest is in ../stm32/gpio.ts. */
import { ld32, st32 } from "../cortex-m/hw";
import { GPIO_CRL } from "./registers";

/** CNF and MODE of a pin (RM0008 table 20). */
export const INPUT_FLOATING: u32 = 0x4;
/** Which way it pulls is the pin's output bit: pinHigh or pinLow of ../stm32/gpio.ts. */
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
