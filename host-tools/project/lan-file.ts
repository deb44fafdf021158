/**
 * `lan.json`: a network of devices in a file, for `sim --lan FILE` and for `Lan.open(FILE)` of as-tcpip/testing
 * (docs/simulator.md). Read here, with file and line of each mistake; what it means is decided where it is used.
 */
import { existsSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { OPTIONS, type OptionName, type Options } from "../../stack/options.js";
import { nearest } from "../build/apps.js";
import { optionFault } from "../build/option-values.js";
import { lineOf } from "../build/sources.js";
import { UserError } from "../errors.js";
import { parseAddress, parseMac, type Mac } from "../net/addresses.js";
import { LINK_KEYS, parseLink } from "../net/link-options.js";
import type { Impairments } from "../net/link.js";
import { parseNet } from "../net/net-options.js";
import { parseJson, readText } from "./read-file.js";

/** A device of the file. */
export interface LanDevice {
  name: string;
  /** A name of the package, or the path of a folder. */
  app: string;
  board?: string;
  options: Partial<Options>;
  /** Static address. */
  ip?: number;
  mac?: Mac;
  /** What is said of its link; the rest is as everywhere. */
  link: Partial<Impairments>;
}

export interface LanFile {
  /** What `--net` says, where the command line does not. */
  net?: string;
  devices: LanDevice[];
}

const FILE_KEYS = ["net", "devices"];
const DEVICE_KEYS = ["name", "app", "board", "options", "ip", "mac", "link"];
const DEVICES_MAX = 16;

/** A mistake, before file and line are put before it. */
class Mistake extends Error {
  constructor(
    message: string,
    /** The key whose line is meant, and which of those with this name. */
    readonly key: string,
    readonly nth = 0,
  ) {
    super(message);
  }
}

/**
 * Reads the file.
 *
 * @throws UserError, one line with file and line, for what is not JSON, a key that does not exist, or a value that cannot be.
 */
export function readLanFile(file: string): LanFile {
  const text = readText(file);
  const parsed = parseJson(text, file);
  try {
    return readNetwork(parsed, dirname(file));
  } catch (error) {
    if (!(error instanceof Mistake)) throw error;
    throw new UserError(`${file}:${lineOf(text, placeOf(text, error))}: ${error.message}`);
  }
}

/** Where the key stands that a mistake is about: objects are read in the order of the text, so they can be counted. */
function placeOf(text: string, { key, nth }: Mistake): number {
  const found = [...text.matchAll(new RegExp(`"${key.replace(/\W/g, "\\$&")}"\\s*:`, "g"))];
  return (found[nth] ?? found[0])?.index ?? 0;
}

function readNetwork(parsed: unknown, folder: string): LanFile {
  const file = objectOf(parsed, "the file", "devices", 0);
  checkKeys(file, FILE_KEYS, "the file", 0);
  const { net, devices } = file;
  if (net !== undefined && typeof net !== "string") {
    throw new Mistake('"net" must be a text, as "forward:8080=web:80"', "net");
  }
  if (net !== undefined) about("net", 0, () => parseNet(net));
  if (!Array.isArray(devices) || devices.length === 0 || devices.length > DEVICES_MAX) {
    throw new Mistake(
      `"devices" must be a list of 1 to ${DEVICES_MAX}, as [{ "name": "web", "app": "http" }]`,
      "devices",
    );
  }
  const seen = new Map<string, number>();
  const result = devices.map((one: unknown, i) => readDevice(one, folder, seen, i));
  return { devices: result, ...(net !== undefined && { net }) };
}

function readDevice(
  parsed: unknown,
  folder: string,
  seen: Map<string, number>,
  index: number,
): LanDevice {
  const device = objectOf(parsed, `device ${index + 1}`, "devices", 0);
  const nthOf = (key: string): number => seen.get(key) ?? 0;
  checkKeys(device, DEVICE_KEYS, "a device", 0);
  const read = <T>(key: string, how: (text: string) => T): T | undefined => {
    const value = device[key];
    if (value === undefined) return undefined;
    if (typeof value !== "string" || value === "") {
      throw new Mistake(`"${key}" of device ${index + 1} must be a text`, key, nthOf(key));
    }
    return about(key, nthOf(key), () => how(value));
  };
  const name = read("name", nameOf);
  const app = read("app", (text) => appOf(text, folder));
  if (name === undefined || app === undefined) {
    const missing = name === undefined ? "name" : "app";
    throw new Mistake(
      `device ${index + 1} has no "${missing}"; write { "name": "web", "app": "http" }`,
      name === undefined ? "app" : "name",
      nthOf(name === undefined ? "app" : "name"),
    );
  }
  const [board, ip, mac] = [read("board", String), read("ip", parseAddress), read("mac", parseMac)];
  const options = readOptions(device["options"] ?? {}, nthOf("options"));
  const link = readLink(device["link"] ?? {}, seen);
  for (const key of Object.keys(device)) seen.set(key, nthOf(key) + 1);
  return {
    ...{ name, app, options, link },
    ...(board !== undefined && { board }),
    ...(ip !== undefined && { ip }),
    ...(mac !== undefined && { mac }),
  };
}

function nameOf(text: string): string {
  if (/^[A-Za-z]([A-Za-z0-9-]{0,29}[A-Za-z0-9])?$/.test(text)) return text;
  throw new UserError(`"name" cannot be '${text}'; use up to 31 letters, digits and hyphens`);
}

/** A name of the package stays one; a path begins where the file is. */
function appOf(text: string, folder: string): string {
  const path = isAbsolute(text) ? text : join(folder, text);
  return /^[a-z0-9-]+$/.test(text) && !existsSync(join(path, "main.ts")) ? text : path;
}

function readOptions(parsed: unknown, nth: number): Partial<Options> {
  const options = objectOf(parsed, '"options"', "options", nth);
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(OPTIONS, name)) {
      const hint = nearest(name, Object.keys(OPTIONS)) || "; 'as-tcpip options' lists them";
      throw new Mistake(`unknown build option ${name}${hint}`, name);
    }
    if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > 0xffff_ffff) {
      throw new Mistake(`build option ${name} must be a whole number, 0 or more`, name);
    }
    const fault = optionFault(name as OptionName, value as number);
    if (fault) throw new Mistake(`build option ${name} ${fault}`, name);
  }
  return options as Partial<Record<OptionName, number>>;
}

function readLink(parsed: unknown, seen: Map<string, number>): Partial<Impairments> {
  const link = objectOf(parsed, '"link"', "link", seen.get("link") ?? 0);
  checkKeys(link, LINK_KEYS, '"link"', 0);
  const result: Partial<Impairments> = {};
  for (const [key, value] of Object.entries(link)) {
    const nth = seen.get(key) ?? 0;
    Object.assign(
      result,
      about(key, nth, () => parseLink({ [key]: String(value) }, (name) => `"${name}"`)),
    );
    seen.set(key, nth + 1);
  }
  return result;
}

/** Says of which key the user's error of something that is read is. */
function about<T>(key: string, nth: number, how: () => T): T {
  try {
    return how();
  } catch (error) {
    if (error instanceof UserError) throw new Mistake(error.message, key, nth);
    throw error;
  }
}

function objectOf(value: unknown, what: string, key: string, nth: number): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new Mistake(`${what} must be an object in braces`, key, nth);
}

function checkKeys(
  object: Record<string, unknown>,
  known: readonly string[],
  what: string,
  nth: number,
): void {
  for (const key of Object.keys(object)) {
    if (known.includes(key)) continue;
    const hint = nearest(key, known) || `; there are: ${known.join(", ")}`;
    throw new Mistake(`unknown key "${key}" in ${what}${hint}`, key, nth);
  }
}
