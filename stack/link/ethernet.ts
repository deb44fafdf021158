import { iface } from "../interface";
import { Counter, count } from "../statistics";
import { linkLeft, linkRead } from "./device";
import { ETHERNET_BYTES, RX_ETHERNET } from "./headers";

/** Read with the Ethernet header: the fixed part of an IPv4 header. */
const NETWORK_READ_BYTES: u32 = 20;
const FIRST_READ_BYTES: u32 = ETHERNET_BYTES + NETWORK_READ_BYTES;

/** No type: the frame is not for us. */
export const FRAME_DROPPED: u32 = 0xffffffff;

/** The open frame came to more than one station. */
export let ethernetToMany: bool = false;

/**
 * Begins to read the open frame (Ethernet II, RFC 894): ours, broadcast or multicast, from one station. Returns its type as a
 * plain load sees it, or FRAME_DROPPED. The Ethernet header and the next 20 bytes are in the receive header bytes; the rest stays
 * in the device until somebody has a place for it.
 */
export function ethernetInput(): u32 {
  count(Counter.ETHERNET_IN);
  if (linkLeft() < FIRST_READ_BYTES) {
    count(Counter.ETHERNET_TOO_SHORT);
    return FRAME_DROPPED;
  }
  linkRead(RX_ETHERNET, FIRST_READ_BYTES);
  // The lowest bit of the first byte of a MAC tells a group of stations from one.
  ethernetToMany = (load<u8>(RX_ETHERNET) & 1) != 0;
  if (
    !ethernetToMany &&
    (load<u16>(RX_ETHERNET) != iface.macHigh || load<u32>(RX_ETHERNET, 2) != iface.macLow)
  ) {
    count(Counter.ETHERNET_NOT_OURS);
    return FRAME_DROPPED;
  }
  if ((load<u8>(RX_ETHERNET, 6) & 1) != 0) {
    count(Counter.ETHERNET_BAD_SOURCE);
    return FRAME_DROPPED;
  }
  return <u32>load<u16>(RX_ETHERNET, 12);
}

/** Bytes behind the Ethernet header, those included that have been read with it. */
export function ethernetPayloadBytes(): u32 {
  return linkLeft() + NETWORK_READ_BYTES;
}
