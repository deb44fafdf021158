import { readdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../errors.js";
import { systemBinding } from "./line.js";

/** What kind of thing is behind a USB serial port. */
export type PortKind = "adapter" | "espruino" | "pico" | "stlink";

/** A serial port that a board may be behind. */
export interface Port {
  path: string;
  /** What the list below knows of it; absent where the system tells no USB identity. */
  kind?: PortKind;
  /** For people: chip or product. */
  name: string;
}

interface KnownPort {
  vendorId: string;
  productId?: string;
  kind: PortKind;
  name: string;
}

/** USB identities (hexadecimal, lower case) of the ports that boards of this package come with. */
const KNOWN_PORTS: readonly KnownPort[] = [
  { vendorId: "0483", productId: "5740", kind: "espruino", name: "Espruino or STM32 USB port" },
  { vendorId: "0483", productId: "374b", kind: "stlink", name: "ST-LINK/V2-1" },
  { vendorId: "0483", productId: "374e", kind: "stlink", name: "ST-LINK/V3" },
  { vendorId: "2e8a", productId: "000c", kind: "adapter", name: "Raspberry Pi Debug Probe" },
  { vendorId: "2e8a", kind: "pico", name: "Raspberry Pi Pico USB port" },
  { vendorId: "0403", kind: "adapter", name: "FTDI adapter" },
  { vendorId: "10c4", kind: "adapter", name: "CP210x adapter" },
  { vendorId: "1a86", kind: "adapter", name: "CH340 adapter" },
  { vendorId: "067b", kind: "adapter", name: "PL2303 adapter" },
  { vendorId: "04d8", productId: "00dd", kind: "adapter", name: "MCP2221 adapter" },
];

/** No port fits, yet: one may be plugged in. */
export class NoPort extends UserError {}

/** What a listing of ports needs of the machine; tests bring their own. */
export interface PortSources {
  /** The serialport package's list; fails on Linux without `udevadm`. */
  list(): Promise<
    { path: string; vendorId?: string | undefined; productId?: string | undefined }[]
  >;
  /** Names in a folder; empty when there is none. */
  names(folder: string): string[];
  /** The file behind a link. */
  real(path: string): string;
}

const systemSources: PortSources = {
  list: async () => (await systemBinding()).list(),
  names: (folder) => {
    try {
      return readdirSync(folder);
    } catch {
      return [];
    }
  },
  real: realpathSync,
};

/** The USB serial ports of this machine by path. Others can be named, but are not offered. */
export async function listPorts(sources: PortSources = systemSources): Promise<Port[]> {
  let ports: Port[];
  try {
    ports = (await sources.list())
      .filter((port) => port.vendorId !== undefined)
      .map((port) => identify(port.path, port.vendorId as string, port.productId));
  } catch {
    ports = portsByName(sources);
  }
  return ports.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function identify(path: string, vendor: string, product: string | undefined): Port {
  const vendorId = vendor.toLowerCase().padStart(4, "0");
  const productId = product?.toLowerCase().padStart(4, "0");
  const known = KNOWN_PORTS.find(
    (k) => k.vendorId === vendorId && (k.productId === undefined || k.productId === productId),
  );
  if (!known) return { path, name: `USB ${vendorId}:${productId ?? "????"}` };
  return { path, kind: known.kind, name: known.name };
}

/** Without a list from the system: names in /dev, those with a product's name in them first. */
function portsByName(sources: PortSources): Port[] {
  const byId = "/dev/serial/by-id";
  const ports = new Map<string, Port>();
  for (const name of sources.names(byId)) {
    const path = sources.real(join(byId, name));
    ports.set(path, { path, name });
  }
  for (const name of sources.names("/dev")) {
    const path = join("/dev", name);
    if (/^tty(ACM|USB)\d+$/.test(name) && !ports.has(path)) {
      ports.set(path, { path, name: "USB serial port" });
    }
  }
  return [...ports.values()];
}

/**
 * The one port that fits. Ports of unknown kind fit everything when none of a wanted kind is there.
 *
 * @param kinds what the job can work with.
 * @throws NoPort when none fits, UserError when several do; they are listed.
 */
export function choosePort(ports: readonly Port[], kinds: readonly PortKind[]): Port {
  const wanted = ports.filter((port) => port.kind !== undefined && kinds.includes(port.kind));
  const fitting = wanted.length > 0 ? wanted : ports.filter((port) => port.kind === undefined);
  const [first, ...others] = fitting;
  if (first && others.length === 0) return first;
  const describe = (list: readonly Port[]): string =>
    list.map((port) => `${port.path} (${port.name})`).join(", ");
  if (first) {
    throw new UserError(`several serial ports fit: ${describe(fitting)}; choose with --port PATH`);
  }
  const unfit = ports.length > 0 ? ` (there are: ${describe(ports)})` : "";
  throw new NoPort(
    `no serial port fits${unfit}; plug the board or its adapter in, or give --port PATH`,
  );
}
