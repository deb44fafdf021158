import type { Clock } from "../../types.js";
import type { Random } from "../../random.js";
import type { HardwareNetwork } from "./hardware/network.js";
import type { PacketMemory } from "./memory.js";
import type { Violation, W5500Faults } from "./options.js";

/** What a socket needs of its chip. */
export interface SocketChip {
  clock: Clock;
  faults: W5500Faults;
  random: Random;
  rx: PacketMemory;
  tx: PacketMemory;
  /** ARP and IP of the hardware sockets. */
  network: HardwareNetwork;
  commandNs: number;
  /** RECV is set again while something is left (options.ts). */
  recvRemains: boolean;
  violation: Violation;
  /** Puts a frame on the wire; `done` is called when SENDOK is due, or never. */
  transmit(frame: Uint8Array, done: () => void): void;
  /** Sn_IR or Sn_IMR has changed; `set` when a flag was set, `cleared` when the host cleared one. */
  interruptChanged(change: "set" | "cleared" | "mask"): void;
}

/** What a protocol sees of its socket: registers, pointers, and its shares of packet memory. Numbers as on the wire, big-endian. */
export interface SocketFace {
  readonly index: number;
  /** Sn_SR. */
  status: number;
  /** Sn_MR. */
  readonly mode: number;
  /** Sn_TX_RD, modulo 65536. */
  txRead: number;
  /** Transmit memory before this pointer is free: TX_RD, but for TCP, which keeps what is not acknowledged. */
  txFreed: number;
  /** Bytes of receive memory that are free. */
  readonly room: number;
  byte(at: number): number;
  word(at: number): number;
  /** Four bytes as a number. */
  long(at: number): number;
  /** A copy of bytes of registers. */
  copy(at: number, bytes: number): Uint8Array;
  /** What the chip itself writes into registers. */
  put(at: number, ...bytes: number[]): void;
  /** Sets a flag of Sn_IR. */
  raise(flag: number): void;
  /** Pointers to 0, as OPEN sets them. */
  restart(): void;
  /** Appends to receive memory, which has room for it. */
  store(...parts: ArrayLike<number>[]): void;
  /** Bytes of transmit memory from a pointer on. */
  sendable(pointer: number, bytes: number): Uint8Array;
  /** Ends the protocol: Sn_SR is SOCK_CLOSED. */
  close(): void;
  violation: Violation;
}

/** What an open socket does: MACRAW, UDP, IP or TCP. One object lives from OPEN to the end of the socket. */
export interface Protocol {
  /** TX_WR as the running SEND took it; undefined when none runs. */
  readonly sendingTo: number | undefined;
  /** Transmit memory before this pointer is still needed; undefined when none is. */
  readonly heldTo: number | undefined;
  /** A command but OPEN, CLOSE and RECV. */
  command(code: number): void;
  /** RECV has freed memory. */
  received(): void;
  /** The link is back. */
  resume(): void;
  /** The socket is closed or opened anew: nothing more comes of what runs. */
  stop(): void;
}
