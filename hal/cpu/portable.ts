/**
 * CPU primitives in portable form. A CPU that has better instructions brings its own file with the same functions.
 */

/**
 * One's-complement sum of `bytes` bytes at `at`, folded to 16 bits, in memory (little-endian word) order: the first byte is
 * the low half of the first word, an odd last byte is padded with zero (RFC 1071; byte order does not matter to the sum).
 * Any alignment; at most 65,535 bytes.
 */
export function checksumOf(at: usize, bytes: u32): u32 {
  let sum: u32 = 0;
  const odd = (at & 1) != 0 && bytes > 0;
  if (odd) {
    // The first byte sits in the upper half of its aligned word: sum everything shifted by one, turn the sum at the end.
    sum = (<u32>load<u8>(at)) << 8;
    at += 1;
    bytes -= 1;
  }
  if ((at & 2) != 0 && bytes >= 2) {
    sum += <u32>load<u16>(at);
    at += 2;
    bytes -= 2;
  }
  let high: u32 = 0;
  for (; bytes >= 16; bytes -= 16) {
    const a = load<u32>(at);
    const b = load<u32>(at, 4);
    const c = load<u32>(at, 8);
    const d = load<u32>(at, 12);
    sum += (a & 0xffff) + (b & 0xffff) + (c & 0xffff) + (d & 0xffff);
    high += (a >>> 16) + (b >>> 16) + (c >>> 16) + (d >>> 16);
    at += 16;
  }
  for (; bytes >= 2; bytes -= 2) {
    sum += <u32>load<u16>(at);
    at += 2;
  }
  if (bytes != 0) sum += <u32>load<u8>(at);
  sum = (sum & 0xffff) + (sum >>> 16) + (high & 0xffff) + (high >>> 16);
  sum = (sum & 0xffff) + (sum >>> 16);
  sum = (sum & 0xffff) + (sum >>> 16);
  return odd ? ((sum & 0xff) << 8) | (sum >>> 8) : sum;
}

/** The address of a record or a table that is reached by it; a CPU to which constants are dear hides it from the compiler. */
export function based(at: usize): usize {
  return at;
}

/** Swaps the bytes of each half-word. */
export function rev16(value: u32): u32 {
  return ((value & 0x00ff00ff) << 8) | ((value >>> 8) & 0x00ff00ff);
}

/** Sum of a header of 20 bytes at `at`, a multiple of 4, in memory order; not folded, below 2^20. */
export function sumHeader(at: usize): u32 {
  const a = load<u32>(at);
  const b = load<u32>(at, 4);
  const c = load<u32>(at, 8);
  const d = load<u32>(at, 12);
  const e = load<u32>(at, 16);
  const low = (a & 0xffff) + (b & 0xffff) + (c & 0xffff) + (d & 0xffff) + (e & 0xffff);
  return low + (a >>> 16) + (b >>> 16) + (c >>> 16) + (d >>> 16) + (e >>> 16);
}
