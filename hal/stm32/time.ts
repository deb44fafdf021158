/**
 * Clocks from a free-running microsecond counter of 32 bits, which each MCU builds from its timers.
 */
import { clockUs } from "mcu";
import { coreClockMHz, spinNs } from "./core";

let seenUs: u32 = 0;
let milliseconds: u32 = 0;

/**
 * Free-running milliseconds. Whole ones since the last call are counted, so they wrap at 2^32 ms and not with the microseconds; the
 * clock must be asked once in 71 minutes, which any loop that sleeps does.
 */
export function clockMs(): u32 {
  const passed = (clockUs() - seenUs) / 1000;
  seenUs += passed * 1000;
  milliseconds += passed;
  return milliseconds;
}

/** The longest wait that spinNs can count, in microseconds. */
const PIECE_US: u32 = 4000;

/** Waits at least `us` microseconds, without sleeping. */
export function delayUs(us: u32): void {
  for (; us > PIECE_US; us -= PIECE_US) spinNs(PIECE_US * 1000);
  spinNs(us * 1000);
}

/** Waits at least `ns` nanoseconds, without sleeping. */
export function delayNs(ns: u32): void {
  if (ns <= PIECE_US * 1000) spinNs(ns);
  else delayUs(ns / 1000 + 1);
}

/** Divisor of a USART that is clocked with the core clock and samples 16 times a bit (RM0008 27.3.4). */
export function baudDivisor(baud: u32): u32 {
  return (coreClockMHz() * 1000000 + (baud >>> 1)) / baud;
}
