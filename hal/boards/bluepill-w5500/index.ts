/** Blue Pill (STM32F103C8) with a W5500 module. Core 72 MHz, SPI 18 MHz; wiring: hal/stm32f1/bluepill.ts. */
import { spin } from "../../cortex-m/hw";
import { chipDeselect, chipSelect } from "../../stm32f1/bluepill";
import { text, Text } from "../../text";

export * from "../../stm32f1/bluepill";

export const BOARD_NAME: Text = text("bluepill-w5500");

/** CSn low; 5 ns before the first clock (W5500 datasheet 5.5.4), which the first access of the SPI takes anyway. */
export function spiSelect(): void {
  chipSelect();
}

/** CSn high, and high for 30 ns at least. Every transfer has ended with its last bit, so there is nothing to wait for. */
export function spiDeselect(): void {
  chipDeselect();
  spin(1);
}
