import { NicCounter } from "../nic-counters";

const COUNTERS: usize = memory.data(44, 4);
if (NicCounter.COUNT != 11) ERROR("COUNTERS must hold every NicCounter");

/** Adds one to a counter; it wraps. */
export function count(counter: NicCounter): void {
  const at = COUNTERS + <usize>((<u32>counter) << 2);
  store<u32>(at, load<u32>(at) + 1);
}

/** Value of a counter (`NicCounter`); 0 for a number that is none. */
export function nicCounter(index: u32): u32 {
  if (index >= <u32>NicCounter.COUNT) return 0;
  return load<u32>(COUNTERS + <usize>(index << 2));
}
