import { get16, get32, ipv4HeaderBytes } from "../net/packets.js";
import { Violation } from "./violation.js";

const FIN = 1;
const SYN = 2;
const RST = 4;
const ACK = 16;
const PROTOCOL_TCP = 6;

/** What one side has said and heard on one connection. */
interface Half {
  iss: number;
  /** Right edge of the window that it has announced; undefined before it has. */
  announced: number | undefined;
  /** Right edge of the window that it knows of. */
  allowed: number | undefined;
  /** The peer's FIN has come: its window means nothing any more. */
  peerFinished: boolean;
}

/**
 * Looks at the frames of two stacks: a window that was announced is kept (RFC 9293 SHLD-14), and nobody sends more than the window
 * that he knows of, but one byte as a probe. Our windows are not scaled.
 */
export class WireWatch {
  private readonly halves: [Map<number, Half>, Map<number, Half>] = [new Map(), new Map()];

  /** A side has lost its memory; the other one knows what it knew, though older segments may still come. */
  forget(side: 0 | 1): void {
    this.halves[side].clear();
  }

  /** A stack has sent a frame. */
  sent(side: 0 | 1, frame: Uint8Array): void {
    const segment = parse(frame);
    if (!segment || segment.flags & RST) return;
    const { flags, seq, ack, window, bytes } = segment;
    const half = this.half(side, segment.from, segment.to);
    if (flags & SYN && seq !== half.iss) {
      half.iss = seq;
      half.announced = half.allowed = undefined;
      half.peerFinished = false;
    }
    if (bytes > 0 && half.allowed !== undefined) {
      const beyond = (seq + bytes - half.allowed) | 0;
      if (beyond > (bytes === 1 ? 1 : 0))
        throw new Violation("the peer's window is not overrun", `by ${beyond} bytes`);
    }
    if (!(flags & ACK)) return;
    const edge = (ack + window) >>> 0;
    if (half.announced !== undefined && !half.peerFinished) {
      const back = (half.announced - edge) | 0;
      if (back > 0) throw new Violation("a window does not shrink", `by ${back} bytes`);
    }
    half.announced = later(half.announced, edge);
  }

  /** A stack has been given a frame as it was sent. */
  taken(side: 0 | 1, frame: Uint8Array): void {
    const segment = parse(frame);
    if (!segment || segment.flags & RST) return;
    const half = this.half(side, segment.to, segment.from);
    if (segment.flags & FIN) half.peerFinished = true;
    if (segment.flags & ACK)
      half.allowed = later(half.allowed, (segment.ack + segment.window) >>> 0);
  }

  private half(side: 0 | 1, own: number, other: number): Half {
    const key = own * 65536 + other;
    let half = this.halves[side].get(key);
    if (!half) {
      half = { iss: -1, announced: undefined, allowed: undefined, peerFinished: false };
      this.halves[side].set(key, half);
    }
    return half;
  }
}

function later(a: number | undefined, b: number): number {
  return a === undefined || ((b - a) | 0) > 0 ? b : a;
}

interface Segment {
  from: number;
  to: number;
  seq: number;
  ack: number;
  flags: number;
  window: number;
  bytes: number;
}

/** The TCP segment in a frame; undefined when there is none. */
export function parse(frame: Uint8Array): Segment | undefined {
  const header = ipv4HeaderBytes(frame);
  if (header === 0 || frame[23] !== PROTOCOL_TCP) return undefined;
  const at = 14 + header;
  return {
    from: get16(frame, at),
    to: get16(frame, at + 2),
    seq: get32(frame, at + 4),
    ack: get32(frame, at + 8),
    flags: frame[at + 13] as number,
    window: get16(frame, at + 14),
    bytes: get16(frame, 16) - header - ((frame[at + 12] as number) >>> 4) * 4,
  };
}
