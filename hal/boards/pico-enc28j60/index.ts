/** Raspberry Pi Pico with an ENC28J60 module. clk_sys 120 MHz, so that SPI runs at 20 MHz: the chip's limit. */
import { spin } from "../../cortex-m/hw";
import { PIN_CS, picoInit } from "../../rp2040/pico";
import { pinSet } from "../../rp2040/pins";
import { SPI_MODE_0 } from "../../rp2040/registers";
import { spiFinish } from "../../rp2040/spi";
import { text, Text } from "../../text";

export * from "../../rp2040/pico";

export const BOARD_NAME: Text = text("pico-enc28j60");

/** Clocks, pins, log and SPI; the first call of a firmware. */
export function boardInit(): void {
  // 12 MHz * 100 / (5 * 2); 64 * 120 MHz / (16 * 115,200). The chip knows mode 0 only.
  picoInit(100, 5, 2, 4167, 6, SPI_MODE_0);
}

/** CSn low; 50 ns before the first clock (ENC28J60 datasheet 16.4, parameter 2). */
export function spiSelect(): void {
  pinSet(PIN_CS, false);
  spin(2);
}

/** CSn high 210 ns after the last clock, which MAC and MII registers need (parameter 3), and high for 50 ns (4). */
export function spiDeselect(): void {
  spiFinish();
  spin(9);
  pinSet(PIN_CS, true);
  spin(2);
}
