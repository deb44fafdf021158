/**
 * The Blue Pill (STM32F103C8, 8 MHz crystal) with an Ethernet chip on SPI1:
 *
 *     PA4 CSn   PA5 SCK   PA6 MISO (SO)   PA7 MOSI (SI)   PB0 RSTn   PB1 INTn   PA9 log (USART1 TX)   PC13 LED (low = lit)
 *     PA0 button to ground
 *
 * SCK is the core clock / 4: 18 MHz, or 16 MHz without a crystal, within the limits of the ENC28J60 (20 MHz, at least
 * 8 MHz for the oldest revisions) and of the W5500 (33.3 MHz; the next step, 36 MHz, is beyond it).
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
import {
  ALTERNATE_2MHZ,
  ALTERNATE_50MHZ,
  INPUT_PULLED,
  OUTPUT_2MHZ,
  OUTPUT_50MHZ,
  pinMode,
} from "./gpio";
import {
  GPIOA,
  GPIOB,
  GPIOC,
  GPIO_IDR,
  NVIC_WORDS,
  RCC_AHBENR,
  RCC_AHBENR_DMA1EN,
  RCC_APB1ENR,
  RCC_APB1RSTR,
  RCC_APB1_TIM2,
  RCC_APB1_TIM3,
  RCC_APB2ENR,
  RCC_APB2RSTR,
  RCC_APB2_AFIO,
  RCC_APB2_IOPA,
  RCC_APB2_IOPB,
  RCC_APB2_IOPC,
  RCC_APB2_SPI1,
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

/** PC13, lit by a low level. */
export const LED_PIN: u32 = 45;
export const LED_LIT: bool = false;
/** A button between PA0 and ground; the board has none that a program could read. */
export const BUTTON_PIN: u32 = 0;
export const BUTTON_PRESSED: bool = false;

const PIN_CS: u32 = 4;
const PIN_SCK: u32 = 5;
const PIN_MISO: u32 = 6;
const PIN_MOSI: u32 = 7;
const PIN_RESET: u32 = 0;
const PIN_INTERRUPT: u32 = 1;
const PIN_LOG: u32 = 9;
const PIN_LED: u32 = 13;
const LOG_BAUD: u32 = 115200;
/** SCK = PCLK2 / 4. */
const SPI_RATE: u32 = 1;

/** Clocks and pins, all from their reset state; the LED is lit from here on. */
export function boardInit(): void {
  const apb1 = RCC_APB1_TIM2 | RCC_APB1_TIM3;
  const apb2 =
    RCC_APB2_AFIO | RCC_APB2_IOPA | RCC_APB2_IOPB | RCC_APB2_IOPC | RCC_APB2_SPI1 | RCC_APB2_USART1;
  coreInit(NVIC_WORDS);
  const crystal = clockInit();
  st32(RCC_APB1RSTR, apb1);
  st32(RCC_APB1RSTR, 0);
  st32(RCC_APB2RSTR, apb2);
  st32(RCC_APB2RSTR, 0);
  st32(RCC_AHBENR, ld32(RCC_AHBENR) | RCC_AHBENR_DMA1EN);
  st32(RCC_APB1ENR, apb1);
  st32(RCC_APB2ENR, apb2);
  timersInit();
  pinsInit();
  spiInit(SPI_RATE);
  uartInit(USART1, baudDivisor(LOG_BAUD));
  // The pin follows its transmitter, which rests high: before, it would be low, and that is a byte.
  pinMode(GPIOA, PIN_LOG, ALTERNATE_2MHZ);
  sleepInit(PIN_INTERRUPT);
  if (!crystal) log0("warn: no 8 MHz crystal, running from the internal oscillator");
}

function pinsInit(): void {
  pinHigh(GPIOA, PIN_CS);
  pinMode(GPIOA, PIN_CS, OUTPUT_50MHZ);
  pinMode(GPIOA, PIN_SCK, ALTERNATE_50MHZ);
  pinMode(GPIOA, PIN_MOSI, ALTERNATE_50MHZ);
  // MISO floats while the chip is not selected, INTn while there is no chip: pulled up.
  pinHigh(GPIOA, PIN_MISO);
  pinMode(GPIOA, PIN_MISO, INPUT_PULLED);
  pinHigh(GPIOB, PIN_RESET);
  pinMode(GPIOB, PIN_RESET, OUTPUT_2MHZ);
  pinHigh(GPIOB, PIN_INTERRUPT);
  pinMode(GPIOB, PIN_INTERRUPT, INPUT_PULLED);
  pinLine(GPIOB, PIN_INTERRUPT);
  pinLow(GPIOC, PIN_LED);
  pinMode(GPIOC, PIN_LED, OUTPUT_2MHZ);
}

/** CSn low / high. The board's own functions keep the chip's times around them. */
export function chipSelect(): void {
  pinLow(GPIOA, PIN_CS);
}

export function chipDeselect(): void {
  pinHigh(GPIOA, PIN_CS);
}

/** Level of the chip's RSTn pin. */
export function chipReset(low: bool): void {
  if (low) pinLow(GPIOB, PIN_RESET);
  else pinHigh(GPIOB, PIN_RESET);
}

/** True while the chip holds INTn low. */
export function chipInterrupt(): bool {
  return pinIsLow(GPIOB, PIN_INTERRUPT);
}

/** Sleeps until clockMs() has reached the deadline or INTn is low; may return early. */
export function sleepUntil(deadlineMs: u32): void {
  sleepFor(<i32>(deadlineMs - clockMs()), PIN_INTERRUPT, GPIOB + GPIO_IDR);
}
