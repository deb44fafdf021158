import { checksumOf } from "cpu";

/**
 * The Internet checksum (RFC 1071) as a running sum. A sum is a `u32` that collects 16-bit words in memory order; start with
 * 0 or the sum of a pseudo-header, add pieces in stream order with the parity of their offset, then fold. Up to 65,000 pieces.
 */

/** Adds `bytes` bytes at `at`, which stand at stream offset `offset` (only its lowest bit matters). */
export function sumAdd(sum: u32, at: usize, bytes: u32, offset: u32): u32 {
  return sumJoin(sum, checksumOf(at, bytes), offset);
}

/** Adds the sum of a piece, of 16 bits, that stands at stream offset `offset`. */
export function sumJoin(sum: u32, part: u32, offset: u32): u32 {
  return sum + ((offset & 1) != 0 ? ((part & 0xff) << 8) | (part >>> 8) : part);
}

/** Sum of the two half-words of a word. */
export function halves(word: u32): u32 {
  return (word & 0xffff) + (word >>> 16);
}

/** Folds a sum to 16 bits. */
export function sumFold(sum: u32): u32 {
  // Both halves are added in the upper one, and the carry out of the lower one comes to it.
  return (sum + rotl<u32>(sum, 16)) >>> 16;
}

/** True for the sum of a packet that is intact, its checksum field included: it folds to 0xFFFF. */
export function sumIntact(sum: u32): bool {
  return ~(sum + rotl<u32>(sum, 16)) >>> 16 == 0;
}

/** The checksum to be stored, with a plain `store<u16>`, into the field. */
export function sumField(sum: u32): u16 {
  return <u16>~sumFold(sum);
}
