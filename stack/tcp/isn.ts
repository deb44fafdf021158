import { keyedHash } from "../random";

/**
 * Initial sequence number (RFC 6528 3) of a connection that begins at `timeMs`: a 4 µs clock plus a keyed hash of the
 * four-tuple. `ports`: local in the high half.
 */
export function initialSequenceNumber(
  localAddress: u32,
  remoteAddress: u32,
  ports: u32,
  timeMs: u32,
): u32 {
  return timeMs * 250 + keyedHash(localAddress, remoteAddress, ports);
}
