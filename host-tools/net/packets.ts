import { putMac, type Mac } from "./addresses.js";

/**
 * Reading and writing of the headers that the virtual network itself must understand. Plain functions over a frame
 * (without FCS); all numbers on the wire are big-endian.
 */
export const ETHERNET_HEADER_BYTES = 14;
export const ETHERTYPE_IPV4 = 0x0800;
export const PROTOCOL_ICMP = 1;
export const PROTOCOL_TCP = 6;
export const PROTOCOL_UDP = 17;

/** Smallest frame on the wire without its FCS (IEEE 802.3 3.2.8). */
export const MIN_FRAME_BYTES = 60;
/** Largest untagged frame without its FCS. */
export const MAX_FRAME_BYTES = 1514;

export function get16(frame: Uint8Array, at: number): number {
  return ((frame[at] as number) << 8) | (frame[at + 1] as number);
}

export function get32(frame: Uint8Array, at: number): number {
  return get16(frame, at) * 65536 + get16(frame, at + 2);
}

export function put16(frame: Uint8Array, at: number, value: number): void {
  frame[at] = value >>> 8;
  frame[at + 1] = value;
}

export function put32(frame: Uint8Array, at: number, value: number): void {
  put16(frame, at, value >>> 16);
  put16(frame, at + 2, value & 0xffff);
}

/** Internet checksum (RFC 1071) over a range, on top of a sum of 16-bit words. */
export function checksum(data: Uint8Array, from: number, bytes: number, sum = 0): number {
  const end = from + bytes;
  for (let at = from; at + 1 < end; at += 2) sum += get16(data, at);
  if (bytes & 1) sum += (data[end - 1] as number) << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 65536);
  return ~sum & 0xffff;
}

/** A UDP datagram in a frame: where it is and between whom. */
export interface UdpView {
  sourceAddress: number;
  destinationAddress: number;
  sourcePort: number;
  destinationPort: number;
  /** The payload, in place. */
  payload: Uint8Array;
}

/** Length of the IPv4 header, or 0 when the frame holds no whole IPv4 packet. */
export function ipv4HeaderBytes(frame: Uint8Array): number {
  if (frame.length < ETHERNET_HEADER_BYTES + 20) return 0;
  if (get16(frame, 12) !== ETHERTYPE_IPV4 || (frame[14] as number) >>> 4 !== 4) return 0;
  const header = ((frame[14] as number) & 15) * 4;
  const total = get16(frame, 16);
  return header >= 20 && total >= header && frame.length >= 14 + total ? header : 0;
}

/** An IPv4 packet in a frame: where it is and between whom. */
export interface Ipv4View {
  source: number;
  destination: number;
  protocol: number;
  ttl: number;
  /** Where its payload begins in the frame, and how long it is. */
  at: number;
  bytes: number;
}

/** The unfragmented IPv4 packet in a frame, the checksum of its header proven; null when there is none. */
export function parseIpv4(frame: Uint8Array): Ipv4View | null {
  const header = ipv4HeaderBytes(frame);
  if (header === 0 || (get16(frame, 20) & 0x3fff) !== 0) return null;
  if (checksum(frame, ETHERNET_HEADER_BYTES, header) !== 0) return null;
  return {
    source: get32(frame, 26),
    destination: get32(frame, 30),
    protocol: frame[23] as number,
    ttl: frame[22] as number,
    at: ETHERNET_HEADER_BYTES + header,
    bytes: get16(frame, 16) - header,
  };
}

/** The unfragmented UDP datagram in a frame, its checksums proven; null when there is none. */
export function parseUdp(frame: Uint8Array): UdpView | null {
  const header = ipv4HeaderBytes(frame);
  if (header === 0 || frame[23] !== PROTOCOL_UDP || (get16(frame, 20) & 0x3fff) !== 0) return null;
  if (checksum(frame, 14, header) !== 0) return null;
  const at = 14 + header;
  const length = get16(frame, at + 4);
  if (length < 8 || header + length > get16(frame, 16)) return null;
  if (get16(frame, at + 6) !== 0) {
    if (checksum(frame, at, length, pseudoHeaderSum(frame, length)) !== 0) return null;
  }
  return {
    sourceAddress: get32(frame, 26),
    destinationAddress: get32(frame, 30),
    sourcePort: get16(frame, at),
    destinationPort: get16(frame, at + 2),
    payload: frame.subarray(at + 8, at + length),
  };
}

/** Sum of the pseudo-header of TCP and UDP, from the addresses in a frame. */
export function pseudoHeaderSum(frame: Uint8Array, bytes: number, protocol = PROTOCOL_UDP): number {
  let sum = protocol + bytes;
  for (let at = 26; at < 34; at += 2) sum += get16(frame, at);
  return sum;
}

/** A frame with an IPv4 header for `bytes` of payload, which begin at 34 and are the caller's to write; padding included. */
export function buildIpv4(
  macs: { from: Mac; to: Mac },
  packet: { source: number; destination: number; protocol: number; bytes: number },
): Uint8Array {
  const frame = new Uint8Array(Math.max(MIN_FRAME_BYTES, 14 + 20 + packet.bytes));
  putMac(frame, 0, macs.to);
  putMac(frame, 6, macs.from);
  put16(frame, 12, ETHERTYPE_IPV4);
  frame[14] = 0x45;
  put16(frame, 16, 20 + packet.bytes);
  put16(frame, 20, 0x4000);
  frame[22] = 64;
  frame[23] = packet.protocol;
  put32(frame, 26, packet.source);
  put32(frame, 30, packet.destination);
  put16(frame, 24, checksum(frame, 14, 20));
  return frame;
}

/** Builds the frame of a UDP datagram, checksums and padding included. */
export function buildUdp(
  macs: { from: Mac; to: Mac },
  datagram: Omit<UdpView, "payload"> & { payload: Uint8Array },
): Uint8Array {
  const length = 8 + datagram.payload.length;
  const frame = buildIpv4(macs, {
    source: datagram.sourceAddress,
    destination: datagram.destinationAddress,
    protocol: PROTOCOL_UDP,
    bytes: length,
  });
  put16(frame, 34, datagram.sourcePort);
  put16(frame, 36, datagram.destinationPort);
  put16(frame, 38, length);
  frame.set(datagram.payload, 42);
  const sum = checksum(frame, 34, length, pseudoHeaderSum(frame, length));
  put16(frame, 40, sum === 0 ? 0xffff : sum);
  return frame;
}
