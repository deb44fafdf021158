/**
 * The Espruino Pico (STM32F401CD, 8 MHz crystal) with an Ethernet chip on SPI2, where Espruino's own Ethernet shim has it:
 *
 *     B10 CSn   B13 SCK   B14 MISO (SO)   B15 MOSI (SI)   A7 RSTn   B1 INTn   B6 log (USART1 TX)   B2 LED1 (high = lit)
 *     C13 button BTN1 (high = pressed)
 *
 * SCK is a quarter of the core clock. The core clock is the board's choice: 84 MHz gives the W5500 21 MHz (33.3 MHz would
 * be allowed), 80 MHz gives the ENC28J60 its 20 MHz. The log is on the pins where Espruino has its serial console; A2 and
 * A3 (USART2) would do as well, A9 (the other place of USART1) is wired to the 5 V of the USB.
 *
 * Espruino's bootloader jumps here with its own stack and vector table, its clocks, its interrupts and its USB device
 * running. Start-up sets the first two; this file returns the rest to its reset state first.
 */
import { ld32, st32 } from "../cortex-m/hw";
import { coreInit } from "../stm32/core";
import { log0 } from "../log/lines";
import { pinHigh, pinIsLow, pinLine, pinLow } from "../stm32/gpio";
import { sleepFor, sleepInit } from "../stm32/sleep";
import { spiInit } from "../stm32/spi";
import { baudDivisor, clockMs } from "../stm32/time";
import { uartInit } from "../stm32/uart";
import { clockInit } from "./clock";
import { SPEED_FAST, SPEED_HIGH, SPEED_LOW, pinAlternate, pinInput, pinOutput } from "./gpio";
import {
  GPIOA,
  GPIOB,
  GPIO_IDR,
  NVIC_WORDS,
  RCC_AHB1ENR,
  RCC_AHB1RSTR,
  RCC_AHB1_DMA1,
  RCC_AHB1_GPIOA,
  RCC_AHB1_GPIOB,
  RCC_AHB2ENR,
  RCC_AHB2RSTR,
  RCC_AHB2_OTGFS,
  RCC_APB1ENR,
  RCC_APB1RSTR,
  RCC_APB1_PWR,
  RCC_APB1_SPI2,
  RCC_APB1_TIM2,
  RCC_APB2ENR,
  RCC_APB2RSTR,
  RCC_APB2_SYSCFG,
  RCC_APB2_USART1,
  USART1,
} from "./registers";
import { timersInit } from "./timers";

export { flashBase, settingsBase } from "../cortex-m/hw";
export { entropy, uniqueId } from "../stm32/entropy";
export { clockMs, delayNs, delayUs } from "../stm32/time";
export { watchdogFeed } from "../stm32/watchdog";
export { log0, log1, log2, log3, log4, mirrorFrame } from "../log/lines";
export { spiGet, spiPut, spiRead, spiWrite } from "../stm32/spi-dma";
export { gpioArm, gpioEdges, gpioRead, gpioWrite } from "../stm32/user-pins";
export { gpioMode } from "./user-pins";
export { text, textAddress, textBytes, Text } from "../text";
export { clockUs } from "./timers";

/** LED1: B2, lit by a high level. */
export const LED_PIN: u32 = 18;
export const LED_LIT: bool = true;
/** BTN1: C13, high when pressed. */
export const BUTTON_PIN: u32 = 45;
export const BUTTON_PRESSED: bool = true;

/** Port B. */
const PIN_INTERRUPT: u32 = 1;
const PIN_LED: u32 = 2;
const PIN_LOG: u32 = 6;
const PIN_CS: u32 = 10;
const PIN_SCK: u32 = 13;
const PIN_MISO: u32 = 14;
const PIN_MOSI: u32 = 15;
/** Port A. */
const PIN_RESET: u32 = 7;

/** Alternate functions (DS9716 table 9). */
const AF_SPI2: u32 = 5;
const AF_USART1: u32 = 7;

const LOG_BAUD: u32 = 115200;
/** SCK = PCLK1 / 2, and PCLK1 is half the core clock. */
const SPI_RATE: u32 = 0;

/** Clocks (`mhz` is the core clock) and pins, all from their reset state; the LED is lit from here on. */
export function picoInit(mhz: u32): void {
  const ahb1 = RCC_AHB1_GPIOA | RCC_AHB1_GPIOB | RCC_AHB1_DMA1;
  const apb1 = RCC_APB1_TIM2 | RCC_APB1_SPI2;
  const apb2 = RCC_APB2_USART1 | RCC_APB2_SYSCFG;
  coreInit(NVIC_WORDS);
  const crystal = clockInit(mhz);
  st32(RCC_AHB1RSTR, ahb1);
  st32(RCC_AHB2RSTR, RCC_AHB2_OTGFS);
  st32(RCC_APB1RSTR, apb1);
  st32(RCC_APB2RSTR, apb2);
  st32(RCC_AHB1RSTR, 0);
  st32(RCC_AHB2RSTR, 0);
  st32(RCC_APB1RSTR, 0);
  st32(RCC_APB2RSTR, 0);
  st32(RCC_AHB2ENR, 0);
  st32(RCC_AHB1ENR, ahb1);
  st32(RCC_APB1ENR, apb1 | RCC_APB1_PWR);
  st32(RCC_APB2ENR, apb2);
  // A peripheral answers two cycles after its clock is enabled (ES0299 2.2.7): the read takes them.
  ld32(RCC_APB2ENR);
  timersInit();
  pinsInit();
  spiInit(SPI_RATE);
  uartInit(USART1, baudDivisor(LOG_BAUD));
  // The pin follows its transmitter, which rests high: before, it would be low, and that is a byte.
  pinAlternate(GPIOB, PIN_LOG, AF_USART1, SPEED_LOW, false);
  sleepInit(PIN_INTERRUPT);
  if (!crystal) log0("warn: no 8 MHz crystal, running from the internal oscillator");
}

function pinsInit(): void {
  pinHigh(GPIOB, PIN_CS);
  pinOutput(GPIOB, PIN_CS, SPEED_FAST);
  pinAlternate(GPIOB, PIN_SCK, AF_SPI2, SPEED_HIGH, false);
  // MISO floats while the chip is not selected, INTn while there is no chip: pulled up.
  pinAlternate(GPIOB, PIN_MISO, AF_SPI2, SPEED_LOW, true);
  pinAlternate(GPIOB, PIN_MOSI, AF_SPI2, SPEED_FAST, false);
  pinHigh(GPIOA, PIN_RESET);
  pinOutput(GPIOA, PIN_RESET, SPEED_LOW);
  pinInput(GPIOB, PIN_INTERRUPT);
  pinLine(GPIOB, PIN_INTERRUPT);
  pinHigh(GPIOB, PIN_LED);
  pinOutput(GPIOB, PIN_LED, SPEED_LOW);
}

/** CSn low / high. The board's own functions keep the chip's times around them. */
export function chipSelect(): void {
  pinLow(GPIOB, PIN_CS);
}

export function chipDeselect(): void {
  pinHigh(GPIOB, PIN_CS);
}

/** Level of the chip's RSTn pin. */
export function chipReset(low: bool): void {
  if (low) pinLow(GPIOA, PIN_RESET);
  else pinHigh(GPIOA, PIN_RESET);
}

/** True while the chip holds INTn low. */
export function chipInterrupt(): bool {
  return pinIsLow(GPIOB, PIN_INTERRUPT);
}

/** Sleeps until clockMs() has reached the deadline or INTn is low; may return early. */
export function sleepUntil(deadlineMs: u32): void {
  sleepFor(<i32>(deadlineMs - clockMs()), PIN_INTERRUPT, GPIOB + GPIO_IDR);
}
