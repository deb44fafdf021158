/** The devices of a simulation: one by `--app` and `--board`, several by `--device NAME=APP@BOARD` or a lan.json. */
import type { Options } from "../../stack/options.js";
import { UserError } from "../errors.js";
import { formatAddress, formatMac, type Mac } from "../net/addresses.js";
import { defaultPool } from "../net/dhcp-server.js";
import { DEFAULT_NET, formatForwards, type Forward, type NetOption } from "../net/net-options.js";
import type { Impairments } from "../net/link.js";
import type { LanFile } from "../project/lan-file.js";
import { hostsRoom, type Settings } from "../settings.js";
import { DEFAULT_SUBNET } from "../sim/world-lan.js";

/** A device to simulate. */
export interface SimDevice {
  /** Of several: what it is called in the log, in forwards and on the network. */
  name: string | undefined;
  app: string;
  board: string;
  settings: Settings;
  /** Build options of this device, weaker than those of the command line. */
  options?: Partial<Options>;
  /** Trouble of its own link, in place of that of all. */
  link?: Partial<Impairments>;
}

/** First port of the host that leads to a web page, where nothing was asked for. */
const FIRST_PORT = 8080;
const DEVICES_MAX = 16;

/** Reads `--device`; without it there is one device, which has no name. */
export function parseDevices(
  raw: { device?: string[]; app: string; board: string },
  settings: Settings,
  macOf: (name: string) => Mac,
): SimDevice[] {
  const { app, board } = raw;
  if (!raw.device?.length) return [{ name: undefined, app, board, settings }];
  if (raw.device.length > DEVICES_MAX) throw new UserError(`more than ${DEVICES_MAX} devices`);
  const devices = raw.device.map((text): SimDevice => {
    const [, name, rest] = /^([A-Za-z][A-Za-z0-9-]{0,31})=(.+)$/.exec(text) ?? [];
    if (name === undefined || rest === undefined) {
      throw new UserError(
        `--device cannot be '${text}'; write NAME=APP or NAME=APP@BOARD, as web=http@virtual-w5500`,
      );
    }
    const at = rest.lastIndexOf("@");
    const own = { ...settings, hostName: name, mac: macOf(name) };
    if (at < 0) return { name, app: rest, board, settings: own };
    if (at === 0 || at === rest.length - 1) {
      throw new UserError(`--device cannot be '${text}'; write NAME=APP@BOARD`);
    }
    return { name, app: rest.slice(0, at), board: rest.slice(at + 1), settings: own };
  });
  return introduce(devices, "--device");
}

/** The devices of a lan.json. */
export function devicesOf(
  file: LanFile,
  path: string,
  board: string,
  settings: Settings,
  macOf: (name: string) => Mac,
): SimDevice[] {
  const { address: gateway, mask } = DEFAULT_SUBNET;
  const devices = file.devices.map((device): SimDevice => {
    const { name, app, options, link, ip, mac = macOf(name) } = device;
    if (ip !== undefined && (((ip ^ gateway) & mask) !== 0 || ip === gateway)) {
      throw new UserError(
        `${path}: ${formatAddress(ip)} of '${name}' is no free address of the network of ${formatAddress(gateway)}`,
      );
    }
    const own: Settings = { ...settings, hostName: name, mac };
    if (ip !== undefined) own.address = { address: ip, mask, gateway, dns: gateway };
    return { name, app, board: device.board ?? board, settings: own, options, link };
  });
  return introduce(devices, path);
}

/** Refuses what two devices cannot both have, and tells each of the others. */
function introduce(devices: SimDevice[], where: string): SimDevice[] {
  const seen = new Set<string>();
  devices.forEach((device, index) => {
    const { name = "", settings } = device;
    const address = formatAddress(addressOf(device, index));
    for (const key of [name.toLowerCase(), formatMac(settings.mac as Mac), address]) {
      const what = key === name.toLowerCase() ? name : key;
      if (seen.has(key)) throw new UserError(`${where} names '${what}' twice`);
      seen.add(key);
    }
  });
  for (const device of devices) meet(device, devices);
  return devices;
}

/** The address of the device of this number: its own, or that which DHCP keeps for it. */
export function addressOf({ settings }: SimDevice, index: number): number {
  return settings.address?.address ?? defaultPool(DEFAULT_SUBNET)[0] + index;
}

/** A device knows the others by name, as far as its settings have room; `NAME.local` is asked of the network. */
function meet(device: SimDevice, all: SimDevice[]): void {
  const hosts = [...(device.settings.hosts ?? [])];
  all.forEach((other, index) => {
    const { name = "" } = other;
    const bytes = [...hosts.map((host) => host.name), name].reduce(
      (n, text) => n + 5 + text.length,
      0,
    );
    if (name === device.name || bytes > hostsRoom(device.settings)) return;
    hosts.push({ name, address: addressOf(other, index) });
  });
  if (hosts.length > 0) device.settings.hosts = hosts;
}

/** What `--net` means for these devices; without `--net` each one has a port of the host that leads to its web page. */
export function netOfDevices(text: string, net: NetOption, devices: SimDevice[]): NetOption {
  const names = devices.flatMap(({ name }) => name ?? []);
  if (names.length === 0) {
    const named = net.kind === "forward" && net.forwards.find(({ device }) => device !== undefined);
    if (!named) return net;
    throw new UserError(
      `--net ${formatForwards([named])} names a device; give it with --device ${named.device}=APP@BOARD`,
    );
  }
  if (net.kind !== "forward") return net;
  if (text === DEFAULT_NET) {
    const forwards = names.map((device, i): Forward => {
      return { protocol: "tcp", hostPort: FIRST_PORT + i, device, devicePort: 80 };
    });
    return { kind: "forward", forwards };
  }
  for (const forward of net.forwards) {
    if (forward.device === undefined && names.length === 1) forward.device = names[0] as string;
    if (forward.device !== undefined && names.includes(forward.device)) continue;
    throw new UserError(
      `--net ${formatForwards([forward])} names none of the devices; write HOST=NAME:PORT with one of ${names.join(", ")}`,
    );
  }
  return net;
}

/** The file of one of several devices: `out.pcap` of `web` is `out-web.pcap`. */
export function fileOf(file: string | undefined, { name }: SimDevice): string | undefined {
  if (file === undefined || name === undefined) return file;
  return file.replace(/(\.[^./\\]*)?$/, `-${name}$1`);
}
