import { iface, interfaceMac } from "../interface";
import { linkRead } from "../link/device";
import { RX_ETHERNET, RX_NETWORK, macEqual } from "../link/headers";
import { Counter, count } from "../statistics";
import { Be } from "../wire/bytes";
import { acdConflict, acdProbed } from "./acd";
import { arpLearn } from "./cache";
import {
  ARP_BYTES,
  ARP_LENGTHS,
  ARP_OPERATION,
  ARP_SENDER_ADDRESS,
  ARP_SENDER_MAC,
  ARP_TARGET_ADDRESS,
  ARP_TYPES,
  arpReply,
} from "./output";

/**
 * Takes an ARP packet of `bytes`, of which 20 lie in the receive header bytes (RFC 826, RFC 5227). Each request for our address
 * is answered: a limit over all askers would let one of them silence us for the others.
 */
export function arpInput(bytes: u32): void {
  count(Counter.ARP_IN);
  if (bytes < ARP_BYTES) {
    count(Counter.ARP_BAD);
    return;
  }
  linkRead(RX_NETWORK + 20, ARP_BYTES - 20);
  const operation = Be.load16(RX_NETWORK + ARP_OPERATION);
  const sender = Be.load32(RX_NETWORK + ARP_SENDER_ADDRESS);
  const target = Be.load32(RX_NETWORK + ARP_TARGET_ADDRESS);
  const mac = RX_NETWORK + ARP_SENDER_MAC;
  if (
    load<u32>(RX_NETWORK) != ARP_TYPES ||
    load<u16>(RX_NETWORK, 4) != ARP_LENGTHS ||
    operation - 1 > 1 ||
    (load<u8>(mac) & 1) != 0
  ) {
    count(Counter.ARP_BAD);
    return;
  }
  // Our own packet, mirrored or relayed: no station of another MAC stands behind it.
  if (macEqual(mac, interfaceMac()) || macEqual(RX_ETHERNET + 6, interfaceMac())) return;
  acdProbed(iface, sender, target, mac);
  const address = iface.address;
  if (address == 0 || iface.tentative) return;
  if (sender == address) {
    acdConflict(iface, mac);
    return;
  }
  const forUs = target == address;
  const asked = forUs && operation == 1;
  // Nobody outside our subnet but a gateway that lies there, no broadcast and no network address has a MAC that we would use; 0 is a probe.
  const network = iface.broadcast != 0 ? address & iface.mask : 0;
  if (
    (((sender ^ address) & iface.mask) == 0 || sender == iface.gateway) &&
    sender != network &&
    sender != iface.broadcast &&
    sender != 0
  ) {
    arpLearn(sender, mac, asked);
  }
  if (asked) arpReply(sender, mac);
}
