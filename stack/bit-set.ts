/**
 * Sets of small numbers as bits, with a summary word over them, so that the next member is found at the same cost in a set of
 * 16 as in one of 256. A set of the numbers below n, which is 1,024 at most, takes 1 + (n + 31) / 32 words.
 */

/** Answer of `bitSetNext` when there is none. */
export const NO_MEMBER: u32 = 0xffffffff;

/** Puts a number into a set. */
export function bitSetAdd(set: usize, number: u32): void {
  const word = number >>> 5;
  const at = set + 4 + (word << 2);
  store<u32>(at, load<u32>(at) | (1 << (number & 31)));
  store<u32>(set, load<u32>(set) | (1 << word));
}

/** Takes a number out. */
export function bitSetRemove(set: usize, number: u32): void {
  const word = number >>> 5;
  const at = set + 4 + (word << 2);
  const left = load<u32>(at) & ~(1 << (number & 31));
  store<u32>(at, left);
  if (left == 0) store<u32>(set, load<u32>(set) & ~(1 << word));
}

/** The lowest member that is `from` or greater; NO_MEMBER when there is none. */
export function bitSetNext(set: usize, from: u32): u32 {
  const word = from >>> 5;
  const summary = load<u32>(set);
  if (word > 31 || summary == 0) return NO_MEMBER;
  if ((summary & (1 << word)) != 0) {
    const bits = load<u32>(set + 4 + (word << 2)) & (0xffffffff << (from & 31));
    if (bits != 0) return (word << 5) + <u32>ctz(bits);
  }
  // Twice, for a shift by 32 is a shift by 0.
  const later = summary & ((0xffffffff << word) << 1);
  if (later == 0) return NO_MEMBER;
  const found = <u32>ctz(later);
  return (found << 5) + <u32>ctz(load<u32>(set + 4 + (found << 2)));
}
