/** Blue Pill (STM32F103C8) with an ENC28J60 module. Core 72 MHz, SPI 18 MHz; wiring: hal/stm32f1/bluepill.ts. */
import { spin } from "../../cortex-m/hw";
import { chipDeselect, chipSelect } from "../../stm32f1/bluepill";
import { text, Text } from "../../text";

export * from "../../stm32f1/bluepill";

export const BOARD_NAME: Text = text("bluepill-enc28j60");

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
