import { based, rev16 } from "cpu";
import {
  ICMP,
  MULTICAST_GROUPS,
  SOCKET_MORE_OPTIONS,
  TCP_FAST_PATH,
  UDP,
  UDP_RX_BYTES,
  UDP_SOCKETS,
} from "../config";
import { ECONNREFUSED, EHOSTUNREACH, EMSGSIZE, ENETUNREACH, ENOPROTOOPT } from "../errors";
import {
  ICMP_PARAMETER_PROBLEM,
  ICMP_UNREACHABLE,
  UNREACHABLE_PORT,
  icmpSendError,
} from "../icmp/output";
import { IPPROTO_UDP, RxPacket } from "../ip/packet";
import { linkRead, linkReadSummed } from "../link/device";
import { POLLERR, POLLIN, POLLOUT } from "../posix";
import { ready } from "../readiness";
import { SCRATCH, SCRATCH_BYTES } from "../scratch";
import { Counter, count } from "../statistics";
import { halves, sumAdd, sumIntact } from "../wire/checksum";
import { udpErrorKeep, udpErrorsAsked } from "./errors";
import { copyToOthers } from "./multicast";
import { DATAGRAM_HEADER_BYTES, UdpFlag, udpFind, udpRing, udpSlot } from "./slots";

export const UDP_HEADER_BYTES: u32 = 8;
const NO_ENTRY: u32 = 0xffffffff;
const RING_MASK: u32 = UDP_RX_BYTES - 1;
/** The sender gave no checksum: no sum of some words is so large. */
const UNCHECKED: u32 = 0xffffffff;

/** The datagram being received: its header has been read, the stream stands at its text. */
@unmanaged
export class RxDatagram {
  sourcePort: u32;
  destinationPort: u32;
  /** Bytes of text. */
  bytes: u32;
  /** Sum of the pseudo-header and the header; with the text it must fold to 0xFFFF. */
  sum: u32;
  /** False when the sender gave no checksum. */
  checked: bool;
  padding0: u8;
  padding1: u16;
}

const DATAGRAM: usize = memory.data(UDP ? offsetof<RxDatagram>() : 0, 4);
export const datagram: RxDatagram = changetype<RxDatagram>(DATAGRAM);

/** The header of the open datagram has been read by the shorter way, which has not taken it. */
let read: bool = false;

/** That is so: `udpInput` is next. */
export function udpHeaderRead(): void {
  read = true;
}

/**
 * Reads the header of a UDP datagram (RFC 768, RFC 1122 4.1) into `datagram`; false = it is dropped. Then it goes to the part
 * of the stack that has the port, or to `udpDeliver`.
 */
export function udpInput(packet: RxPacket): bool {
  count(Counter.UDP_IN);
  const header = packet.header + packet.headerBytes;
  if (packet.payloadBytes < UDP_HEADER_BYTES) {
    count(Counter.UDP_BAD_LENGTH);
    return false;
  }
  if (TCP_FAST_PATH && read) read = false;
  else linkRead(header, UDP_HEADER_BYTES);
  const ports = load<u32>(header);
  const word = load<u32>(header, 4);
  const length = rev16(word) & 0xffff;
  const between = bswap<u32>(ports);
  if (length < UDP_HEADER_BYTES || length > packet.payloadBytes || (between & 0xffff) == 0) {
    count(Counter.UDP_BAD_LENGTH);
    return false;
  }
  const at = changetype<RxDatagram>(based(DATAGRAM));
  const checked = word >>> 16 != 0;
  at.sourcePort = between >>> 16;
  at.destinationPort = between & 0xffff;
  at.bytes = length - UDP_HEADER_BYTES;
  at.checked = checked;
  at.sum = 0;
  if (checked) {
    // The pseudo-header takes the length once more, and the addresses from the header before.
    const addresses = halves(load<u32>(packet.header, 12)) + halves(load<u32>(packet.header, 16));
    at.sum = addresses + (IPPROTO_UDP << 8) + (word & 0xffff) + halves(word) + halves(ports);
  }
  return true;
}

/** Gives the open datagram to the socket whose it is; where there is none, its sender is told (RFC 1122 4.1.3.1). */
export function udpDeliver(packet: RxPacket): void {
  const at = changetype<RxDatagram>(based(DATAGRAM));
  const sourcePort = at.sourcePort;
  const port = at.destinationPort;
  const link = udpFind(packet.destination, port, packet.source, sourcePort);
  const bytes = at.bytes;
  const sum = at.checked ? at.sum : UNCHECKED;
  if (link != 0) {
    const portAndBytes = (sourcePort << 16) | bytes;
    const entry = udpPlace(link - 1, packet.source, packet.destination, portAndBytes, sum);
    if (MULTICAST_GROUPS != 0 && packet.linkBroadcast && entry != NO_ENTRY)
      copyToOthers(link - 1, entry, packet.destination, port);
    return;
  }
  count(Counter.UDP_NO_PORT);
  if (!ICMP || packet.linkBroadcast) return;
  if (sum != UNCHECKED && !sumIntact(sumRest(sum, bytes))) count(Counter.UDP_BAD_CHECKSUM);
  else icmpSendError(ICMP_UNREACHABLE, UNREACHABLE_PORT, packet);
}

/** Adds the next bytes of the stream, which nobody wants otherwise. */
function sumRest(sum: u32, bytes: u32): u32 {
  while (bytes > 0) {
    const part = min(bytes, SCRATCH_BYTES);
    linkRead(SCRATCH, part);
    sum = sumAdd(sum, SCRATCH, part, 0);
    bytes -= part;
  }
  return sum;
}

/**
 * Streams a datagram of `portAndBytes`, source port and bytes of text, into the ring of a socket. It counts as there only when its
 * checksum holds, unless `sum`, that of the headers, is UNCHECKED; a ring without room for it drops it. Returns its place in the ring, or NO_ENTRY.
 */
export function udpPlace(
  number: u32,
  source: u32,
  destination: u32,
  portAndBytes: u32,
  sum: u32,
): u32 {
  const slot = udpSlot(number);
  const used = <u32>slot.used;
  const bytes = portAndBytes & 0xffff;
  const after = used + DATAGRAM_HEADER_BYTES + ((bytes + 3) & ~3);
  if (after > UDP_RX_BYTES) {
    count(Counter.UDP_RING_FULL);
    return NO_ENTRY;
  }
  const ring = udpRing(number);
  const at = (<u32>slot.head + used) & RING_MASK;
  let text: u32;
  // Nobody looks at it before it counts.
  if (at + DATAGRAM_HEADER_BYTES + bytes <= UDP_RX_BYTES) {
    // In one run, as it mostly is.
    const entry = ring + at;
    store<u32>(entry, source);
    store<u32>(entry, destination, 4);
    store<u32>(entry, portAndBytes, 8);
    text = linkReadSummed(entry + DATAGRAM_HEADER_BYTES, bytes);
  } else {
    store<u32>(ring + at, source);
    store<u32>(ring + ((at + 4) & RING_MASK), destination);
    store<u32>(ring + ((at + 8) & RING_MASK), portAndBytes);
    text = readAround(ring, (at + DATAGRAM_HEADER_BYTES) & RING_MASK, bytes);
  }
  if (!sumIntact(sum + text) && sum != UNCHECKED) {
    count(Counter.UDP_BAD_CHECKSUM);
    return NO_ENTRY;
  }
  slot.used = <u16>after;
  ready(<u32>slot.socket, POLLIN);
  return at;
}

/** Reads text that goes on at the begin of the ring; returns its sum. Only the last piece can have an odd length: the ring's is even. */
function readAround(ring: usize, at: u32, bytes: u32): u32 {
  const first = min<u32>(UDP_RX_BYTES - at, bytes);
  return linkReadSummed(ring + at, first) + linkReadSummed(ring, bytes - first);
}

/** errno for an ICMP error (RFC 1122 4.1.3.3, numbers as Linux maps them); 0 = none worth telling. */
function errorOf(type: u32, code: u32): i32 {
  if (type == ICMP_PARAMETER_PROBLEM) return ENOPROTOOPT;
  if (type != ICMP_UNREACHABLE) return EHOSTUNREACH;
  if (code == 0) return ENETUNREACH;
  if (code == 2) return ENOPROTOOPT;
  if (code == 3) return ECONNREFUSED;
  if (code == 4) return EMSGSIZE;
  return EHOSTUNREACH;
}

/** An ICMP error about a datagram of ours: a connected socket is told at its next call, and one with IP_RECVERR. Addresses as quoted;
 * `info` and `offender` are of the error itself. */
export function udpIcmpError(
  type: u32,
  code: u32,
  source: u32,
  destination: u32,
  sourcePort: u32,
  destinationPort: u32,
  info: u32,
  offender: u32,
): void {
  if (UDP_SOCKETS == 0) return;
  const link = udpFind(source, sourcePort, destination, destinationPort);
  if (link == 0) return;
  const slot = udpSlot(link - 1);
  const asked = SOCKET_MORE_OPTIONS && udpErrorsAsked && ((<u32>slot.flags) & UdpFlag.ERRORS) != 0;
  if (slot.peerPort == 0 && !asked) return;
  const errno = errorOf(type, code);
  slot.error = <u16>errno;
  if (SOCKET_MORE_OPTIONS && udpErrorsAsked && asked)
    udpErrorKeep(link - 1, errno, type, code, info, destination, destinationPort, offender);
  ready(<u32>slot.socket, POLLIN | POLLOUT | POLLERR);
}
