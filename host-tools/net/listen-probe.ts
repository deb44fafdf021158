import type { Clock } from "../sim/types.js";
import type { Mac } from "./addresses.js";
import {
  buildIpv4,
  checksum,
  get16,
  get32,
  parseIpv4,
  PROTOCOL_TCP,
  pseudoHeaderSum,
  put16,
  put32,
} from "./packets.js";
import type { FrameSink } from "./switch.js";

const SYN = 0x02;
const RST = 0x04;
const ACK = 0x10;
const HEADER_BYTES = 20;
/** Ports that questions come from, below those of the gateway's stack. */
const FIRST_PORT = 1024;
const PORTS = 1024;
/** An answer is waited for so long. */
const ANSWER_NS = 1e9;

/** A device on the network. */
export interface Station {
  mac: Mac;
  address: number;
}

/**
 * Asks whether a device listens on a TCP port, without a connection: the answer to a SYN says it, and a reset takes the SYN
 * back before the application can see anything (RFC 9293 3.10.7.4: a passive open returns to LISTEN).
 */
export class ListenProbe {
  private readonly asked = new Map<number, (flags: number, ack: number) => void>();
  private questions = 0;

  constructor(
    private readonly options: { clock: Clock; mac: Mac; address: number; send: FrameSink },
  ) {}

  /** True when the device takes connections to the port. */
  ask(device: Station, port: number): Promise<boolean> {
    const from = FIRST_PORT + (this.questions++ % PORTS);
    const sequence = (this.questions * 65_536) >>> 0;
    return new Promise((resolve) => {
      const end = (open: boolean): void => {
        this.asked.delete(from);
        cancel();
        resolve(open);
      };
      const cancel = this.options.clock.schedule(ANSWER_NS, () => end(false));
      this.asked.set(from, (flags, ack) => {
        const open = (flags & (SYN | ACK | RST)) === (SYN | ACK);
        if (open) this.segment(device, from, port, ack, RST);
        end(open);
      });
      this.segment(device, from, port, sequence, SYN);
    });
  }

  /** True when a frame for the gateway was the answer to a question. */
  take(frame: Uint8Array): boolean {
    if (this.asked.size === 0) return false;
    const packet = parseIpv4(frame);
    if (packet?.protocol !== PROTOCOL_TCP || packet.destination !== this.options.address) {
      return false;
    }
    if (packet.bytes < HEADER_BYTES) return false;
    const { at } = packet;
    const answer = this.asked.get(get16(frame, at + 2));
    answer?.(frame[at + 13] as number, get32(frame, at + 8));
    return answer !== undefined;
  }

  private segment(device: Station, from: number, to: number, seq: number, flags: number): void {
    const { mac, address, send } = this.options;
    const frame = buildIpv4(
      { from: mac, to: device.mac },
      {
        source: address,
        destination: device.address,
        protocol: PROTOCOL_TCP,
        bytes: HEADER_BYTES,
      },
    );
    put16(frame, 34, from);
    put16(frame, 36, to);
    put32(frame, 38, seq);
    frame[46] = (HEADER_BYTES / 4) << 4;
    frame[47] = flags;
    put16(frame, 48, flags === SYN ? 1024 : 0);
    const sum = pseudoHeaderSum(frame, HEADER_BYTES, PROTOCOL_TCP);
    put16(frame, 50, checksum(frame, 34, HEADER_BYTES, sum));
    send(frame);
  }
}
