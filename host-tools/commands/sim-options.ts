import { createHash, randomInt } from "node:crypto";
import { hostname } from "node:os";
import type { Command } from "commander";
import type { Options } from "../../stack/options.js";
import { defaultApp } from "../build/apps.js";
import { UserError } from "../errors.js";
import {
  formatAddress,
  parseAddress,
  parseHostCidr,
  parseMac,
  type Mac,
  type Subnet,
} from "../net/addresses.js";
import { parseResolver, type Resolver } from "../net/dns-forwarder.js";
import { parseDecimal, parseLink, type LinkTexts } from "../net/link-options.js";
import { PERFECT, type Impairments } from "../net/link.js";
import { DEFAULT_NET, parseNet, type NetOption } from "../net/net-options.js";
import { readLanFile } from "../project/lan-file.js";
import { readText } from "../project/read-file.js";
import { parseHostEntry, parseHostName, type Settings, type StaticAddress } from "../settings.js";
import { parseScript, type ScriptStep } from "../sim/script-parse.js";
import { DEFAULT_SUBNET } from "../sim/world-lan.js";
import { devicesOf, netOfDevices, parseDevices, type SimDevice } from "./sim-devices.js";
import { collectOption } from "./set-option.js";

/** The options of `start` and `sim` as commander gives them: texts as typed. */
export interface RawSimOptions extends LinkTexts {
  board: string;
  app: string;
  device?: string[];
  lan?: string;
  set: Partial<Options>;
  net: string;
  ip?: string;
  gateway?: string;
  ip2?: string;
  gateway2?: string;
  dhcp?: boolean;
  mac?: string;
  hostname?: string;
  host?: string[];
  dns?: string[];
  pcap?: string;
  vcd?: string;
  seed?: string;
  script?: string;
  expect?: string;
  failText?: string;
  timeout?: string;
  limit?: string;
  watch?: boolean;
  json?: boolean;
}

/** The same, understood. */
export interface SimOptions {
  devices: SimDevice[];
  /** Build options of the command line. */
  options: Partial<Options>;
  net: NetOption;
  /** Name servers of the gateway; undefined: those of this computer. */
  resolvers: Resolver[] | undefined;
  /** The gateway's address and the network. */
  subnet: Subnet;
  seed: number;
  impairments: Impairments;
  pcap: string | undefined;
  vcd: string | undefined;
  /** What happens to the device. */
  script: ScriptStep[] | undefined;
  expect: string | undefined;
  /** A log line with this text is a failure. */
  failText: string | undefined;
  timeoutNs: number | undefined;
  /** Seconds of this computer. */
  limit: number | undefined;
  /** Ports of the host that are taken give way to the next free ones. */
  movable: boolean;
  /** Build again and start again when a source changes. */
  watch: boolean;
  json: boolean;
}

/** In virtual time nobody watches: such a run ends by itself. */
const VIRTUAL_TIMEOUT_S = 60;
/** Longest time of a timer of Node. */
const LIMIT_MAX_S = 2e6;
/** The seed of runs in virtual time that were given none. */
const VIRTUAL_SEED = 1;

/** Adds the options of a simulation to a command. */
export function addSimOptions(command: Command): Command {
  return command
    .option("--board <board>", "board to simulate", "virtual-w5500")
    .option("--app <app>", "application: a name, or a folder with a main.ts", defaultApp())
    .option("--device <name=app@board...>", "several devices on one network, in place of --app")
    .option("--lan <file>", "the devices of a lan.json, in place of --device")
    .option(
      "--set <option=value>",
      "override a build option, as --set TCP_TCBS=4",
      collectOption,
      {},
    )
    .option(
      "--net <net>",
      "forward:HOST=[NAME:]DEVICE[,udp:HOST=DEVICE...], tap:INTERFACE, stream:PATH, stream:HOST:PORT, " +
        "stream:listen:..., or none (without this computer, in virtual time)",
      DEFAULT_NET,
    )
    .option("--ip <address/prefix>", "static address of the device, as 192.168.77.2/24")
    .option("--gateway <address>", "default gateway of the device, with --ip")
    .option("--ip2 <address/prefix>", "the same on the second network of a board with two chips")
    .option("--gateway2 <address>", "router there, with --ip2")
    .option("--dhcp", "address by DHCP (the default)")
    .option("--mac <mac>", "hardware address of the device, as 02:00:00:12:34:56")
    .option("--hostname <name>", "host name of the device")
    .option("--host <name=address...>", "names that the device knows without asking")
    .option(
      "--dns <address...>",
      "name servers behind the gateway, as 10.0.0.1 or 10.0.0.1:5353, not this computer's",
    )
    .option("--pcap <file>", "capture the device's cable")
    .option("--vcd <file>", "dump the SPI signals")
    .option("--seed <n>", "seed of everything random; one seed is one run with --net none")
    .option("--loss <percent>", "frames lost on the device's link, each way")
    .option("--delay <ms>", "delay of the link, each way")
    .option("--reorder <percent>", "frames overtaken by later ones")
    .option("--duplicate <percent>", "frames that arrive twice")
    .option("--corrupt <percent>", "frames with one bit turned")
    .option("--rate <bps>", "bits per second of the link, as 500k or 10M")
    .option(
      "--script <file>",
      "with --net none: buttons, data and cables by a script, and what must come of it",
    )
    .option("--expect <text>", "end with exit code 0 when a log line has this text")
    .option("--fail-text <text>", "end with exit code 1 when a log line has this text")
    .option("--timeout <seconds>", "end after that much simulated time")
    .option("--limit <seconds>", "end after that much time of this computer")
    .option("--watch", "build and start again when a source or an asset changes")
    .option("--json", "log lines and events as JSON objects, one a line");
}

/** Checks everything that can be checked before anything is built; the first mistake is the user's error. */
export function parseSimOptions(raw: RawSimOptions): SimOptions {
  const file = raw.lan === undefined ? undefined : readLanFile(raw.lan);
  const netText = raw.net === DEFAULT_NET ? (file?.net ?? raw.net) : raw.net;
  const given = parseNet(netText);
  const { settings, subnet } = parseAddressing(raw);
  const virtual = given.kind === "none";
  const seed = wholeNumber("--seed", raw.seed, 0xffff_ffff);
  if (raw.mac !== undefined) settings.mac = parseMac(raw.mac);
  else if (!virtual) settings.mac = stableMac(raw);
  if (raw.hostname !== undefined) settings.hostName = parseHostName(raw.hostname);
  if (raw.host?.length) settings.hosts = raw.host.map(parseHostEntry);
  if (file && raw.device)
    throw new UserError("--lan and --device contradict each other; give one of them");
  if (file || raw.device?.length) refuseOfOne(raw);
  if (raw.watch && given.kind !== "forward") {
    throw new UserError("--watch needs --net forward, which is the default");
  }
  // In virtual time a run is the same on every computer.
  const macOf = (name: string): Mac => (virtual ? digestMac([name]) : stableMac(raw, name));
  const devices = file
    ? devicesOf(file, raw.lan as string, raw.board, settings, macOf)
    : parseDevices(raw, settings, macOf);
  const net = netOfDevices(netText, given, devices);
  const timeout = duration("--timeout", raw.timeout, 1e9);
  for (const [name, text] of Object.entries({ expect: raw.expect, "fail-text": raw.failText })) {
    if (text === "") throw new UserError(`--${name} needs a text that is not empty`);
  }
  return {
    devices,
    options: raw.set,
    net,
    resolvers: raw.dns?.map(parseResolver),
    subnet,
    seed: seed ?? (virtual ? VIRTUAL_SEED : randomInt(2 ** 32)),
    impairments: { ...PERFECT, ...parseLink(raw, (name) => `--${name}`) },
    pcap: raw.pcap,
    vcd: raw.vcd,
    expect: raw.expect,
    script: readScript(raw, virtual, devices),
    // A script ends by itself.
    timeoutNs: nanoseconds(timeout ?? (virtual && !raw.script ? VIRTUAL_TIMEOUT_S : undefined)),
    failText: raw.failText,
    limit: duration("--limit", raw.limit, LIMIT_MAX_S),
    movable: netText === DEFAULT_NET,
    watch: raw.watch ?? false,
    json: raw.json ?? false,
  };
}

function readScript(
  { script }: RawSimOptions,
  virtual: boolean,
  devices: SimDevice[],
): ScriptStep[] | undefined {
  if (script === undefined) return undefined;
  if (!virtual) throw new UserError("--script needs --net none, where time is virtual");
  const names = devices.flatMap(({ name }) => name ?? []);
  return parseScript(readText(script), script, names);
}

/** Options that only one device can have. */
function refuseOfOne(raw: RawSimOptions): void {
  for (const option of ["ip", "gateway", "ip2", "gateway2", "mac", "hostname"] as const) {
    if (raw[option] === undefined) continue;
    throw new UserError(
      `--${option} is for one device; those of --device and --lan get theirs there`,
    );
  }
}

/** The device's settings and the network that follows from them. */
function parseAddressing(raw: RawSimOptions): { settings: Settings; subnet: Subnet } {
  const address = parseStatic(raw, "");
  const second = parseStatic(raw, "2");
  return {
    settings: { ...(address && { address }), ...(second && { second }) },
    subnet: address ? { address: address.gateway, mask: address.mask } : DEFAULT_SUBNET,
  };
}

/** The static address that `--ip` and `--gateway`, or `--ip2` and `--gateway2`, say. */
function parseStatic(raw: RawSimOptions, which: "" | "2"): StaticAddress | undefined {
  const [ip, gatewayText] = [raw[`ip${which}`], raw[`gateway${which}`]];
  if (ip === undefined) {
    if (gatewayText !== undefined) {
      throw new UserError(
        `--gateway${which} goes with --ip${which} ADDRESS/PREFIX; by DHCP the device is told`,
      );
    }
    return undefined;
  }
  if (raw.dhcp && which === "")
    throw new UserError("--ip and --dhcp contradict each other; give one of them");
  const { address, mask } = parseHostCidr(ip);
  const network = (address & mask) >>> 0;
  const gateway =
    gatewayText === undefined ? firstOther(network, address) : parseAddress(gatewayText);
  const host = (gateway & ~mask) >>> 0;
  if ((gateway & mask) >>> 0 !== network || host === 0 || host === ~mask >>> 0) {
    throw new UserError(
      `the gateway ${formatAddress(gateway)} is not a host of the network of ${ip}`,
    );
  }
  if (gateway === address) {
    throw new UserError(`the device and the gateway cannot both be ${formatAddress(address)}`);
  }
  return { address, mask, gateway, dns: gateway };
}

function firstOther(network: number, address: number): number {
  return network + 1 === address ? network + 2 : network + 1;
}

function duration(name: string, text: string | undefined, high: number): number | undefined {
  if (text === undefined) return undefined;
  const seconds = parseDecimal(name, text, 0, high, "seconds");
  if (seconds === 0) throw new UserError(`${name} must be more than 0 seconds`);
  return seconds;
}

function wholeNumber(name: string, text: string | undefined, high: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > high) {
    throw new UserError(`${name} cannot be '${text}'; give a whole number from 0 to ${high}`);
  }
  return value;
}

function nanoseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1e9;
}

/** A locally administered address that this board keeps from run to run on this computer, as peers remember it. */
function stableMac(raw: RawSimOptions, name?: string): Mac {
  return digestMac([hostname(), raw.board, raw.net, ...(name === undefined ? [] : [name])]);
}

function digestMac(who: string[]): Mac {
  const digest = createHash("sha256").update(who.join("\n")).digest();
  return 0x0200_0000_0000 + digest.readUIntBE(0, 5);
}
