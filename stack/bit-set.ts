/**
 * Sets of small numbers as bits, with a summary word over them, so that the lowest member is found at the same cost in a set of
 * 16 as in one of 256. A set of the numbers below n, which is 1,024 at most, takes 1 + (n + 31) / 32 words.
 */

/** Answer of `bitSetTake` when there is none. */
export const NO_MEMBER: u32 = 0xffffffff;

/** Puts a number into a set. */
export function bitSetAdd(set: usize, number: u32): void {
  const word = number >>> 5;
  const at = set + 4 + (word << 2);
  store<u32>(at, load<u32>(at) | (1 << (number & 31)));
  store<u32>(set, load<u32>(set) | (1 << word));
}

/** Takes the lowest member out: it, or NO_MEMBER. The same cost wherever it stands. */
export function bitSetTake(set: usize): u32 {
  const summary = load<u32>(set);
  if (summary == 0) return NO_MEMBER;
  const word = <u32>ctz(summary);
  const at = set + 4 + (word << 2);
  const bits = load<u32>(at);
  const left = bits & (bits - 1);
  store<u32>(at, left);
  if (left == 0) store<u32>(set, summary & (summary - 1));
  return (word << 5) + <u32>ctz(bits);
}
