import { based } from "cpu";
import { TCP } from "../config";
import { iface } from "../interface";

/**
 * The only header bytes that the stack holds: one set for the frame being received, one for the frame being sent. The
 * Ethernet header begins at offset 2, so that what follows it is word-aligned.
 *
 *      0    2             8            14     16
 *     | -- | destination | source      | type | IP header (20..60) | 8 bytes more
 */

/** Bytes of an Ethernet header. */
export const ETHERNET_BYTES: u32 = 14;
/** Ethertypes as a plain 16-bit load sees them. */
export const TYPE_IPV4: u32 = 0x0008;
export const TYPE_ARP: u32 = 0x0608;
/** IEEE 802.1Q tag. */
export const TYPE_VLAN: u32 = 0x0081;

const RX: usize = memory.data(16 + 60 + 8, 4);
export const RX_ETHERNET: usize = RX + 2;
/** IP header or ARP packet of the frame being received; eight bytes of transport header follow the IP header. */
export const RX_NETWORK: usize = RX + 16;

/** IP header without options, TCP header with all options. */
const TX: usize = memory.data(16 + 20 + (TCP ? 60 : 8), 4);
export const TX_ETHERNET: usize = TX + 2;
/** IP header or ARP packet of the frame being sent. */
export const TX_NETWORK: usize = TX + 16;
/** Header behind the IP header, for those who write it there: one write to the device takes them all. */
export const TX_TRANSPORT: usize = TX_NETWORK + 20;

/** Copies a MAC; both at even addresses. */
export function macCopy(to: usize, from: usize): void {
  store<u16>(to, load<u16>(from));
  store<u16>(to, load<u16>(from, 2), 2);
  store<u16>(to, load<u16>(from, 4), 4);
}

export function macEqual(a: usize, b: usize): bool {
  return (
    load<u16>(a) == load<u16>(b) &&
    load<u16>(a, 2) == load<u16>(b, 2) &&
    load<u16>(a, 4) == load<u16>(b, 4)
  );
}

/** Fills the header to be sent with our MAC and a type; the destination is the caller's. */
export function ethernetHeader(type: u32): void {
  const frame = based(TX_ETHERNET);
  const low = iface.macLow;
  store<u16>(frame, iface.macHigh, 6);
  store<u16>(frame, <u16>low, 8);
  store<u16>(frame, <u16>(low >>> 16), 10);
  store<u16>(frame, <u16>type, 12);
}
