import type { Firmware } from "../build/compile.js";
import type { LogLine } from "../log/decode.js";
import type { Mac, Subnet } from "../net/addresses.js";
import { DhcpServer, type Lease } from "../net/dhcp-server.js";
import { HostedStack } from "../net/hosted-stack.js";
import { LinkDirection, PERFECT, type Impairments } from "../net/link.js";
import { EthernetSwitch, type SwitchPort } from "../net/switch.js";
import { Random } from "./random.js";
import type { Clock } from "./types.js";

/** The network of the virtual LAN where nothing else was asked for: 192.168.77.1/24. */
export const DEFAULT_SUBNET: Readonly<Subnet> = { address: 0xc0a84d01, mask: 0xffffff00 };
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
  /** Takes the frames that reach the device; they are only lent for the call. */
  toDevice: (frame: Uint8Array, fcsGood: boolean) => void;
  onLease?: (lease: Lease) => void;
  onLog?: (line: LogLine) => void;
}

/**
 * The network of one device: a switch, the impaired link to the device, and the gateway with its DHCP server. Other
 * stations are attached to `ethernet`.
 */
export class VirtualLan {
  readonly ethernet: EthernetSwitch;
  /** The gateway's stack. */
  readonly gateway: HostedStack | undefined;
  /** Frames of the device enter here; they are only lent for the call. */
  readonly fromDevice: (frame: Uint8Array) => void;
  /** Both directions of the device's link. */
  readonly links: { up: LinkDirection; down: LinkDirection };

  constructor(options: LanOptions) {
    const { clock } = options;
    const random = new Random(options.seed);
    const impairments = options.impairments ?? PERFECT;
    this.ethernet = new EthernetSwitch(clock);
    const down = new LinkDirection(clock, impairments, random.u32(), options.toDevice);
    const device = this.ethernet.attach("device", (frame) => down.send(frame));
    const up = new LinkDirection(clock, impairments, random.u32(), (frame, fcsGood) => {
      // A switch drops what arrives with a wrong FCS.
      if (fcsGood) device.send(frame);
    });
    this.links = { up, down };
    this.fromDevice = (frame) => up.send(frame);
    this.gateway = this.attachGateway(options, random.u32());
  }

  private attachGateway(options: LanOptions, seed: number): HostedStack | undefined {
    const subnet = options.subnet ?? DEFAULT_SUBNET;
    const { clock, onLease, onLog, gateway: firmware } = options;
    // The server answers under the gateway's address, so it stands in front of the gateway's stack.
    const deliver = (frame: Uint8Array): void => {
      if (!dhcp?.handle(frame)) stack?.receive(frame);
    };
    if (!firmware && options.dhcp === false) return undefined;
    const port: SwitchPort = this.ethernet.attach("gateway", deliver);
    const dhcp =
      options.dhcp === false
        ? undefined
        : new DhcpServer({
            clock,
            mac: firmware ? GATEWAY_MAC : DHCP_MAC,
            subnet,
            router: subnet.address,
            dns: subnet.address,
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
