import { checksum, get16, PROTOCOL_UDP, put16 } from "../../../../net/packets.js";
import type { Protocol, SocketChip, SocketFace } from "../protocol.js";
import {
  SN_CR,
  SN_IR_SENDOK,
  SN_IR_TIMEOUT,
  SN_MR_BCASTB,
  SN_MR_MC,
  SN_MR_MULTI,
  SN_MR_UCASTB,
  SOCK_UDP,
  Sn,
} from "../registers.js";
import { pseudoSum, type Arrival, type Departure } from "./network.js";

/** Longest text of a datagram, and of an IP packet (Sn_MSSR). */
const UDP_BYTES = 1472;
const IP_BYTES = 1480;
const IGMP = 2;
/** IGMP: reports of version 1 and 2, and the end of a membership (RFC 1112, RFC 2236). */
const REPORT_V1 = 0x12;
const REPORT_V2 = 0x16;
const LEAVE = 0x17;
const ALL_ROUTERS = 0xe0000002;

/**
 * A socket open in UDP or IP mode (datasheet 4.2, Sn_MR, Sn_CR, Sn_SR). In receive memory each datagram stands behind the address of its
 * sender, its port (UDP alone) and its length.
 */
export class Datagrams implements Protocol {
  sendingTo: number | undefined;
  private readonly udp: boolean;
  private readonly group: boolean;
  /** Whom Sn_DHAR belongs to: ARP asks for another peer only, or always with MR.FARP. */
  private resolvedFor: number | undefined;
  private asking = false;
  private cancelArp: (() => void) | undefined;
  private stopped = false;

  constructor(
    private readonly socket: SocketFace,
    private readonly chip: SocketChip,
  ) {
    this.udp = socket.status === SOCK_UDP;
    this.group = this.udp && (socket.mode & SN_MR_MULTI) !== 0;
    if (this.group) this.membership(socket.mode & SN_MR_MC ? REPORT_V1 : REPORT_V2);
  }

  get heldTo(): number | undefined {
    return this.sendingTo;
  }

  received(): void {}

  resume(): void {
    const end = this.sendingTo;
    if (end !== undefined && !this.asking) this.transmit(this.socket.copy(Sn.DHAR, 6), end);
  }

  stop(): void {
    if (this.group && (this.socket.mode & SN_MR_MC) === 0) this.membership(LEAVE);
    this.stopped = true;
    this.sendingTo = undefined;
    this.cancelArp?.();
  }

  command(code: number): void {
    const { socket } = this;
    if (code !== SN_CR.SEND && code !== SN_CR.SEND_MAC) {
      const mode = this.udp ? "UDP" : "IP";
      return socket.violation("command", `command 0x${code.toString(16)} in ${mode} mode`);
    }
    if (this.sendingTo !== undefined) {
      return socket.violation("send-before-sendok", "SEND before SENDOK of the last datagram");
    }
    const end = socket.word(Sn.TX_WR);
    const bytes = (end - socket.txRead) & 0xffff;
    if (bytes > this.chip.tx.size(socket.index)) {
      return socket.violation(
        "tx-pointer",
        `SEND with Sn_TX_WR ${end}, which is ${bytes} beyond Sn_TX_RD ${socket.txRead}`,
      );
    }
    this.sendingTo = end;
    const destination = socket.long(Sn.DIPR);
    const known = this.group || this.resolvedFor === destination;
    if (code === SN_CR.SEND_MAC || (known && !this.chip.network.forcesArp)) {
      return this.transmit(socket.copy(Sn.DHAR, 6), end);
    }
    this.asking = true;
    this.cancelArp = this.chip.network.resolve(
      destination,
      (mac) => {
        this.asking = false;
        socket.put(Sn.DHAR, ...mac);
        this.resolvedFor = destination;
        this.transmit(mac, end);
      },
      () => {
        this.asking = false;
        this.finish(end, SN_IR_TIMEOUT);
      },
    );
  }

  /** Memory from TX_RD to `end`, in datagrams of Sn_MSSR bytes. */
  private transmit(mac: Uint8Array, end: number): void {
    const { socket } = this;
    const most = this.udp ? UDP_BYTES : IP_BYTES;
    const mss = Math.min(socket.word(Sn.MSSR) || most, most);
    let at = socket.txRead;
    do {
      const bytes = Math.min((end - at) & 0xffff, mss);
      const text = socket.sendable(at, bytes);
      at = (at + bytes) & 0xffff;
      const last = at === end;
      this.chip.network.send(this.departure(), mac, this.udp ? this.datagram(text) : text, () => {
        if (last) this.finish(end, SN_IR_SENDOK);
      });
    } while (at !== end);
  }

  private finish(end: number, flag: number): void {
    if (this.stopped) return;
    this.socket.txRead = this.socket.txFreed = end;
    this.sendingTo = undefined;
    this.socket.raise(flag);
  }

  private departure(): Departure {
    const { socket } = this;
    return {
      destination: socket.long(Sn.DIPR),
      protocol: this.udp ? PROTOCOL_UDP : socket.byte(Sn.PROTO),
      tos: socket.byte(Sn.TOS),
      ttl: socket.byte(Sn.TTL),
      flags: socket.word(Sn.FRAG),
    };
  }

  private datagram(text: Uint8Array): Uint8Array {
    const { socket, chip } = this;
    const bytes = new Uint8Array(8 + text.length);
    put16(bytes, 0, socket.word(Sn.PORT));
    put16(bytes, 2, socket.word(Sn.DPORT));
    put16(bytes, 4, bytes.length);
    bytes.set(text, 8);
    const pseudo = pseudoSum(
      chip.network.address,
      socket.long(Sn.DIPR),
      PROTOCOL_UDP,
      bytes.length,
    );
    put16(bytes, 6, checksum(bytes, 0, bytes.length, pseudo) || 0xffff);
    return bytes;
  }

  /** Takes a packet that is the socket's, and drops it whole where there is no room (datasheet 4.2). False = not the socket's. */
  input(arrival: Arrival): boolean {
    return this.udp ? this.datagramInput(arrival) : this.packetInput(arrival);
  }

  private datagramInput(arrival: Arrival): boolean {
    const { socket } = this;
    const { frame, at } = arrival;
    if (arrival.protocol !== PROTOCOL_UDP || arrival.bytes < 8) return false;
    if (get16(frame, at + 2) !== socket.word(Sn.PORT)) return false;
    if (arrival.broadcast && (socket.mode & SN_MR_BCASTB) !== 0) return false;
    if (arrival.multicast && !(this.group && arrival.destination === socket.long(Sn.DIPR)))
      return false;
    const single = !arrival.broadcast && !arrival.multicast;
    if (single && this.group && (socket.mode & SN_MR_UCASTB) !== 0) return false;
    const length = get16(frame, at + 4);
    if (length < 8 || length > arrival.bytes) return true;
    const pseudo = pseudoSum(arrival.source, arrival.destination, PROTOCOL_UDP, length);
    if (get16(frame, at + 6) !== 0 && checksum(frame, at, length, pseudo) !== 0) return true;
    const text = frame.subarray(at + 8, at + length);
    if (8 + text.length > socket.room) return true;
    socket.store(frame.subarray(26, 30), frame.subarray(at, at + 2), word(text.length), text);
    return true;
  }

  private packetInput(arrival: Arrival): boolean {
    const { socket } = this;
    if (arrival.protocol !== socket.byte(Sn.PROTO)) return false;
    const data = arrival.frame.subarray(arrival.at, arrival.at + arrival.bytes);
    if (6 + data.length <= socket.room) {
      socket.store(arrival.frame.subarray(26, 30), word(data.length), data);
    }
    return true;
  }

  /** IGMP for the group in Sn_DIPR, whose MAC the host has written to Sn_DHAR. */
  private membership(type: number): void {
    const { socket, chip } = this;
    const message = new Uint8Array(8);
    message[0] = type;
    message.set(socket.copy(Sn.DIPR, 4), 4);
    put16(message, 2, checksum(message, 0, 8));
    const leaving = type === LEAVE;
    const to = { ...this.departure(), protocol: IGMP, ttl: 1 };
    if (leaving) to.destination = ALL_ROUTERS;
    const mac = leaving ? Uint8Array.of(1, 0, 0x5e, 0, 0, 2) : socket.copy(Sn.DHAR, 6);
    chip.network.send(to, mac, message, () => undefined);
  }
}

function word(value: number): number[] {
  return [value >>> 8, value & 0xff];
}
