import { macAt } from "./addresses.js";
import {
  buildIpv4,
  checksum,
  get16,
  get32,
  put16,
  put32,
  PROTOCOL_ICMP,
  PROTOCOL_TCP,
  pseudoHeaderSum,
  type Ipv4View,
} from "./packets.js";

/** Frames that a router, or a host behind it, answers a frame with. */

/** ICMP types (RFC 792). */
export const ICMP_ECHO_REPLY = 0;
export const ICMP_UNREACHABLE = 3;
export const ICMP_ECHO = 8;
export const ICMP_TIME_EXCEEDED = 11;
/** Codes of ICMP_UNREACHABLE (RFC 792, RFC 1812 5.2.7.1). */
export const UNREACHABLE_NET = 0;
export const UNREACHABLE_HOST = 1;
export const UNREACHABLE_PORT = 3;
export const UNREACHABLE_PROHIBITED = 13;

const FLAG_RST_ACK = 0x14;
const TCP_HEADER_BYTES = 20;
const ICMP_HEADER_BYTES = 8;
/** Bytes of the payload that an ICMP error quotes behind the header. */
const QUOTED_BYTES = 8;

/** The refusal of a SYN (RFC 9293 3.10.7.1): RST that acknowledges it, from where it went to. */
export function buildRefusal(syn: Uint8Array, { source, destination, at }: Ipv4View): Uint8Array {
  const frame = buildIpv4(backwards(syn), {
    source: destination,
    destination: source,
    protocol: PROTOCOL_TCP,
    bytes: TCP_HEADER_BYTES,
  });
  put16(frame, 34, get16(syn, at + 2));
  put16(frame, 36, get16(syn, at));
  put32(frame, 42, (get32(syn, at + 4) + 1) >>> 0);
  frame[46] = (TCP_HEADER_BYTES / 4) << 4;
  frame[47] = FLAG_RST_ACK;
  const sum = pseudoHeaderSum(frame, TCP_HEADER_BYTES, PROTOCOL_TCP);
  put16(frame, 50, checksum(frame, 34, TCP_HEADER_BYTES, sum));
  return frame;
}

/** An ICMP error about a packet, `from` the router or the host that it went to; quotes as RFC 792 says. */
export function buildIcmpError(
  about: Uint8Array,
  packet: Ipv4View,
  error: { from: number; type: number; code: number },
): Uint8Array {
  const header = packet.at - 14;
  const quoted = header + Math.min(packet.bytes, QUOTED_BYTES);
  const frame = buildIpv4(backwards(about), {
    source: error.from,
    destination: packet.source,
    protocol: PROTOCOL_ICMP,
    bytes: ICMP_HEADER_BYTES + quoted,
  });
  frame[34] = error.type;
  frame[35] = error.code;
  frame.set(about.subarray(14, 14 + quoted), 42);
  put16(frame, 36, checksum(frame, 34, ICMP_HEADER_BYTES + quoted));
  return frame;
}

/** The answer to an echo request (RFC 792, RFC 1122 3.2.2.6): the same identifier, number and data. */
export function buildEchoReply(request: Uint8Array, packet: Ipv4View): Uint8Array {
  const { source, destination, at, bytes } = packet;
  const frame = buildIpv4(backwards(request), {
    source: destination,
    destination: source,
    protocol: PROTOCOL_ICMP,
    bytes,
  });
  frame.set(request.subarray(at, at + bytes), 34);
  frame[34] = ICMP_ECHO_REPLY;
  put16(frame, 36, 0);
  put16(frame, 36, checksum(frame, 34, bytes));
  return frame;
}

/** The MACs of an answer to a frame. */
export function backwards(frame: Uint8Array): { from: number; to: number } {
  return { from: macAt(frame, 0), to: macAt(frame, 6) };
}
