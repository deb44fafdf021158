/** A stack that asks for an address, and the forged server that it asks. */
import { StackHarness, type HarnessConfig } from "./stack-harness.js";
import {
  DHCP,
  clientMessage,
  serverMessage,
  type ClientMessage,
  type Option,
  type ServerFields,
} from "./wire-dhcp.js";
import type { Parsed } from "./wire-parse.js";
import type { Below, Peer } from "./wire-peer.js";
import { BROADCAST_MAC, ip, pattern } from "./wire.js";

export const SERVER = ip("192.168.7.1");
export const LEASED = ip("192.168.7.50");
export const LEASE_SECONDS = 3600;

export interface Reply extends Partial<ServerFields> {
  /** Options in place of the usual ones of the same code; null leaves one out. */
  change?: [number, Option[1] | null][];
  server?: number;
  sourcePort?: number;
  destinationPort?: number;
  checksum?: number;
}

export class DhcpBench {
  /** What the client sent last. */
  last: ClientMessage | undefined;

  private constructor(
    readonly stack: StackHarness,
    readonly server: Peer,
  ) {}

  /** A stack that has been started without an address. */
  static async create(config: HarnessConfig = {}): Promise<DhcpBench> {
    const stack = await StackHarness.create({ address: 0, ...config });
    return new DhcpBench(stack, stack.peer("192.168.7.1", "02:00:00:00:00:fe"));
  }

  /** A stack that holds a lease, its announcements over. */
  static async bound(reply: Reply = {}, config: HarnessConfig = {}): Promise<DhcpBench> {
    const bench = await DhcpBench.create(config);
    bench.lease(reply);
    bench.stack.advance(5000);
    bench.stack.take();
    return bench;
  }

  /** Goes through the exchange up to the configured address. */
  lease(reply: Reply = {}): void {
    const request = this.offered(reply);
    this.reply(request, DHCP.ACK, reply);
    this.stack.advance(2500);
  }

  /** Goes through the exchange up to the first REQUEST. */
  offered(reply: Reply = {}): ClientMessage {
    const discover = this.next(100_000);
    this.reply(discover, DHCP.OFFER, reply);
    return this.next(0);
  }

  /** The next DHCP message of the client, within `limitMs`. */
  next(limitMs: number): ClientMessage {
    const message = this.nextOrNone(limitMs);
    if (!message) throw new Error(`no DHCP message within ${limitMs} ms`);
    return message;
  }

  /** As `next`, for a client that may keep silent. Requests for the server's MAC are answered meanwhile. */
  nextOrNone(limitMs: number): ClientMessage | undefined {
    const end = this.stack.nowMs + limitMs;
    for (;;) {
      const frames = this.stack.untilSent(end - this.stack.nowMs);
      for (const { arp } of frames) {
        if (arp?.operation !== 1 || arp.targetAddress !== SERVER) continue;
        this.stack.inject(this.server.arpReply({ targetAddress: arp.senderAddress }));
        frames.push(...this.stack.take());
      }
      const sent = frames.filter((frame: Parsed) => frame.udp?.destinationPort === 67);
      if (sent.length > 1) throw new Error("two DHCP messages at once");
      if (sent[0]) {
        this.last = clientMessage(sent[0]);
        return this.last;
      }
      if (this.stack.nowMs >= end) return undefined;
    }
  }

  /** All DHCP messages of a stretch of time, with their times. */
  during(ms: number): { at: number; message: ClientMessage }[] {
    const end = this.stack.nowMs + ms;
    const all: { at: number; message: ClientMessage }[] = [];
    for (;;) {
      const message = this.nextOrNone(end - this.stack.nowMs);
      if (!message) return all;
      all.push({ at: this.stack.nowMs, message });
    }
  }

  /** The frame of a server's reply to a client's message. */
  frame(to: ClientMessage, type: number, reply: Reply = {}): Uint8Array {
    const usual: Option[] = [
      [53, [type]],
      [54, reply.server ?? SERVER],
    ];
    if (type !== DHCP.NAK) {
      usual.push([51, LEASE_SECONDS], [1, ip("255.255.255.0")], [3, SERVER], [6, SERVER]);
    }
    let options = usual;
    for (const [code, value] of reply.change ?? []) {
      options = options.filter(([other]) => other !== code);
      if (value !== null) options.push([code, value]);
    }
    const message = serverMessage({
      xid: to.xid,
      chaddr: to.chaddr,
      yiaddr: type === DHCP.NAK ? 0 : LEASED,
      options,
      ...reply,
    });
    const unicast = to.ciaddr !== 0;
    const below: Below = {
      ip: { destination: unicast ? to.ciaddr : 0xffffffff },
      ethernet: { destination: unicast ? this.stack.mac : BROADCAST_MAC },
    };
    const ports = {
      sourcePort: reply.sourcePort ?? 67,
      destinationPort: reply.destinationPort ?? 68,
      checksum: reply.checksum,
    };
    return this.server.udp(ports, message, below);
  }

  reply(to: ClientMessage, type: number, reply: Reply = {}): void {
    this.stack.inject(this.frame(to, type, reply));
  }

  /** The address that the stack answers for, of those that a test may see; 0 = none. */
  get address(): number {
    const asker = this.server.as(ip("192.168.7.200"), "02:00:00:00:00:77");
    const held = this.stack.sent;
    this.stack.sent = [];
    for (const address of [LEASED, ip("192.168.7.51")]) {
      this.stack.inject(asker.arpRequest({ targetAddress: address }));
      if (this.stack.take().length > 0) {
        this.stack.sent = held;
        return address;
      }
    }
    this.stack.sent = held;
    return 0;
  }

  /** Sends a ping to the leased address and says whether it is answered. */
  pings(): boolean {
    const below = { ip: { destination: LEASED } };
    this.stack.inject(this.server.arpRequest({ targetAddress: LEASED }));
    this.stack.take();
    const replies = this.stack.exchange(this.server.echo(pattern(12), 1, 1, below));
    return replies.some((frame) => frame.icmp?.type === 0);
  }
}
