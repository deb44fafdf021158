import { macAt, type Mac } from "./addresses.js";
import { get16, get32, put16, put32 } from "./packets.js";

/** DHCP message types (RFC 2132 9.6). */
export const DhcpType = {
  DISCOVER: 1,
  OFFER: 2,
  REQUEST: 3,
  DECLINE: 4,
  ACK: 5,
  NAK: 6,
  RELEASE: 7,
  INFORM: 8,
} as const;

/** Options that the server reads or writes (RFC 2132). */
export const DhcpOption = {
  SUBNET_MASK: 1,
  ROUTER: 3,
  DNS: 6,
  HOST_NAME: 12,
  REQUESTED_ADDRESS: 50,
  LEASE_TIME: 51,
  OVERLOAD: 52,
  MESSAGE_TYPE: 53,
  SERVER_ID: 54,
  RENEWAL_TIME: 58,
  REBINDING_TIME: 59,
  CLIENT_ID: 61,
} as const;

/** A client's message, as far as a server needs it. Addresses are host-order numbers, 0 where unset. */
export interface DhcpRequest {
  type: number;
  xid: number;
  flags: number;
  ciaddr: number;
  giaddr: number;
  chaddr: Mac;
  requestedAddress: number;
  serverId: number;
  hostName: string;
  /** Client identifier, or the hardware address where there is none, as a key. */
  client: string;
}

const COOKIE = 0x6382_5363;
const FIXED_BYTES = 236;
/** A BOOTP message is 300 bytes at least (RFC 1542 2.1). */
const MIN_BYTES = 300;

/** The options of a message; a repeated option is joined (RFC 3396); null when they do not fit. */
function parseOptions(message: Uint8Array): Map<number, Uint8Array> | null {
  const options = new Map<number, Uint8Array>();
  for (let at = FIXED_BYTES + 4; at < message.length;) {
    const code = message[at] as number;
    if (code === 255) return options;
    if (code === 0) {
      at++;
      continue;
    }
    const bytes = message[at + 1];
    if (bytes === undefined || at + 2 + bytes > message.length) return null;
    const value = message.subarray(at + 2, at + 2 + bytes);
    const before = options.get(code);
    options.set(code, before ? Buffer.concat([before, value]) : value);
    at += 2 + bytes;
  }
  return options;
}

/** Reads a client's message; null when it is not one over Ethernet (RFC 2131 2). */
export function parseDhcp(message: Uint8Array): DhcpRequest | null {
  if (message.length < FIXED_BYTES + 4 || message[0] !== 1) return null;
  if (message[1] !== 1 || message[2] !== 6 || get32(message, FIXED_BYTES) !== COOKIE) return null;
  const options = parseOptions(message);
  const type = options?.get(DhcpOption.MESSAGE_TYPE)?.[0];
  if (!options || type === undefined) return null;
  const address = (code: number): number => {
    const value = options.get(code);
    return value?.length === 4 ? get32(value, 0) : 0;
  };
  const clientId = options.get(DhcpOption.CLIENT_ID) ?? message.subarray(28, 34);
  return {
    type,
    xid: get32(message, 4),
    flags: get16(message, 10),
    ciaddr: get32(message, 12),
    giaddr: get32(message, 24),
    chaddr: macAt(message, 28),
    requestedAddress: address(DhcpOption.REQUESTED_ADDRESS),
    serverId: address(DhcpOption.SERVER_ID),
    hostName: Buffer.from(options.get(DhcpOption.HOST_NAME) ?? []).toString("latin1"),
    client: Buffer.from(clientId).toString("hex"),
  };
}

/** An option of a reply: a 32-bit number (address or seconds), or one byte. */
export type ReplyOption = [code: number, value: number, bytes: 1 | 4];

/** Builds a server's reply to `request`. */
export function buildDhcpReply(
  request: DhcpRequest,
  reply: { yiaddr: number; ciaddr: number; options: ReplyOption[] },
): Uint8Array {
  const message = new Uint8Array(MIN_BYTES);
  message.set([2, 1, 6]);
  put32(message, 4, request.xid);
  put16(message, 10, request.flags);
  put32(message, 12, reply.ciaddr);
  put32(message, 16, reply.yiaddr);
  put32(message, 24, request.giaddr);
  for (let i = 0, mac = request.chaddr; i < 6; i++, mac = Math.floor(mac / 256)) {
    message[33 - i] = mac % 256;
  }
  put32(message, FIXED_BYTES, COOKIE);
  let at = FIXED_BYTES + 4;
  for (const [code, value, bytes] of reply.options) {
    message[at] = code;
    message[at + 1] = bytes;
    if (bytes === 1) message[at + 2] = value;
    else put32(message, at + 2, value);
    at += 2 + bytes;
  }
  message[at] = 255;
  return message;
}
