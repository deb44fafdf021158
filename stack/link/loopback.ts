import { LOOPBACK_BYTES } from "../config";

/**
 * The loopback device: a ring of whole frames from ourselves to ourselves. Each stands behind a word with its length and is
 * filled up to a multiple of four. One frame can be read while another is written.
 *
 *     head                        tail
 *      | length | frame .. | length | frame .. |   free   |
 */
const MASK: u32 = LOOPBACK_BYTES - 1;
const RING: usize = memory.data(LOOPBACK_BYTES != 0 ? LOOPBACK_BYTES : 0, 4);

/** Offset of the oldest frame; offsets count on and are masked when used. */
let head: u32 = 0;
/** Offset behind the newest frame. */
let tail: u32 = 0;
let readAt: u32 = 0;
let writeAt: u32 = 0;

function entryBytes(frameBytes: u32): u32 {
  return (frameBytes + 7) & ~3;
}

export function loopbackWaiting(): bool {
  return head != tail;
}

/** Opens the oldest frame: its length, 0 = none. */
export function loopbackBegin(): u32 {
  if (head == tail) return 0;
  readAt = head + 4;
  return load<u32>(RING + (head & MASK));
}

/** Next bytes of the open frame; `to` 0 skips them. */
export function loopbackRead(to: usize, bytes: u32): void {
  const at = readAt & MASK;
  readAt += bytes;
  if (to == 0) return;
  const first = min(bytes, LOOPBACK_BYTES - at);
  memory.copy(to, RING + at, first);
  memory.copy(to + first, RING, bytes - first);
}

/** Frees the open frame. */
export function loopbackEnd(): void {
  head += entryBytes(load<u32>(RING + (head & MASK)));
}

/** Opens a frame to be sent to ourselves; false = no room. */
export function loopbackTxBegin(bytes: u32): bool {
  if (tail - head + entryBytes(bytes) > LOOPBACK_BYTES) return false;
  store<u32>(RING + (tail & MASK), bytes);
  writeAt = tail + 4;
  return true;
}

export function loopbackWrite(from: usize, bytes: u32): void {
  const at = writeAt & MASK;
  writeAt += bytes;
  const first = min(bytes, LOOPBACK_BYTES - at);
  memory.copy(RING + at, from, first);
  memory.copy(RING, from + first, bytes - first);
}

/** Hands the frame over; one that is never ended was never there. */
export function loopbackTxEnd(): void {
  tail += entryBytes(load<u32>(RING + (tail & MASK)));
}
