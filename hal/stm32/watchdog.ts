/**
 * The independent watchdog (RM0008 19, RM0368 15): it runs from the internal low-speed oscillator and cannot be stopped.
 * The first feed starts it, so a program that never feeds is never reset by it.
 */
import { ld32, st32 } from "../cortex-m/hw";
import {
  IWDG_KR,
  IWDG_KR_RELOAD,
  IWDG_KR_START,
  IWDG_KR_UNLOCK,
  IWDG_PR,
  IWDG_RLR,
  IWDG_SR,
} from "./registers";

/** Divides the oscillator (30..60 kHz on the F1, 17..47 kHz on the F4) by 64. */
const PRESCALER_64: u32 = 4;
/** 12 bits: 4.4 to 15 seconds over the spread of the oscillators. */
const RELOAD: u32 = 4095;
/** An update takes five periods of the oscillator, 300 us at most; a turn of the wait takes at least ten cycles. */
const UPDATE_ATTEMPTS: u32 = 5000;

let running: bool = false;

/** Restarts the countdown; a program that stays away for longer than about four seconds is reset. */
export function watchdogFeed(): void {
  if (!running) {
    running = true;
    st32(IWDG_KR, IWDG_KR_START);
    st32(IWDG_KR, IWDG_KR_UNLOCK);
    st32(IWDG_PR, PRESCALER_64);
    st32(IWDG_RLR, RELOAD);
    for (let i: u32 = 0; i < UPDATE_ATTEMPTS && ld32(IWDG_SR) != 0; i++);
  }
  st32(IWDG_KR, IWDG_KR_RELOAD);
}
