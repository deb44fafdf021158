import { keyedHash } from "../random";

/**
 * Initial sequence number (RFC 6528 3) of a connection that begins at `timeMs`: a 4 µs clock plus a keyed hash of the
 * four-tuple. `ports`: local in the high half. Of the local address three bytes take part: two addresses of ours that differ in the first
 * alone have the same numbers for the same peer, who knows them anyhow, and for no other.
 */
export function initialSequenceNumber(
  localAddress: u32,
  remoteAddress: u32,
  ports: u32,
  timeMs: u32,
): u32 {
  return timeMs * 250 + keyedHash(remoteAddress, ports, localAddress);
}

/** The record whose number was made last, and that number. */
let keptFor: usize = 0;
let kept: u32 = 0;

/** Keeps the number of a record that has no place for it: until its handshake is finished it is asked for three times. */
export function initialNumberKeep(record: usize, iss: u32): void {
  keptFor = record;
  kept = iss;
}

/** The number that was kept for a record; 0 = none, it has to be made again. */
export function initialNumberKept(record: usize): u32 {
  return record == keptFor ? kept : 0;
}
