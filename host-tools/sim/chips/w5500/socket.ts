import { Datagrams } from "./hardware/datagrams.js";
import { TcpSocket } from "./hardware/tcp.js";
import { MacRaw } from "./macraw-socket.js";
import { MEMORY_BYTES } from "./memory.js";
import type { Violation } from "./options.js";
import type { Protocol, SocketChip, SocketFace } from "./protocol.js";
import {
  OPENED,
  SN_CR,
  SN_IR_BITS,
  SN_IR_RECV,
  SN_MR_MACRAW,
  SN_MR_PROTOCOL,
  SOCKET_MAP,
  SOCK_CLOSED,
  SOCK_INIT,
  SOCK_MACRAW,
  Sn,
} from "./registers.js";

/** Sizes that a socket's share of packet memory can have, KB. */
const SIZES_KB = [0, 1, 2, 4, 8, 16];

/**
 * One socket: its registers, its pointers into packet memory, its commands; what it does with them is its protocol's (Sn_MR at OPEN).
 * All pointers run freely modulo 65536. The host writes TX_WR and RX_RD, which mean nothing until SEND and RECV take them over.
 */
export class Socket implements SocketFace {
  status = SOCK_CLOSED;
  txRead = 0;
  txFreed = 0;
  /** What the socket is open as. */
  protocol: Protocol | undefined;
  private readonly bytes = new Uint8Array(SOCKET_MAP.reset.length);
  private rxWrite = 0;
  /** RX_RD as of the last RECV: memory before it is free. */
  private rxFreed = 0;
  private lastArrivalBytes = 0;
  private cancelCommand: (() => void) | undefined;

  constructor(
    readonly index: number,
    private readonly chip: SocketChip,
  ) {
    this.reset();
  }

  reset(): void {
    this.bytes.set(SOCKET_MAP.reset);
    this.close();
    this.restart();
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

  get room(): number {
    return Math.max(0, this.chip.rx.size(this.index) - this.received);
  }

  /** Sn_TX_FSR. */
  get free(): number {
    const held = (this.word(Sn.TX_WR) - this.txFreed) & 0xffff;
    return (this.chip.tx.size(this.index) - held) & 0xffff;
  }

  upset(address: number, bits: number): void {
    this.bytes[address] = (this.bytes[address] as number) ^ bits;
  }

  byte(at: number): number {
    return this.bytes[at] as number;
  }

  word(at: number): number {
    return (this.byte(at) << 8) | this.byte(at + 1);
  }

  long(at: number): number {
    return this.word(at) * 0x10000 + this.word(at + 2);
  }

  copy(at: number, bytes: number): Uint8Array {
    return this.bytes.slice(at, at + bytes);
  }

  put(at: number, ...bytes: number[]): void {
    this.bytes.set(bytes, at);
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
        if (this.protocol?.sendingTo !== undefined && value !== this.bytes[address]) {
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
    const end = this.protocol?.heldTo;
    if (end !== undefined) {
      const held = (end - this.txFreed) & 0xffff;
      if (((address - this.txFreed) & (size - 1)) < held) {
        this.violation("overwrite-in-flight", "memory of the frame being sent is overwritten");
      }
    }
    this.chip.tx.write(this.index, address, value);
  }

  /** The same for a burst. */
  writeTxBytes(address: number, from: Uint8Array): void {
    if (this.protocol?.heldTo === undefined) {
      return this.chip.tx.writeBytes(this.index, address, from);
    }
    from.forEach((byte, i) => this.writeTx((address + i) & 0xffff, byte));
  }

  sendable(pointer: number, bytes: number): Uint8Array {
    const data = new Uint8Array(bytes);
    this.chip.tx.readBytes(this.index, pointer & 0xffff, data);
    return data;
  }

  /** A frame for socket 0 in MACRAW mode; false when it does not fit. */
  deliver(frame: Uint8Array): boolean {
    return this.protocol instanceof MacRaw && this.protocol.deliver(frame);
  }

  store(...parts: ArrayLike<number>[]): void {
    const before = this.rxWrite;
    for (const part of parts) {
      this.chip.rx.writeBytes(this.index, this.rxWrite, Uint8Array.from(part));
      this.rxWrite = (this.rxWrite + part.length) & 0xffff;
    }
    this.lastArrivalBytes = (this.rxWrite - before) & 0xffff;
    this.raise(SN_IR_RECV);
  }

  raise(flag: number): void {
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
        return this.close();
      case SN_CR.RECV:
        return this.recv();
      case SN_CR.SEND:
      case SN_CR.LISTEN:
      case SN_CR.CONNECT:
      case SN_CR.DISCON:
      case SN_CR.SEND_MAC:
      case SN_CR.SEND_KEEP:
        if (this.protocol) return this.protocol.command(code);
        return this.violation("command", `command 0x${code.toString(16)} on a closed socket`);
      default:
        return this.violation("command", `there is no command 0x${code.toString(16)}`);
    }
  }

  close(): void {
    const ended = this.protocol;
    this.protocol = undefined;
    this.status = SOCK_CLOSED;
    ended?.stop();
  }

  restart(): void {
    this.txRead = this.txFreed = this.rxWrite = this.rxFreed = 0;
    this.bytes.fill(0, Sn.TX_WR, Sn.TX_WR + 2);
    this.bytes.fill(0, Sn.RX_RD, Sn.RX_RD + 2);
    this.lastArrivalBytes = 0;
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
    if (this.chip.rx.total > MEMORY_BYTES || this.chip.tx.total > MEMORY_BYTES) {
      this.violation("buffer-size", "the buffers of all sockets are more than 16 KB");
    }
    this.close();
    this.restart();
    this.status = opened;
    if (opened === SOCK_MACRAW) this.protocol = new MacRaw(this, this.chip);
    else if (opened === SOCK_INIT) this.protocol = new TcpSocket(this, this.chip);
    else this.protocol = new Datagrams(this, this.chip);
  }

  private recv(): void {
    // What came before the connection ended can still be taken: the memory stays until OPEN.
    if (this.status === SOCK_CLOSED && this.received === 0) {
      return this.violation("command", "RECV on a closed socket");
    }
    const pointer = this.word(Sn.RX_RD);
    if (((pointer - this.rxFreed) & 0xffff) > this.received) {
      this.violation("rx-pointer", `RECV with Sn_RX_RD ${pointer} beyond Sn_RX_WR ${this.rxWrite}`);
    }
    this.rxFreed = pointer;
    this.protocol?.received();
    if (this.chip.recvRemains && this.received > 0) this.raise(SN_IR_RECV);
  }

  /** The link is back. */
  resume(): void {
    this.protocol?.resume();
  }

  violation(rule: Parameters<Violation>[0], message: string): void {
    this.chip.violation(rule, `socket ${this.index}: ${message}`);
  }
}
