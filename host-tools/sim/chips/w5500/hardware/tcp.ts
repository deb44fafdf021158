import type { Protocol } from "../protocol.js";
import {
  SN_CR,
  SN_IR_CON,
  SN_IR_DISCON,
  SN_MR_ND,
  SOCK_CLOSE_WAIT,
  SOCK_CLOSING,
  SOCK_ESTABLISHED,
  SOCK_FIN_WAIT,
  SOCK_INIT,
  SOCK_LAST_ACK,
  SOCK_LISTEN,
  SOCK_SYNRECV,
  SOCK_SYNSENT,
  SOCK_TIME_WAIT,
  Sn,
} from "../registers.js";
import type { Arrival } from "./network.js";
import { ACK, before, FIN, plus, RST, SYN, type Segment } from "./tcp-segment.js";
import { DEFAULT_MSS, MSS, NOTHING, TcpSender } from "./tcp-sender.js";

/**
 * A socket open in TCP mode (datasheet 4.2: Sn_CR, Sn_IR, Sn_SR; RFC 9293): one connection, or the wait for one. Segments that are not the next are dropped,
 * the peer sends them again; so does this end from what is not acknowledged, RTR apart and twice as long each time, RCR + 1 times.
 */
export class TcpSocket extends TcpSender implements Protocol {
  private finReceived = false;

  resume(): void {}

  // Commands

  command(code: number): void {
    const { status } = this.socket;
    const open = status === SOCK_ESTABLISHED || status === SOCK_CLOSE_WAIT;
    if (code === SN_CR.LISTEN && status === SOCK_INIT) this.socket.status = SOCK_LISTEN;
    else if (code === SN_CR.CONNECT && status === SOCK_INIT) this.connect();
    else if (code === SN_CR.SEND && open) this.send();
    else if (code === SN_CR.DISCON) this.disconnect(open);
    else if (code === SN_CR.SEND_KEEP && open) this.probe();
    else {
      const state = status.toString(16);
      this.socket.violation("command", `command 0x${code.toString(16)} in Sn_SR 0x${state}`);
    }
  }

  private connect(): void {
    const { socket } = this;
    socket.status = SOCK_SYNSENT;
    this.cancelArp = this.chip.network.resolve(
      socket.long(Sn.DIPR),
      (mac) => {
        socket.put(Sn.DHAR, ...mac);
        this.begin();
        this.open(SYN);
      },
      () => this.fail(),
    );
  }

  private send(): void {
    const { socket } = this;
    if (this.sendingTo !== undefined) {
      return socket.violation("send-before-sendok", "SEND before SENDOK of the last text");
    }
    const end = socket.word(Sn.TX_WR);
    const held = (end - socket.txFreed) & 0xffff;
    if (held > this.chip.tx.size(socket.index)) {
      return socket.violation("tx-pointer", `SEND with Sn_TX_WR ${end}: ${held} bytes held`);
    }
    this.sendingTo = end;
    this.used = true;
    this.sndEnd = plus(this.sndUna, held);
    this.output();
  }

  private disconnect(open: boolean): void {
    if (!open) {
      if (this.socket.status <= SOCK_SYNRECV) this.socket.close();
      return;
    }
    this.socket.status = this.socket.status === SOCK_CLOSE_WAIT ? SOCK_LAST_ACK : SOCK_FIN_WAIT;
    this.finWanted = true;
    this.output();
  }

  // Receiving

  /** How well a segment fits the socket: 2 its connection, 1 it listens there, 0 not at all. */
  match(arrival: Arrival, segment: Segment): number {
    const { socket } = this;
    if (socket.status === SOCK_INIT || socket.word(Sn.PORT) !== segment.destinationPort) return 0;
    if (socket.status === SOCK_LISTEN) return (segment.bits & (SYN | ACK | RST)) === SYN ? 1 : 0;
    const peer = socket.long(Sn.DIPR) === arrival.source;
    return peer && socket.word(Sn.DPORT) === segment.sourcePort ? 2 : 0;
  }

  input(arrival: Arrival, segment: Segment): void {
    switch (this.socket.status) {
      case SOCK_LISTEN:
        return this.listenInput(arrival, segment);
      case SOCK_SYNSENT:
        return this.synSentInput(segment);
      default:
        return this.connectionInput(segment);
    }
  }

  private listenInput(arrival: Arrival, segment: Segment): void {
    const { socket } = this;
    this.begin();
    socket.put(Sn.DHAR, ...arrival.mac);
    socket.put(Sn.DIPR, ...arrival.frame.subarray(26, 30));
    socket.put(Sn.DPORT, segment.sourcePort >>> 8, segment.sourcePort & 0xff);
    socket.status = SOCK_SYNRECV;
    this.peerSyn(segment);
    this.open(SYN | ACK);
  }

  private peerSyn(segment: Segment): void {
    this.rcvNxt = plus(segment.seq, 1);
    this.sndWnd = segment.window;
    const own = this.socket.word(Sn.MSSR) || MSS;
    const mss = Math.min(own, segment.mss || DEFAULT_MSS, MSS);
    this.socket.put(Sn.MSSR, mss >>> 8, mss & 0xff);
  }

  private synSentInput(segment: Segment): void {
    // ARP has not answered yet: nothing has been sent.
    if (this.sndUna === this.sndEnd) return;
    const acked = segment.ack === this.sndMax && (segment.bits & ACK) !== 0;
    if (segment.bits & RST) {
      if (acked) this.socket.close();
      return;
    }
    if ((segment.bits & SYN) === 0 || !acked) return;
    this.peerSyn(segment);
    this.established();
    this.transmit(ACK, this.sndNxt, NOTHING);
  }

  private established(): void {
    this.sndUna = this.sndEnd;
    this.tries = 0;
    this.cancelRetry?.();
    this.cancelRetry = undefined;
    this.socket.status = SOCK_ESTABLISHED;
    this.socket.raise(SN_IR_CON);
  }

  /** RFC 9293 3.10.7.4 for what the chip knows. */
  private connectionInput(segment: Segment): void {
    if (!this.acceptable(segment)) {
      if ((segment.bits & RST) === 0) this.transmit(ACK, this.sndNxt, NOTHING);
      return;
    }
    if (segment.bits & RST) {
      this.socket.close();
      this.socket.raise(SN_IR_DISCON);
      return;
    }
    if ((segment.bits & SYN) !== 0 || (segment.bits & ACK) === 0) return;
    if (before(this.sndMax, segment.ack)) return this.transmit(ACK, this.sndNxt, NOTHING);
    if (this.socket.status === SOCK_SYNRECV) {
      if (segment.ack !== this.sndMax) return;
      this.established();
    }
    this.acknowledged(segment);
    if (this.stopped) return;
    this.textInput(segment);
    this.keepAlive();
  }

  private acceptable(segment: Segment): boolean {
    const offset = (segment.seq - this.rcvNxt) | 0;
    const window = (this.rcvAdv - this.rcvNxt) | 0;
    const length = segment.text.length + (segment.bits & FIN ? 1 : 0);
    // At a closed window the acknowledgment of the next segment counts all the same (RFC 9293 3.10.7.4).
    if (length === 0 || window <= 0) return offset >= 0 && offset <= Math.max(window, 0);
    return offset < window && offset + length > 0;
  }

  private acknowledged(segment: Segment): void {
    const bytes = (segment.ack - this.sndUna) | 0;
    if (bytes < 0) return;
    this.sndWnd = segment.window;
    // Any answer shows that the peer lives: of a probe, or of a byte into its closed window.
    if (bytes > 0 || this.sndWnd === 0 || !this.pending) {
      this.tries = 0;
      this.cancelRetry?.();
      this.cancelRetry = undefined;
    }
    if (bytes > 0) {
      const text = Math.min(bytes, (this.sndEnd - this.sndUna) >>> 0);
      this.socket.txFreed = (this.socket.txFreed + text) & 0xffff;
      this.sndUna = segment.ack;
      if (before(this.sndNxt, this.sndUna)) this.sndNxt = this.sndUna;
      if (this.sndUna === this.sndEnd || text < bytes) this.handedOver();
      if (text < bytes) return this.finAcknowledged();
    }
    this.output();
    this.awaitFin();
  }

  /** The peer's FIN is waited for no longer than for an answer. */
  private awaitFin(): void {
    const waiting = this.socket.status === SOCK_FIN_WAIT && !this.pending && !this.finWanted;
    if (waiting && !this.cancelRetry) this.arm(() => this.repeat());
  }

  private finAcknowledged(): void {
    const { socket } = this;
    this.sndEnd = this.sndUna;
    this.finWanted = false;
    if (socket.status === SOCK_LAST_ACK) socket.close();
    else if (socket.status === SOCK_CLOSING) this.linger();
    else this.awaitFin();
  }

  private textInput(segment: Segment): void {
    const offset = (this.rcvNxt - segment.seq) | 0;
    const fin = (segment.bits & FIN) !== 0;
    if (segment.text.length === 0 && !fin) return;
    if (offset < 0 || this.finReceived) return this.transmit(ACK, this.sndNxt, NOTHING);
    const text = segment.text.subarray(offset);
    const taken = text.subarray(0, this.socket.room);
    if (taken.length > 0) {
      this.used = true;
      this.rcvNxt = plus(this.rcvNxt, taken.length);
      this.socket.store(taken);
    }
    if (fin && taken.length === text.length) return this.finInput();
    const wait = taken.length === text.length && (this.socket.mode & SN_MR_ND) === 0;
    if (!wait || this.cancelAck) return this.transmit(ACK, this.sndNxt, NOTHING);
    // Without Sn_MR.ND the acknowledgment waits for RTR, or for text to go with, or for a second segment.
    this.cancelAck = this.chip.clock.schedule(this.chip.network.retryNs, () =>
      this.transmit(ACK, this.sndNxt, NOTHING),
    );
  }

  private finInput(): void {
    const { socket } = this;
    this.finReceived = true;
    this.rcvNxt = plus(this.rcvNxt, 1);
    if (socket.status === SOCK_ESTABLISHED) socket.status = SOCK_CLOSE_WAIT;
    else if (socket.status === SOCK_FIN_WAIT && this.finWanted) socket.status = SOCK_CLOSING;
    this.transmit(ACK, this.sndNxt, NOTHING);
    if (socket.status === SOCK_FIN_WAIT) this.linger();
    socket.raise(SN_IR_DISCON);
  }

  /** TIME-WAIT, which the chip leaves after RTR. */
  private linger(): void {
    this.socket.status = SOCK_TIME_WAIT;
    this.cancelRetry?.();
    this.cancelRetry = this.chip.clock.schedule(this.chip.network.retryNs, () =>
      this.socket.close(),
    );
  }

  /** RECV has freed memory: a window that was too small for a segment, and opens, is told. */
  received(): void {
    if (this.socket.status !== SOCK_ESTABLISHED && this.socket.status !== SOCK_FIN_WAIT) return;
    const told = (this.rcvAdv - this.rcvNxt) | 0;
    const most = Math.min(MSS, this.chip.rx.size(this.socket.index) / 2);
    if (told < most && this.socket.room - told >= most) this.transmit(ACK, this.sndNxt, NOTHING);
  }
}
