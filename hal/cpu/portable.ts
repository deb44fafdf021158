/**
 * CPU primitives in portable form. A CPU that has better instructions brings its own file with the same functions.
 */

export { halfSipHash } from "./half-sip-hash";

/**
 * One's-complement sum of `bytes` bytes at `at`, folded to 16 bits, in memory (little-endian word) order: the first byte is
 * the low half of the first word, an odd last byte is padded with zero (RFC 1071; byte order does not matter to the sum).
 * Any alignment; at most 65,535 bytes.
 */
export function checksumOf(at: usize, bytes: u32): u32 {
  let sum: u64 = 0;
  const odd = (at & 1) != 0 && bytes > 0;
  if (odd) {
    // The first byte sits in the upper half of its aligned word: sum everything shifted by one, turn the sum at the end.
    sum = (<u64>load<u8>(at)) << 8;
    at += 1;
    bytes -= 1;
  }
  if ((at & 2) != 0 && bytes >= 2) {
    sum += <u64>load<u16>(at);
    at += 2;
    bytes -= 2;
  }
  // Words in twice their width: no carry gets lost, and none has to be looked for.
  for (; bytes >= 32; bytes -= 32) {
    sum += word(at, 0) + word(at, 4) + word(at, 8) + word(at, 12);
    sum += word(at, 16) + word(at, 20) + word(at, 24) + word(at, 28);
    at += 32;
  }
  for (; bytes >= 4; bytes -= 4) {
    sum += word(at, 0);
    at += 4;
  }
  if ((bytes & 2) != 0) {
    sum += <u64>load<u16>(at);
    at += 2;
  }
  if ((bytes & 1) != 0) sum += <u64>load<u8>(at);
  const folded = fold32(sum);
  const half = (folded + rotl<u32>(folded, 16)) >>> 16;
  return odd ? ((half & 0xff) << 8) | (half >>> 8) : half;
}

function word(at: usize, offset: usize): u64 {
  return <u64>load<u32>(at + offset);
}

/** A one's-complement sum of 64 bits as one of 32. */
function fold32(sum: u64): u32 {
  return <u32>((sum + rotl<u64>(sum, 32)) >>> 32);
}

/** The address of a record or a table that is reached by it; a CPU to which constants are dear hides it from the compiler. */
export function based(at: usize): usize {
  return at;
}

/** Clears a record: `bytes`, a constant multiple of 4 up to 256, at `at`, a multiple of 4. */
export function wordsClear(at: usize, bytes: u32): void {
  memory.fill(at, 0, bytes);
}

/** Copies a record, as `wordsClear` takes it, to another place. */
export function wordsCopy(to: usize, from: usize, bytes: u32): void {
  memory.copy(to, from, bytes);
}

/** Swaps the bytes of each half-word. */
export function rev16(value: u32): u32 {
  return rotl<u32>(bswap<u32>(value), 16);
}

/** Sum of a header of 20 bytes at `at`, a multiple of 4, in memory order: of 32 bits, not folded yet. */
export function sumHeader(at: usize): u32 {
  return fold32(words5(at));
}

/** The same of a header of 20 bytes at `at`, two words at `more` and `sum`: of a TCP header, both addresses and the rest. */
export function sumSegment(at: usize, more: usize, sum: u32): u32 {
  return fold32(words5(at) + word(more, 0) + word(more, 4) + <u64>sum);
}

function words5(at: usize): u64 {
  return word(at, 0) + word(at, 4) + word(at, 8) + word(at, 12) + word(at, 16);
}

/**
 * `checksumOf` for memory that the latest read of the open frame has filled; asked for once after each read into that memory.
 * An MCU may have summed it while it came (`hal/cpu/rp2040.ts`).
 */
export function checksumRead(at: usize, bytes: u32): u32 {
  return checksumOf(at, bytes);
}
