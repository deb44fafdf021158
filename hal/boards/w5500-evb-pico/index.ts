/** WIZnet W5500-EVB-Pico: RP2040 and W5500 on one board. clk_sys 125 MHz, SPI 31.25 MHz (the W5500 guarantees 33.3). */
import { spin } from "../../cortex-m/hw";
import { PIN_CS, picoInit } from "../../rp2040/pico";
import { pinSet } from "../../rp2040/pins";
import { SPI_MODE_3 } from "../../rp2040/registers";
import { spiFinish } from "../../rp2040/spi";
import { text, Text } from "../../text";

export * from "../../rp2040/pico";

export const BOARD_NAME: Text = text("w5500-evb-pico");

/** Clocks, pins, log and SPI; the first call of a firmware. */
export function boardInit(): void {
  // 12 MHz * 125 / (6 * 2); 64 * 125 MHz / (16 * 115,200). In mode 3 the SPI block sends bytes back to back; in mode 0 it
  // pauses between them (datasheet 4.4.3.9, .12).
  picoInit(125, 6, 2, 4340, 4, SPI_MODE_3);
}

/** CSn low; 5 ns before the first clock (W5500 datasheet 5.5.4). */
export function spiSelect(): void {
  pinSet(PIN_CS, false);
}

/** CSn high once the last bit is out; stays high for 30 ns at least. */
export function spiDeselect(): void {
  spiFinish();
  pinSet(PIN_CS, true);
  spin(2);
}
