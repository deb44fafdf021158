/** What a driver counts. Of two drivers in one image each has counters of its own (`SECOND` in host-tools/build/sources.ts). */
import { NicCounter } from "./nic-counters";

const COUNTERS: usize = memory.data(NicCounter.COUNT * 4, 4);

/** Adds one to a counter; it wraps at 2^32. */
export function count(counter: NicCounter): void {
  const at = COUNTERS + <usize>((<u32>counter) << 2);
  store<u32>(at, load<u32>(at) + 1);
}

/** Value of a counter (`NicCounter`); 0 for a number that is none. */
export function nicCounter(index: u32): u32 {
  if (index >= <u32>NicCounter.COUNT) return 0;
  return load<u32>(COUNTERS + <usize>(index << 2));
}
