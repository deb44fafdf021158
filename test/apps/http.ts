import type { Bench, Script } from "./bench.js";
import { DEVICE_ADDRESS } from "./bench.js";
import type { Connection, Ending } from "./peer.js";

/** A response as it came over the wire. */
export interface Response {
  status: number;
  reason: string;
  /** Field names in small letters. */
  fields: Record<string, string>;
  body: Buffer;
  /** Of the whole message. */
  bytes: number;
}

/**
 * Reads one response from the front of `data`; null while it is not whole. `ended`: nothing more
 * will come.
 */
export function parseResponse(data: Buffer, head: boolean, ended: boolean): Response | null {
  const headEnd = data.indexOf("\r\n\r\n");
  if (headEnd < 0) return null;
  const [line, ...lines] = data.toString("latin1", 0, headEnd).split("\r\n");
  const match = /^HTTP\/1\.1 (\d{3}) ([\x20-\x7e]+)$/.exec(line as string);
  if (!match) throw new Error(`not a status line: ${JSON.stringify(line)}`);
  const status = Number(match[1]);
  const fields: Record<string, string> = {};
  for (const field of lines) {
    const parts = /^([a-z-]+): ([\x20-\x7e]*)$/i.exec(field);
    if (!parts) throw new Error(`not a field line: ${JSON.stringify(field)}`);
    const name = (parts[1] as string).toLowerCase();
    if (name in fields) throw new Error(`${name} comes twice`);
    fields[name] = parts[2] as string;
  }
  const at = headEnd + 4;
  const whole = (body: Buffer, bytes: number): Response => ({
    status,
    reason: match[2] as string,
    fields,
    body,
    bytes,
  });
  if (head || status < 200 || status === 204 || status === 304) return whole(Buffer.alloc(0), at);
  if (fields["transfer-encoding"] === "chunked") {
    const chunks = parseChunks(data, at);
    return chunks && whole(chunks.body, chunks.end);
  }
  const length = fields["content-length"];
  if (length === undefined) return ended ? whole(data.subarray(at), data.length) : null;
  const end = at + Number(length);
  return data.length < end ? null : whole(data.subarray(at, end), end);
}

function parseChunks(data: Buffer, start: number): { body: Buffer; end: number } | null {
  const parts: Buffer[] = [];
  for (let at = start; ;) {
    const lineEnd = data.indexOf("\r\n", at);
    if (lineEnd < 0) return null;
    const size = parseInt(data.toString("latin1", at, lineEnd), 16);
    if (Number.isNaN(size)) throw new Error("a chunk without a size");
    const from = lineEnd + 2;
    if (data.length < from + size + 2) return null;
    if (data.toString("latin1", from + size, from + size + 2) !== "\r\n") {
      throw new Error("a chunk without its end");
    }
    parts.push(data.subarray(from, from + size));
    at = from + size + 2;
    if (size === 0) return { body: Buffer.concat(parts), end: at };
  }
}

/** Sends a request on a connection and takes the response. */
export function* request(
  connection: Connection,
  text: Uint8Array | string,
): Script<Response | null> {
  yield* connection.send(text);
  return yield* nextResponse(connection, Buffer.from(text).toString("latin1").startsWith("HEAD "));
}

/** Takes the next response of a connection; null when it ends without one. */
export function* nextResponse(connection: Connection, head = false): Script<Response | null> {
  const parse = (data: Buffer): Response | null =>
    parseResponse(data, head, connection.ending !== "open");
  yield* connection.receive((data) => parse(data) !== null);
  const response = parse(connection.received);
  if (response) connection.take(response.bytes);
  return response;
}

/** What came of sending bytes on a connection of their own. */
export interface Outcome {
  responses: Response[];
  /** All bytes that came. */
  raw: Buffer;
  ending: Ending;
}

/**
 * Sends bytes on a new connection, in pieces where wanted, finishes, and takes everything until the
 * end.
 */
export function* converse(
  bench: Bench,
  port: number,
  data: Uint8Array | string,
  options: { pieceBytes?: number; pauseMs?: number; finish?: boolean } = {},
): Script<Outcome> {
  const bytes = typeof data === "string" ? Buffer.from(data, "latin1") : data;
  const connection = yield* bench.peer.connect(DEVICE_ADDRESS, port);
  const piece = options.pieceBytes ?? bytes.length;
  for (let at = 0; at < bytes.length && connection.ending === "open"; at += piece) {
    yield* connection.send(bytes.subarray(at, at + piece));
    if (options.pauseMs !== undefined) yield* bench.sleep(options.pauseMs);
  }
  if (options.finish !== false && connection.ending === "open") connection.finish();
  const raw = yield* connection.ended();
  const ending = connection.ending;
  if (ending === "closed") connection.close();
  const head = Buffer.from(bytes).toString("latin1", 0, 5) === "HEAD ";
  const responses: Response[] = [];
  for (let left = raw; left.length > 0;) {
    const response = parseResponse(left, head, true);
    if (!response) break;
    responses.push(response);
    left = left.subarray(response.bytes);
  }
  return { responses, raw, ending };
}

/** A request with what HTTP/1.1 asks for. */
export function get(path: string, fields = "", method = "GET"): string {
  return `${method} ${path} HTTP/1.1\r\nHost: device\r\n${fields}\r\n`;
}

/** The status document. */
export interface Status {
  uptime: number;
  board: string;
  app: string;
  chip: string;
  chipVersion: number;
  link: { up: boolean; mbit: number; duplex: string };
  mac: string;
  hostName: string;
  address: string;
  mask: string;
  gateway: string;
  dns: string;
  dhcp: { server: string; lease: number };
  /** Of a board with two chips. */
  interfaces?: (Pick<
    Status,
    "link" | "mac" | "address" | "mask" | "gateway" | "dns" | "dhcp" | "nic"
  > & {
    name: string;
  })[];
  sockets: {
    type: string;
    state: string;
    local: string;
    remote: string;
    in: number;
    out: number;
  }[];
  pools: Record<string, { used: number; size: number }>;
  counters: Record<string, number>;
  nic: Record<string, number>;
}

/** Asks the device for its status on a connection of its own. */
export function* status(bench: Bench): Script<Status> {
  const { responses } = yield* converse(bench, 80, get("/api/status", "Connection: close\r\n"));
  const body = responses[0]?.body;
  if (!body) throw new Error("the device gives no status");
  return JSON.parse(body.toString("utf8")) as Status;
}
