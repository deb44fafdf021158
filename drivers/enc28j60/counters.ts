import { NicCounter } from "../nic-counters";

const COUNTERS: usize = memory.data(NicCounter.COUNT * 4, 4);

/** Counts one event; wraps at 2^32. */
export function count(counter: u32): void {
  const at = COUNTERS + <usize>(counter << 2);
  store<u32>(at, load<u32>(at) + 1);
}

/** Value of a counter; 0 for an index that does not exist. */
export function counterValue(counter: u32): u32 {
  if (counter >= <u32>NicCounter.COUNT) return 0;
  return load<u32>(COUNTERS + <usize>(counter << 2));
}
