import type { Clock } from "../../../types.js";
import type { Random } from "../../../random.js";
import {
  buildIpv4,
  checksum,
  get16,
  get32,
  MIN_FRAME_BYTES,
  parseIpv4,
  PROTOCOL_ICMP,
  put16,
  put32,
  type Ipv4View,
} from "../../../../net/packets.js";
import { macAt } from "../../../../net/addresses.js";
import { Common, IR_UNREACH, MR_FARP, retryNs } from "../registers.js";

const ARP = 0x0806;
const ARP_REQUEST = 1;
const ARP_REPLY = 2;
const UNREACHABLE = 3;
const ALL = 0xffffffff;

/** All stations. */
export const BROADCAST_MAC = new Uint8Array(6).fill(0xff);

/** What the hardware sockets' ARP and IP need of their chip. */
export interface NetworkHost {
  clock: Clock;
  random: Random;
  /** The common registers: SHAR, SIPR, SUBR, GAR, RTR, RCR. */
  common: Uint8Array;
  /** Puts a frame on the wire; `sent` is called behind it, never without a link. */
  send(frame: Uint8Array, sent: () => void): void;
  /** Sets a flag of IR. */
  interrupt(flag: number): void;
}

/** An IPv4 packet for a hardware socket. */
export interface Arrival extends Ipv4View {
  frame: Uint8Array;
  /** Who has sent the frame. */
  mac: Uint8Array;
  /** To all stations of the network, or to a group. */
  broadcast: boolean;
  multicast: boolean;
}

/** What a socket lays into the header of a packet (Sn_TOS, Sn_TTL, Sn_FRAG), and where it goes. */
export interface Departure {
  destination: number;
  protocol: number;
  tos: number;
  ttl: number;
  flags: number;
}

/** A question that waits for its answer. */
interface Question {
  address: number;
  found: (mac: Uint8Array) => void;
}

/**
 * ARP and IPv4 of the hardware sockets (datasheet 3.4 to 4.2: SIPR, SUBR, GAR, SHAR, RTR, RCR). It asks for each peer anew when a socket
 * turns to another one; it keeps no table, as Sn_DHAR is the socket's.
 */
export class HardwareNetwork {
  private readonly questions = new Set<Question>();
  private id: number;

  constructor(private readonly host: NetworkHost) {
    this.id = host.random.u32() & 0xffff;
  }

  get address(): number {
    return get32(this.host.common, Common.SIPR);
  }

  private get mac(): Uint8Array {
    return this.host.common.slice(Common.SHAR, Common.SHAR + 6);
  }

  private get mask(): number {
    return get32(this.host.common, Common.SUBR);
  }

  /** RTR in ns, and how often something is sent before it is given up: RCR + 1. */
  get retryNs(): number {
    return retryNs(this.host.common);
  }

  get tries(): number {
    return (this.host.common[Common.RCR] as number) + 1;
  }

  /** MR.FARP: ARP asks before each datagram. */
  get forcesArp(): boolean {
    return ((this.host.common[Common.MR] as number) & MR_FARP) !== 0;
  }

  /** True for the limited broadcast and that of our network. */
  isBroadcast(address: number): boolean {
    if (address === ALL) return true;
    const { mask } = this;
    return mask !== 0 && mask !== ALL && (address | mask) >>> 0 === ALL && this.isNear(address);
  }

  private isNear(address: number): boolean {
    return (address & this.mask) >>> 0 === (this.address & this.mask) >>> 0;
  }

  /** Asks for the MAC that packets to `address` go to; `failed` after RCR + 1 questions, RTR apart. The result cancels it. */
  resolve(address: number, found: (mac: Uint8Array) => void, failed: () => void): () => void {
    if (this.isBroadcast(address)) {
      found(BROADCAST_MAC.slice());
      return () => undefined;
    }
    const hop = this.isNear(address) ? address : get32(this.host.common, Common.GAR);
    let left = this.tries;
    let stop: () => void = () => undefined;
    const question: Question = {
      address: hop,
      found: (mac) => {
        cancel();
        found(mac);
      },
    };
    const cancel = (): void => {
      this.questions.delete(question);
      stop();
    };
    const ask = (): void => {
      if (left-- === 0) {
        cancel();
        failed();
        return;
      }
      this.host.send(this.question(hop), () => undefined);
      stop = this.host.clock.schedule(this.retryNs, ask);
    };
    this.questions.add(question);
    ask();
    return cancel;
  }

  private question(target: number): Uint8Array {
    const frame = new Uint8Array(MIN_FRAME_BYTES);
    frame.set(BROADCAST_MAC, 0);
    frame.set(this.mac, 6);
    put16(frame, 12, ARP);
    frame.set([0, 1, 8, 0, 6, 4], 14);
    put16(frame, 20, ARP_REQUEST);
    frame.set(this.mac, 22);
    put32(frame, 28, this.address);
    put32(frame, 38, target);
    return frame;
  }

  /** Sends `payload` (in which the checksum, where there is one, stands already) to `mac`. */
  send(to: Departure, mac: Uint8Array, payload: Uint8Array, sent: () => void): void {
    const frame = buildIpv4(
      { from: macAt(this.mac, 0), to: macAt(mac, 0) },
      {
        source: this.address,
        destination: to.destination,
        protocol: to.protocol,
        bytes: payload.length,
      },
    );
    frame[15] = to.tos;
    put16(frame, 18, this.id);
    this.id = (this.id + 1) & 0xffff;
    put16(frame, 20, to.flags);
    frame[22] = to.ttl;
    put16(frame, 24, 0);
    put16(frame, 24, checksum(frame, 14, 20));
    frame.set(payload, 34);
    this.host.send(frame, sent);
  }

  /** An IPv4 packet for us in a frame that has come; what ARP and ICMP tell is taken here. */
  input(frame: Uint8Array): Arrival | undefined {
    if (get16(frame, 12) === ARP) {
      this.answer(frame);
      return undefined;
    }
    const packet = parseIpv4(frame);
    if (!packet) return undefined;
    const group = ((frame[0] as number) & 1) !== 0;
    if (!group && !this.mac.every((byte, i) => byte === frame[i])) return undefined;
    const broadcast = this.isBroadcast(packet.destination);
    const multicast = packet.destination >>> 28 === 14;
    if (!broadcast && !multicast && (packet.destination !== this.address || this.address === 0)) {
      return undefined;
    }
    if (packet.protocol === PROTOCOL_ICMP && frame[packet.at] === UNREACHABLE) {
      this.noteUnreachable(frame, packet);
    }
    return { ...packet, frame, mac: Uint8Array.from(frame.subarray(6, 12)), broadcast, multicast };
  }

  private answer(frame: Uint8Array): void {
    if (get16(frame, 20) !== ARP_REPLY) return;
    const sender = get32(frame, 28);
    for (const question of [...this.questions]) {
      if (question.address === sender) question.found(frame.slice(22, 28));
    }
  }

  /** UIPR and UPORTR name the peer that the refused datagram went to (datasheet 4.1, IR.UNREACH). */
  private noteUnreachable(frame: Uint8Array, packet: Ipv4View): void {
    const inner = packet.at + 8;
    if (packet.bytes < 8 + 28 || get32(frame, inner + 12) !== this.address) return;
    const header = ((frame[inner] as number) & 15) * 4;
    if (packet.bytes < 8 + header + 4) return;
    put32(this.host.common, Common.UIPR, get32(frame, inner + 16));
    put16(this.host.common, Common.UPORTR, get16(frame, inner + header + 2));
    this.host.interrupt(IR_UNREACH);
  }
}

/** Sum of the pseudo-header of a packet of `bytes` between two addresses (RFC 768, RFC 9293 3.1). */
export function pseudoSum(
  source: number,
  destination: number,
  protocol: number,
  bytes: number,
): number {
  const words = [source >>> 16, source & 0xffff, destination >>> 16, destination & 0xffff];
  return words.reduce((sum, word) => sum + word, protocol + bytes);
}
