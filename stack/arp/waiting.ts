import { ARP_PENDING_BYTES } from "../config";
import { DEVICE_NIC, linkTxBegin, linkTxEnd, linkWrite } from "../link/device";
import {
  ETHERNET_BYTES,
  TX_ETHERNET,
  TYPE_IPV4,
  ethernetHeader,
  headerForget,
} from "../link/headers";
import { waitingBytes, waitingHop, waitingPacket, waitingSent } from "../link/waiting";
import { arpResolve, arpRetrySoon } from "./cache";

/** Sends the packet that waits for ARP if its next hop is known now and there is room; else it goes on waiting. */
export function arpSendWaiting(): void {
  const bytes = waitingBytes();
  if (ARP_PENDING_BYTES == 0 || bytes == 0) return;
  headerForget();
  if (arpResolve(waitingHop(), TX_ETHERNET) != 0) return;
  if (!linkTxBegin(DEVICE_NIC, ETHERNET_BYTES + bytes)) {
    arpRetrySoon();
    return;
  }
  ethernetHeader(TYPE_IPV4);
  linkWrite(TX_ETHERNET, ETHERNET_BYTES);
  linkWrite(waitingPacket(), bytes);
  linkTxEnd();
  waitingSent();
}
