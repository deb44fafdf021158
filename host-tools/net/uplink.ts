import type { Clock } from "../sim/types.js";
import { formatAddress, macAt, type Mac, type Subnet } from "./addresses.js";
import { DnsForwarder, systemResolvers, type Resolver } from "./dns-forwarder.js";
import {
  buildUdp,
  checksum,
  parseIpv4,
  parseUdp,
  PROTOCOL_ICMP,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  type Ipv4View,
  type UdpView,
} from "./packets.js";
import { systemPing, type Ping } from "./ping-out.js";
import {
  backwards,
  buildEchoReply,
  buildIcmpError,
  ICMP_ECHO,
  ICMP_TIME_EXCEEDED,
} from "./replies.js";
import type { FrameSink } from "./switch.js";
import { TcpOut } from "./tcp-out.js";
import { UdpOut } from "./udp-out.js";

const DNS_PORT = 53;
/** Echo requests to other hosts at a time; each is a program of the system. */
const PINGS_MAX = 4;

/** What an uplink is made with. */
export interface UplinkOptions {
  clock: Clock;
  /** The gateway's hardware address, its own address and the network behind it. */
  mac: Mac;
  subnet: Subnet;
  /** To the devices. */
  send: FrameSink;
  /** To the gateway's stack. */
  toStack: FrameSink;
  /** True for UDP ports of the gateway that its stack has sockets for. */
  ownsUdp: (port: number) => boolean;
  /** Name servers; default: those of this computer. */
  resolvers?: readonly Resolver[] | undefined;
  /** Where an address of another network is, for tests; default: there. */
  reach?: ((address: number) => string) | undefined;
  ping?: Ping | undefined;
}

/**
 * The side of the gateway that looks to the world, as in a home router but without special rights: what devices send to other
 * networks leaves through sockets of this computer. The gateway's own address stands for this computer (127.0.0.1), its port 53
 * for this computer's name servers.
 */
export class Uplink {
  readonly tcp: TcpOut;
  readonly udp: UdpOut;
  private readonly dns: DnsForwarder;
  private pings = 0;

  constructor(private readonly options: UplinkOptions) {
    const { clock, send, toStack, subnet } = options;
    const { address } = subnet;
    const target = this.target.bind(this);
    this.tcp = new TcpOut({ clock, address, target, send, toStack });
    this.udp = new UdpOut({ clock, address, target, send });
    this.dns = new DnsForwarder(clock, () => this.resolvers());
  }

  close(): void {
    this.tcp.close();
    this.udp.close();
    this.dns.close();
  }

  /** True when a frame has been dealt with; false when it is for the gateway's stack. */
  take(frame: Uint8Array): boolean {
    if (macAt(frame, 0) !== this.options.mac) return false;
    const packet = parseIpv4(frame);
    if (packet === null || !isHost(packet.destination)) return false;
    const { address, mask } = this.options.subnet;
    const own = packet.destination === address;
    if (!own) {
      // A neighbour is not reached through the gateway.
      if (((packet.destination ^ address) & mask) === 0) return true;
      if (packet.ttl <= 1) {
        const error = { from: address, type: ICMP_TIME_EXCEEDED, code: 0 };
        if (!isIcmpError(frame, packet)) this.options.send(buildIcmpError(frame, packet, error));
        return true;
      }
    }
    switch (packet.protocol) {
      case PROTOCOL_TCP:
        return this.tcp.take(frame, packet);
      case PROTOCOL_UDP:
        return this.takeUdp(frame, packet, own);
      case PROTOCOL_ICMP:
        if (!own) this.takeIcmp(frame, packet);
        return !own;
      default:
        return !own;
    }
  }

  private takeUdp(frame: Uint8Array, packet: Ipv4View, own: boolean): boolean {
    const datagram = parseUdp(frame);
    if (datagram === null || datagram.destinationPort === 0 || datagram.sourcePort === 0) {
      return true;
    }
    if (own && datagram.destinationPort === DNS_PORT) this.takeQuestion(frame, datagram);
    else if (own && this.options.ownsUdp(datagram.destinationPort)) return false;
    else this.udp.take(frame, packet, datagram);
    return true;
  }

  private takeQuestion(frame: Uint8Array, datagram: UdpView): void {
    const macs = backwards(frame);
    const { sourceAddress, sourcePort, destinationAddress, destinationPort } = datagram;
    this.dns.ask(`${sourceAddress}:${sourcePort}`, datagram.payload, (payload) =>
      this.options.send(
        buildUdp(macs, {
          sourceAddress: destinationAddress,
          sourcePort: destinationPort,
          destinationAddress: sourceAddress,
          destinationPort: sourcePort,
          payload,
        }),
      ),
    );
  }

  private takeIcmp(given: Uint8Array, packet: Ipv4View): void {
    const { at, bytes, destination } = packet;
    if (bytes < 8 || given[at] !== ICMP_ECHO || checksum(given, at, bytes) !== 0) return;
    if (this.pings >= PINGS_MAX) return;
    this.pings++;
    const frame = new Uint8Array(given);
    const { ping = systemPing, send } = this.options;
    void ping(this.hostOf(destination)).then((answered) => {
      this.pings--;
      if (answered) send(buildEchoReply(frame, packet));
    });
  }

  /** Where an address and port of the device's network is on this computer's. */
  private target(address: number, port: number): { host: string; port: number; or?: string } {
    if (address !== this.options.subnet.address) return { host: this.hostOf(address), port };
    // Answers that are too long for a datagram are asked for over TCP.
    const resolver = port === DNS_PORT ? this.resolvers()[0] : undefined;
    // Development servers on "localhost" often listen on one of its two addresses only.
    return resolver ?? { host: "127.0.0.1", port, or: "::1" };
  }

  private hostOf(address: number): string {
    return this.options.reach?.(address) ?? formatAddress(address);
  }

  private resolvers(): readonly Resolver[] {
    return this.options.resolvers ?? systemResolvers();
  }
}

/** An address that a host can have, outside this computer. */
function isHost(address: number): boolean {
  const first = address >>> 24;
  return first > 0 && first < 224 && first !== 127;
}

/** Errors about errors are never sent (RFC 1122 3.2.2). */
function isIcmpError(frame: Uint8Array, packet: Ipv4View): boolean {
  return packet.protocol === PROTOCOL_ICMP && frame[packet.at] !== ICMP_ECHO;
}
