/** Espruino Pico (STM32F401CD) with a W5500 module. Core 84 MHz, SPI 21 MHz (half of PCLK1, which may be 42 MHz). */
import { spin } from "../../cortex-m/hw";
import { chipDeselect, chipSelect, picoInit } from "../../stm32f4/espruino-pico";
import { text, Text } from "../../text";

export * from "../../stm32f4/espruino-pico";

export const BOARD_NAME: Text = text("espruino-pico-w5500");

/** Clocks, pins, SPI and log; the first call of a firmware. */
export function boardInit(): void {
  picoInit(84);
}

/** CSn low; 5 ns before the first clock (W5500 datasheet 5.5.4), which the first access of the SPI takes anyway. */
export function spiSelect(): void {
  chipSelect();
}

/** CSn high, and high for 30 ns at least. Every transfer has ended with its last bit, so there is nothing to wait for. */
export function spiDeselect(): void {
  chipDeselect();
  spin(1);
}
