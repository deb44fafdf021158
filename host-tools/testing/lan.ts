import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { Options } from "../../stack/options.js";
import { requireProgram } from "../build/apps.js";
import { compileFirmware } from "../build/compile.js";
import { UserError } from "../errors.js";
import {
  formatAddress,
  formatMac,
  parseAddress,
  parseHostCidr,
  parseMac,
  type Mac,
  type Subnet,
} from "../net/addresses.js";
import { DhcpServer } from "../net/dhcp-server.js";
import { addressOf, devicesOf } from "../commands/sim-devices.js";
import { readLanFile } from "../project/lan-file.js";
import { HostedStack, hostedFirmware } from "../net/hosted-stack.js";
import { LinkDirection, PERFECT, type Impairments } from "../net/link.js";
import { PcapWriter } from "../net/pcap.js";
import { EthernetSwitch } from "../net/switch.js";
import { encodeSettings, parseHostName } from "../settings.js";
import { Fiber, FiberTurns } from "../sim/fiber.js";
import { LINK_BPS, type ChipName } from "../sim/machine-chips.js";
import { Wire } from "../sim/machine-wire.js";
import { Random } from "../sim/random.js";
import { VirtualClock } from "../sim/virtual-clock.js";
import { AddressWatch, DEFAULT_SUBNET, DHCP_MAC } from "../sim/world-lan.js";
import { checkKeys, checkLink, checkVirtual } from "./checks.js";
import { Device } from "./device.js";
import { Host } from "./host.js";
import { Station } from "./station.js";

/** What a network is made with. */
export interface LanOptions {
  /** Seed of everything random; one seed is one run, to the byte. Default 1. */
  seed?: number;
  /** Address and prefix of the DHCP server, which is also the router that it names. Default 192.168.77.1/24. */
  network?: string;
  /** Give addresses by DHCP. Default yes. */
  dhcp?: boolean;
  leaseSeconds?: number;
  /** Capture of everything on the switch, for Wireshark; the folder is made. */
  pcap?: string;
  /** Longest wait for anything, in simulated milliseconds. Default 60,000. */
  limitMs?: number;
}

/** What a device is made with. */
export interface DeviceOptions {
  /** Application: a folder with a main.ts, or a name of the package. Default: the current directory. */
  app?: string;
  /** A virtual board, as virtual-w5500 (default) or virtual-enc28j60, or one of the project. */
  board?: string;
  name?: string;
  /** Static address, as 192.168.77.20/24; default: DHCP. */
  address?: string;
  /** Hardware address, as 02:00:00:12:34:56; default: one of its own. */
  mac?: string;
  hostName?: string;
  /** Hosts in the settings block. */
  hosts?: { name: string; address: number }[];
  /** Build options, as { TCP_TCBS: 2 }. */
  options?: Partial<Options>;
  /** Trouble on the device's cable. */
  link?: Partial<Impairments>;
  /** Do not give power yet. */
  off?: boolean;
}

/** Names of the options, for those who write no TypeScript. */
const LAN_OPTIONS: readonly (keyof LanOptions)[] = [
  ...(["seed", "network", "dhcp", "leaseSeconds", "pcap", "limitMs"] as const),
];
const DEVICE_OPTIONS: readonly (keyof DeviceOptions)[] = [
  ...(["app", "board", "name", "address", "mac", "hostName", "hosts", "options", "link"] as const),
  "off",
];

const PEER_HOST = 3;
const LIMIT_MS = 60_000;

/**
 * A network in virtual time, with devices, hosts and stations on one switch. Time passes only while something is waited for,
 * so a test is exact and as fast as this computer.
 *
 *     const lan = new Lan();
 *     const device = await lan.device({ app: "." });
 *     const stream = await device.connect(7);
 *     await stream.write("hello");
 *     t.is((await stream.read(5)).toString(), "hello");
 */
export class Lan {
  readonly clock = new VirtualClock();
  readonly ethernet: EthernetSwitch;
  readonly devices: Device[] = [];
  private readonly random: Random;
  private readonly subnet: Subnet;
  private readonly limitMs: number;
  private readonly pcap: PcapWriter | undefined;
  private readonly stacks: HostedStack[] = [];
  private theirs: Promise<Host> | undefined;
  private readonly turns = new FiberTurns(this.clock);
  private macs = 0x0200_0000_0100;
  private hosts = 0;
  /** The last device or host that was asked for, or one before it. */
  private adding: Promise<unknown> = Promise.resolve();
  /** Addresses that DHCP keeps. */
  private readonly reserved = new Map<Mac, number>();

  constructor(options: LanOptions = {}) {
    checkKeys(options, LAN_OPTIONS, "a Lan");
    this.random = new Random(options.seed ?? 1);
    this.ethernet = new EthernetSwitch(this.clock);
    this.subnet = options.network ? parseHostCidr(options.network) : DEFAULT_SUBNET;
    this.limitMs = options.limitMs ?? LIMIT_MS;
    if (options.pcap !== undefined) {
      mkdirSync(dirname(options.pcap), { recursive: true });
      this.pcap = new PcapWriter(options.pcap);
    }
    if (options.dhcp ?? true) this.addDhcp(options.leaseSeconds);
  }

  /**
   * A network of the devices of a lan.json (docs/simulator.md), which all have power and know each other by name, as with
   * `sim --lan`; `named` gives each of them. Its `net` is for the command line alone; `hosts` are those that each device knows besides.
   */
  static async open(
    file: string,
    options: Omit<LanOptions, "network"> & Pick<DeviceOptions, "hosts"> = {},
  ): Promise<Lan> {
    const { hosts, ...own } = options;
    const lan = new Lan(own);
    const settings = hosts ? { hosts } : {};
    const devices = devicesOf(readLanFile(file), file, "virtual-w5500", settings, () => lan.macs++);
    for (const [i, device] of devices.entries()) {
      const { name, app, board, settings, link } = device;
      const mac = formatMac(settings.mac as Mac);
      if (!settings.address) lan.reserved.set(settings.mac as Mac, addressOf(device, i));
      await lan.device({
        ...{ app, board, mac },
        ...(name !== undefined && { name, hostName: name }),
        ...(settings.hosts && { hosts: settings.hosts }),
        ...(settings.address && { address: `${formatAddress(settings.address.address)}/24` }),
        ...(device.options && { options: device.options }),
        ...(link && { link }),
      });
    }
    return lan;
  }

  /** The device of this name. */
  named(name: string): Device {
    const device = this.devices.find((one) => one.name === name);
    if (device) return device;
    const names = this.devices.map((one) => one.name).join(", ");
    throw new Error(`no device is named ${name}; there are: ${names}`);
  }

  /** Adds a device and gives it power. */
  device(options: DeviceOptions = {}): Promise<Device> {
    return this.inTurn(() => this.addDevice(options));
  }

  /** One after the other, in the order of asking: however long each one is compiled, names, addresses and chance are the same. */
  private inTurn<T>(add: () => Promise<T>): Promise<T> {
    const added = this.adding.then(add);
    this.adding = added.catch(() => undefined);
    return added;
  }

  private async addDevice(options: DeviceOptions): Promise<Device> {
    const { app = ".", board = "virtual-w5500", link } = options;
    checkKeys(options, DEVICE_OPTIONS, "a device");
    if (link) checkLink(link);
    checkVirtual(board);
    const name = options.name ?? `device ${this.devices.length + 1}`;
    if (this.devices.some((one) => one.name === name)) {
      throw new UserError(`there is a device named '${name}' already`);
    }
    requireProgram(app);
    const firmware = await compileFirmware({
      board,
      app,
      fiber: true,
      ...(options.options && { options: options.options }),
    });
    const mac = options.mac === undefined ? this.macs++ : parseMac(options.mac);
    const { clock, random } = this;
    let wire: Wire | undefined;
    const impairments = { ...PERFECT, ...link };
    const down = new LinkDirection(clock, impairments, random.u32(), (frame, good) =>
      wire?.toDevice(new Uint8Array(frame), good),
    );
    const port = this.ethernet.attach(name, (frame) => down.send(frame));
    const up = new LinkDirection(clock, impairments, random.u32(), (frame, good) => {
      if (good) port.send(frame);
    });
    const settings = encodeSettings({
      mac,
      ...(options.address && { address: this.staticAddress(options.address) }),
      ...(options.hostName && { hostName: parseHostName(options.hostName) }),
      ...(options.hosts && { hosts: options.hosts }),
    });
    const start = async (): Promise<void> => {
      const log = (line: (typeof device.log)[number]): void => void device.log.push(line);
      const fiber = await Fiber.create({ firmware, clock, seed: random.u32(), settings, log });
      const { chip } = fiber.board;
      const watch = new AddressWatch(this.subnet, (address) => (device.addressNumber = address));
      wire = new Wire(clock, chip, LINK_BPS[firmware.board.chip as ChipName], this.pcap);
      wire.onTransmit = (frame) => {
        if (device.fiber !== fiber) return;
        watch.look(frame);
        up.send(frame);
      };
      chip.setLink(true);
      device.fiber = fiber;
    };
    const device: Device = new Device(this, { name, mac, firmware, links: { up, down }, start });
    this.devices.push(device);
    if (!options.off) await start();
    return device;
  }

  /** Adds a host with a stack of its own. */
  host(address?: string): Promise<Host> {
    return this.inTurn(() => this.addHost(address));
  }

  private async addHost(address?: string): Promise<Host> {
    const number = address === undefined ? this.nextAddress() : parseAddress(address);
    const firmware = await hostedFirmware();
    // No frame can come between the two: others may be adding hosts, too.
    const port = this.ethernet.attach("host", (frame) => stack.receive(frame));
    const stack: HostedStack = new HostedStack(firmware, {
      clock: this.clock,
      mac: this.macs++,
      address: number,
      mask: this.subnet.mask,
      gateway: this.subnet.address,
      seed: this.random.u32(),
      send: port.send,
    });
    this.stacks.push(stack);
    // It announces its address in its first turn, and is then a station like any other.
    await this.sleep(1);
    return new Host(this, stack, formatAddress(number));
  }

  /** The host behind `device.connect`. */
  peer(): Promise<Host> {
    this.theirs ??= this.host();
    return this.theirs;
  }

  /** Adds a network card whose frames the test makes itself. */
  station(address = formatAddress(this.nextAddress()), mac = "02:aa:00:00:00:01"): Station {
    return new Station(this, mac, address);
  }

  /** Lets simulated time pass. */
  async sleep(ms: number): Promise<void> {
    const endNs = this.clock.nowNs + ms * 1e6;
    this.clock.schedule(ms * 1e6, () => undefined);
    while (this.clock.nowNs < endNs) await this.step(endNs);
  }

  /**
   * Lets time pass until something is true.
   *
   * @throws Error that names what did not come, or the device that has failed, with the last lines of each log.
   */
  async until(wanted: () => boolean, what: string, limitMs = this.limitMs): Promise<void> {
    const endNs = this.clock.nowNs + limitMs * 1e6;
    while (!wanted()) {
      if (this.clock.nowNs >= endNs) {
        throw this.trouble(`${what} did not come within ${limitMs} simulated milliseconds`);
      }
      await this.step(endNs);
    }
  }

  /** Ends the network and completes the capture. */
  close(): void {
    for (const stack of this.stacks) stack.close();
    for (const device of this.devices) device.powerOff();
    this.pcap?.close();
  }

  /**
   * Lets the next thing happen, no later than `limitNs`. What else the test does at the same time, as writing while it reads, goes on
   * in between: it would wait for ever if this wait did not give way.
   */
  private async step(limitNs: number): Promise<void> {
    await undefined;
    const failed = this.turns.step(this.devices, limitNs);
    if (failed === undefined) return;
    const { name, fiber } = this.devices[failed] as Device;
    throw this.trouble(`${name} has stopped: ${fiber?.failure?.message}`);
  }

  private trouble(message: string): Error {
    this.pcap?.flush();
    const logs = this.devices.map(({ name, log }) => {
      const lines = log
        .slice(-8)
        .map(({ timeMs, text }) => `  ${(timeMs / 1000).toFixed(3)} ${text}`);
      return [`log of ${name}:`, ...lines].join("\n");
    });
    const capture = this.pcap ? [`capture: ${this.pcap.path}`] : [];
    return new Error([message, ...logs, ...capture].join("\n"));
  }

  private staticAddress(
    text: string,
  ): NonNullable<Parameters<typeof encodeSettings>[0]["address"]> {
    const { address, mask } = parseHostCidr(text);
    return { address, mask, gateway: this.subnet.address, dns: this.subnet.address };
  }

  private nextAddress(): number {
    return ((this.subnet.address & this.subnet.mask) >>> 0) + PEER_HOST + this.hosts++;
  }

  private addDhcp(leaseSeconds = 3600): void {
    const { clock, subnet } = this;
    const port = this.ethernet.attach("dhcp", (frame) => void dhcp.handle(frame));
    const dhcp = new DhcpServer({
      clock,
      mac: DHCP_MAC,
      subnet,
      router: subnet.address,
      dns: subnet.address,
      leaseSeconds,
      reserved: this.reserved,
      send: port.send,
    });
  }
}
