/** Time: the microsecond timer (datasheet 4.6), busy waits, and sleep until a deadline or a pin. */
import { ld32, spin, st32, wfi } from "../cortex-m/hw";
import * as R from "./registers";

/** Longest sleep at a stretch: below the watchdog's reach, and within one turn of the microsecond counter. */
const SLEEP_MS_MAX: u32 = 4000;

/** Margin below which an alarm would be set too late to ring. */
const ALARM_MARGIN_US: u32 = 5;

/** Milliseconds since the start, and the microsecond counter when they were that many. */
let milliseconds: u32 = 0;
let countedUs: u32 = 0;

/** Microseconds since the start; wraps after 71 minutes. */
export function clockUs(): u32 {
  return ld32(R.TIMER_TIMERAWL);
}

/**
 * Milliseconds since the start; wraps after 49 days. It must be asked at least once in 71 minutes, which whoever sleeps
 * no longer than SLEEP_MS_MAX does. No division: the M0+ has none.
 */
export function clockMs(): u32 {
  let us = ld32(R.TIMER_TIMERAWL) - countedUs;
  if (us < 1000) return milliseconds;
  let ms: u32 = 0;
  for (; us >= 131000; us -= 131000) ms += 131;
  // us / 1000, exact below 171,000: 8389 / 2^20 is a little more than 1 / 125.
  ms += ((us >>> 3) * 8389) >>> 20;
  milliseconds += ms;
  countedUs += ms * 1000;
  return milliseconds;
}

/** Waits at least `ns` nanoseconds. A turn of `spin` is three cycles: 22.5 ns at 133 MHz, the fastest clock there is. */
export function delayNs(ns: u32): void {
  // 2979 / 2^16 is a little more than 1 / 22; longer waits in steps, so that nothing overflows.
  for (; ns > 1000000; ns -= 1000000) spin(45500);
  spin(((ns * 2979) >>> 16) + 1);
}

/** Waits at least `us` microseconds by the timer; bounded even if that stands still. */
export function delayUs(us: u32): void {
  const from = clockUs();
  for (let turns: u32 = 0; turns < 0x40000000; turns++) {
    if (clockUs() - from > us) return;
  }
}

/**
 * Sleeps until clockMs() reaches `deadlineMs`, for SLEEP_MS_MAX at most, or until an enabled interrupt is pending: the
 * alarm, or the pin given to pinWakeWhenLow. Interrupts are masked, so whatever becomes pending between the last check
 * and WFI makes WFI fall through: nothing is slept over.
 */
export function sleepUntil(deadlineMs: u32): void {
  let left = deadlineMs - clockMs();
  if (<i32>left <= 0) return;
  if (left > SLEEP_MS_MAX) left = SLEEP_MS_MAX;
  const alarmUs = countedUs + left * 1000;
  st32(R.TIMER_INTE + R.SET, 1);
  st32(R.NVIC_ISER, R.TIMER_IRQ_0 | R.IO_IRQ_BANK0);
  st32(R.TIMER_ALARM0, alarmUs);
  // The alarm rings on equality: one that is already past would ring in 71 minutes.
  if (<i32>(alarmUs - clockUs()) > <i32>ALARM_MARGIN_US) wfi();
  st32(R.NVIC_ICER, R.TIMER_IRQ_0 | R.IO_IRQ_BANK0);
  st32(R.TIMER_ARMED, 1);
  st32(R.TIMER_INTR, 1);
  st32(R.NVIC_ICPR, R.TIMER_IRQ_0 | R.IO_IRQ_BANK0);
}
