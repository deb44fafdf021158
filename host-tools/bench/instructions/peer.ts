import { checksum, put16, put32, get16, get32 } from "../../net/packets.js";

/** The two sides, as the definition of the workloads has them. */
export const STACK = { mac: [2, 0, 0, 0, 0, 2], address: 0x0a000002 };
export const PEER = { mac: [2, 0, 0, 0, 0, 1], address: 0x0a000001 };
export const MASK = 0xffffff00;

export const FIN = 1;
export const SYN = 2;
export const RST = 4;
export const PSH = 8;
export const ACK = 16;

const ETHERNET = 14;
const IP = 20;
const WINDOW = 8192;
/** What the peer's clock shows. */
const CLOCK = 0x12345;

/** IP identification of the peer's frames: counts up by one a frame. */
let identification = 0;

/** Begins a new recording: frames are numbered from 1 again. */
export function resetPeer(): void {
  identification = 0;
}

function ipFrame(protocol: number, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(ETHERNET + IP + payload.length);
  frame.set(STACK.mac, 0);
  frame.set(PEER.mac, 6);
  put16(frame, 12, 0x0800);
  frame[14] = 0x45;
  put16(frame, 16, IP + payload.length);
  put16(frame, 18, ++identification & 0xffff);
  put16(frame, 20, 0x4000);
  frame[22] = 64;
  frame[23] = protocol;
  put32(frame, 26, PEER.address);
  put32(frame, 30, STACK.address);
  put16(frame, 24, checksum(frame, ETHERNET, IP));
  frame.set(payload, ETHERNET + IP);
  return frame;
}

function pseudoSum(protocol: number, bytes: number): number {
  const halves = (word: number): number => (word >>> 16) + (word & 0xffff);
  return halves(PEER.address) + halves(STACK.address) + protocol + bytes;
}

/** The request that makes the peer known, and asks for an answer: broadcast, padded to 60 bytes. */
export function arpRequest(): Uint8Array {
  const frame = new Uint8Array(60);
  frame.fill(0xff, 0, 6);
  frame.set(PEER.mac, 6);
  put16(frame, 12, 0x0806);
  put16(frame, 14, 1);
  put16(frame, 16, 0x0800);
  frame[18] = 6;
  frame[19] = 4;
  put16(frame, 20, 1);
  frame.set(PEER.mac, 22);
  put32(frame, 28, PEER.address);
  put32(frame, 38, STACK.address);
  return frame;
}

/** ICMP echo request; byte i of its payload is 3 i. */
export function echoRequest(sequence: number, bytes: number): Uint8Array {
  const icmp = new Uint8Array(8 + bytes);
  icmp[0] = 8;
  put16(icmp, 4, 0x77);
  put16(icmp, 6, sequence);
  for (let i = 0; i < bytes; i++) icmp[8 + i] = 3 * i;
  put16(icmp, 2, checksum(icmp, 0, icmp.length));
  return ipFrame(1, icmp);
}

/** UDP datagram from port 5000 to 7; byte i of its payload is 5 i. */
export function datagram(bytes: number): Uint8Array {
  const udp = new Uint8Array(8 + bytes);
  put16(udp, 0, 5000);
  put16(udp, 2, 7);
  put16(udp, 4, udp.length);
  for (let i = 0; i < bytes; i++) udp[8 + i] = 5 * i;
  put16(udp, 6, checksum(udp, 0, udp.length, pseudoSum(17, udp.length)) || 0xffff);
  return ipFrame(17, udp);
}

/** A segment that the stack has sent. */
export interface SentSegment {
  peerPort: number;
  seq: number;
  ack: number;
  bits: number;
  window: number;
  /** What its clock shows, if it has the timestamps option. */
  stamp: number | undefined;
  text: Uint8Array;
}

/** TSval of the timestamps option (RFC 7323 3) of a TCP header; undefined when there is none. */
function stampOf(tcp: Uint8Array): number | undefined {
  const end = ((tcp[12] as number) >>> 4) * 4;
  for (let at = 20; at < end && tcp[at] !== 0;) {
    if (tcp[at] === 8) return get32(tcp, at + 2);
    at += tcp[at] === 1 ? 1 : (tcp[at + 1] as number);
  }
  return undefined;
}

/** The TCP segment in a frame of the stack; undefined when it holds none. A wrong checksum is an error of the stack. */
export function segmentIn(frame: Uint8Array): SentSegment | undefined {
  if (get16(frame, 12) !== 0x0800 || frame[23] !== 6) return undefined;
  const total = get16(frame, 16);
  const bytes = total - IP;
  if (checksum(frame, ETHERNET, IP) !== 0) throw new Error("the stack's IP checksum is wrong");
  if (checksum(frame, ETHERNET + IP, bytes, pseudoSum(6, bytes)) !== 0)
    throw new Error("the stack's TCP checksum is wrong");
  const tcp = frame.subarray(ETHERNET + IP, ETHERNET + total);
  return {
    peerPort: get16(tcp, 2),
    seq: get32(tcp, 4),
    ack: get32(tcp, 8),
    bits: tcp[13] as number,
    window: get16(tcp, 14),
    stamp: stampOf(tcp),
    text: tcp.subarray(((tcp[12] as number) >>> 4) * 4),
  };
}

/** Sequence number that the next connection of the peer begins with, and its port. */
let nextIsn = 0x1000;
let nextPort = 40000;

/** Begins again with ports and numbers. */
export function resetConnections(): void {
  nextIsn = 0x1000;
  nextPort = 40000;
}

/** The peer's side of one connection, in lock step: it acknowledges all it has seen with everything it sends. */
export class PeerConnection {
  private readonly port = nextPort++;
  private next: number;
  private acknowledges = 0;
  /** Bytes of text that have come. */
  received = 0;
  /** Control bits of the latest segment. */
  bits = 0;

  /** The clock of the stack as it was seen last. */
  private echo = 0;

  /** To a port of the stack; `stamped`: with timestamps in each segment, by a clock that stands still. */
  constructor(
    private readonly to: number,
    private readonly stamped = false,
  ) {
    nextIsn = (nextIsn + 0x11111) >>> 0;
    this.next = nextIsn;
  }

  /** Takes what the stack has sent, if it is for this connection. */
  take(segment: SentSegment): void {
    if (segment.peerPort !== this.port) return;
    this.bits = segment.bits;
    if (this.stamped !== (segment.stamp !== undefined))
      throw new Error("timestamps are in each segment, or in none");
    this.echo = segment.stamp ?? 0;
    const length =
      segment.text.length + (segment.bits & FIN ? 1 : 0) + (segment.bits & SYN ? 1 : 0);
    if (length === 0) return;
    if (segment.bits & SYN) this.acknowledges = segment.seq;
    if (segment.seq !== this.acknowledges)
      throw new Error(`the stack has sent ${segment.seq} where ${this.acknowledges} was due`);
    this.acknowledges = (this.acknowledges + length) >>> 0;
    this.received += segment.text.length;
  }

  syn(): Uint8Array {
    const frame = this.segment(SYN, new Uint8Array([2, 4, 1460 >>> 8, 1460 & 0xff]), 4);
    this.next = (this.next + 1) >>> 0;
    return frame;
  }

  ack(): Uint8Array {
    return this.segment(ACK, new Uint8Array(0));
  }

  fin(): Uint8Array {
    const frame = this.segment(FIN | ACK, new Uint8Array(0));
    this.next = (this.next + 1) >>> 0;
    return frame;
  }

  reset(): Uint8Array {
    return this.segment(RST | ACK, new Uint8Array(0));
  }

  /** Byte i is 7 i plus the low byte of the sequence number. */
  data(bytes: number): Uint8Array {
    const text = new Uint8Array(bytes);
    for (let i = 0; i < bytes; i++) text[i] = 7 * i + (this.next & 0xff);
    const frame = this.segment(PSH | ACK, text);
    this.next = (this.next + bytes) >>> 0;
    return frame;
  }

  private segment(bits: number, rest: Uint8Array, optionBytes = 0): Uint8Array {
    const stampBytes = this.stamped ? 12 : 0;
    const tcp = new Uint8Array(20 + stampBytes + rest.length);
    put16(tcp, 0, this.port);
    put16(tcp, 2, this.to);
    put32(tcp, 4, this.next);
    if (bits & ACK) put32(tcp, 8, this.acknowledges);
    tcp[12] = ((20 + stampBytes + optionBytes) / 4) << 4;
    if (this.stamped) {
      tcp.set([1, 1, 8, 10], 20 + optionBytes);
      put32(tcp, 24 + optionBytes, CLOCK);
      put32(tcp, 28 + optionBytes, this.echo);
    }
    tcp[13] = bits;
    put16(tcp, 14, WINDOW);
    // Other options stand before the timestamps, text behind them.
    tcp.set(rest, optionBytes !== 0 ? 20 : 20 + stampBytes);
    put16(tcp, 16, checksum(tcp, 0, tcp.length, pseudoSum(6, tcp.length)));
    return ipFrame(6, tcp);
  }
}
