import { based, rev16, sumHeader } from "cpu";
import { MDNS } from "../config";
import { ipPlainHost } from "../ip/ipv4-plain";
import { IPPROTO_UDP } from "../ip/packet";
import { linkInterface, linkRead } from "../link/device";
import { RX_NETWORK } from "../link/headers";
import { Counter, count } from "../statistics";
import { sumFold } from "../wire/checksum";
import { UDP_HEADER_BYTES, udpHeaderRead, udpPlace } from "./input";
import { udpBucket, udpIsPlain, udpSlot } from "./slots";

/**
 * The datagram that nearly all are: in a plain packet, with a checksum, for a socket that has its port for itself, and no peer or this one.
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
  if (bytes < UDP_HEADER_BYTES) return false;
  const ours = linkInterface().address;
  const source = bswap<u32>(load<u32>(ip, 12));
  if (source == ours || !ipPlainHost(source)) return false;
  linkRead(HEADER, UDP_HEADER_BYTES);
  const number = slotFor(ours, source, bytes, shared);
  if (number == NOT_PLAIN) {
    udpHeaderRead();
    return false;
  }
  count(Counter.IP_IN);
  count(Counter.UDP_IN);
  const word = load<u32>(ip, 24);
  // Protocol and length in place of what nobody wants any more make the pseudo-header: with the addresses and the header five words.
  store<u32>(ip, (word << 16) | (IPPROTO_UDP << 8), 8);
  const sum = sumFold(sumHeader(ip + 8));
  const portAndLength = rev16((load<u32>(ip, 20) << 16) | (word & 0xffff));
  udpPlace(number, source, ours, portAndLength - UDP_HEADER_BYTES, sum);
  return true;
}

/** Number of the slot that takes the datagram whose header has been read; NOT_PLAIN = that has to be looked at with more care. */
function slotFor(ours: u32, source: u32, bytes: u32, shared: u32): u32 {
  const ip = based(RX_NETWORK);
  const ports = bswap<u32>(load<u32>(ip, 20));
  const word = load<u32>(ip, 24);
  // One after the other: together they would all be computed.
  if ((rev16(word) & 0xffff) - UDP_HEADER_BYTES > bytes - UDP_HEADER_BYTES) return NOT_PLAIN;
  if (word < 0x10000) return NOT_PLAIN;
  const sourcePort = ports >>> 16;
  const port = ports & 0xffff;
  if (sourcePort < USER_PORTS) return NOT_PLAIN;
  if (MDNS && (sourcePort == shared || port == shared)) return NOT_PLAIN;
  const link = udpBucket(port);
  if (link == 0) return NOT_PLAIN;
  const slot = udpSlot(link - 1);
  return udpIsPlain(slot, ours, port, source, sourcePort) ? link - 1 : NOT_PLAIN;
}
