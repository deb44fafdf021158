/**
 * A Raspberry Pi Pico with an Ethernet chip on SPI0. The W5500-EVB-Pico has these connections on its board; an ENC28J60
 * module is wired the same way:
 *
 *     GP16 MISO (SO)   GP17 CSn   GP18 SCK   GP19 MOSI (SI)   GP20 RSTn   GP21 INTn   GP0 log (UART0 TX)
 *     GP25 LED (high = lit)   GP22 button to ground
 *
 * What differs between the boards (clocks, SPI mode, times around chip select) is in their own folders.
 */
import { pinIsHigh, pinOutput, pinPeripheral, pinSet, pinsInit, pinWakeWhenLow } from "./pins";
import * as R from "./registers";
import { clockMs, clockUs, sleepUntil as timerSleep } from "./timer";
import { uartPoll } from "./uart";

export { delayNs, delayUs } from "./timer";
export { entropy } from "./entropy";
export { uniqueId, watchdogFeed } from "./watchdog";
export { log0, log1, log2, log3, log4, mirrorFrame } from "./log";
export { flashBase, settingsBase } from "../cortex-m/hw";
export { spiGet, spiPut, spiRead, spiWrite } from "./spi";
export {
  BUTTON_PIN,
  BUTTON_PRESSED,
  LED_LIT,
  LED_PIN,
  gpioArm,
  gpioEdges,
  gpioMode,
  gpioRead,
  gpioWrite,
} from "./gpio";
export { text, textAddress, textBytes, Text } from "../text";
export { clockMs, clockUs };

export const PIN_MISO: u32 = 16;
export const PIN_CS: u32 = 17;
export const PIN_SCK: u32 = 18;
export const PIN_MOSI: u32 = 19;
export const PIN_RESET: u32 = 20;
export const PIN_INTERRUPT: u32 = 21;

/** Sets up the pins of the chip: not selected, not in reset. */
export function picoPins(): void {
  pinsInit();
  pinOutput(PIN_CS, true);
  pinOutput(PIN_RESET, true);
  pinPeripheral(PIN_MISO, R.FUNCSEL_SPI);
  pinPeripheral(PIN_SCK, R.FUNCSEL_SPI);
  pinPeripheral(PIN_MOSI, R.FUNCSEL_SPI);
  pinWakeWhenLow(PIN_INTERRUPT);
}

/** Level of the chip's RSTn pin. */
export function chipReset(low: bool): void {
  pinSet(PIN_RESET, !low);
}

/** True while the chip holds INTn low. */
export function chipInterrupt(): bool {
  return !pinIsHigh(PIN_INTERRUPT);
}

/** Sleeps until clockMs() has reached the deadline, INTn is low, or earlier. */
export function sleepUntil(deadlineMs: u32): void {
  uartPoll();
  timerSleep(deadlineMs);
  uartPoll();
}
