import type { Clock } from "../sim/types.js";
import { MAC_BROADCAST, type Mac, type Subnet } from "./addresses.js";
import {
  buildDhcpReply,
  DhcpOption,
  DhcpType,
  parseDhcp,
  type DhcpRequest,
  type ReplyOption,
} from "./dhcp-message.js";
import { buildUdp, parseUdp } from "./packets.js";
import type { FrameSink } from "./switch.js";

/** What a server is made with. Addresses are host-order numbers. */
export interface DhcpServerOptions {
  clock: Clock;
  /** Hardware address that replies come from. */
  mac: Mac;
  /** The server's own address, and the network whose addresses it gives. */
  subnet: Subnet;
  /** Default router told to clients; 0 = none. */
  router: number;
  /** Name server told to clients; 0 = none. */
  dns: number;
  /** First and last address of the pool; default: host numbers 50 to 99, or all of a smaller network. */
  pool?: [first: number, last: number];
  /** Addresses that these clients get, and nobody else. */
  reserved?: ReadonlyMap<Mac, number> | undefined;
  /** Length of a lease, seconds; default 3600. */
  leaseSeconds?: number;
  /** Takes the frames of the server. */
  send: FrameSink;
  /** An address was given or renewed. */
  onLease?: (lease: Lease) => void;
}

/** An address and who has it. */
export interface Lease {
  address: number;
  mac: Mac;
  hostName: string;
}

interface Binding extends Lease {
  client: string;
  expiresNs: number;
  /** Offered, and not asked for yet. */
  offered: boolean;
}

/** An offer stands for this time. */
const OFFER_NS = 60e9;
/** A declined address is not given for this time. */
const DECLINED_NS = 600e9;
const BROADCAST_FLAG = 0x8000;
const SERVER_PORT = 67;
const CLIENT_PORT = 68;
const LIMITED_BROADCAST = 0xffff_ffff;

/**
 * A DHCP server for the virtual network (RFC 2131), as a pure function of frames and simulated time. A client gets the
 * address that it had before where that is free.
 */
export class DhcpServer {
  private readonly bindings = new Map<number, Binding>();
  private readonly declined = new Map<number, number>();
  private readonly first: number;
  private readonly last: number;
  private readonly leaseSeconds: number;

  constructor(private readonly options: DhcpServerOptions) {
    [this.first, this.last] = options.pool ?? defaultPool(options.subnet);
    this.leaseSeconds = options.leaseSeconds ?? 3600;
  }

  /** True when the frame was for the server; it has then been dealt with. */
  handle(frame: Uint8Array): boolean {
    const datagram = parseUdp(frame);
    if (datagram?.destinationPort !== SERVER_PORT) return false;
    const to = datagram.destinationAddress;
    if (to !== LIMITED_BROADCAST && to !== this.options.subnet.address) return false;
    const request = parseDhcp(datagram.payload);
    // Relays do not exist on this network.
    if (request !== null && request.giaddr === 0) this.serve(request);
    return true;
  }

  private serve(request: DhcpRequest): void {
    switch (request.type) {
      case DhcpType.DISCOVER:
        return this.discover(request);
      case DhcpType.REQUEST:
        return this.request(request);
      case DhcpType.DECLINE:
        return this.decline(request);
      case DhcpType.RELEASE:
        return this.release(request);
      case DhcpType.INFORM:
        return this.reply(request, DhcpType.ACK, 0);
    }
  }

  /** RFC 2131 4.3.1: the client's former address, else the one it asks for, else a free one. */
  private discover(request: DhcpRequest): void {
    const address = this.choose(request);
    if (address === 0) return;
    this.bind(request, address, OFFER_NS, true);
    this.reply(request, DhcpType.OFFER, address);
  }

  private choose(request: DhcpRequest): number {
    const mine = this.bindingOf(request);
    if (mine) return mine.address;
    const reserved = this.options.reserved?.get(request.chaddr);
    if (reserved !== undefined && (this.declined.get(reserved) ?? 0) <= this.options.clock.nowNs) {
      return reserved;
    }
    const wanted = request.requestedAddress;
    if (this.inPool(wanted) && this.isFree(wanted, true)) return wanted;
    for (const unused of [true, false]) {
      for (let address = this.first; address <= this.last; address++) {
        if (this.isFree(address, !unused)) return address;
      }
    }
    return 0;
  }

  /** RFC 2131 4.3.2. */
  private request(request: DhcpRequest): void {
    const binding = this.bindingOf(request);
    const { serverId, requestedAddress, ciaddr } = request;
    if (serverId !== 0 && serverId !== this.options.subnet.address) {
      if (binding?.offered) this.bindings.delete(binding.address);
      return;
    }
    const wanted = requestedAddress !== 0 ? requestedAddress : ciaddr;
    const initReboot = serverId === 0 && ciaddr === 0;
    const foreign = ((wanted ^ this.options.subnet.address) & this.options.subnet.mask) !== 0;
    // A client without a record is answered only when its address is certainly wrong.
    if (initReboot && !binding && !foreign) return;
    if (binding?.address !== wanted) return this.reply(request, DhcpType.NAK, 0);
    this.bind(request, wanted, this.leaseSeconds * 1e9, false);
    this.reply(request, DhcpType.ACK, wanted);
    this.options.onLease?.({ address: wanted, mac: request.chaddr, hostName: request.hostName });
  }

  private decline(request: DhcpRequest): void {
    if (this.bindingOf(request)?.address !== request.requestedAddress) return;
    this.bindings.delete(request.requestedAddress);
    this.declined.set(request.requestedAddress, this.options.clock.nowNs + DECLINED_NS);
  }

  /** The binding stays, expired, so that the client gets its address again while nobody else needs it. */
  private release(request: DhcpRequest): void {
    const binding = this.bindingOf(request);
    if (binding?.address === request.ciaddr) binding.expiresNs = 0;
  }

  private bindingOf(request: DhcpRequest): Binding | undefined {
    for (const binding of this.bindings.values()) {
      if (binding.client === request.client) return binding;
    }
    return undefined;
  }

  private bind(request: DhcpRequest, address: number, ns: number, offered: boolean): void {
    const before = this.bindings.get(address);
    const expiresNs = this.options.clock.nowNs + ns;
    this.bindings.set(address, {
      address,
      mac: request.chaddr,
      hostName: request.hostName,
      client: request.client,
      // A new offer does not shorten a lease that stands.
      expiresNs: offered ? Math.max(expiresNs, before?.expiresNs ?? 0) : expiresNs,
      offered: offered && (before?.client !== request.client || before.offered),
    });
  }

  private inPool(address: number): boolean {
    return address >= this.first && address <= this.last;
  }

  /** `reuse`: an expired binding of another client counts as free. */
  private isFree(address: number, reuse: boolean): boolean {
    const now = this.options.clock.nowNs;
    if (address === this.options.subnet.address || address === this.options.router) return false;
    for (const reserved of this.options.reserved?.values() ?? []) {
      if (address === reserved) return false;
    }
    if ((this.declined.get(address) ?? 0) > now) return false;
    const binding = this.bindings.get(address);
    return binding === undefined || (reuse && binding.expiresNs <= now);
  }

  private reply(request: DhcpRequest, type: number, yiaddr: number): void {
    const { subnet, mac } = this.options;
    const nak = type === DhcpType.NAK;
    const message = buildDhcpReply(request, {
      yiaddr,
      ciaddr: nak || type === DhcpType.OFFER ? 0 : request.ciaddr,
      options: this.replyOptions(type, yiaddr),
    });
    const known = request.ciaddr !== 0 ? request.ciaddr : yiaddr;
    const broadcast =
      nak || known === 0 || (request.ciaddr === 0 && (request.flags & BROADCAST_FLAG) !== 0);
    this.options.send(
      buildUdp(
        { from: mac, to: broadcast ? MAC_BROADCAST : request.chaddr },
        {
          sourceAddress: subnet.address,
          destinationAddress: broadcast ? LIMITED_BROADCAST : known,
          sourcePort: SERVER_PORT,
          destinationPort: CLIENT_PORT,
          payload: message,
        },
      ),
    );
  }

  private replyOptions(type: number, yiaddr: number): ReplyOption[] {
    const { subnet, router, dns } = this.options;
    const list: ReplyOption[] = [
      [DhcpOption.MESSAGE_TYPE, type, 1],
      [DhcpOption.SERVER_ID, subnet.address, 4],
    ];
    if (type === DhcpType.NAK) return list;
    if (yiaddr !== 0) {
      list.push(
        [DhcpOption.LEASE_TIME, this.leaseSeconds, 4],
        [DhcpOption.RENEWAL_TIME, Math.floor(this.leaseSeconds / 2), 4],
        [DhcpOption.REBINDING_TIME, Math.floor((this.leaseSeconds * 7) / 8), 4],
      );
    }
    list.push([DhcpOption.SUBNET_MASK, subnet.mask, 4]);
    if (router !== 0) list.push([DhcpOption.ROUTER, router, 4]);
    if (dns !== 0) list.push([DhcpOption.DNS, dns, 4]);
    return list;
  }
}

/** Host numbers 50 to 99, or all hosts of a network that is smaller than that. */
export function defaultPool(subnet: Subnet): [first: number, last: number] {
  const network = (subnet.address & subnet.mask) >>> 0;
  const hosts = (~subnet.mask >>> 0) - 1;
  return hosts >= 99 ? [network + 50, network + 99] : [network + 1, network + hosts];
}
