import { clockMs } from "board";

/** The time of day, once somebody has told it (firmware/net/sntp.ts): seconds since 1970, UTC. */

let seconds: u32 = 0;
/** Milliseconds of the second, and the board's clock then. */
let milliseconds: u32 = 0;
let readMs: u32 = 0;

/** Counts on from the last reading, so that the time outlives the wrap of the board's clock when it is asked within 49 days. */
function read(): void {
  const nowMs = clockMs();
  milliseconds += nowMs - readMs;
  readMs = nowMs;
  seconds += milliseconds / 1000;
  milliseconds %= 1000;
}

/** It is this time now. */
export function wallClockSet(unixSeconds: u32, ms: u32): void {
  readMs = clockMs();
  seconds = unixSeconds;
  milliseconds = ms;
}

/** True when the time is known. */
export function wallClockKnown(): bool {
  return seconds != 0;
}

/** Seconds since 1970, UTC, until 2106; 0 = not known. */
export function wallClock(): u32 {
  if (seconds != 0) read();
  return seconds;
}

/** Milliseconds of the second that `wallClock` gave last. */
export function wallClockMs(): u32 {
  return milliseconds;
}
