import { PROTOCOL_TCP } from "../../../../net/packets.js";
import type { SocketChip, SocketFace } from "../protocol.js";
import { SN_IR_SENDOK, SN_IR_TIMEOUT, Sn } from "../registers.js";
import type { Departure } from "./network.js";
import { ACK, before, buildSegment, FIN, plus, PSH, SYN, type Segment } from "./tcp-segment.js";

/** Longest text of a segment (Sn_MSSR), and what a peer takes that names none (RFC 9293 3.7.1). */
export const MSS = 1460;
export const DEFAULT_MSS = 536;
/** Sn_RTR is doubled as long as it fits its 16 bits. */
const RTR_MAX_NS = 0xffff * 100_000;
/** One step of Sn_KPALVTR. */
const KEEP_ALIVE_NS = 5e9;
export const NOTHING = new Uint8Array(0);

/** The sending half of a connection: its numbers, what goes out, and when it goes again. */
export abstract class TcpSender {
  sendingTo: number | undefined;
  protected sndUna = 0;
  protected sndNxt = 0;
  /** The highest number sent. */
  protected sndMax = 0;
  /** Behind what SEND has handed over. */
  protected sndEnd = 0;
  protected sndWnd = 0;
  protected rcvNxt = 0;
  protected rcvAdv = 0;
  /** A FIN is to go behind the text, and has not been acknowledged. */
  protected finWanted = false;
  /** Something but SYN and ACK has been exchanged: keep-alive may begin. */
  protected used = false;
  protected tries = 0;
  protected cancelArp: (() => void) | undefined;
  protected cancelRetry: (() => void) | undefined;
  protected cancelAck: (() => void) | undefined;
  private cancelKeepAlive: (() => void) | undefined;
  protected stopped = false;

  constructor(
    protected readonly socket: SocketFace,
    protected readonly chip: SocketChip,
  ) {}

  get heldTo(): number | undefined {
    if (this.sndUna === this.sndEnd) return undefined;
    return (this.socket.txFreed + (this.sndEnd - this.sndUna)) & 0xffff;
  }

  stop(): void {
    this.stopped = true;
    this.sendingTo = undefined;
    this.cancelArp?.();
    this.cancelRetry?.();
    this.cancelAck?.();
    this.cancelKeepAlive?.();
  }

  /** The numbers of a new connection; the pointers begin anew with it. */
  protected begin(): void {
    this.sndUna = this.sndNxt = this.sndMax = this.chip.random.u32();
    this.sndEnd = plus(this.sndUna, 1);
    this.socket.restart();
  }

  /** SYN or SYN-ACK, until it is acknowledged. */
  protected open(bits: number): void {
    this.sndNxt = plus(this.sndUna, 1);
    this.sndMax = this.sndNxt;
    this.transmit(bits, this.sndUna, NOTHING);
    this.arm(() => this.open(bits));
  }

  private get mss(): number {
    return this.socket.word(Sn.MSSR) || DEFAULT_MSS;
  }

  /** What the peer's window lets go: text, and FIN behind it. */
  protected output(): void {
    const right = plus(this.sndUna, this.sndWnd);
    while (before(this.sndNxt, this.sndEnd)) {
      const left = (this.sndEnd - this.sndNxt) >>> 0;
      const bytes = Math.min(left, this.mss, Math.max(0, (right - this.sndNxt) | 0));
      if (bytes === 0) break;
      this.sendText(bytes);
    }
    if (this.finWanted && this.sndNxt === this.sndEnd) {
      this.transmit(FIN | ACK, this.sndNxt, NOTHING);
      this.sndNxt = plus(this.sndNxt, 1);
      this.noteSent();
    }
    if (!this.cancelRetry && this.pending) this.arm(() => this.repeat());
  }

  /** Anything that is not acknowledged, or could not be sent yet. */
  protected get pending(): boolean {
    return this.sndUna !== plus(this.sndEnd, this.finWanted ? 1 : 0);
  }

  private sendText(bytes: number): void {
    const { socket } = this;
    const pointer = socket.txFreed + ((this.sndNxt - this.sndUna) >>> 0);
    const end = plus(this.sndNxt, bytes);
    const last = end === this.sndEnd;
    const sent = last ? (): void => this.handedOver() : undefined;
    this.transmit(last ? PSH | ACK : ACK, this.sndNxt, socket.sendable(pointer, bytes), sent);
    this.sndNxt = end;
    socket.txRead = (pointer + bytes) & 0xffff;
    this.noteSent();
  }

  private noteSent(): void {
    if (before(this.sndMax, this.sndNxt)) this.sndMax = this.sndNxt;
  }

  /** All that SEND gave is on its way. */
  protected handedOver(): void {
    if (this.stopped || this.sendingTo === undefined) return;
    this.sendingTo = undefined;
    const { faults } = this.chip;
    if (faults.loseSendOk > 0) faults.loseSendOk--;
    else this.socket.raise(SN_IR_SENDOK);
  }

  protected transmit(bits: number, seq: number, text: Uint8Array, sent?: () => void): void {
    const { socket, chip } = this;
    const { network } = chip;
    if (bits & ACK) this.cancelAck?.();
    this.cancelAck = undefined;
    const window = Math.min(socket.room, 0xffff);
    this.rcvAdv = plus(this.rcvNxt, window);
    const destination = socket.long(Sn.DIPR);
    const segment: Segment = {
      sourcePort: socket.word(Sn.PORT),
      destinationPort: socket.word(Sn.DPORT),
      seq,
      ack: bits & ACK ? this.rcvNxt : 0,
      bits,
      window,
      mss: bits & SYN ? MSS : 0,
      text,
    };
    const bytes = buildSegment(network.address, destination, segment);
    network.send(
      this.departure(destination),
      socket.copy(Sn.DHAR, 6),
      bytes,
      sent ?? ((): void => undefined),
    );
  }

  private departure(destination: number): Departure {
    const { socket } = this;
    return {
      destination,
      protocol: PROTOCOL_TCP,
      tos: socket.byte(Sn.TOS),
      ttl: socket.byte(Sn.TTL),
      flags: socket.word(Sn.FRAG),
    };
  }

  /** `again` after RTR, doubled with each try; after RCR + 1 of them the connection is over (datasheet 4.1). */
  protected arm(again: () => void): void {
    const { network, clock } = this.chip;
    let wait = network.retryNs;
    for (let i = 0; i < this.tries && wait * 2 <= RTR_MAX_NS; i++) wait *= 2;
    this.cancelRetry?.();
    this.cancelRetry = clock.schedule(wait, () => {
      this.cancelRetry = undefined;
      this.tries++;
      if (this.tries >= network.tries) this.fail();
      else again();
    });
  }

  protected repeat(): void {
    this.sndNxt = this.sndUna;
    // One byte into a closed window: its answer says whether it is open again (RFC 9293 3.8.6.1).
    if (this.sndWnd === 0 && before(this.sndUna, this.sndEnd)) this.sendText(1);
    else if (this.pending) this.output();
    this.arm(() => this.repeat());
  }

  protected fail(): void {
    this.socket.close();
    this.socket.raise(SN_IR_TIMEOUT);
  }

  /** SEND_KEEP and Sn_KPALVTR: a byte that the peer has already, so that it answers. */
  protected probe(): void {
    if (!this.used) return;
    this.transmit(ACK, plus(this.sndUna, -1), Uint8Array.of(0));
    if (!this.cancelRetry) this.arm(() => this.probe());
  }

  protected keepAlive(): void {
    this.cancelKeepAlive?.();
    this.cancelKeepAlive = undefined;
    const steps = this.socket.byte(Sn.KPALVTR);
    if (steps === 0 || !this.used || this.stopped) return;
    this.cancelKeepAlive = this.chip.clock.schedule(steps * KEEP_ALIVE_NS, () => this.probe());
  }
}
