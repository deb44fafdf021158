/**
 * Forges frames for wire tests: Ethernet II, ARP, IPv4, ICMP, UDP and TCP with right checksums and lengths, each of which a
 * test may also give wrong. All addresses are host-order numbers (`ip("192.0.2.1")`), MACs are text.
 */

/** Joins byte pieces. */
export function concat(...parts: ArrayLike<number>[]): Uint8Array {
  const result = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

/** `bytes` bytes of a pattern that differs at every offset of a frame; `seed` shifts it. */
export function pattern(bytes: number, seed = 0): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, i) => (i * 7 + (i >>> 8) + seed * 13 + 1) & 0xff);
}

/** Dotted quad to number. */
export function ip(text: string): number {
  return text.split(".").reduce((sum, part) => (sum * 256 + Number(part)) >>> 0, 0);
}

/** Number to dotted quad. */
export function ipText(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join(".");
}

/** "02:00:00:00:00:01" to 6 bytes. */
export function macBytes(mac: string): Uint8Array {
  return Uint8Array.from(mac.split(":"), (part) => parseInt(part, 16));
}

/** 6 bytes to text. */
export function macText(bytes: Uint8Array): string {
  return [...bytes].map((b) => b.toString(16).padStart(2, "0")).join(":");
}

/** The hardware address of all stations. */
export const BROADCAST_MAC = "ff:ff:ff:ff:ff:ff";
/** Types of an Ethernet frame (IANA, ieee-802-numbers). */
export const ETHERTYPE = { IPV4: 0x0800, ARP: 0x0806, RARP: 0x8035, IPV6: 0x86dd } as const;
/** Protocols on IPv4 (IANA, protocol-numbers). */
export const PROTOCOL = { ICMP: 1, IGMP: 2, IPIP: 4, TCP: 6, UDP: 17, IPV6: 41, GRE: 47 } as const;

/** Two bytes in network order. */
export function be16(value: number): Uint8Array {
  return Uint8Array.of((value >>> 8) & 0xff, value & 0xff);
}

/** Four bytes in network order. */
export function be32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
}

/** RFC 1071 sum of the pieces' bytes, folded, not complemented: 0xFFFF over an intact packet. */
export function internetSum(...parts: Uint8Array[]): number {
  const all = concat(...parts);
  let sum = 0;
  for (let i = 0; i < all.length; i += 2) sum += ((all[i] ?? 0) << 8) | (all[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return sum;
}

/** RFC 1071 checksum of the pieces' bytes. */
export function internetChecksum(...parts: Uint8Array[]): number {
  return ~internetSum(...parts) & 0xffff;
}

/** Pseudo-header of TCP and UDP. */
export function pseudoHeader(
  source: number,
  destination: number,
  protocol: number,
  bytes: number,
): Uint8Array {
  return concat(be32(source), be32(destination), [0, protocol], be16(bytes));
}

/** Fields of an Ethernet header. */
export interface EthernetFields {
  destination: string;
  source: string;
  type?: number;
}

/** An Ethernet II frame without FCS; padded with zeros to 60 bytes unless `pad` is false. */
export function ethernetFrame(fields: EthernetFields, payload: Uint8Array, pad = true): Uint8Array {
  const frame = concat(
    macBytes(fields.destination),
    macBytes(fields.source),
    be16(fields.type ?? ETHERTYPE.IPV4),
    payload,
  );
  return pad && frame.length < 60 ? concat(frame, new Uint8Array(60 - frame.length)) : frame;
}

/** Fields of an ARP packet (RFC 826). */
export interface ArpFields {
  operation: number;
  senderMac: string;
  senderAddress: number;
  targetMac?: string;
  targetAddress: number;
  hardwareType?: number;
  protocolType?: number;
  hardwareBytes?: number;
  protocolBytes?: number;
}

/** An ARP packet (RFC 826): operation 1 request, 2 reply. */
export function arpPacket(fields: ArpFields): Uint8Array {
  return concat(
    be16(fields.hardwareType ?? 1),
    be16(fields.protocolType ?? ETHERTYPE.IPV4),
    [fields.hardwareBytes ?? 6, fields.protocolBytes ?? 4],
    be16(fields.operation),
    macBytes(fields.senderMac),
    be32(fields.senderAddress),
    macBytes(fields.targetMac ?? "00:00:00:00:00:00"),
    be32(fields.targetAddress),
  );
}

/** Fields of an IPv4 packet (RFC 791); what is left out is right. */
export interface Ipv4Fields {
  source: number;
  destination: number;
  protocol: number;
  ttl?: number;
  tos?: number;
  id?: number;
  /** DF; default true. */
  dontFragment?: boolean;
  moreFragments?: boolean;
  /** The reserved flag bit. */
  reserved?: boolean;
  /** Fragment offset in units of 8 bytes. */
  offset?: number;
  /** Options, padded by the caller to a multiple of 4 unless `ihl` lies on purpose. */
  options?: Uint8Array;
  /** Lies: each replaces the right value. */
  version?: number;
  ihl?: number;
  totalLength?: number;
  checksum?: number;
}

/** An IPv4 packet (RFC 791). The checksum is right for the header as given, lies included. */
export function ipv4Packet(fields: Ipv4Fields, payload: Uint8Array): Uint8Array {
  const options = fields.options ?? new Uint8Array(0);
  const headerBytes = 20 + options.length;
  const flags =
    (fields.reserved ? 0x8000 : 0) |
    ((fields.dontFragment ?? true) ? 0x4000 : 0) |
    (fields.moreFragments ? 0x2000 : 0) |
    ((fields.offset ?? 0) & 0x1fff);
  const header = concat(
    [((fields.version ?? 4) << 4) | (fields.ihl ?? headerBytes >>> 2), fields.tos ?? 0],
    be16(fields.totalLength ?? headerBytes + payload.length),
    be16(fields.id ?? 0),
    be16(flags),
    [fields.ttl ?? 64, fields.protocol, 0, 0],
    be32(fields.source),
    be32(fields.destination),
    options,
  );
  header.set(be16(fields.checksum ?? internetChecksum(header)), 10);
  return concat(header, payload);
}

/** Fields of an ICMP message (RFC 792). */
export interface IcmpFields {
  type: number;
  code?: number;
  /** The second word of the header (identifier and sequence number; unused; next-hop MTU). */
  rest?: number;
  checksum?: number;
}

/** An ICMP message (RFC 792). */
export function icmpMessage(fields: IcmpFields, data: Uint8Array): Uint8Array {
  const message = concat([fields.type, fields.code ?? 0, 0, 0], be32(fields.rest ?? 0), data);
  message.set(be16(fields.checksum ?? internetChecksum(message)), 2);
  return message;
}

/** Fields of a UDP datagram (RFC 768). */
export interface UdpFields {
  /** For the pseudo-header. */
  source: number;
  destination: number;
  sourcePort: number;
  destinationPort: number;
  length?: number | undefined;
  /** A number replaces the right one; 0 means "not used". */
  checksum?: number | undefined;
}

/** A UDP datagram (RFC 768). */
export function udpDatagram(fields: UdpFields, data: Uint8Array): Uint8Array {
  const length = fields.length ?? 8 + data.length;
  const datagram = concat(
    be16(fields.sourcePort),
    be16(fields.destinationPort),
    be16(length),
    [0, 0],
    data,
  );
  const pseudo = pseudoHeader(fields.source, fields.destination, PROTOCOL.UDP, length);
  const covered = datagram.subarray(0, Math.min(length, datagram.length));
  const right = internetChecksum(pseudo, covered) || 0xffff;
  datagram.set(be16(fields.checksum ?? right), 6);
  return datagram;
}

/** TCP flag bits. */
export const TCP = { FIN: 1, SYN: 2, RST: 4, PSH: 8, ACK: 16, URG: 32, ECE: 64, CWR: 128 } as const;

/** TCP options in the order given here; `raw` goes last, unpadded options are filled with EOL. */
export interface TcpOptions {
  mss?: number;
  windowScale?: number;
  sackPermitted?: boolean;
  /** [TSval, TSecr] */
  timestamps?: [number, number];
  /** [left, right] edges */
  sack?: [number, number][];
  raw?: Uint8Array;
}

/** The bytes of TCP options, padded to a multiple of 4 with EOL. */
export function tcpOptionBytes(options: TcpOptions): Uint8Array {
  const parts: Uint8Array[] = [];
  if (options.mss !== undefined) parts.push(concat([2, 4], be16(options.mss)));
  if (options.windowScale !== undefined) parts.push(Uint8Array.of(1, 3, 3, options.windowScale));
  if (options.sackPermitted) parts.push(Uint8Array.of(1, 1, 4, 2));
  if (options.timestamps) {
    parts.push(concat([1, 1, 8, 10], be32(options.timestamps[0]), be32(options.timestamps[1])));
  }
  if (options.sack) {
    const blocks = options.sack.map(([left, right]) => concat(be32(left), be32(right)));
    parts.push(concat([1, 1, 5, 2 + 8 * blocks.length], ...blocks));
  }
  if (options.raw) parts.push(options.raw);
  const bytes = concat(...parts);
  return concat(bytes, new Uint8Array(-bytes.length & 3));
}

/** Fields of a TCP segment (RFC 9293 3.1); what is left out is right. */
export interface TcpFields {
  /** For the pseudo-header. */
  source: number;
  destination: number;
  sourcePort: number;
  destinationPort: number;
  seq: number;
  ack?: number;
  /** TCP.SYN | TCP.ACK … */
  flags: number;
  window?: number;
  urgentPointer?: number;
  options?: TcpOptions;
  /** Lies: header length in words, reserved bits (4), checksum. */
  dataOffset?: number;
  reserved?: number;
  checksum?: number;
}

/** A TCP segment (RFC 9293 3.1). */
export function tcpSegment(fields: TcpFields, data: Uint8Array = new Uint8Array(0)): Uint8Array {
  const options = tcpOptionBytes(fields.options ?? {});
  const segment = concat(
    be16(fields.sourcePort),
    be16(fields.destinationPort),
    be32(fields.seq >>> 0),
    be32((fields.ack ?? 0) >>> 0),
    [
      ((fields.dataOffset ?? 5 + options.length / 4) << 4) | (fields.reserved ?? 0),
      fields.flags & 0xff,
    ],
    be16(fields.window ?? 65535),
    [0, 0],
    be16(fields.urgentPointer ?? 0),
    options,
    data,
  );
  const pseudo = pseudoHeader(fields.source, fields.destination, PROTOCOL.TCP, segment.length);
  segment.set(be16(fields.checksum ?? internetChecksum(pseudo, segment)), 16);
  return segment;
}
