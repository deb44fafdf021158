import { UserError } from "../errors.js";

/** A MAC address as a number: 48 bits, the first octet on the wire is the highest. */
export type Mac = number;

export const MAC_BROADCAST: Mac = 0xffff_ffff_ffff;

/** Reads a MAC address from a frame. */
export function macAt(frame: Uint8Array, at: number): Mac {
  const high = ((frame[at] as number) << 8) | (frame[at + 1] as number);
  const low =
    (((frame[at + 2] as number) << 24) |
      ((frame[at + 3] as number) << 16) |
      ((frame[at + 4] as number) << 8) |
      (frame[at + 5] as number)) >>>
    0;
  return high * 0x1_0000_0000 + low;
}

/** Writes a MAC address into a frame. */
export function putMac(frame: Uint8Array, at: number, mac: Mac): void {
  for (let i = 5; i >= 0; i--) {
    frame[at + i] = mac % 256;
    mac = Math.floor(mac / 256);
  }
}

/** True for broadcast and multicast addresses: the group bit of the first octet. */
export function isGroupMac(mac: Mac): boolean {
  return Math.floor(mac / 0x100_0000_0000) % 2 === 1;
}

/** `02:00:00:00:00:01`. */
export function formatMac(mac: Mac): string {
  return (mac.toString(16).padStart(12, "0").match(/../g) as string[]).join(":");
}

/** The MAC address of a station in the text form with colons or hyphens; a group address is refused. */
export function parseMac(text: string): Mac {
  if (!/^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i.test(text)) {
    throw new UserError(`'${text}' is not a MAC address; write it as 02:00:00:12:34:56`);
  }
  const mac = Number.parseInt(text.replace(/[:-]/g, ""), 16);
  if (mac === 0 || isGroupMac(mac)) {
    throw new UserError(`'${text}' cannot be the MAC address of one device; use one like 02:…`);
  }
  return mac;
}

/** `192.168.77.1` from a host-order number. */
export function formatAddress(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join(".");
}

/** A dotted IPv4 address as a host-order number. */
export function parseAddress(text: string): number {
  const parts = text.split(".");
  const good = parts.length === 4 && parts.every((p) => /^\d{1,3}$/.test(p) && Number(p) <= 255);
  if (!good) throw new UserError(`'${text}' is not an IPv4 address; write it as 192.168.77.2`);
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0);
}

/** An address with the mask of its network, both in host order. */
export interface Subnet {
  address: number;
  mask: number;
}

/** The mask of a prefix length. */
export function maskOf(prefix: number): number {
  return prefix === 0 ? 0 : (0xffff_ffff << (32 - prefix)) >>> 0;
}

/** `ADDRESS/PREFIX` of one host. Network, broadcast and unusable addresses are refused. */
export function parseHostCidr(text: string): Subnet {
  const [address, prefix, ...rest] = text.split("/");
  if (
    address === undefined ||
    prefix === undefined ||
    rest.length > 0 ||
    !/^\d{1,2}$/.test(prefix)
  ) {
    throw new UserError(`'${text}' is not ADDRESS/PREFIX; write it as 192.168.77.2/24`);
  }
  const subnet = { address: parseAddress(address), mask: maskOf(Number(prefix)) };
  if (Number(prefix) < 8 || Number(prefix) > 30) {
    throw new UserError(`the prefix of '${text}' must be from 8 to 30`);
  }
  const host = (subnet.address & ~subnet.mask) >>> 0;
  if (host === 0 || host === ~subnet.mask >>> 0) {
    throw new UserError(`'${text}' is the network or the broadcast address, not one of a device`);
  }
  if (subnet.address >>> 28 >= 14 || subnet.address >>> 24 === 127 || subnet.address >>> 24 === 0) {
    throw new UserError(`'${text}' is not an address that a device can have`);
  }
  return subnet;
}

/** A port number from its decimal text. */
export function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65535) {
    throw new UserError(`'${text}' is not a port number (1 to 65535)`);
  }
  return port;
}
