import { turnBit } from "../net/link.js";
import {
  ETHERNET_HEADER_BYTES,
  checksum,
  get16,
  ipv4HeaderBytes,
  put16,
  put32,
} from "../net/packets.js";
import { Random } from "../sim/random.js";
import type { Clock } from "../sim/types.js";

/** What happens to frames on their way, in each direction alike. Probabilities in percent, times in milliseconds. */
export interface Troubles {
  /** Frames that vanish, each by itself. */
  lossPercent?: number;
  /** Frames that begin a burst, in which all is lost, and how long a burst is on average. */
  burst?: { percent: number; ms: number };
  delayMs?: number;
  /** More delay, uniform from 0 to this; the order stays. */
  jitterMs?: number;
  /** Frames that come up to five round trips of the bare link late, so that others overtake them. */
  reorderPercent?: number;
  duplicatePercent?: number;
  /** Frames in which one bit is turned where a checksum of IP or TCP covers it. */
  corruptPercent?: number;
  /** A bottleneck with a queue of this many bytes. */
  rate?: { bitsPerSecond: number; queueBytes: number };
  /** From an instant on, packets of more bytes do not pass; a router says so, or nobody does (`silent`). */
  mtu?: { atMs: number; bytes: number; silent: boolean };
  /** Nothing passes in one direction (0: from A to B) for a time. */
  outage?: { atMs: number; ms: number; direction: 0 | 1 };
}

/** Ethernet preamble, FCS and gap. */
const WIRE_OVERHEAD_BYTES = 24;
/** Address of the router in the middle. */
const ROUTER = 0x0a00_00fe;

/** One direction of a link with troubles: the same seed and the same frames give the same run. */
export class TroubledLink {
  /** Frames that went in, and those that came out. */
  sent = 0;
  arrived = 0;
  private readonly random: Random;
  private burstEndNs = 0;
  private freeNs = 0;
  private lastNs = 0;

  constructor(
    private readonly clock: Clock,
    private readonly direction: 0 | 1,
    public troubles: Readonly<Troubles>,
    seed: number,
    private readonly deliver: (frame: Uint8Array, good: boolean) => void,
    /** Takes what a router answers to the sender. */
    private readonly answer: (frame: Uint8Array) => void,
  ) {
    this.random = new Random(seed);
  }

  /** Takes a frame, which is copied. */
  send(frame: Uint8Array): void {
    this.sent++;
    const { lossPercent, duplicatePercent, mtu } = this.troubles;
    if (this.lostInBurst() || this.happens(lossPercent) || this.isOut()) return;
    if (mtu && this.clock.nowNs >= mtu.atMs * 1e6 && ipBytes(frame) > mtu.bytes) {
      if (!mtu.silent) this.refuse(frame, mtu.bytes);
      return;
    }
    const copies = this.happens(duplicatePercent) ? 2 : 1;
    for (let i = 0; i < copies; i++) this.copy(new Uint8Array(frame));
  }

  private happens(percent: number | undefined): boolean {
    return percent !== undefined && percent > 0 && this.random.chance(percent / 100);
  }

  private lostInBurst(): boolean {
    const { burst } = this.troubles;
    const now = this.clock.nowNs;
    if (burst && now >= this.burstEndNs && this.happens(burst.percent))
      this.burstEndNs = now + this.random.fraction() * 2 * burst.ms * 1e6;
    return now < this.burstEndNs;
  }

  private isOut(): boolean {
    const { outage } = this.troubles;
    if (outage?.direction !== this.direction) return false;
    const ms = this.clock.nowNs / 1e6;
    return ms >= outage.atMs && ms < outage.atMs + outage.ms;
  }

  private copy(frame: Uint8Array): void {
    const { corruptPercent, reorderPercent, rate, delayMs = 0, jitterMs = 0 } = this.troubles;
    let good = true;
    let intact = true;
    if (this.happens(corruptPercent)) {
      intact = false;
      good = turnBit(frame, this.random.fraction());
    }
    const now = this.clock.nowNs;
    let at = now;
    if (rate) {
      const nsPerByte = 8e9 / rate.bitsPerSecond;
      const start = Math.max(now, this.freeNs);
      if (start - now > rate.queueBytes * nsPerByte) return;
      this.freeNs = start + (frame.length + WIRE_OVERHEAD_BYTES) * nsPerByte;
      at = this.freeNs;
    }
    at += delayMs * 1e6 + (jitterMs > 0 ? this.random.fraction() * jitterMs * 1e6 : 0);
    if (this.happens(reorderPercent)) at += (1 + this.random.below(5)) * (2 + 2 * delayMs) * 1e6;
    else at = this.lastNs = Math.max(at, this.lastNs);
    this.clock.schedule(at - now, () => {
      if (intact) this.arrived++;
      if (good) this.deliver(frame, intact);
    });
  }

  /** "Fragmentation needed and DF set" (RFC 1191 4). */
  private refuse(frame: Uint8Array, mtu: number): void {
    const quoted = Math.min(ipBytes(frame), 28);
    const answer = new Uint8Array(ETHERNET_HEADER_BYTES + 28 + quoted);
    answer.set(frame.subarray(6, 12), 0);
    answer.set(frame.subarray(0, 6), 6);
    put16(answer, 12, 0x0800);
    answer[14] = 0x45;
    put16(answer, 16, 28 + quoted);
    answer[22] = 64;
    answer[23] = 1;
    put32(answer, 26, ROUTER);
    answer.set(frame.subarray(26, 30), 30);
    put16(answer, 24, checksum(answer, 14, 20));
    answer[34] = 3;
    answer[35] = 4;
    put16(answer, 40, mtu);
    answer.set(frame.subarray(14, 14 + quoted), 42);
    put16(answer, 36, checksum(answer, 34, 8 + quoted));
    this.clock.schedule(1e6, () => this.answer(answer));
  }
}

/** Bytes of the IPv4 packet in a frame; 0 when it holds none. */
function ipBytes(frame: Uint8Array): number {
  return ipv4HeaderBytes(frame) === 0 ? 0 : get16(frame, 16);
}
