/** CPU primitives of the Cortex-M0+: the checksum loop by load-multiple and add-with-carry. */
import { sumWords } from "../cortex-m/hw";

export {
  based,
  halfSipHash,
  rev16,
  sumHeader,
  sumSegment,
  wordsClear,
  wordsCopy,
} from "../cortex-m/hw";

/** Folds a sum to 16 bits: both halves are added in the upper one, and the carry out of the lower one comes to it. */
function fold(sum: u32): u32 {
  return (sum + rotl<u32>(sum, 16)) >>> 16;
}

/**
 * One's-complement sum of `bytes` bytes at `at`, folded to 16 bits, in memory (little-endian word) order: the first byte is
 * the low half of the first word, an odd last byte is padded with zero (RFC 1071; byte order does not matter to the sum).
 * Any alignment; at most 65,535 bytes.
 */
export function checksumOf(at: usize, bytes: u32): u32 {
  // Whole words on a word: nearly all there is. The shift is the test, and the sum to begin with.
  if (((<u32>at) | bytes) << 30 == 0) return fold(sumWords(at, bytes >>> 2, 0));
  return checksumAny(at, bytes);
}

/** Of its own (OUTLINED in host-tools/build/device/wasm2c.ts), so that `checksumOf` needs few registers: 20 instructions less. */
function checksumAny(at: usize, bytes: u32): u32 {
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
  sum = sumWords(at, bytes >>> 2, sum);
  at += bytes & ~3;
  sum = (sum & 0xffff) + (sum >>> 16);
  if ((bytes & 2) != 0) {
    sum += <u32>load<u16>(at);
    at += 2;
  }
  if ((bytes & 1) != 0) sum += <u32>load<u8>(at);
  sum = fold(sum);
  return odd ? ((sum & 0xff) << 8) | (sum >>> 8) : sum;
}

/**
 * `checksumOf` for memory that the latest read of the open frame has filled; asked for once after each read into that memory.
 * An MCU may have summed it while it came (`hal/cpu/rp2040.ts`).
 */
export function checksumRead(at: usize, bytes: u32): u32 {
  return checksumOf(at, bytes);
}
