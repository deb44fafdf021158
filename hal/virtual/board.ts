/**
 * HAL of the virtual boards: a WebAssembly instance in Node whose SPI bus, pins and clock are simulated. Every board
 * offers these names; the build binds the package name "board" to the chosen one.
 *
 * Time is simulated time: it passes with each SPI byte and delay, and a little with each select, pin or clock read, so
 * that a loop that polls comes to an end.
 */
import * as hw from "./hw";

/** CSn low / high; the set-up, hold and minimum-high times of the chip are kept. */
export { spiSelect, spiDeselect } from "./hw";

/** Moves bytes from memory to the chip (MISO is ignored), or from the chip to memory (MOSI is 0). */
export { spiWrite, spiRead } from "./hw";

/** One byte out (the low eight bits), one byte in. */
export { spiPut, spiGet } from "./hw";

/** Waits at least that long, without sleeping. */
export { delayNs } from "./hw";

/** Level of the chip's RSTn pin; true while its INTn pin is low. */
export { chipReset, chipInterrupt } from "./hw";

/** Free-running clocks; they wrap at 2^32. */
export { clockMs, clockUs } from "./hw";

/** Returns when clockMs() has reached the deadline (wrap-safe), when INTn is low, or earlier. */
export { sleepUntil } from "./hw";

/** 32 bits for seeding: random, or from the seed of the simulation. */
export { entropy } from "./hw";

/** Address of the read-only blob, and of the 128 bytes of the settings block. */
export { flashBase, settingsBase } from "./hw";

export { watchdogFeed } from "./hw";

/**
 * Digital pins 0 to 31: mode (hal/names/gpio-modes.ts), level, edges. `gpioArm` lets edges be seen by `gpioEdges`, which tells of
 * those since its last call, and wake a sleep.
 */
export { gpioMode, gpioRead, gpioWrite, gpioArm, gpioEdges } from "./hw";

/** The LED is lit by a high level; the button, which the simulation presses, is between its pin and ground. */
export const LED_PIN: u32 = 25;
export const LED_LIT: bool = true;
export const BUTTON_PIN: u32 = 22;
export const BUTTON_PRESSED: bool = false;

export { text, textAddress, textBytes, Text } from "../text";

/** First call of a firmware; a virtual board is ready when it is made. */
export function boardInit(): void {}

/** Waits at least `us` microseconds (up to 4 seconds), without sleeping. */
export function delayUs(us: u32): void {
  hw.delayNs(us * 1000);
}

/** Writes up to 8 bytes of the board's unique id and returns how many: a virtual board has none. */
export function uniqueId(_to: usize): u32 {
  return 0;
}

/**
 * Log lines: the build replaces the literal format by its number, so the text stays on the host. Verbs: %u %d %x, %i
 * (IPv4 address as host-order u32), %c, and %m with two arguments (MAC: high 16 bits, low 32 bits).
 */
export function log0<F>(format: F): void {
  hw.log(changetype<u32>(format), 0, 0, 0, 0, 0);
}

export function log1<F>(format: F, a: u32): void {
  hw.log(changetype<u32>(format), 1, a, 0, 0, 0);
}

export function log2<F>(format: F, a: u32, b: u32): void {
  hw.log(changetype<u32>(format), 2, a, b, 0, 0);
}

export function log3<F>(format: F, a: u32, b: u32, c: u32): void {
  hw.log(changetype<u32>(format), 3, a, b, c, 0);
}

export function log4<F>(format: F, a: u32, b: u32, c: u32, d: u32): void {
  hw.log(changetype<u32>(format), 4, a, b, c, d);
}

/** A virtual board has `--pcap`: there is nothing to mirror. */
export function mirrorFrame(
  _direction: u32,
  _timeUs: u32,
  _frameBytes: u32,
  _at: usize,
  _snapped: u32,
): void {}
