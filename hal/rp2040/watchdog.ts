/** Watchdog (datasheet 4.7) and the flash's unique id, which the second-stage loader left in its scratch registers. */
import { ld32, st32 } from "../cortex-m/hw";
import * as R from "./registers";

/** The counter loses two a microsecond (erratum RP2040-E1): 8 seconds, and it has 24 bits. */
const LOAD: u32 = 16000000;

let running: bool = false;

/** Gives the program another 8 seconds. The first call starts the watchdog: a firmware that never calls has none. */
export function watchdogFeed(): void {
  st32(R.WATCHDOG_LOAD, LOAD);
  if (running) return;
  running = true;
  st32(R.PSM_WDSEL, R.PSM_ALL_BUT_OSCILLATORS);
  st32(R.WATCHDOG_CTRL, R.WATCHDOG_ENABLE | R.WATCHDOG_PAUSE_DEBUG);
}

/** Writes the 8 bytes of the flash's unique id and returns 8; 0 when the flash has none. */
export function uniqueId(to: usize): u32 {
  const high = ld32(R.WATCHDOG_SCRATCH0);
  const low = ld32(R.WATCHDOG_SCRATCH0 + 4);
  if ((high | low) == 0 || (high & low) == 0xffffffff) return 0;
  for (let i: u32 = 0; i < 4; i++) {
    store<u8>(to + i, <u8>(high >>> (24 - 8 * i)));
    store<u8>(to + 4 + i, <u8>(low >>> (24 - 8 * i)));
  }
  return 8;
}
