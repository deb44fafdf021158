/** Takes apart the messages of a DHCP client and forges a server's, byte by byte, right or wrong (RFC 2131, RFC 2132). */
import type { Parsed } from "./wire-parse.js";
import { be16, be32, concat, macBytes, macText } from "./wire.js";

export const DHCP = {
  DISCOVER: 1,
  OFFER: 2,
  REQUEST: 3,
  DECLINE: 4,
  ACK: 5,
  NAK: 6,
} as const;

export interface ClientMessage {
  type: number;
  xid: number;
  secs: number;
  flags: number;
  ciaddr: number;
  chaddr: string;
  options: Map<number, Uint8Array>;
  /** The options as numbers of 32 bits, where they are that. */
  number: (option: number) => number | undefined;
  /** Source and destination address of the packet. */
  from: number;
  to: number;
  /** Destination MAC of the frame. */
  mac: string;
}

/** The DHCP message in a frame that the stack has sent; throws when it is none, or malformed. */
export function clientMessage(frame: Parsed | undefined): ClientMessage {
  const udp = frame?.udp;
  if (!frame?.ip || !udp) throw new Error("no DHCP message was sent");
  if (udp.sourcePort !== 68 || udp.destinationPort !== 67) throw new Error("not the DHCP ports");
  const bytes = udp.data;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < 300) throw new Error(`message of ${bytes.length} bytes`);
  if (view.getUint32(0) !== 0x01010600) throw new Error("op, htype, hlen or hops");
  if (view.getUint32(236) !== 0x63825363) throw new Error("magic");
  if (bytes.subarray(34, 236).some((b) => b !== 0)) throw new Error("chaddr, sname or file");
  const options = new Map<number, Uint8Array>();
  let at = 240;
  while (bytes[at] !== 255) {
    const [code, length] = [bytes[at] as number, bytes[at + 1] as number];
    if (at + 2 + length >= bytes.length) throw new Error("options without an end");
    options.set(code, bytes.slice(at + 2, at + 2 + length));
    at += 2 + length;
  }
  if (bytes.subarray(at + 1).some((b) => b !== 0)) throw new Error("bytes behind the end option");
  return {
    type: options.get(53)?.[0] ?? 0,
    xid: view.getUint32(4),
    secs: view.getUint16(8),
    flags: view.getUint16(10),
    ciaddr: view.getUint32(12),
    chaddr: macText(bytes.subarray(28, 34)),
    options,
    number: (option) => {
      const value = options.get(option);
      return value?.length === 4 ? Buffer.from(value).readUInt32BE() : undefined;
    },
    from: frame.ip.source,
    to: frame.ip.destination,
    mac: frame.destination,
  };
}

/** An option: code and value; a number stands for 4 bytes. */
export type Option = [code: number, value: number | Uint8Array | number[]];

/** The bytes of options, without an end. */
export function optionBytes(options: Option[]): Uint8Array {
  return concat(
    ...options.map(([code, value]) => {
      const bytes = typeof value === "number" ? be32(value) : value;
      return concat([code, bytes.length], bytes);
    }),
  );
}

export interface ServerFields {
  op?: number;
  hardware?: number;
  hardwareBytes?: number;
  xid: number;
  yiaddr: number;
  chaddr: string;
  magic?: number;
  options: Option[];
  /** Replaces the options and their end. */
  raw?: Uint8Array;
  /** Content of sname and file, 192 bytes at most. */
  names?: Uint8Array;
}

/** A server's message: what stands behind the UDP header. */
export function serverMessage(fields: ServerFields): Uint8Array {
  const names = new Uint8Array(192);
  names.set(fields.names ?? []);
  return concat(
    [fields.op ?? 2, fields.hardware ?? 1, fields.hardwareBytes ?? 6, 0],
    be32(fields.xid),
    be16(0),
    be16(0),
    be32(0),
    be32(fields.yiaddr),
    be32(0),
    be32(0),
    macBytes(fields.chaddr),
    new Uint8Array(10),
    names,
    be32(fields.magic ?? 0x63825363),
    fields.raw ?? concat(optionBytes(fields.options), [255]),
  );
}
