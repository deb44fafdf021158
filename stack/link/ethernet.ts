import { acdAnnounce } from "../arp/acd";
import { arpFlush } from "../arp/cache";
import { arpInput } from "../arp/input";
import { DHCP } from "../config";
import { dhcpLinkChanged } from "../dhcp/client";
import { iface } from "../interface";
import { ipv4Input } from "../ip/ipv4-input";
import { Counter, count } from "../statistics";
import { linkLeft, linkRead } from "./device";
import { ETHERNET_BYTES, RX_ETHERNET, TYPE_ARP, TYPE_IPV4 } from "./headers";

/** What is read at once: the Ethernet header and the fixed part of an IPv4 header. */
const FIRST_READ_BYTES: u32 = ETHERNET_BYTES + 20;

/**
 * Takes the open frame (Ethernet II, RFC 894): ours, broadcast or multicast, from one station. All its headers end up in the
 * receive header bytes; the payload stays in the device until somebody has a place for it.
 */
export function ethernetInput(): void {
  count(Counter.ETHERNET_IN);
  const bytes = linkLeft();
  if (bytes < FIRST_READ_BYTES) {
    count(Counter.ETHERNET_TOO_SHORT);
    return;
  }
  linkRead(RX_ETHERNET, FIRST_READ_BYTES);
  // The lowest bit of the first byte of a MAC tells a group of stations from one.
  const toMany = (load<u8>(RX_ETHERNET) & 1) != 0;
  if (
    !toMany &&
    (load<u16>(RX_ETHERNET) != iface.macHigh || load<u32>(RX_ETHERNET, 2) != iface.macLow)
  ) {
    count(Counter.ETHERNET_NOT_OURS);
    return;
  }
  if ((load<u8>(RX_ETHERNET, 6) & 1) != 0) {
    count(Counter.ETHERNET_BAD_SOURCE);
    return;
  }
  const type = load<u16>(RX_ETHERNET, 12);
  if (type == TYPE_IPV4) ipv4Input(bytes - ETHERNET_BYTES, toMany);
  else if (type == TYPE_ARP) arpInput(bytes - ETHERNET_BYTES);
  else count(Counter.ETHERNET_UNKNOWN_TYPE);
}

/** The cable was plugged in or pulled. After a return the network may be another one: neighbours and lease are asked again. */
export function ethernetLinkChanged(up: bool): void {
  if (!up) return;
  arpFlush();
  if (iface.address != 0) acdAnnounce();
  if (DHCP) dhcpLinkChanged();
}
