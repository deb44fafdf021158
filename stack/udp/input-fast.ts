import { based, rev16 } from "cpu";
import { isUnicast } from "../interface";
import { IPPROTO_UDP, isLoopback } from "../ip/packet";
import { linkInterface, linkRead } from "../link/device";
import { RX_NETWORK } from "../link/headers";
import { Counter, count } from "../statistics";
import { halves } from "../wire/checksum";
import { UDP_HEADER_BYTES, udpHeaderRead, udpPlace } from "./input";
import { udpBucket, udpIsPlain, udpSlot } from "./slots";

/**
 * The datagram that nearly all are: in a plain packet, with a checksum, for a socket that has no peer and its port for itself.
 * Whatever is not so goes the general way (input.ts), which remains the truth and counts what is wrong with it. `TCP_FAST_PATH` 0
 * leaves it out.
 */

/** Behind an IP header without options. */
const HEADER: usize = RX_NETWORK + 20;
/** Ports below are those of services, such as the DNS server whose answers are for the stack itself (RFC 6335 6). */
const USER_PORTS: u32 = 1024;
/** No slot. */
const NOT_PLAIN: u32 = 0xffffffff;

/**
 * Takes the datagram of `bytes` in the open packet, a plain one. False = it has to go the general way, as all do that may be for the
 * stack itself: from the port of a service, from or to `shared`. DHCP's port is never a socket's.
 */
export function udpInputFast(bytes: u32, shared: u32): bool {
  const ip = based(RX_NETWORK);
  const ours = linkInterface().address;
  const source = bswap<u32>(load<u32>(ip, 12));
  if (bytes < UDP_HEADER_BYTES || ours == 0) return false;
  if (source == ours || !isUnicast(source) || isLoopback(source)) return false;
  linkRead(HEADER, UDP_HEADER_BYTES);
  const number = slotFor(ours, bytes, shared);
  if (number == NOT_PLAIN) {
    udpHeaderRead();
    return false;
  }
  count(Counter.IP_IN);
  count(Counter.UDP_IN);
  const ports = load<u32>(ip, 20);
  const word = load<u32>(ip, 24);
  // The length stands in the pseudo-header, too.
  let sum = halves(load<u32>(ip, 12)) + halves(load<u32>(ip, 16)) + halves(ports);
  sum += halves(word) + (word & 0xffff) + (IPPROTO_UDP << 8);
  const textBytes = (rev16(word) & 0xffff) - UDP_HEADER_BYTES;
  udpPlace(number, source, ours, (rev16(ports) << 16) | textBytes, sum);
  return true;
}

/** Number of the slot that takes the datagram whose header has been read; NOT_PLAIN = that has to be looked at with more care. */
function slotFor(ours: u32, bytes: u32, shared: u32): u32 {
  const ip = based(RX_NETWORK);
  const ports = bswap<u32>(load<u32>(ip, 20));
  const word = load<u32>(ip, 24);
  // One after the other: together they would all be computed.
  if ((rev16(word) & 0xffff) - UDP_HEADER_BYTES > bytes - UDP_HEADER_BYTES) return NOT_PLAIN;
  if (word < 0x10000) return NOT_PLAIN;
  const sourcePort = ports >>> 16;
  const port = ports & 0xffff;
  if (sourcePort < USER_PORTS) return NOT_PLAIN;
  if (sourcePort == shared) return NOT_PLAIN;
  if (port == shared) return NOT_PLAIN;
  const link = udpBucket(port);
  if (link == 0) return NOT_PLAIN;
  return udpIsPlain(udpSlot(link - 1), ours, port) ? link - 1 : NOT_PLAIN;
}
