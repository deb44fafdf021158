import { based } from "cpu";
import { ICMP_ERRORS, INTERFACES, RAW_SOCKETS, TCP_ALONE, TCP_OPTIONS, UDP } from "../config";
import { Interface, interfaceAt } from "../interface";

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

/** Where TCP is alone an ARP packet is the longest: options of IP are looked at elsewhere (ip/ipv4-input.ts), and no error quotes them. */
const RX: usize = memory.data(TCP_ALONE ? 16 + 28 : 16 + 60 + 8, 4);
export const RX_ETHERNET: usize = RX + 2;
/** IP header or ARP packet of the frame being received; eight bytes of transport header follow the IP header. */
export const RX_NETWORK: usize = RX + 16;

/**
 * Bytes behind the IP header: a TCP header with all options, or a header of another kind and the text that follows it (stack/scratch.ts).
 * What goes out in one piece is one write to the device. A build of TCP and ping alone needs half of it, and of TCP alone, with the
 * MSS as its only option, a quarter.
 */
export const TX_TRANSPORT_BYTES: u32 =
  UDP || ICMP_ERRORS || RAW_SOCKETS != 0 ? 128 : TCP_ALONE && !TCP_OPTIONS ? 28 : 64;
const TX: usize = memory.data(16 + 20 + TX_TRANSPORT_BYTES, 4);
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

/** True when two MACs are the same; both at even addresses. Their ends differ most. */
export function macEqual(a: usize, b: usize): bool {
  return (
    load<u16>(a, 4) == load<u16>(b, 4) &&
    load<u16>(a, 2) == load<u16>(b, 2) &&
    load<u16>(a) == load<u16>(b)
  );
}

/** The host that the Ethernet header to be sent is made for, while that holds; 0 = none. */
let madeFor: u32 = 0;
/** Number of the interface that it goes by. */
let madeBy: u32 = 0;

/**
 * The header to be sent stays as it is until another one is made: most packets go where the one before went, and need no new one.
 * It is made by the IP layer (ip/ipv4-output.ts), which asks here whose it is, for as long as what is known of the neighbour holds
 * (arp/cache.ts).
 */
export function headerHost(): u32 {
  return madeFor;
}

/** Number of the interface that the header was made for last. */
export function headerInterface(): u32 {
  return INTERFACES == 1 ? 0 : madeBy;
}

/** The header is made for `host`, by interface `number`. */
export function headerMade(host: u32, number: u32): void {
  madeFor = host;
  if (INTERFACES > 1) madeBy = number;
}

/** It is nobody's any more: its bytes change, or what is known of the neighbour. */
export function headerForget(): void {
  madeFor = 0;
}

/** Fills the header to be sent with the MAC of an interface and a type; the destination is the caller's. */
export function ethernetHeader(nif: Interface, type: u32): void {
  const frame = based(TX_ETHERNET);
  // Where there is one, nobody hands it down.
  const me = INTERFACES == 1 ? interfaceAt(0) : nif;
  const low = me.macLow;
  madeFor = 0;
  store<u32>(frame, (<u32>me.macHigh) | (low << 16), 6);
  store<u32>(frame, (low >>> 16) | (type << 16), 10);
}
