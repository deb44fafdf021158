import { now } from "../now";
import { keyedHash } from "../random";
import { Connection } from "./connection";

/** Initial sequence number (RFC 6528 3): a 4 µs clock plus a keyed hash of the four-tuple. */
export function initialSequenceNumber(connection: Connection): u32 {
  const ports = ((<u32>connection.localPort) << 16) | (<u32>connection.remotePort);
  return now() * 250 + keyedHash(connection.localAddress, connection.remoteAddress, ports);
}
