import { UserError } from "../errors.js";
import { parsePort } from "./addresses.js";

/** A port of the host that leads to a port of the device. */
export interface Forward {
  protocol: "tcp" | "udp";
  hostPort: number;
  devicePort: number;
  /** Of several devices: the one that is meant. */
  device?: string;
}

/** What the device's network is joined to. */
export type NetOption =
  | { kind: "forward"; forwards: Forward[] }
  | { kind: "tap"; name: string }
  | { kind: "stream"; endpoint: StreamEndpoint }
  | { kind: "none" };

/** The far end of a stream of frames: a UNIX socket path or a TCP address. */
export interface StreamEndpoint {
  listen: boolean;
  path?: string;
  host?: string;
  port?: number;
}

/** The forwards of `npm start` and of `npm run sim` without `--net`. */
export const DEFAULT_NET = "forward:8080=80,7007=7";

const FORMS = "forward:HOST=DEVICE[,…], tap:INTERFACE, stream:PATH or none";

/** Reads the value of `--net`. */
export function parseNet(text: string): NetOption {
  const colon = text.indexOf(":");
  const kind = colon < 0 ? text : text.slice(0, colon);
  const rest = colon < 0 ? "" : text.slice(colon + 1);
  switch (kind) {
    case "none":
      if (colon >= 0) break;
      return { kind: "none" };
    case "forward":
      return { kind: "forward", forwards: parseForwards(rest) };
    case "tap":
      // IFNAMSIZ is 16 with the final zero; '/' and spaces are not allowed in a name.
      if (!/^[^\s/:]{1,15}$/.test(rest)) {
        throw new UserError(`--net tap: needs the name of an interface, as in --net tap:tap0`);
      }
      return { kind: "tap", name: rest };
    case "stream":
      return { kind: "stream", endpoint: parseEndpoint(rest) };
  }
  throw new UserError(`--net does not know '${text}'; it takes ${FORMS}`);
}

/** `[udp:]HOST=[NAME:]DEVICE`, separated by commas. */
function parseForwards(text: string): Forward[] {
  const forwards = text.split(",").map((item): Forward => {
    const match = /^(?:(tcp|udp):)?(\d+)=(?:([A-Za-z][A-Za-z0-9-]*):)?(\d+)$/.exec(item);
    if (!match) {
      throw new UserError(
        `--net forward: cannot read '${item}'; write HOST=DEVICE, as in --net forward:8081=80,udp:7007=7`,
      );
    }
    return {
      protocol: match[1] === "udp" ? "udp" : "tcp",
      hostPort: parsePort(match[2] as string),
      devicePort: parsePort(match[4] as string),
      ...(match[3] !== undefined && { device: match[3] }),
    };
  });
  const seen = new Set<string>();
  for (const { protocol, hostPort } of forwards) {
    const key = `${protocol} ${hostPort}`;
    if (seen.has(key)) {
      throw new UserError(`--net forward: names ${protocol} port ${hostPort} of the host twice`);
    }
    seen.add(key);
  }
  return forwards;
}

/** The value of `--net` for these forwards. */
export function formatForwards(forwards: readonly Forward[]): string {
  const items = forwards.map(({ protocol, hostPort, device, devicePort }) => {
    const name = device === undefined ? "" : `${device}:`;
    return `${protocol === "udp" ? "udp:" : ""}${hostPort}=${name}${devicePort}`;
  });
  return `forward:${items.join(",")}`;
}

function parseEndpoint(text: string): StreamEndpoint {
  const listen = text.startsWith("listen:");
  const rest = listen ? text.slice("listen:".length) : text;
  if (rest === "") {
    throw new UserError(
      `--net stream: needs a socket path or HOST:PORT, as in --net stream:/tmp/net.sock`,
    );
  }
  // The name of a pipe of Windows may end as a port does.
  const address = /^([^/\\:]*):(\d+)$/.exec(rest);
  if (!address) return { listen, path: rest };
  return { listen, host: address[1] || "127.0.0.1", port: parsePort(address[2] as string) };
}
