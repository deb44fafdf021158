/**
 * A Raspberry Pi Pico with an Ethernet chip on SPI0. The W5500-EVB-Pico has these connections on its board; an ENC28J60
 * module is wired the same way:
 *
 *     GP16 MISO (SO)   GP17 CSn   GP18 SCK   GP19 MOSI (SI)   GP20 RSTn   GP21 INTn   GP0 log (UART0 TX)
 *     GP25 LED (high = lit)   GP22 button to ground
 *
 * What differs between the boards (clocks, SPI mode, times around chip select) is in their own folders.
 */
import { Clock, clocksInit } from "./clocks";
import { dmaInit } from "./dma";
import { log0 } from "../log/lines";
import {
  pinIsHigh,
  pinOutput,
  pinPeripheral,
  pinPeripheralInput,
  pinSet,
  pinWakeWhenLow,
  pinsInit,
} from "./pins";
import * as R from "./registers";
import { clockMs, clockUs, sleepUntil as timerSleep } from "./timer";
import { spiInit } from "./spi";
import { uartInit, uartPoll } from "./uart";

export { delayNs, delayUs } from "./timer";
export { entropy } from "./entropy";
export { uniqueId, watchdogFeed } from "./watchdog";
export { log0, log1, log2, log3, log4, mirrorFrame } from "../log/lines";
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

const PIN_LOG: u32 = 0;
export const PIN_MISO: u32 = 16;
export const PIN_CS: u32 = 17;
export const PIN_SCK: u32 = 18;
export const PIN_MOSI: u32 = 19;
export const PIN_RESET: u32 = 20;
export const PIN_INTERRUPT: u32 = 21;

/** UART and SPI dividers on a slow clock: 64 times the clock over 16 times 115,200 baud; half the clock. */
const UART_CRYSTAL: u32 = 417;
const UART_RING: u32 = 226;
const SPI_SLOW: u32 = 2;

/**
 * Clocks (`feedback`, `post1`, `post2` of the PLL), pins, log and SPI with the dividers that suit the PLL's clock; slower ones
 * where the crystal or the PLL fails: then the board still works, slowly, and says so.
 */
export function picoInit(
  feedback: u32,
  post1: u32,
  post2: u32,
  uartDivider: u32,
  spiDivisor: u32,
  spiMode: u32,
): void {
  const clock = clocksInit(feedback, post1, post2);
  picoPins();
  dmaInit();
  uartInit(clock == Clock.PLL ? uartDivider : clock == Clock.CRYSTAL ? UART_CRYSTAL : UART_RING);
  pinPeripheral(PIN_LOG, R.FUNCSEL_UART);
  spiInit(clock == Clock.PLL ? spiDivisor : SPI_SLOW, spiMode);
  if (clock == Clock.CRYSTAL)
    log0("warn: the PLL does not lock, running from the crystal at 12 MHz");
  if (clock == Clock.RING) log0("warn: no 12 MHz crystal, running from the ring oscillator");
}

/** Sets up the pins of the chip: not selected, not in reset. */
function picoPins(): void {
  pinsInit();
  pinOutput(PIN_CS, true);
  pinOutput(PIN_RESET, true);
  // MISO floats while the chip is not selected, INTn while there is no chip: pulled up.
  pinPeripheralInput(PIN_MISO, R.FUNCSEL_SPI);
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
