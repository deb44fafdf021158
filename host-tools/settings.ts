import { macAt, parseAddress, putMac, type Mac } from "./net/addresses.js";
import { UserError } from "./errors.js";

/** An address that is not asked for, and what goes with it; 0 = none. */
export interface StaticAddress {
  address: number;
  mask: number;
  gateway: number;
  dns: number;
}

/**
 * The settings block: what differs from board to board, in flash behind the image, written without a rebuild.
 *
 *      0  u32   magic 0x4E545341 ("ASTN")
 *      4  u16   version, 1
 *      6  u16   flags: 1 MAC, 2 static address, 4 host name, 8 ports, 16 hosts, 32 the second interface's address are valid
 *      8  u8[6] MAC address, in wire order
 *     14  u16   zero
 *     16  u32   address, then mask, gateway, DNS server (host-order numbers)
 *     32  char  host name, 32 bytes, padded with zeros
 *     64  u16   port of the web server, then of the echo service
 *     68  hosts: u32 address, u8 length, name for each; length 0 ends, zeros to 123, or to 107 where there is
 *    108  u32   address of the second interface, then mask, gateway, DNS server
 *    124  u32   CRC-32 (IEEE 802.3, reflected, as in zip) of bytes 0 to 123
 *
 * All numbers are little-endian. A block that is not valid means: MAC from the unique id, address by DHCP.
 */
export interface Settings {
  mac?: Mac;
  /** Static address; without it DHCP. */
  address?: StaticAddress;
  /** Static address of the second interface, where there are two; without it DHCP. */
  second?: StaticAddress;
  hostName?: string;
  ports?: { http: number; echo: number };
  /** Names that the device knows without asking. */
  hosts?: { name: string; address: number }[];
}

export const SETTINGS_BYTES = 128;
const MAGIC = 0x4e545341;
const VERSION = 1;
const HOST_NAME_BYTES = 32;
const FLAG = { mac: 1, address: 2, hostName: 4, ports: 8, hosts: 16, second: 32 } as const;
const ADDRESS_AT = 16;
const SECOND_AT = 108;
const HOSTS_AT = 68;
/** Room for hosts: each takes 5 bytes and its name. */
export const HOSTS_BYTES = 124 - HOSTS_AT;

/** CRC-32 as in IEEE 802.3 and zip. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb8_8320 : 0);
  }
  return ~crc >>> 0;
}

/** A block as it is in flash when nothing was written. */
export function emptySettings(): Uint8Array {
  return new Uint8Array(SETTINGS_BYTES).fill(0xff);
}

/** A host name of one label (RFC 1123 2.1), short enough for the block. */
export function parseHostName(text: string): string {
  if (!/^[a-z0-9]([a-z0-9-]{0,29}[a-z0-9])?$/i.test(text)) {
    throw new UserError(
      `'${text}' is not a host name; use up to 31 letters, digits and hyphens, as in my-device`,
    );
  }
  return text;
}

/** A host of the table, as in printer=192.168.1.9. */
export function parseHostEntry(text: string): { name: string; address: number } {
  const [, name, address] = /^([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)=(.+)$/i.exec(text) ?? [];
  if (name === undefined || address === undefined) {
    throw new UserError(
      `'${text}' is no host; write its name and address, as in printer=192.168.1.9`,
    );
  }
  return { name, address: parseAddress(address) };
}

/** Room for hosts beside what else is said. */
export function hostsRoom(settings: Settings): number {
  return settings.second ? SECOND_AT - HOSTS_AT : HOSTS_BYTES;
}

function putHosts(block: Buffer, hosts: { name: string; address: number }[], room: number): void {
  const bytes = hosts.reduce((sum, { name }) => sum + 5 + name.length, 0);
  if (bytes > room) {
    throw new UserError(
      `the hosts take ${bytes} bytes of the settings, there is room for ${room}: 5 and the name for each`,
    );
  }
  let at = HOSTS_AT;
  for (const { name, address } of hosts) {
    block.writeUInt32LE(address, at);
    block.writeUInt8(name.length, at + 4);
    block.write(name, at + 5, "latin1");
    at += 5 + name.length;
  }
}

function putStatic(
  block: Buffer,
  at: number,
  { address, mask, gateway, dns }: StaticAddress,
): void {
  [address, mask, gateway, dns].forEach((value, index) =>
    block.writeUInt32LE(value, at + index * 4),
  );
}

function staticOf(block: Buffer, at: number): StaticAddress {
  const [address, mask, gateway, dns] = [0, 4, 8, 12].map((offset) =>
    block.readUInt32LE(at + offset),
  ) as [number, number, number, number];
  return { address, mask, gateway, dns };
}

function hostsOf(block: Buffer, room: number): { name: string; address: number }[] {
  const hosts = [];
  let at = HOSTS_AT;
  while (at + 5 < HOSTS_AT + room && block.readUInt8(at + 4) !== 0) {
    const end = Math.min(at + 5 + block.readUInt8(at + 4), HOSTS_AT + room);
    hosts.push({ name: block.toString("latin1", at + 5, end), address: block.readUInt32LE(at) });
    at = end;
  }
  return hosts;
}

/** Writes the block; nothing to say gives the empty block. */
export function encodeSettings(settings: Settings): Uint8Array {
  if (Object.values(settings).every((value) => value === undefined)) return emptySettings();
  const block = Buffer.alloc(SETTINGS_BYTES);
  let flags = 0;
  block.writeUInt32LE(MAGIC, 0);
  block.writeUInt16LE(VERSION, 4);
  if (settings.mac !== undefined) {
    flags |= FLAG.mac;
    putMac(block, 8, settings.mac);
  }
  if (settings.address) {
    flags |= FLAG.address;
    putStatic(block, ADDRESS_AT, settings.address);
  }
  if (settings.second) {
    flags |= FLAG.second;
    putStatic(block, SECOND_AT, settings.second);
  }
  if (settings.hostName !== undefined) {
    flags |= FLAG.hostName;
    block.write(settings.hostName.slice(0, HOST_NAME_BYTES - 1), 32, "latin1");
  }
  if (settings.ports) {
    flags |= FLAG.ports;
    block.writeUInt16LE(settings.ports.http, 64);
    block.writeUInt16LE(settings.ports.echo, 66);
  }
  if (settings.hosts?.length) {
    flags |= FLAG.hosts;
    putHosts(block, settings.hosts, hostsRoom(settings));
  }
  block.writeUInt16LE(flags, 6);
  block.writeUInt32LE(crc32(block.subarray(0, 124)), 124);
  return block;
}

/** Reads a block; null when it is not a valid one. */
export function decodeSettings(bytes: Uint8Array): Settings | null {
  if (bytes.length < SETTINGS_BYTES) return null;
  const block = Buffer.from(bytes.buffer, bytes.byteOffset, SETTINGS_BYTES);
  if (block.readUInt32LE(0) !== MAGIC || block.readUInt16LE(4) !== VERSION) return null;
  if (block.readUInt32LE(124) !== crc32(block.subarray(0, 124))) return null;
  const flags = block.readUInt16LE(6);
  const settings: Settings = {};
  if (flags & FLAG.mac) settings.mac = macAt(block, 8);
  if (flags & FLAG.address) settings.address = staticOf(block, ADDRESS_AT);
  if (flags & FLAG.second) settings.second = staticOf(block, SECOND_AT);
  if (flags & FLAG.hostName) {
    const end = block.indexOf(0, 32);
    settings.hostName = block.toString("latin1", 32, Math.min(end < 0 ? 64 : end, 64));
  }
  if (flags & FLAG.hosts) settings.hosts = hostsOf(block, hostsRoom(settings));
  if (flags & FLAG.ports) {
    settings.ports = { http: block.readUInt16LE(64), echo: block.readUInt16LE(66) };
  }
  return settings;
}
