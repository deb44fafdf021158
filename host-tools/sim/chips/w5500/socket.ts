import type { Clock } from "../../types.js";
import type { Random } from "../../random.js";
import { longestFrame, SHORTEST_FRAME } from "./macraw.js";
import { MEMORY_BYTES, type PacketMemory } from "./memory.js";
import type { Violation, W5500Faults } from "./options.js";
import {
  OPENED,
  SN_CR,
  SN_IR_BITS,
  SN_IR_RECV,
  SN_IR_SENDOK,
  SN_IR_TIMEOUT,
  SN_MR_MACRAW,
  SN_MR_PROTOCOL,
  SOCKET_MAP,
  SOCK_CLOSED,
  SOCK_INIT,
  SOCK_LISTEN,
  SOCK_MACRAW,
  SOCK_SYNSENT,
  SOCK_UDP,
  Sn,
} from "./registers.js";

/** What a socket needs of its chip. */
export interface SocketChip {
  clock: Clock;
  faults: W5500Faults;
  random: Random;
  rx: PacketMemory;
  tx: PacketMemory;
  commandNs: number;
  violation: Violation;
  /** Time until the hardware stack gives up an ARP request: RTR and RCR (datasheet 4.1). */
  arpTimeoutNs(): number;
  /** Puts a frame on the wire; `done` is called when SENDOK is due, or never. */
  transmit(frame: Uint8Array, done: () => void): void;
  /** Sn_IR or Sn_IMR has changed; `set` when a flag was set, `cleared` when the host cleared one. */
  interruptChanged(change: "set" | "cleared" | "mask"): void;
}

/** Sizes that a socket's share of packet memory can have, KB. */
const SIZES_KB = [0, 1, 2, 4, 8, 16];

/**
 * One socket: its registers, its pointers into packet memory, and MACRAW mode (socket 0). All pointers run freely
 * modulo 65536. The host writes TX_WR and RX_RD, which mean nothing until SEND and RECV take them over.
 */
export class Socket {
  status = SOCK_CLOSED;
  private readonly bytes = new Uint8Array(SOCKET_MAP.reset.length);
  private txRead = 0;
  private rxWrite = 0;
  /** RX_RD as of the last RECV: memory before it is free. */
  private rxFreed = 0;
  private lastArrivalBytes = 0;
  /** TX_WR as the running SEND took it; undefined when nothing is being sent. */
  private sendingTo: number | undefined;
  /** TX_WR as further SENDs took it: each is a frame of its own, sent when the one before is. */
  private readonly queued: number[] = [];
  /** The running SEND never ends (a fault), whatever the link does. */
  private hung = false;
  /** Counts CLOSE and reset, so that the end of an older SEND is not taken for one of the new life. */
  private life = 0;
  private cancelCommand: (() => void) | undefined;

  constructor(
    private readonly index: number,
    private readonly chip: SocketChip,
  ) {
    this.reset();
  }

  reset(): void {
    this.bytes.set(SOCKET_MAP.reset);
    this.status = SOCK_CLOSED;
    this.txRead = this.rxWrite = this.rxFreed = 0;
    this.stop();
    this.cancelCommand?.();
    this.cancelCommand = undefined;
  }

  /** Sn_MR, whose filter bits act at once. */
  get mode(): number {
    return this.bytes[Sn.MR] as number;
  }

  /** Unmasked flags: the socket's bit in SIR. */
  get pending(): boolean {
    return ((this.bytes[Sn.IR] as number) & (this.bytes[Sn.IMR] as number)) !== 0;
  }

  /** Bytes received and not freed: Sn_RX_RSR. */
  get received(): number {
    return (this.rxWrite - this.rxFreed) & 0xffff;
  }

  /** Sn_TX_FSR. */
  get free(): number {
    return (this.chip.tx.size(this.index) - this.unsent) & 0xffff;
  }

  upset(address: number, bits: number): void {
    this.bytes[address] = (this.bytes[address] as number) ^ bits;
  }

  private get unsent(): number {
    return (this.word(Sn.TX_WR) - this.txRead) & 0xffff;
  }

  private word(at: number): number {
    return ((this.bytes[at] as number) << 8) | (this.bytes[at + 1] as number);
  }

  read(address: number): number {
    switch (address) {
      case Sn.SR:
        return this.status;
      case Sn.TX_FSR:
        return this.free >> 8;
      case Sn.TX_FSR + 1:
        return this.free & 0xff;
      case Sn.TX_RD:
        return this.txRead >> 8;
      case Sn.TX_RD + 1:
        return this.txRead & 0xff;
      case Sn.RX_RSR:
        return this.readReceivedHigh();
      case Sn.RX_RSR + 1:
        return this.received & 0xff;
      case Sn.RX_WR:
        return this.rxWrite >> 8;
      case Sn.RX_WR + 1:
        return this.rxWrite & 0xff;
      default:
        return this.bytes[address] as number;
    }
  }

  private readReceivedHigh(): number {
    const { faults } = this.chip;
    let value = this.received;
    if (faults.tornRsr > 0 && value >= this.lastArrivalBytes && this.lastArrivalBytes > 0) {
      faults.tornRsr--;
      value -= this.lastArrivalBytes;
    }
    return value >> 8;
  }

  /** A byte for a register that exists and is not read-only. */
  write(address: number, value: number): void {
    switch (address) {
      case Sn.CR:
        return this.command(value);
      case Sn.IR:
        this.bytes[Sn.IR] = (this.bytes[Sn.IR] as number) & ~(value & SN_IR_BITS);
        return this.chip.interruptChanged("cleared");
      case Sn.IMR:
        this.bytes[Sn.IMR] = value;
        return this.chip.interruptChanged("mask");
      case Sn.RXBUF_SIZE:
      case Sn.TXBUF_SIZE:
        return this.setSize(address, value);
      case Sn.TX_WR:
      case Sn.TX_WR + 1:
        if (this.sendingTo !== undefined && value !== this.bytes[address]) {
          this.violation("send-before-sendok", "Sn_TX_WR moved while a frame is being sent");
        }
        break;
      default:
        break;
    }
    this.bytes[address] = value;
  }

  private setSize(address: number, value: number): void {
    if (!SIZES_KB.includes(value)) {
      return this.violation("reserved-value", `a buffer of ${value} KB; 0, 1, 2, 4, 8, 16 exist`);
    }
    if (this.status !== SOCK_CLOSED) {
      this.violation("buffer-size", "a buffer size changed while the socket is open");
    }
    this.bytes[address] = value;
    const memory = address === Sn.RXBUF_SIZE ? this.chip.rx : this.chip.tx;
    memory.setSize(this.index, value * 1024);
  }

  /** A byte that the host writes into transmit memory. */
  writeTx(address: number, value: number): void {
    const size = this.chip.tx.size(this.index);
    if (this.sendingTo !== undefined) {
      const inFlight = (this.sendingTo - this.txRead) & 0xffff;
      if (((address - this.txRead) & (size - 1)) < inFlight) {
        this.violation("overwrite-in-flight", "memory of the frame being sent is overwritten");
      }
    }
    this.chip.tx.write(this.index, address, value);
  }

  /** The same for a burst. */
  writeTxBytes(address: number, from: Uint8Array): void {
    if (this.sendingTo === undefined) return this.chip.tx.writeBytes(this.index, address, from);
    from.forEach((byte, i) => this.writeTx((address + i) & 0xffff, byte));
  }

  /** A frame that passed the filter: stored with its length in front, or dropped whole (false) if it does not fit. */
  deliver(frame: Uint8Array): boolean {
    const { rx, faults, random } = this.chip;
    const length = frame.length + 2;
    if (this.received + length > rx.size(this.index)) return false;
    let header = length;
    if (faults.corruptLength > 0) {
      faults.corruptLength--;
      header = random.u32() & 0xffff;
      // Some random numbers are good lengths; this one must not be.
      if (header >= 62 && header <= 1520) header |= 0x8000;
    }
    rx.write(this.index, this.rxWrite, header >> 8);
    rx.write(this.index, this.rxWrite + 1, header & 0xff);
    for (let i = 0; i < frame.length; i++) {
      rx.write(this.index, this.rxWrite + 2 + i, frame[i] as number);
    }
    this.rxWrite = (this.rxWrite + length) & 0xffff;
    this.lastArrivalBytes = length;
    this.raise(SN_IR_RECV);
    return true;
  }

  private raise(flag: number): void {
    this.bytes[Sn.IR] = (this.bytes[Sn.IR] as number) | flag;
    this.chip.interruptChanged("set");
  }

  private command(code: number): void {
    if (code === 0) return;
    if (this.cancelCommand) {
      const before = (this.bytes[Sn.CR] as number).toString(16);
      this.violation("command-busy", `Sn_CR written while command 0x${before} is being taken`);
      this.cancelCommand();
      this.accept();
    }
    this.bytes[Sn.CR] = code;
    this.cancelCommand = this.chip.clock.schedule(this.chip.commandNs, () => this.accept());
  }

  private accept(): void {
    const code = this.bytes[Sn.CR] as number;
    this.bytes[Sn.CR] = 0;
    this.cancelCommand = undefined;
    switch (code) {
      case SN_CR.OPEN:
        return this.open();
      case SN_CR.CLOSE:
        this.status = SOCK_CLOSED;
        return this.stop();
      case SN_CR.SEND:
        return this.send();
      case SN_CR.RECV:
        return this.recv();
      case SN_CR.LISTEN:
      case SN_CR.CONNECT:
      case SN_CR.DISCON:
      case SN_CR.SEND_MAC:
      case SN_CR.SEND_KEEP:
        return this.lonely(code);
      default:
        return this.violation("command", `there is no command 0x${code.toString(16)}`);
    }
  }

  private stop(): void {
    this.life++;
    this.sendingTo = undefined;
    this.queued.length = 0;
    this.hung = false;
  }

  private open(): void {
    const protocol = this.mode & SN_MR_PROTOCOL;
    if (protocol === SN_MR_MACRAW && this.index !== 0) {
      return this.violation("mode", "MACRAW mode is for socket 0 only");
    }
    const opened = OPENED[protocol] ?? SOCK_CLOSED;
    if (opened === SOCK_CLOSED) {
      return this.violation("mode", `OPEN with protocol ${protocol} in Sn_MR`);
    }
    if (opened !== SOCK_MACRAW) {
      this.violation("not-modelled", "OPEN of a hardware TCP, UDP or IP socket");
    }
    if (this.chip.rx.total > MEMORY_BYTES || this.chip.tx.total > MEMORY_BYTES) {
      this.violation("buffer-size", "the buffers of all sockets are more than 16 KB");
    }
    this.stop();
    this.txRead = this.rxWrite = this.rxFreed = 0;
    this.bytes.fill(0, Sn.TX_WR, Sn.TX_WR + 2);
    this.bytes.fill(0, Sn.RX_RD, Sn.RX_RD + 2);
    this.lastArrivalBytes = 0;
    this.status = opened;
  }

  /**
   * A command of the hardware sockets. Their protocols are left out: the socket goes through its states as on a network where
   * nobody answers, so that a host that opens one does not hang.
   */
  private lonely(code: number): void {
    this.violation("not-modelled", `command 0x${code.toString(16)}: hardware sockets`);
    if (code === SN_CR.LISTEN && this.status === SOCK_INIT) this.status = SOCK_LISTEN;
    else if (code === SN_CR.CONNECT && this.status === SOCK_INIT) {
      this.status = SOCK_SYNSENT;
      this.timeOut(() => (this.status = SOCK_CLOSED));
    } else if (code === SN_CR.DISCON) {
      this.status = SOCK_CLOSED;
      this.stop();
    } else if (this.status === SOCK_UDP) {
      this.sendingTo = this.word(Sn.TX_WR);
      this.timeOut(() => undefined);
    }
  }

  /** Nobody answers the hardware's ARP: RCR + 1 requests, RTR apart. What was to be sent is gone. */
  private timeOut(done: () => void): void {
    const life = this.life;
    this.chip.clock.schedule(this.chip.arpTimeoutNs(), () => {
      if (life !== this.life) return;
      this.txRead = this.word(Sn.TX_WR);
      this.sendingTo = undefined;
      done();
      this.raise(SN_IR_TIMEOUT);
    });
  }

  private recv(): void {
    if (this.status === SOCK_CLOSED) return this.violation("command", "RECV on a closed socket");
    const pointer = this.word(Sn.RX_RD);
    if (((pointer - this.rxFreed) & 0xffff) > this.received) {
      this.violation("rx-pointer", `RECV with Sn_RX_RD ${pointer} beyond Sn_RX_WR ${this.rxWrite}`);
    }
    this.rxFreed = pointer;
    // "Also set if received data remains after RECV": hosts that take one frame per interrupt live on it.
    if (this.received > 0) this.raise(SN_IR_RECV);
  }

  private send(): void {
    if (this.status === SOCK_UDP) return this.lonely(SN_CR.SEND);
    if (this.status !== SOCK_MACRAW) return this.violation("command", "SEND on a closed socket");
    const end = this.word(Sn.TX_WR);
    if (this.sendingTo === undefined) return this.transmit(end);
    this.violation("send-before-sendok", "SEND before SENDOK of the last frame");
    this.queued.push(end);
  }

  /** Sends memory from TX_RD to `end` as one frame. */
  private transmit(end: number): void {
    const size = this.chip.tx.size(this.index);
    const bytes = (end - this.txRead) & 0xffff;
    if (bytes > size) {
      return this.violation(
        "tx-pointer",
        `SEND with Sn_TX_WR ${end}, which is ${bytes} beyond Sn_TX_RD ${this.txRead} in a buffer of ${size}`,
      );
    }
    const frame = new Uint8Array(Math.max(bytes, SHORTEST_FRAME));
    for (let i = 0; i < bytes; i++) {
      frame[i] = this.chip.tx.read(this.index, this.txRead + i);
    }
    if (bytes < 14 || bytes > longestFrame(frame)) {
      return this.violation("tx-length", `SEND of a frame of ${bytes} bytes`);
    }
    const life = this.life;
    this.sendingTo = end;
    this.chip.transmit(frame, () => {
      if (life === this.life) this.sent(end);
    });
  }

  /** The link is back: a frame that could not go out, or was cut off, begins anew. */
  resume(): void {
    if (this.sendingTo !== undefined && !this.hung) this.transmit(this.sendingTo);
  }

  private sent(end: number): void {
    const { faults } = this.chip;
    if (faults.hangSend > 0) {
      faults.hangSend--;
      this.hung = true;
      return;
    }
    this.txRead = end;
    this.sendingTo = undefined;
    if (faults.loseSendOk > 0) faults.loseSendOk--;
    else this.raise(SN_IR_SENDOK);
    const next = this.queued.shift();
    if (next !== undefined) this.transmit(next);
  }

  private violation(rule: Parameters<Violation>[0], message: string): void {
    this.chip.violation(rule, `socket ${this.index}: ${message}`);
  }
}
