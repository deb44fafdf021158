import { based } from "cpu";
import { AUTO_IP } from "../config";
import { Interface, interfaceNumber, isLinkLocal } from "../interface";
import { linkTxBegin, linkTxEnd, linkWrite } from "../link/device";
import { ETHERNET_BYTES, TX_ETHERNET, TX_NETWORK, TYPE_ARP, ethernetHeader } from "../link/headers";

/** Offsets in an ARP packet for Ethernet and IPv4 (RFC 826), and its length. */
export const ARP_SENDER_MAC: usize = 8;
export const ARP_SENDER_ADDRESS: usize = 14;
const ARP_TARGET_MAC: usize = 18;
export const ARP_TARGET_ADDRESS: usize = 24;
export const ARP_BYTES: u32 = 28;
/** Hardware type 1, protocol type 0x0800 as a plain word load sees them; then address lengths 6 and 4 with the operation. */
export const ARP_TYPES: u32 = 0x00080100;
export const ARP_REQUEST: u32 = 0x01000406;
export const ARP_REPLY: u32 = 0x02000406;

/** Sends an ARP packet by an interface to `mac`, 0 = broadcast; false = no room to send. */
function arpSend(nif: Interface, operation: u32, sender: u32, target: u32, mac: usize): bool {
  if (!linkTxBegin(interfaceNumber(nif), ETHERNET_BYTES + ARP_BYTES)) return false;
  ethernetHeader(nif, TYPE_ARP);
  const frame = based(TX_ETHERNET);
  const packet = based(TX_NETWORK);
  const from = bswap<u32>(sender);
  store<u32>(packet, ARP_TYPES);
  store<u32>(packet, operation, 4);
  store<u32>(packet, load<u32>(frame, 6), ARP_SENDER_MAC);
  store<u32>(packet, (<u32>load<u16>(frame, 10)) | (from << 16), ARP_SENDER_MAC + 4);
  // The target's MAC: its first two bytes, and the others.
  let first: u32 = 0;
  let others: u32 = 0;
  if (mac != 0) {
    first = <u32>load<u16>(mac);
    others = (<u32>load<u16>(mac, 2)) | ((<u32>load<u16>(mac, 4)) << 16);
    store<u16>(frame, first);
    store<u32>(frame, others, 2);
  }
  store<u32>(packet, (from >>> 16) | (first << 16), ARP_SENDER_ADDRESS + 2);
  store<u32>(packet, others, ARP_TARGET_MAC + 2);
  // All hear what an address of 169.254/16 says, so that a conflict is found (RFC 3927 2.5).
  if (mac == 0 || (AUTO_IP && isLinkLocal(sender))) memory.fill(frame, 0xff, 6);
  store<u32>(packet, bswap<u32>(target), ARP_TARGET_ADDRESS);
  linkWrite(TX_ETHERNET, ETHERNET_BYTES + ARP_BYTES);
  linkTxEnd();
  return true;
}

/** Asks who has an address: everybody, or the station at `mac` when that is not 0. False = no room to send. */
export function arpRequest(nif: Interface, address: u32, mac: usize): bool {
  return arpSend(nif, ARP_REQUEST, nif.address, address, mac);
}

/** Answers the station at `mac`, whose address is `target`: our address is here. */
export function arpReply(nif: Interface, target: u32, mac: usize): bool {
  return arpSend(nif, ARP_REPLY, nif.address, target, mac);
}

/** ARP probe: does anybody use this address? (RFC 5227 2.1.1: sender address 0) */
export function arpProbe(nif: Interface, address: u32): bool {
  return arpSend(nif, ARP_REQUEST, 0, address, 0);
}

/** ARP announcement: this address is ours (RFC 5227 2.3). */
export function arpAnnounce(nif: Interface): bool {
  return arpSend(nif, ARP_REQUEST, nif.address, nif.address, 0);
}
