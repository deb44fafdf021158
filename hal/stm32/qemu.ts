/**
 * A board as QEMU runs it: chip, pins and time through the bridge, everything else as on the board. The build binds "board" to
 * this file and "hardware" to the board's own.
 */
import { bridgeOpen } from "./bridge";
import { uartInit } from "./uart";
import { boardInit as hardwareInit } from "hardware";

export {
  BOARD_NAME,
  Text,
  flashBase,
  log0,
  log1,
  log2,
  log3,
  log4,
  mirrorFrame,
  settingsBase,
  text,
  textAddress,
  textBytes,
} from "hardware";
export {
  chipInterrupt,
  chipReset,
  clockMs,
  clockUs,
  delayNs,
  delayUs,
  entropy,
  gpioArm,
  gpioEdges,
  gpioMode,
  gpioRead,
  gpioWrite,
  sleepUntil,
  spiDeselect,
  spiGet,
  spiPut,
  spiRead,
  spiSelect,
  spiWrite,
  uniqueId,
  watchdogFeed,
} from "./bridge";

/** Pins are those of a virtual board (hal/virtual/board.ts), whose LED and button the simulation has. */
export const LED_PIN: u32 = 25;
export const LED_LIT: bool = true;
export const BUTTON_PIN: u32 = 22;
export const BUTTON_PRESSED: bool = false;

/** The set-up of the board (its waits for clocks end, because there they read as 0), or of another MCU's USART only. */
export function boardInit(): void {
  const uart = bridgeOpen();
  if (uart == 0) hardwareInit();
  else uartInit(uart, 1);
}
