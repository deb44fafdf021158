/** Espruino Pico (STM32F401CD) with an ENC28J60 module. Core 80 MHz, so that SPI runs at 20 MHz, the chip's limit. */
import { spin } from "../../cortex-m/hw";
import { chipDeselect, chipSelect, picoInit } from "../../stm32f4/espruino-pico";
import { text, Text } from "../../text";

export * from "../../stm32f4/espruino-pico";

export const BOARD_NAME: Text = text("espruino-pico-enc28j60");

/** Clocks, pins, SPI and log; the first call of a firmware. */
export function boardInit(): void {
  picoInit(80);
}

/** CSn low; 50 ns before the first clock (ENC28J60 datasheet 16.4, parameter 2). */
export function spiSelect(): void {
  chipSelect();
  spin(2);
}

/**
 * CSn high 210 ns after the last clock, which accesses of MAC and MII registers need (parameter 3), and high for 50 ns (4).
 */
export function spiDeselect(): void {
  spin(6);
  chipDeselect();
  spin(2);
}
