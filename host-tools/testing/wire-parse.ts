/**
 * Takes apart the frames that a stack has sent, and notes everything that is wrong with them: lengths, checksums, padding
 * that is not zero, addresses that must not be on a wire. A wire test fails on any problem in any frame.
 */
import {
  ETHERTYPE,
  PROTOCOL,
  internetSum,
  ipText,
  macText,
  pseudoHeader,
  type TcpOptions,
} from "./wire.js";

export interface ParsedArp {
  operation: number;
  senderMac: string;
  senderAddress: number;
  targetMac: string;
  targetAddress: number;
}

export interface ParsedIp {
  source: number;
  destination: number;
  protocol: number;
  ttl: number;
  tos: number;
  id: number;
  dontFragment: boolean;
  moreFragments: boolean;
  /** In units of 8 bytes. */
  offset: number;
  options: Uint8Array;
  payload: Uint8Array;
}

export interface ParsedIcmp {
  type: number;
  code: number;
  rest: number;
  data: Uint8Array;
}

export interface ParsedUdp {
  sourcePort: number;
  destinationPort: number;
  checksum: number;
  data: Uint8Array;
}

export interface ParsedTcp {
  sourcePort: number;
  destinationPort: number;
  seq: number;
  ack: number;
  flags: number;
  window: number;
  urgentPointer: number;
  options: TcpOptions;
  data: Uint8Array;
}

/** A frame that was taken apart; `problems` says what is malformed in it. */
export interface Parsed {
  destination: string;
  source: string;
  type: number;
  arp?: ParsedArp;
  ip?: ParsedIp;
  icmp?: ParsedIcmp;
  udp?: ParsedUdp;
  tcp?: ParsedTcp;
  /** What is wrong with the frame; empty for a good one. */
  problems: string[];
  /** The frame itself. */
  bytes: Uint8Array;
}

function u16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

function u32(bytes: Uint8Array, at: number): number {
  return ((u16(bytes, at) << 16) | u16(bytes, at + 2)) >>> 0;
}

/** Parses a frame without FCS. */
export function parseFrame(frame: Uint8Array): Parsed {
  const result: Parsed = {
    destination: macText(frame.subarray(0, 6)),
    source: macText(frame.subarray(6, 12)),
    type: u16(frame, 12),
    problems: [],
    bytes: frame,
  };
  if (frame.length < 60) result.problems.push(`frame of ${frame.length} bytes`);
  if (frame.length > 1514) result.problems.push(`frame of ${frame.length} bytes`);
  if (((frame[6] ?? 1) & 1) !== 0) result.problems.push("source MAC is a group address");
  const body = frame.subarray(14);
  let used = body.length;
  if (result.type === ETHERTYPE.ARP) used = parseArp(result, body);
  else if (result.type === ETHERTYPE.IPV4) used = parseIp(result, body);
  else result.problems.push(`ethertype ${result.type.toString(16)}`);
  if (body.subarray(used).some((b) => b !== 0)) result.problems.push("padding is not zero");
  if (frame.length > 60 && used < body.length) result.problems.push("padding beyond 60 bytes");
  return result;
}

function parseArp(result: Parsed, body: Uint8Array): number {
  if (u16(body, 0) !== 1 || u16(body, 2) !== 0x0800 || u16(body, 4) !== 0x0604) {
    result.problems.push("ARP header");
  }
  result.arp = {
    operation: u16(body, 6),
    senderMac: macText(body.subarray(8, 14)),
    senderAddress: u32(body, 14),
    targetMac: macText(body.subarray(18, 24)),
    targetAddress: u32(body, 24),
  };
  if (result.arp.senderMac !== result.source) result.problems.push("ARP sender MAC is not ours");
  return 28;
}

function parseIp(result: Parsed, body: Uint8Array): number {
  const headerBytes = ((body[0] ?? 0) & 15) * 4;
  const total = u16(body, 2);
  if ((body[0] ?? 0) >>> 4 !== 4 || headerBytes < 20) result.problems.push("IP version or IHL");
  if (total < headerBytes || total > body.length) {
    result.problems.push(`IP total length ${total} in ${body.length} bytes`);
    return body.length;
  }
  if (internetSum(body.subarray(0, headerBytes)) !== 0xffff) result.problems.push("IP checksum");
  const flags = u16(body, 6);
  const packet: ParsedIp = {
    source: u32(body, 12),
    destination: u32(body, 16),
    protocol: body[9] ?? 0,
    ttl: body[8] ?? 0,
    tos: body[1] ?? 0,
    id: u16(body, 4),
    dontFragment: (flags & 0x4000) !== 0,
    moreFragments: (flags & 0x2000) !== 0,
    offset: flags & 0x1fff,
    options: body.subarray(20, headerBytes),
    payload: body.subarray(headerBytes, total),
  };
  result.ip = packet;
  if (packet.ttl === 0) result.problems.push("TTL 0");
  for (const address of [packet.source, packet.destination]) {
    if (address >>> 24 === 127) result.problems.push(`${ipText(address)} on the wire`);
  }
  if (packet.source >= 0xe0000000) result.problems.push("source is not one host");
  if (packet.moreFragments || packet.offset !== 0) return total;
  if (packet.protocol === PROTOCOL.ICMP) parseIcmp(result, packet);
  else if (packet.protocol === PROTOCOL.UDP) parseUdp(result, packet);
  else if (packet.protocol === PROTOCOL.TCP) parseTcp(result, packet);
  else if (packet.protocol === PROTOCOL.IGMP) {
    if (packet.payload.length !== 8) result.problems.push("IGMP length");
    if (internetSum(packet.payload) !== 0xffff) result.problems.push("IGMP checksum");
  } else result.problems.push(`protocol ${packet.protocol}`);
  return total;
}

function parseIcmp(result: Parsed, packet: ParsedIp): void {
  const bytes = packet.payload;
  if (bytes.length < 8) result.problems.push("ICMP shorter than 8 bytes");
  if (internetSum(bytes) !== 0xffff) result.problems.push("ICMP checksum");
  result.icmp = {
    type: bytes[0] ?? -1,
    code: bytes[1] ?? -1,
    rest: u32(bytes, 4),
    data: bytes.subarray(8),
  };
}

function parseUdp(result: Parsed, packet: ParsedIp): void {
  const bytes = packet.payload;
  if (bytes.length < 8 || u16(bytes, 4) !== bytes.length) result.problems.push("UDP length");
  const pseudo = pseudoHeader(packet.source, packet.destination, PROTOCOL.UDP, bytes.length);
  const checksum = u16(bytes, 6);
  if (checksum === 0) result.problems.push("UDP without checksum");
  else if (internetSum(pseudo, bytes) !== 0xffff) result.problems.push("UDP checksum");
  result.udp = {
    sourcePort: u16(bytes, 0),
    destinationPort: u16(bytes, 2),
    checksum,
    data: bytes.subarray(8),
  };
}

function parseTcp(result: Parsed, packet: ParsedIp): void {
  const bytes = packet.payload;
  const headerBytes = ((bytes[12] ?? 0) >>> 4) * 4;
  if (bytes.length < 20 || headerBytes < 20 || headerBytes > bytes.length) {
    result.problems.push("TCP header length");
    return;
  }
  const pseudo = pseudoHeader(packet.source, packet.destination, PROTOCOL.TCP, bytes.length);
  if (internetSum(pseudo, bytes) !== 0xffff) result.problems.push("TCP checksum");
  if (((bytes[12] ?? 0) & 15) !== 0) result.problems.push("TCP reserved bits");
  result.tcp = {
    sourcePort: u16(bytes, 0),
    destinationPort: u16(bytes, 2),
    seq: u32(bytes, 4),
    ack: u32(bytes, 8),
    flags: bytes[13] ?? 0,
    window: u16(bytes, 14),
    urgentPointer: u16(bytes, 18),
    options: parseTcpOptions(bytes.subarray(20, headerBytes), result.problems),
    data: bytes.subarray(headerBytes),
  };
}

function parseTcpOptions(bytes: Uint8Array, problems: string[]): TcpOptions {
  const options: TcpOptions = {};
  for (let at = 0; at < bytes.length;) {
    const kind = bytes[at] ?? 0;
    if (kind === 0) break;
    if (kind === 1) {
      at += 1;
      continue;
    }
    const length = bytes[at + 1] ?? 0;
    if (length < 2 || at + length > bytes.length) {
      problems.push("TCP option length");
      break;
    }
    if (kind === 2) options.mss = u16(bytes, at + 2);
    else if (kind === 3) options.windowScale = bytes[at + 2] ?? 0;
    else if (kind === 4) options.sackPermitted = true;
    else if (kind === 8) options.timestamps = [u32(bytes, at + 2), u32(bytes, at + 6)];
    else if (kind === 5) {
      options.sack = [];
      for (let block = at + 2; block + 8 <= at + length; block += 8) {
        options.sack.push([u32(bytes, block), u32(bytes, block + 4)]);
      }
    } else problems.push(`TCP option ${kind}`);
    at += length;
  }
  return options;
}

/** One line for a failed assertion or a log. */
export function describe(frame: Parsed): string {
  const bad = frame.problems.length > 0 ? ` [${frame.problems.join("; ")}]` : "";
  if (frame.arp) {
    const { operation, senderAddress, targetAddress } = frame.arp;
    const verb = operation === 1 ? "who-has" : "is-at";
    return `ARP ${verb} ${ipText(targetAddress)} from ${ipText(senderAddress)} to ${frame.destination}${bad}`;
  }
  if (!frame.ip) return `ethertype ${frame.type.toString(16)}${bad}`;
  const route = `${ipText(frame.ip.source)} > ${ipText(frame.ip.destination)}`;
  if (frame.icmp) return `${route} ICMP ${frame.icmp.type}/${frame.icmp.code}${bad}`;
  if (frame.udp) {
    const { sourcePort, destinationPort, data } = frame.udp;
    return `${route} UDP ${sourcePort} > ${destinationPort}, ${data.length} bytes${bad}`;
  }
  if (frame.tcp) {
    const { sourcePort, destinationPort, flags, seq, ack, window, data } = frame.tcp;
    const names = [..."FSRPAUEC"].filter((_, bit) => (flags >> bit) & 1).join("");
    return `${route} TCP ${sourcePort} > ${destinationPort} ${names} seq ${seq} ack ${ack} win ${window}, ${data.length} bytes${bad}`;
  }
  return `${route} protocol ${frame.ip.protocol}${bad}`;
}
