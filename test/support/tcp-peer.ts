/**
 * A forged TCP host: keeps the sequence numbers of one connection with the stack under test and sends whatever a test wants,
 * right or wrong. Nothing is acknowledged unless the test says so. What the stack sends is written as short text with
 * numbers relative to the two initial sequence numbers: `SA 0:1`, `A 1:101`, `PA 1:1+100`, `R 1`.
 */
import type { Options } from "../../stack/options.js";
import { SHUT_WR } from "../../stack/posix.js";
import { PACKAGE } from "./option-sets.js";
import { SOCK_STREAM, StackHarness, type HarnessConfig } from "./stack-harness.js";
import type { Parsed, ParsedTcp } from "./wire-parse.js";
import { Peer, type Below } from "./wire-peer.js";
import { TCP, type TcpFields, type TcpOptions } from "./wire.js";

/** Flags by their letters, as `describe` writes them: "SA", "FPA"; "" = none. */
export function flagBits(letters: string): number {
  return [...letters].reduce((bits, letter) => bits | (1 << "FSRPAUEC".indexOf(letter)), 0);
}

function flagText(bits: number): string {
  return [..."FSRPAUEC"].filter((_, bit) => (bits >> bit) & 1).join("");
}

/** Fields of a segment that a test wants different; `seq` and `ack` are absolute. */
export type Fields = Partial<Omit<TcpFields, "source" | "destination" | "flags">>;

/** A quiet stack with the table sizes of a device, not those of the host build. */
export function deviceStack(
  options: Partial<Options> = {},
  config: HarnessConfig = {},
): Promise<StackHarness> {
  return StackHarness.quiet({ ...config, options: { ...PACKAGE, ...options } });
}

export interface PeerConfig {
  iss?: number;
  window?: number;
  /** MSS option of the SYN; 0 leaves it out. */
  mss?: number;
  /** More options of the SYN. */
  options?: TcpOptions;
}

export class TcpPeer {
  /** Our next sequence number. */
  seq: number;
  /** Next sequence number expected of the stack. */
  ack = 0;
  readonly iss: number;
  /** The stack's initial sequence number. */
  irs = 0;
  window: number;
  mss: number;
  private readonly options: TcpOptions;
  /** Last segment that the stack sent. */
  last: ParsedTcp | undefined;

  constructor(
    readonly stack: StackHarness,
    readonly host: Peer,
    readonly port: number,
    readonly stackPort: number,
    config: PeerConfig = {},
  ) {
    this.iss = (config.iss ?? 0x10000000) >>> 0;
    this.seq = this.iss;
    this.window = config.window ?? 65535;
    this.mss = config.mss ?? 1460;
    this.options = { ...(this.mss === 0 ? {} : { mss: this.mss }), ...config.options };
  }

  /** A client of a listening port of the stack, its handshake done. */
  static client(
    stack: StackHarness,
    host: Peer,
    port: number,
    to: number,
    config: PeerConfig = {},
  ): TcpPeer {
    const peer = new TcpPeer(stack, host, port, to, config);
    peer.syn();
    peer.say("A");
    return peer;
  }

  /** The server that the stack's socket `fd` connects to; the SYN has been seen but not answered. */
  static dialled(
    stack: StackHarness,
    host: Peer,
    fd: number,
    port: number,
    config: PeerConfig = {},
  ): TcpPeer {
    stack.take();
    const result = stack.wasm.sysConnect(fd, host.address, port);
    if (result !== -115) throw new Error(`connect: ${result}`);
    stack.run();
    const syn = stack.take().find((frame) => frame.tcp?.destinationPort === port)?.tcp;
    if (!syn) throw new Error("no SYN");
    const peer = new TcpPeer(stack, host, port, syn.sourcePort, config);
    peer.hear(syn);
    return peer;
  }

  /** The server side of a connection that the stack has opened. */
  static server(
    stack: StackHarness,
    host: Peer,
    port = 80,
    config: PeerConfig = {},
  ): { peer: TcpPeer; fd: number } {
    const fd = stack.socket(SOCK_STREAM);
    const peer = TcpPeer.dialled(stack, host, fd, port, config);
    peer.say("SA", { options: peer.options });
    peer.seq = (peer.iss + 1) >>> 0;
    if (stack.wasm.sysConnect(fd, host.address, port) !== 0) throw new Error("not connected");
    return { peer, fd };
  }

  /** SYN; the stack's answers. */
  syn(fields: Fields = {}): string[] {
    const answers = this.say("S", { options: this.options, ...fields });
    this.seq = (this.iss + 1) >>> 0;
    return answers;
  }

  /** The bytes of a frame with a segment of ours. */
  frame(letters: string, fields: Fields = {}, data?: Uint8Array, below?: Below): Uint8Array {
    const flags = flagBits(letters);
    return this.host.tcp(
      {
        sourcePort: this.port,
        destinationPort: this.stackPort,
        seq: this.seq,
        ack: (flags & TCP.ACK) !== 0 ? this.ack : 0,
        window: this.window,
        flags,
        ...fields,
      },
      data,
      below,
    );
  }

  /** Sends a segment and returns the stack's answers at this very time. Our numbers stay. */
  say(letters: string, fields: Fields = {}, data?: Uint8Array): string[] {
    this.stack.take();
    this.stack.inject(this.frame(letters, fields, data));
    return this.heard();
  }

  /** Sends text in order and counts it as sent. */
  text(data: Uint8Array, letters = "PA"): string[] {
    const frame = this.frame(letters, {}, data);
    this.seq = (this.seq + data.length + (letters.includes("F") ? 1 : 0)) >>> 0;
    this.stack.take();
    this.stack.inject(frame);
    return this.heard();
  }

  /** Segments of this connection that the stack has sent and nobody has taken. */
  segments(): ParsedTcp[] {
    return this.of(this.stack.take());
  }

  /** Those of these frames that belong to this connection. */
  of(frames: Parsed[]): ParsedTcp[] {
    const ours = frames.flatMap((frame) =>
      frame.tcp?.destinationPort === this.port && frame.tcp.sourcePort === this.stackPort
        ? [frame.tcp]
        : [],
    );
    for (const segment of ours) this.hear(segment);
    return ours;
  }

  /** The same as text. */
  heard(): string[] {
    return this.segments().map((segment) => this.written(segment));
  }

  /** Waits for the stack to send something on this connection, at most `limitMs`; neighbours are told meanwhile. */
  next(limitMs = 100_000): string[] {
    const end = this.stack.nowMs + limitMs;
    for (;;) {
      const sent = this.of(this.stack.untilSent(end - this.stack.nowMs));
      if (sent.length > 0 || this.stack.nowMs >= end) return sent.map((s) => this.written(s));
      this.stack.inject(this.host.arpReply());
    }
  }

  /** Moves time on while the host answers ARP; what is sent is thrown away. */
  wait(ms: number): void {
    for (let left = ms; left > 0; left -= 1000) {
      this.stack.advance(Math.min(left, 1000));
      this.stack.inject(this.host.arpReply());
    }
    this.stack.take();
  }

  /** Moves time on and tells what was sent in it. */
  during(ms: number): string[] {
    this.stack.take();
    this.stack.advance(ms);
    return this.heard();
  }

  /** Notes the stack's numbers, without acknowledging. */
  private hear(segment: ParsedTcp): void {
    this.last = segment;
    if ((segment.flags & TCP.RST) !== 0) return;
    if ((segment.flags & TCP.SYN) !== 0) {
      this.irs = segment.seq;
      this.ack = (segment.seq + 1) >>> 0;
    }
  }

  private written(segment: ParsedTcp): string {
    const seq = (segment.seq - this.irs) >>> 0;
    const ack = (segment.ack - this.iss) >>> 0;
    const acks = (segment.flags & TCP.ACK) !== 0 ? `:${ack}` : "";
    const bytes = segment.data.length > 0 ? `+${segment.data.length}` : "";
    return `${flagText(segment.flags)} ${seq}${acks}${bytes}`;
  }

  /** Absolute number from one relative to the stack's ISS. */
  theirs(relative: number): number {
    return (this.irs + relative) >>> 0;
  }

  /** Acknowledges up to a number relative to the stack's ISS; the answers. */
  acknowledge(relative: number, fields: Fields = {}): string[] {
    this.ack = this.theirs(relative);
    return this.say("A", fields);
  }
}

/** A stack, a host it knows, and a connection from that host to a listener on port 80, accepted. */
export function accepted(
  stack: StackHarness,
  listener: number,
  port: number,
  config: PeerConfig = {},
): { peer: TcpPeer; fd: number } {
  const peer = TcpPeer.client(stack, stack.neighbour(), port, 80, config);
  const fd = stack.wasm.sysAccept(listener);
  if (fd < 0) throw new Error(`accept: ${fd}`);
  stack.run();
  stack.take();
  return { peer, fd };
}

/** A connection that a peer has opened to port 80 of a stack that has nothing else. */
export interface Opened {
  stack: StackHarness;
  listener: number;
  peer: TcpPeer;
  fd: number;
}

/** A stack with `options` and one connection. */
export async function opened(options: Partial<Options> = {}): Promise<Opened> {
  const stack = await deviceStack(options);
  const listener = stack.listen(80);
  return { stack, listener, ...accepted(stack, listener, 5000) };
}

/** The application finishes sending; what the stack sends then. */
export function shut({ stack, peer, fd }: Opened): string[] {
  stack.take();
  if (stack.wasm.sysShutdown(fd, SHUT_WR) !== 0) throw new Error("shutdown");
  stack.run();
  return peer.heard();
}

/** The application closes; what the stack sends then. */
export function closed({ stack, peer, fd }: Opened): string[] {
  stack.take();
  if (stack.wasm.sysClose(fd) !== 0) throw new Error("close");
  stack.run();
  return peer.heard();
}

/** Letters of every combination of the flags FIN, SYN, RST, PSH, ACK, URG. */
export const ALL_FLAGS = Array.from({ length: 64 }, (_, bits) => flagText(bits));
