import { parseAddress, parseHostCidr, parseMac } from "../net/addresses.js";
import { UserError } from "../errors.js";
import {
  encodeSettings,
  parseHostEntry,
  parseHostName,
  SETTINGS_BYTES,
  type Settings,
  type StaticAddress,
} from "../settings.js";
import type { FlashFacts } from "./board-facts.js";
import { hex, joinSegments, segmentEnd, type Segment } from "./image/segments.js";

/** What a person says about one board on the command line. */
export interface SettingsRequest {
  mac?: string;
  hostname?: string;
  host?: string[];
  /** Address with prefix length, as in `192.168.1.20/24`. */
  ip?: string;
  gateway?: string;
  dns?: string;
  /** The same of the second interface. */
  ip2?: string;
  gateway2?: string;
  dns2?: string;
  dhcp?: boolean;
}

/** True when anything is to be said. */
export function wantsSettings(request: SettingsRequest): boolean {
  return Object.values(request).some((value) => value !== undefined && value !== false);
}

/** Reads the options. The block is written as a whole: what is not said is at its default. */
export function parseSettings(request: SettingsRequest): Settings {
  if (request.dhcp && request.ip !== undefined) {
    throw new UserError("--ip and --dhcp exclude each other; give one of them");
  }
  const settings: Settings = {};
  if (request.mac !== undefined) settings.mac = parseMac(request.mac);
  if (request.hostname !== undefined) settings.hostName = parseHostName(request.hostname);
  if (request.host?.length) settings.hosts = request.host.map(parseHostEntry);
  const address = parseStatic(request, "");
  const second = parseStatic(request, "2");
  if (address) settings.address = address;
  if (second) settings.second = second;
  return settings;
}

/** The static address that `--ip` and its like say, or `--ip2` of the second interface. */
function parseStatic(request: SettingsRequest, which: "" | "2"): StaticAddress | undefined {
  const [ip, router, dns] = [
    request[`ip${which}`],
    request[`gateway${which}`],
    request[`dns${which}`],
  ];
  if (ip === undefined) {
    if ((router ?? dns) === undefined) return undefined;
    throw new UserError(
      `--gateway${which} and --dns${which} go with a static address; add --ip${which} ADDRESS/PREFIX`,
    );
  }
  const gateway = router === undefined ? 0 : parseAddress(router);
  return { ...parseHostCidr(ip), gateway, dns: dns === undefined ? gateway : parseAddress(dns) };
}

/** The settings block at its place in the flash. @throws UserError where a board has no place. */
export function settingsSegment(request: SettingsRequest, facts: FlashFacts): Segment {
  if (facts.settings === undefined) {
    throw new UserError(`${facts.board} keeps no settings in its flash; leave --mac and such out`);
  }
  if (request.ip2 !== undefined && !facts.second) {
    throw new UserError(`${facts.board} has one Ethernet chip; leave --ip2 out`);
  }
  return { address: facts.settings, data: encodeSettings(parseSettings(request)) };
}

/**
 * The image with the settings block laid over it. An image may have erased bytes (0xFF) in its
 * place, but nothing else.
 */
export function withSettings(image: readonly Segment[], settings: Segment): Segment[] {
  const end = settings.address + SETTINGS_BYTES;
  const parts: Segment[] = [];
  for (const segment of image) {
    const from = Math.max(segment.address, settings.address) - segment.address;
    const to = Math.min(segmentEnd(segment), end) - segment.address;
    if (from >= to) {
      parts.push(segment);
      continue;
    }
    if (segment.data.subarray(from, to).some((byte) => byte !== 0xff)) {
      throw new UserError(
        `the image reaches into the settings block at ${hex(settings.address)}; it is too large`,
      );
    }
    parts.push({ address: segment.address, data: segment.data.subarray(0, from) });
    parts.push({ address: segment.address + to, data: segment.data.subarray(to) });
  }
  // Kept apart from its neighbours: a boot loader may write it by another way than the program.
  return [...joinSegments(parts), settings].sort((a, b) => a.address - b.address);
}
