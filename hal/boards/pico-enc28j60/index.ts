/** Raspberry Pi Pico with an ENC28J60 module. clk_sys 120 MHz, so that SPI runs at 20 MHz: the chip's limit. */
import { spin } from "../../cortex-m/hw";
import { clocksInit } from "../../rp2040/clocks";
import { dmaInit } from "../../rp2040/dma";
import { PIN_CS, picoPins } from "../../rp2040/pico";
import { pinSet } from "../../rp2040/pins";
import { SPI_MODE_0 } from "../../rp2040/registers";
import { spiFinish, spiInit } from "../../rp2040/spi";
import { uartInit } from "../../rp2040/uart";
import { text, Text } from "../../text";

export * from "../../rp2040/pico";

export const BOARD_NAME: Text = text("pico-enc28j60");

/** Clocks, pins, log and SPI; the first call of a firmware. */
export function boardInit(): void {
  // 12 MHz * 100 / (5 * 2)
  clocksInit(100, 5, 2);
  picoPins();
  dmaInit();
  // 64 * 120 MHz / (16 * 115,200)
  uartInit(4167);
  // The chip knows mode 0 only.
  spiInit(6, SPI_MODE_0);
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
