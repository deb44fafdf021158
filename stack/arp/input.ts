import { based } from "cpu";
import { ACD, AUTO_IP } from "../config";
import { Interface, interfaceMac, isDirect } from "../interface";
import { linkInterface, linkRead } from "../link/device";
import { RX_ETHERNET, RX_NETWORK, macEqual } from "../link/headers";
import { Counter, count } from "../statistics";
import { acdConflict, acdProbed } from "./acd";
import { arpLearn } from "./cache";
import {
  ARP_BYTES,
  ARP_REPLY,
  ARP_REQUEST,
  ARP_SENDER_ADDRESS,
  ARP_SENDER_MAC,
  ARP_TARGET_ADDRESS,
  ARP_TYPES,
  arpReply,
} from "./output";

/**
 * Takes an ARP packet of `bytes`, of which 20 lie in the receive header bytes (RFC 826, RFC 5227). Each request for our address
 * is answered, by the interface that has it (RFC 1122 3.3.4.2, the strong model): a limit over all askers would let one of them silence us for the others.
 */
export function arpInput(bytes: u32): void {
  count(Counter.ARP_IN);
  if (bytes < ARP_BYTES) {
    count(Counter.ARP_BAD);
    return;
  }
  linkRead(RX_NETWORK + 20, ARP_BYTES - 20);
  const packet = based(RX_NETWORK);
  const me = linkInterface();
  const mac = packet + ARP_SENDER_MAC;
  const operation = load<u32>(packet, 4);
  if (
    load<u32>(packet) != ARP_TYPES ||
    (operation != ARP_REQUEST && operation != ARP_REPLY) ||
    (load<u8>(mac) & 1) != 0
  ) {
    count(Counter.ARP_BAD);
    return;
  }
  // Our own packet, mirrored or relayed: no station of another MAC stands behind it.
  const ours = interfaceMac(me);
  if (macEqual(mac, ours) || macEqual(based(RX_ETHERNET) + 6, ours)) return;
  const high = <u32>load<u16>(packet, ARP_SENDER_ADDRESS + 2);
  const sender = bswap<u32>((<u32>load<u16>(packet, ARP_SENDER_ADDRESS)) | (high << 16));
  const target = bswap<u32>(load<u32>(packet, ARP_TARGET_ADDRESS));
  if (ACD && me.acdCandidate != 0) acdProbed(me, sender, target, mac);
  const address = me.address;
  if (address == 0 || (ACD && me.tentative)) return;
  if (sender == address) {
    if (ACD) acdConflict(me, mac);
    return;
  }
  const asked = target == address && operation == ARP_REQUEST;
  if (isNeighbour(me, sender)) arpLearn(me, sender, mac, asked);
  if (asked) arpReply(me, sender, mac);
}

/** True for a host whose MAC we would use: nobody outside our subnet but a gateway that lies there, no broadcast, no network address; 0 is a probe. */
function isNeighbour(me: Interface, host: u32): bool {
  const mask = me.mask;
  if (host == 0) return false;
  if (((host ^ me.address) & mask) != 0)
    return host == me.gateway || (AUTO_IP && isDirect(me, host));
  return me.broadcast == 0 || (host != me.broadcast && (host & ~mask) != 0);
}
