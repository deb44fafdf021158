/** Arithmetic of sequence numbers, modulo 2^32 (RFC 9293 3.4). Two numbers compare rightly within 2^31 of each other. */

/** a < b */
export function seqLess(a: u32, b: u32): bool {
  return <i32>(a - b) < 0;
}

/** a <= b */
export function seqAtMost(a: u32, b: u32): bool {
  return <i32>(a - b) <= 0;
}

/** The later one of two. */
export function seqMax(a: u32, b: u32): u32 {
  return <i32>(a - b) < 0 ? b : a;
}

/** The earlier one of two. */
export function seqMin(a: u32, b: u32): u32 {
  return <i32>(a - b) < 0 ? a : b;
}
