/** The one scratch of the services, and small helpers for sockets that do not wait. */
import { MSG_DONTWAIT, MSG_PEEK, recv } from "../net/sockets";
import { EAGAIN } from "../../stack/errors";
import { SCRATCH_BYTES } from "./sizes";

/** `SCRATCH_BYTES`; its contents are valid until the next call of any service. */
export const SCRATCH: usize = memory.data(SCRATCH_BYTES, 4);

/**
 * Copies what has been received to the scratch and leaves it in the receive ring, which so serves
 * as the buffer of a service that cannot finish its work in one turn. Bytes, 0 at the end of the
 * stream, or a negative errno.
 */
export function peek(fd: i32, bytes: u32): i32 {
  return recv(fd, SCRATCH, min(bytes, SCRATCH_BYTES), MSG_PEEK | MSG_DONTWAIT);
}

/** Takes bytes that have been peeked at out of the receive ring; clobbers the scratch. */
export function take(fd: i32, bytes: u32): void {
  let left = bytes;
  while (left > 0) {
    const taken = drop(fd, left);
    if (taken <= 0) return;
    left -= <u32>taken;
  }
}

/**
 * Throws received bytes away: how many (at most the scratch's size in one call), 0 at the end of
 * the stream, or a negative errno.
 */
export function drop(fd: i32, bytes: u32): i32 {
  return recv(fd, SCRATCH, min(bytes, SCRATCH_BYTES), MSG_DONTWAIT);
}

/** True for a result that only says "not now". */
export function wouldBlock(result: i32): bool {
  return result == -EAGAIN;
}
