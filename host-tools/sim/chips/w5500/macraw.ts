import { SN_MR_BCASTB, SN_MR_MFEN, SN_MR_MIP6B, SN_MR_MMB } from "./registers.js";

const VLAN = 0x8100;
const IPV6 = 0x86dd;

/** Longest frame without FCS: 1514 bytes, 4 more with a VLAN tag. */
export function longestFrame(frame: Uint8Array): number {
  return etherType(frame) === VLAN ? 1518 : 1514;
}

/** Shortest frame without FCS. */
export const SHORTEST_FRAME = 60;

/** Bytes that surround a frame on the wire: preamble and SFD before, FCS and gap behind (IEEE 802.3). */
export const PREAMBLE_BYTES = 8;
export const FCS_BYTES = 4;
export const GAP_BYTES = 12;

export function etherType(frame: Uint8Array): number {
  return ((frame[12] ?? 0) << 8) | (frame[13] ?? 0);
}

/** Receive filter of MACRAW mode (datasheet 4.2, Sn_MR): whether a frame for `frame`'s destination is taken. */
export function passesFilter(
  frame: Uint8Array,
  mode: number,
  ownMac: Uint8Array,
  multicast: "ip" | "all" | "none",
): boolean {
  const first = frame[0] as number;
  const broadcast = frame.subarray(0, 6).every((byte) => byte === 0xff);
  const group = !broadcast && (first & 1) !== 0;
  if (mode & SN_MR_MIP6B && etherType(frame) === IPV6) return false;
  if (broadcast) return (mode & SN_MR_BCASTB) === 0;
  if (group && mode & SN_MR_MMB) return false;
  if (!(mode & SN_MR_MFEN)) return true;
  if (!group) return ownMac.every((byte, i) => byte === frame[i]);
  if (multicast !== "ip") return multicast === "all";
  const ipv4 = first === 0x01 && frame[1] === 0x00 && frame[2] === 0x5e;
  const ipv6 = first === 0x33 && frame[1] === 0x33;
  return ipv4 || ipv6;
}

/** Why frames were not delivered. */
export interface Drops {
  /** No link, PHY or chip in reset. */
  noLink: number;
  badFcs: number;
  runt: number;
  jumbo: number;
  /** Socket 0 not open in MACRAW mode. */
  closed: number;
  filtered: number;
  /** No room in receive memory: dropped whole. */
  full: number;
}
