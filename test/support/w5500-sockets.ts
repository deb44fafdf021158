import { HostedStack, hostedFirmware } from "../../host-tools/net/hosted-stack.js";
import { Random } from "../../host-tools/sim/random.js";
import { VirtualClock } from "../../host-tools/sim/virtual-clock.js";
import type { W5500 } from "../../host-tools/sim/chips/w5500/index.js";
import { parseFrame, type Parsed } from "../../host-tools/testing/wire-parse.js";
import { be16, be32, ip, macBytes } from "../../host-tools/testing/wire.js";
import { COMMON, makeW5500, socketBlock, SpiMaster } from "./w5500.js";

/** Codes of Sn_CR and Sn_SR, and flags of Sn_IR, as data sheet 4.2 has them. */
export const CR = {
  OPEN: 0x01,
  LISTEN: 0x02,
  CONNECT: 0x04,
  DISCON: 0x08,
  CLOSE: 0x10,
  SEND: 0x20,
  SEND_MAC: 0x21,
  SEND_KEEP: 0x22,
  RECV: 0x40,
} as const;
export const SR = {
  CLOSED: 0x00,
  INIT: 0x13,
  LISTEN: 0x14,
  SYNSENT: 0x15,
  SYNRECV: 0x16,
  ESTABLISHED: 0x17,
  FIN_WAIT: 0x18,
  TIME_WAIT: 0x1b,
  CLOSE_WAIT: 0x1c,
  LAST_ACK: 0x1d,
  UDP: 0x22,
  IPRAW: 0x32,
} as const;
export const IR = { SENDOK: 0x10, TIMEOUT: 0x08, RECV: 0x04, DISCON: 0x02, CON: 0x01 } as const;

/** Who the chip is, who lives beside it, and where all else is. */
export const CHIP = { mac: "02:00:00:00:00:aa", address: ip("192.0.2.10") };
export const PEER = { mac: "02:00:00:00:00:bb", address: ip("192.0.2.1") };
export const ROUTER = { mac: "02:00:00:00:00:cc", address: ip("192.0.2.254") };

/** A host that lets the chip do TCP/IP, in the manner of the vendor's library: one register, one wait at a time. */
export class SocketHost {
  readonly clock = new VirtualClock();
  readonly chip: W5500;
  readonly spi: SpiMaster;
  /** What the chip has put on the wire. */
  readonly sent: Parsed[] = [];
  /** Called with each frame. */
  onFrame: (frame: Uint8Array) => void = () => undefined;

  constructor(sizeKb = 2) {
    this.chip = makeW5500(this.clock, { autoNegotiationMs: 1 });
    this.chip.onTransmit = (frame) => {
      this.sent.push(parseFrame(Uint8Array.from(frame)));
      this.onFrame(frame);
    };
    this.spi = new SpiMaster(this.clock, this.chip);
    this.spi.write(COMMON, 0x01, ...be32(ROUTER.address), ...be32(ip("255.255.255.0")));
    this.spi.write(COMMON, 0x09, ...macBytes(CHIP.mac), ...be32(CHIP.address));
    for (let n = 0; n < 8; n++) this.spi.write(socketBlock(n), 0x1e, sizeKb, sizeKb);
    this.spi.waitForLink();
  }

  /** Time passes. */
  wait(ms: number): void {
    this.clock.advance(ms * 1e6);
  }

  command(n: number, code: number): void {
    this.spi.write(socketBlock(n), 0x01, code);
    while (this.spi.read8(socketBlock(n), 0x01) !== 0);
  }

  status(n: number): number {
    return this.spi.read8(socketBlock(n), 0x03);
  }

  flags(n: number): number {
    return this.spi.read8(socketBlock(n), 0x02);
  }

  /** Waits, no longer than `ms`, until the flags are there, and clears them. */
  take(n: number, flag: number, ms = 1000): boolean {
    for (let i = 0; i < ms * 10 && (this.flags(n) & flag) === 0; i++) this.clock.advance(1e5);
    const there = (this.flags(n) & flag) !== 0;
    this.spi.write(socketBlock(n), 0x02, flag);
    return there;
  }

  open(n: number, mode: number, port: number): void {
    this.spi.write(socketBlock(n), 0x00, mode);
    this.spi.write16(socketBlock(n), 0x04, port);
    this.command(n, CR.OPEN);
  }

  to(n: number, address: number, port: number): void {
    this.spi.write(socketBlock(n), 0x0c, ...be32(address), ...be16(port));
  }

  get16(n: number, at: number): number {
    return this.spi.read16(socketBlock(n), at);
  }

  /** Writes at TX_WR and sends; no more than fits. Returns the number of bytes. */
  send(n: number, data: Uint8Array, code: number = CR.SEND): number {
    const bytes = Math.min(data.length, this.get16(n, 0x20));
    if (bytes === 0) return 0;
    const pointer = this.get16(n, 0x24);
    this.spi.write(socketBlock(n) + 8, pointer, ...data.subarray(0, bytes));
    this.spi.write16(socketBlock(n), 0x24, (pointer + bytes) & 0xffff);
    this.command(n, code);
    return bytes;
  }

  /** Takes `bytes` bytes, or all that has come. */
  recv(n: number, bytes = this.get16(n, 0x26)): Uint8Array {
    if (bytes === 0) return new Uint8Array(0);
    const pointer = this.get16(n, 0x28);
    const data = this.spi.read(socketBlock(n) + 16, pointer, bytes);
    this.spi.write16(socketBlock(n), 0x28, (pointer + bytes) & 0xffff);
    this.command(n, CR.RECV);
    return Uint8Array.from(data);
  }

  /** A stack of ours at the other end of the cable, which loses a share of all frames. */
  async peer(loss = 0): Promise<HostedStack> {
    const random = new Random(7);
    const stack = new HostedStack(await hostedFirmware(), {
      clock: this.clock,
      mac: 0x0200000000bb,
      address: PEER.address,
      seed: 3,
      send: (frame) => {
        const copy = Uint8Array.from(frame);
        if (!random.chance(loss)) this.clock.schedule(1e5, () => this.chip.receive(copy));
      },
    });
    this.onFrame = (frame) => {
      const copy = Uint8Array.from(frame);
      if (!random.chance(loss)) this.clock.schedule(1e5, () => stack.receive(copy));
    };
    // Until it knows that nobody else has its address (RFC 5227).
    this.wait(10_000);
    this.sent.length = 0;
    return stack;
  }
}
