/**
 * Seeded bad input: frames of random bytes, and good frames of every protocol with bytes turned, cut off and lengths forged,
 * mostly with their checksums made right again, so that more than the checksum test is exercised.
 */
import { Random } from "../../host-tools/sim/random.js";
import { Peer } from "./wire-peer.js";
import { TCP, internetChecksum, pattern, pseudoHeader } from "./wire.js";

export class RandomFrames {
  private readonly random: Random;
  private readonly peer: Peer;

  /** `ports`: TCP and UDP ports of the stack that are worth aiming at. */
  constructor(
    seed: number,
    peer: Peer,
    private readonly ports: number[],
  ) {
    this.random = new Random(seed);
    this.peer = peer;
  }

  /** The next frame, 0 to 1600 bytes. */
  next(): Uint8Array {
    if (this.random.below(100) < 40) return this.noise();
    const frame = this.good().slice();
    const turns = this.random.below(8);
    for (let i = 0; i < turns; i++) {
      // The headers are where it hurts.
      const at = this.random.below(Math.min(frame.length, this.random.chance(0.8) ? 74 : 1600));
      frame[at] = this.random.u32();
    }
    const cut = this.random.chance(0.2) ? this.random.below(frame.length + 1) : frame.length;
    const short = frame.subarray(0, cut);
    if (this.random.chance(0.85)) mendChecksums(short);
    return short;
  }

  private noise(): Uint8Array {
    const bytes = new Uint8Array(this.random.below(1601));
    this.random.fill(bytes);
    // Without the right address hardly any would get past the first test.
    if (bytes.length >= 14 && this.random.chance(0.8)) {
      bytes.set(this.peer.arpReply().subarray(0, 12));
      bytes[12] = 8;
      bytes[13] = this.random.chance(0.8) ? 0 : 6;
      if (bytes.length > 14 && this.random.chance(0.7)) bytes[14] = 0x45;
    }
    return bytes;
  }

  private port(): number {
    if (this.random.chance(0.2)) return this.random.below(65536);
    return this.ports[this.random.below(this.ports.length)] as number;
  }

  private good(): Uint8Array {
    const data = pattern(this.random.below(this.random.chance(0.8) ? 64 : 1400));
    switch (this.random.below(6)) {
      case 0:
        return this.random.chance(0.5) ? this.peer.arpRequest() : this.peer.arpReply();
      case 1:
        return this.peer.icmp(
          { type: this.random.below(20), code: this.random.below(16), rest: this.random.u32() },
          data,
        );
      case 2:
        return this.peer.udp(
          { sourcePort: this.random.below(65536), destinationPort: this.port() },
          data,
        );
      default:
        return this.segment(data);
    }
  }

  private segment(data: Uint8Array): Uint8Array {
    const flags = this.random.chance(0.4) ? TCP.SYN : this.random.below(64);
    return this.peer.tcp(
      {
        sourcePort: 40000 + this.random.below(8),
        destinationPort: this.port(),
        seq: this.random.chance(0.5) ? this.random.below(4) : this.random.u32(),
        ack: this.random.chance(0.5) ? this.random.below(4) : this.random.u32(),
        flags,
        window: this.random.below(65536),
      },
      flags & TCP.SYN ? new Uint8Array(0) : data,
    );
  }
}

function put16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value & 0xff;
}

/** Makes the checksums of IP and what it carries right, as far as the lengths allow. */
function mendChecksums(frame: Uint8Array): void {
  if (frame.length < 34 || frame[12] !== 8 || frame[13] !== 0) return;
  const headerBytes = ((frame[14] as number) & 15) * 4;
  if (headerBytes < 20 || frame.length < 14 + headerBytes) return;
  put16(frame, 24, 0);
  put16(frame, 24, internetChecksum(frame.subarray(14, 14 + headerBytes)));
  const total = ((frame[16] as number) << 8) | (frame[17] as number);
  const payload = frame.subarray(14 + headerBytes, Math.min(frame.length, 14 + total));
  const at = ({ 1: 2, 6: 16, 17: 6 } as Record<number, number>)[frame[23] as number];
  if (at === undefined || payload.length < at + 2) return;
  put16(payload, at, 0);
  const view = new DataView(frame.buffer, frame.byteOffset);
  const pseudo = pseudoHeader(
    view.getUint32(26),
    view.getUint32(30),
    frame[23] as number,
    payload.length,
  );
  const sum = frame[23] === 1 ? internetChecksum(payload) : internetChecksum(pseudo, payload);
  put16(payload, at, sum);
}
