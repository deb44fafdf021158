import { checksum, get16, get32, PROTOCOL_TCP, put16, put32 } from "../../../../net/packets.js";
import { pseudoSum, type Arrival } from "./network.js";

/** Control bits (RFC 9293 3.1). */
export const FIN = 0x01;
export const SYN = 0x02;
export const RST = 0x04;
export const PSH = 0x08;
export const ACK = 0x10;

const HEADER_BYTES = 20;
const OPTION_MSS = 2;

/** A segment that has come. */
export interface Segment {
  sourcePort: number;
  destinationPort: number;
  seq: number;
  ack: number;
  bits: number;
  window: number;
  /** The MSS option; 0 = none. */
  mss: number;
  text: Uint8Array;
}

/** True when sequence number `a` comes before `b` (RFC 9293 3.4). */
export function before(a: number, b: number): boolean {
  return ((a - b) | 0) < 0;
}

/** Sequence numbers modulo 2^32. */
export function plus(seq: number, bytes: number): number {
  return (seq + bytes) >>> 0;
}

/** The segment in a packet, its checksum proven; null when there is none. */
export function parseSegment(arrival: Arrival): Segment | null {
  const { frame, at, bytes } = arrival;
  if (arrival.protocol !== PROTOCOL_TCP || bytes < HEADER_BYTES) return null;
  const header = ((frame[at + 12] as number) >>> 4) * 4;
  if (header < HEADER_BYTES || header > bytes) return null;
  const pseudo = pseudoSum(arrival.source, arrival.destination, PROTOCOL_TCP, bytes);
  if (checksum(frame, at, bytes, pseudo) !== 0) return null;
  return {
    sourcePort: get16(frame, at),
    destinationPort: get16(frame, at + 2),
    seq: get32(frame, at + 4),
    ack: get32(frame, at + 8),
    bits: (frame[at + 13] as number) & 0x3f,
    window: get16(frame, at + 14),
    mss: mssOf(frame.subarray(at + HEADER_BYTES, at + header)),
    text: frame.subarray(at + header, at + bytes),
  };
}

function mssOf(options: Uint8Array): number {
  for (let at = 0; at < options.length && options[at] !== 0;) {
    if (options[at] === 1) {
      at++;
      continue;
    }
    const length = options[at + 1] ?? 0;
    if (length < 2 || at + length > options.length) break;
    if (options[at] === OPTION_MSS && length === 4) return get16(options, at + 2);
    at += length;
  }
  return 0;
}

/** The bytes of a segment between two addresses, checksum included. */
export function buildSegment(source: number, destination: number, segment: Segment): Uint8Array {
  const header = segment.mss === 0 ? HEADER_BYTES : HEADER_BYTES + 4;
  const bytes = new Uint8Array(header + segment.text.length);
  put16(bytes, 0, segment.sourcePort);
  put16(bytes, 2, segment.destinationPort);
  put32(bytes, 4, segment.seq);
  put32(bytes, 8, segment.ack);
  bytes[12] = (header / 4) << 4;
  bytes[13] = segment.bits;
  put16(bytes, 14, segment.window);
  if (segment.mss !== 0) {
    bytes.set([OPTION_MSS, 4], HEADER_BYTES);
    put16(bytes, HEADER_BYTES + 2, segment.mss);
  }
  bytes.set(segment.text, header);
  const pseudo = pseudoSum(source, destination, PROTOCOL_TCP, bytes.length);
  put16(bytes, 16, checksum(bytes, 0, bytes.length, pseudo));
  return bytes;
}

/** RFC 9293 3.5.2: the RST that answers a segment for which there is no connection. */
export function resetFor(segment: Segment): Segment {
  const acked = (segment.bits & ACK) !== 0;
  const length = segment.text.length + (segment.bits & SYN ? 1 : 0) + (segment.bits & FIN ? 1 : 0);
  return {
    sourcePort: segment.destinationPort,
    destinationPort: segment.sourcePort,
    seq: acked ? segment.ack : 0,
    ack: acked ? 0 : plus(segment.seq, length),
    bits: acked ? RST : RST | ACK,
    window: 0,
    mss: 0,
    text: new Uint8Array(0),
  };
}
