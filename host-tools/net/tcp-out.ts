import { connect, type Socket } from "node:net";
import type { Clock } from "../sim/types.js";
import { checksum, get16, PROTOCOL_TCP, pseudoHeaderSum, type Ipv4View } from "./packets.js";
import {
  buildIcmpError,
  buildRefusal,
  ICMP_UNREACHABLE,
  UNREACHABLE_HOST,
  UNREACHABLE_NET,
  UNREACHABLE_PROHIBITED,
} from "./replies.js";
import type { FrameSink } from "./switch.js";
import { resetHost } from "./tcp-join.js";

const FLAGS = 13;
const FIN_SYN_RST_ACK = 0x17;
const SYN = 0x02;
/** Openings and connections of devices at a time; beyond it SYNs are lost, and come again. */
const OPENINGS_MAX = 256;
/** A device that does not finish its handshake loses the host's connection after this time. */
const HANDSHAKE_NS = 75e9;

/** What it takes to open connections of devices. */
export interface TcpOutOptions {
  clock: Clock;
  /** The gateway's own address, where its errors come from. */
  address: number;
  /** Where on the host's network an address and port of the device's network is, and where else when that one refuses. */
  target: (address: number, port: number) => { host: string; port: number; or?: string };
  /** To the device. */
  send: FrameSink;
  /** To the gateway's stack. */
  toStack: FrameSink;
}

interface Opening {
  host: Socket;
  /** The latest SYN, while the host's connection is not there. */
  syn: Uint8Array | null;
  /** Ends the wait for the device's handshake. */
  cancel: (() => void) | undefined;
}

/**
 * Connections that devices open to hosts behind the gateway. The host's connection comes first: only when it stands, the
 * device's SYN goes to the gateway's stack, which answers for the other host. So a device never takes a connection for open that
 * is not: a refusal comes back as RST, an unreachable host as the ICMP error of a router, and silence as silence.
 */
export class TcpOut {
  private readonly openings = new Map<string, Opening>();

  constructor(private readonly options: TcpOutOptions) {}

  /** True when the frame was the SYN of an opening that is waited with; all others are for the stack. */
  take(frame: Uint8Array, packet: Ipv4View): boolean {
    const { at, bytes } = packet;
    if (bytes < 20 || ((frame[at + FLAGS] as number) & FIN_SYN_RST_ACK) !== SYN) return false;
    const sum = pseudoHeaderSum(frame, bytes, PROTOCOL_TCP);
    const [from, to] = [get16(frame, at), get16(frame, at + 2)];
    if (from === 0 || to === 0 || checksum(frame, at, bytes, sum) !== 0) return true;
    const key = keyOf(packet.source, from, packet.destination, to);
    const known = this.openings.get(key);
    if (known?.syn === null) return false;
    if (known) known.syn = new Uint8Array(frame);
    else if (this.openings.size < OPENINGS_MAX) this.open(key, new Uint8Array(frame), packet, to);
    return true;
  }

  /** The host's connection for one that the stack has accepted. */
  claim(source: number, sourcePort: number, address: number, port: number): Socket | undefined {
    const opening = this.openings.get(keyOf(source, sourcePort, address, port));
    opening?.cancel?.();
    return opening?.host;
  }

  /** A connection has ended: its numbers may be used for another one. */
  forget(host: Socket): void {
    for (const [key, opening] of this.openings) {
      if (opening.host !== host) continue;
      opening.cancel?.();
      this.openings.delete(key);
      return;
    }
  }

  close(): void {
    for (const { host, cancel } of this.openings.values()) {
      cancel?.();
      resetHost(host);
    }
    this.openings.clear();
  }

  private open(key: string, syn: Uint8Array, packet: Ipv4View, port: number): void {
    const { clock, target, toStack } = this.options;
    const { or, ...first } = target(packet.destination, port);
    const opening: Opening = { host: dial(first), syn, cancel: undefined };
    this.openings.set(key, opening);
    const follow = (host: Socket, other: string | undefined): void => {
      host.once("connect", () => {
        const latest = opening.syn;
        if (latest === null || this.openings.get(key) !== opening) return;
        opening.syn = null;
        opening.cancel = clock.schedule(HANDSHAKE_NS, () => {
          this.forget(host);
          resetHost(host);
        });
        toStack(latest);
      });
      host.on("error", (error: NodeJS.ErrnoException) => {
        const latest = opening.syn;
        if (latest === null || this.openings.get(key) !== opening) return;
        if (other !== undefined && error.code === "ECONNREFUSED") {
          opening.host = dial({ host: other, port: first.port });
          follow(opening.host, undefined);
          return;
        }
        this.openings.delete(key);
        // The other address is only a second chance: whatever it says, the first has refused.
        this.refuse(
          latest,
          packet,
          or !== undefined && other === undefined ? "ECONNREFUSED" : error.code,
        );
      });
    };
    follow(opening.host, or);
  }

  private refuse(syn: Uint8Array, packet: Ipv4View, reason: string | undefined): void {
    const { send, address } = this.options;
    if (reason === "ECONNREFUSED" || reason === "ECONNRESET") {
      send(buildRefusal(syn, packet));
      return;
    }
    const code = unreachableCode(reason);
    send(buildIcmpError(syn, packet, { from: address, type: ICMP_UNREACHABLE, code }));
  }
}

/** A connection of the host, which gives nothing before it is asked. */
function dial(to: { host: string; port: number }): Socket {
  const host = connect({ ...to, allowHalfOpen: true });
  host.pause();
  return host;
}

/** The code of ICMP_UNREACHABLE that says what an error of the operating system says. */
export function unreachableCode(reason: string | undefined): number {
  if (reason === "ENETUNREACH" || reason === "EADDRNOTAVAIL") return UNREACHABLE_NET;
  return reason === "EACCES" || reason === "EPERM" ? UNREACHABLE_PROHIBITED : UNREACHABLE_HOST;
}

function keyOf(source: number, sourcePort: number, address: number, port: number): string {
  return `${source}:${sourcePort} ${address}:${port}`;
}
