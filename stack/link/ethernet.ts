import { based } from "cpu";
import { Counter, count } from "../statistics";
import { linkInterface, linkLeft, linkRead } from "./device";
import { ETHERNET_BYTES, RX_ETHERNET, RX_NETWORK, TYPE_VLAN } from "./headers";

/** Read with the Ethernet header: the fixed part of an IPv4 header. */
const NETWORK_READ_BYTES: u32 = 20;
/** A tag stands between the source and the type. */
const TAG_BYTES: u32 = 4;
const FIRST_READ_BYTES: u32 = ETHERNET_BYTES + NETWORK_READ_BYTES;

/** No type: the frame is not for us. */
export const FRAME_DROPPED: u32 = 0xffffffff;

/** The open frame came to more than one station. */
export let ethernetToMany: bool = false;

/**
 * Begins to read the open frame (Ethernet II, RFC 894): ours, broadcast or multicast, from one station. Returns its type as a
 * plain load sees it, or FRAME_DROPPED. The Ethernet header and the next 20 bytes are in the receive header bytes; the rest stays in the device until
 * somebody has a place for it.
 */
export function ethernetInput(): u32 {
  count(Counter.ETHERNET_IN);
  if (linkLeft() < FIRST_READ_BYTES) {
    count(Counter.ETHERNET_TOO_SHORT);
    return FRAME_DROPPED;
  }
  const frame = based(RX_ETHERNET);
  const mac = linkInterface();
  linkRead(RX_ETHERNET, FIRST_READ_BYTES);
  ethernetToMany = false;
  if (load<u32>(frame, 2) != mac.macLow || load<u16>(frame) != mac.macHigh) {
    // The lowest bit of the first byte of a MAC tells a group of stations from one.
    if ((load<u8>(frame) & 1) == 0) {
      count(Counter.ETHERNET_NOT_OURS);
      return FRAME_DROPPED;
    }
    ethernetToMany = true;
  }
  if ((load<u8>(frame, 6) & 1) != 0) {
    count(Counter.ETHERNET_BAD_SOURCE);
    return FRAME_DROPPED;
  }
  const type = <u32>load<u16>(frame, 12);
  return type == TYPE_VLAN ? untag() : type;
}

/** Type of a frame with a tag, which is taken out. VLAN 0 says only a priority (IEEE 802.1Q 9.6); any other is not ours. */
function untag(): u32 {
  // The identifier is the low 12 bits.
  if ((load<u16>(RX_NETWORK) & 0xff0f) != 0 || linkLeft() < TAG_BYTES) return TYPE_VLAN;
  const type = <u32>load<u16>(RX_NETWORK, 2);
  memory.copy(RX_NETWORK, RX_NETWORK + TAG_BYTES, NETWORK_READ_BYTES - TAG_BYTES);
  linkRead(RX_NETWORK + NETWORK_READ_BYTES - TAG_BYTES, TAG_BYTES);
  return type;
}

/** Bytes behind the Ethernet header, those included that have been read with it. */
export function ethernetPayloadBytes(): u32 {
  return linkLeft() + NETWORK_READ_BYTES;
}
