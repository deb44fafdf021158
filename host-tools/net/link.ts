import { Random } from "../sim/random.js";
import type { Clock } from "../sim/types.js";
import { ETHERNET_HEADER_BYTES, get16, ipv4HeaderBytes } from "./packets.js";

/** What a link does to frames, for each direction alike. Probabilities are in percent, for each frame on its own. */
export interface Impairments {
  /** Frames that vanish. */
  lossPercent: number;
  /** Time that every frame takes. */
  delayMs: number;
  /** Frames that are overtaken by one to three later ones. */
  reorderPercent: number;
  /** Frames that arrive twice. */
  duplicatePercent: number;
  /** Frames that arrive with one bit turned. */
  corruptPercent: number;
  /** Bits per second; 0 = no limit. */
  rateBps: number;
}

/** A link that does nothing to frames. */
export const PERFECT: Readonly<Impairments> = {
  lossPercent: 0,
  delayMs: 0,
  reorderPercent: 0,
  duplicatePercent: 0,
  corruptPercent: 0,
  rateBps: 0,
};

/** Takes the frames that come out of a link; `fcsGood` false means that a receiver sees a wrong FCS. */
export type LinkSink = (frame: Uint8Array, fcsGood: boolean) => void;

/** What has happened on one direction of a link. */
export interface LinkCount {
  frames: number;
  lost: number;
  reordered: number;
  duplicated: number;
  corrupted: number;
  /** Frames that found the queue in front of the rate limit full. */
  queueDrops: number;
}

/** An overtaken frame goes on after this time at the latest. */
const HELD_NS = 20e6;
/** Room in front of the rate limit, as in a small switch. */
const QUEUE_BYTES = 256 * 1024;
/** Preamble, FCS and inter-frame gap: what a frame takes on the wire beyond its bytes. */
export const WIRE_OVERHEAD_BYTES = 8 + 4 + 12;

interface Held {
  release: () => void;
  overtakers: number;
}

/**
 * One direction of a link. Decisions come from a seeded generator, one set of draws for each copy of a frame, so that
 * the same frames at the same instants always meet the same fate.
 *
 * A corrupted frame keeps a good FCS, so that the checksums of IP, TCP and UDP are what must find the turned bit: it
 * lies somewhere they cover. Frames without such a checksum (ARP, anything that is not IPv4) get a wrong FCS instead.
 */
export class LinkDirection {
  readonly count: LinkCount = {
    frames: 0,
    lost: 0,
    reordered: 0,
    duplicated: 0,
    corrupted: 0,
    queueDrops: 0,
  };
  private readonly random: Random;
  private readonly transparent: boolean;
  private readonly held = new Set<Held>();
  /** When the sender's queue will be empty. */
  private freeNs = 0;

  constructor(
    private readonly clock: Clock,
    private readonly impairments: Readonly<Impairments>,
    seed: number,
    private readonly deliver: LinkSink,
  ) {
    this.random = new Random(seed);
    const { lossPercent, delayMs, reorderPercent, duplicatePercent } = impairments;
    const { corruptPercent, rateBps } = impairments;
    this.transparent =
      lossPercent + delayMs + reorderPercent + duplicatePercent + corruptPercent + rateBps === 0;
  }

  /** A frame enters the link; the bytes are copied where they must wait. */
  send(frame: Uint8Array): void {
    this.count.frames++;
    if (this.transparent) {
      this.deliver(frame, true);
      return;
    }
    const lost = this.draw(this.impairments.lossPercent);
    const twice = this.draw(this.impairments.duplicatePercent);
    if (lost) {
      this.count.lost++;
      return;
    }
    this.copy(frame);
    if (twice) {
      this.count.duplicated++;
      this.copy(frame);
    }
  }

  private draw(percent: number): boolean {
    return this.random.chance(percent / 100);
  }

  private copy(original: Uint8Array): void {
    const corrupt = this.draw(this.impairments.corruptPercent);
    const reorder = this.draw(this.impairments.reorderPercent);
    const position = this.random.fraction();
    const overtakers = 1 + this.random.below(3);
    const frame = new Uint8Array(original);
    let fcsGood = true;
    if (corrupt) {
      this.count.corrupted++;
      fcsGood = turnBit(frame, position);
    }
    const queueNs = this.serialize(frame.length);
    if (queueNs < 0) {
      this.count.queueDrops++;
      return;
    }
    const waitNs = queueNs + this.impairments.delayMs * 1e6;
    const arrive = (): void => this.arrive(frame, fcsGood, reorder ? overtakers : 0);
    if (waitNs === 0) arrive();
    else this.clock.schedule(waitNs, arrive);
  }

  /** Time until the frame has left the queue; negative when there is no room for it. */
  private serialize(bytes: number): number {
    const { rateBps } = this.impairments;
    if (rateBps === 0) return 0;
    const nsPerByte = 8e9 / rateBps;
    const start = Math.max(this.freeNs, this.clock.nowNs);
    if (start - this.clock.nowNs > QUEUE_BYTES * nsPerByte) return -1;
    this.freeNs = start + (bytes + WIRE_OVERHEAD_BYTES) * nsPerByte;
    return this.freeNs - this.clock.nowNs;
  }

  private arrive(frame: Uint8Array, fcsGood: boolean, overtakers: number): void {
    if (overtakers > 0) {
      this.hold(frame, fcsGood, overtakers);
      return;
    }
    this.deliver(frame, fcsGood);
    for (const held of [...this.held]) if (--held.overtakers === 0) held.release();
  }

  private hold(frame: Uint8Array, fcsGood: boolean, overtakers: number): void {
    this.count.reordered++;
    const release = (): void => {
      this.held.delete(held);
      cancel();
      this.deliver(frame, fcsGood);
    };
    const held: Held = { release, overtakers };
    const cancel = this.clock.schedule(HELD_NS, release);
    this.held.add(held);
  }
}

/**
 * Turns one bit of a frame where a checksum above Ethernet covers it; `position` (0 to 1) says where. False when nothing
 * in the frame is covered: then the bit is turned anywhere, and only the FCS can tell.
 */
export function turnBit(frame: Uint8Array, position: number): boolean {
  const covered = ipv4HeaderBytes(frame) > 0 ? get16(frame, 16) : 0;
  const from = covered > 0 ? ETHERNET_HEADER_BYTES : 0;
  const bit = Math.floor(position * (covered > 0 ? covered : frame.length) * 8);
  const at = from + (bit >>> 3);
  if (at < frame.length) frame[at] = (frame[at] as number) ^ (1 << (bit & 7));
  return covered > 0;
}
