import type { Firmware } from "../build/compile.js";
import type { LogLine } from "../log/decode.js";
import type { Mac, Subnet } from "../net/addresses.js";
import { DhcpServer, type Lease } from "../net/dhcp-server.js";
import { HostedStack } from "../net/hosted-stack.js";
import { LinkDirection, PERFECT, type Impairments } from "../net/link.js";
import { ETHERTYPE_IPV4, get16, get32 } from "../net/packets.js";
import { EthernetSwitch, type FrameSink, type SwitchPort } from "../net/switch.js";
import { Random } from "./random.js";
import type { Clock } from "./types.js";

/** The network of the virtual LAN where nothing else was asked for: 192.168.77.1/24. */
export const DEFAULT_SUBNET: Readonly<Subnet> = { address: 0xc0a84d01, mask: 0xffffff00 };
/** The network of a board's second chip: 192.168.78.1/24. */
export const SECOND_SUBNET: Readonly<Subnet> = { address: 0xc0a84e01, mask: 0xffffff00 };
/** Hardware address of the gateway (locally administered). */
export const GATEWAY_MAC: Mac = 0x0241_5354_4d01;
/** Hardware address of a DHCP server that stands alone. */
export const DHCP_MAC: Mac = 0x0241_5354_4d02;

/** What a virtual LAN is made with. */
export interface LanOptions {
  clock: Clock;
  seed: number;
  /** The gateway's address and the network. */
  subnet?: Subnet;
  impairments?: Impairments;
  /** The stack that is the gateway (`hostedFirmware()`); without it there is none. */
  gateway?: Firmware | undefined;
  /** Give addresses by DHCP (default: yes). */
  dhcp?: boolean;
  /** Addresses that these devices get by DHCP. */
  reserved?: ReadonlyMap<Mac, number> | undefined;
  /** Takes the frames that reach the device; they are only lent for the call. Without it, devices come by `attach`. */
  toDevice?: (frame: Uint8Array, fcsGood: boolean) => void;
  onLease?: (lease: Lease) => void;
  /** The device has begun to use this address: it has announced it, or sends from it. */
  onAddress?: (address: number) => void;
  onLog?: (line: LogLine) => void;
}

/**
 * The network of devices: a switch, the impaired link to each device, and the gateway with its DHCP server. Other stations are
 * attached to `ethernet`.
 */
export class VirtualLan {
  readonly ethernet: EthernetSwitch;
  /** The gateway's stack. */
  readonly gateway: HostedStack | undefined;
  /** Frames of the first device enter here; they are only lent for the call. */
  readonly fromDevice: (frame: Uint8Array) => void;
  /** From the gateway to the network. */
  sendFromGateway: FrameSink = () => undefined;
  /** Takes the frames for the gateway in place of its stack; they are only lent for the call. */
  toGateway: FrameSink | undefined;
  /** Both directions of the first device's link. */
  readonly links: { up: LinkDirection; down: LinkDirection };

  private readonly random: Random;

  constructor(private readonly options: LanOptions) {
    this.random = new Random(options.seed);
    this.ethernet = new EthernetSwitch(options.clock);
    const { toDevice = () => undefined, onAddress } = options;
    const { links, fromDevice } = this.attach("device", toDevice, onAddress);
    this.links = links;
    this.fromDevice = fromDevice;
    this.gateway = this.attachGateway(options, this.random.u32());
  }

  /** Joins a device to the switch: what it sends enters by `fromDevice`. */
  attach(
    name: string,
    toDevice: (frame: Uint8Array, fcsGood: boolean) => void,
    onAddress?: (address: number) => void,
    impairments = this.options.impairments ?? PERFECT,
  ): Pick<VirtualLan, "links" | "fromDevice"> {
    const { clock, subnet = DEFAULT_SUBNET } = this.options;
    const down = new LinkDirection(clock, impairments, this.random.u32(), toDevice);
    const device = this.ethernet.attach(name, (frame) => down.send(frame));
    const up = new LinkDirection(clock, impairments, this.random.u32(), (frame, fcsGood) => {
      // A switch drops what arrives with a wrong FCS.
      if (fcsGood) device.send(frame);
    });
    const watch = new AddressWatch(subnet, onAddress);
    const fromDevice = (frame: Uint8Array): void => {
      watch.look(frame);
      up.send(frame);
    };
    return { links: { up, down }, fromDevice };
  }

  private attachGateway(options: LanOptions, seed: number): HostedStack | undefined {
    const subnet = options.subnet ?? DEFAULT_SUBNET;
    const { clock, onLease, onLog, gateway: firmware } = options;
    // The server answers under the gateway's address, so it stands in front of the gateway's stack.
    const deliver = (frame: Uint8Array): void => {
      if (dhcp?.handle(frame)) return;
      if (this.toGateway) this.toGateway(frame);
      else stack?.receive(frame);
    };
    if (!firmware && options.dhcp === false) return undefined;
    const port: SwitchPort = this.ethernet.attach("gateway", deliver);
    this.sendFromGateway = port.send;
    const dhcp =
      options.dhcp === false
        ? undefined
        : new DhcpServer({
            clock,
            mac: firmware ? GATEWAY_MAC : DHCP_MAC,
            subnet,
            router: subnet.address,
            dns: subnet.address,
            reserved: options.reserved,
            send: port.send,
            ...(onLease && { onLease }),
          });
    const stack = firmware
      ? new HostedStack(firmware, {
          clock,
          mac: GATEWAY_MAC,
          address: subnet.address,
          mask: subnet.mask,
          seed,
          send: port.send,
          ...(onLog && { onLog }),
        })
      : undefined;
    return stack;
  }
}

const ETHERTYPE_ARP = 0x0806;
/** Where an ARP packet and an IPv4 packet in a frame have the sender's address. */
const ARP_SENDER = 28;
const IPV4_SOURCE = 26;

/** Notes which address of a network the device uses. */
export class AddressWatch {
  private address = 0;

  constructor(
    private readonly subnet: Subnet,
    private readonly onAddress: ((address: number) => void) | undefined,
  ) {}

  look(frame: Uint8Array): void {
    if (!this.onAddress || frame.length < 42) return;
    const type = get16(frame, 12);
    // A changed address is always announced (RFC 5227 2.3); IPv4 only tells the first one.
    if (type === ETHERTYPE_ARP) this.note(get32(frame, ARP_SENDER));
    else if (type === ETHERTYPE_IPV4 && this.address === 0) this.note(get32(frame, IPV4_SOURCE));
  }

  private note(address: number): void {
    const { subnet } = this;
    const host = (address & ~subnet.mask) >>> 0;
    const foreign = ((address ^ subnet.address) & subnet.mask) !== 0;
    if (foreign || host === 0 || address === this.address || address === subnet.address) return;
    this.address = address;
    this.onAddress?.(address);
  }
}
