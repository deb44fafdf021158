import { ARP_PENDING_BYTES } from "../config";
import { linkTxBegin, linkTxEnd, linkWrite } from "../link/device";
import {
  ETHERNET_BYTES,
  TX_ETHERNET,
  TYPE_IPV4,
  ethernetHeader,
  headerForget,
} from "../link/headers";
import { interfaceAt } from "../interface";
import {
  waitingBytes,
  waitingHop,
  waitingInterface,
  waitingPacket,
  waitingSent,
} from "../link/waiting";
import { arpResolve, arpRetrySoon } from "./cache";

/** Sends the packet that waits for ARP if its next hop is known now and there is room; else it goes on waiting. */
export function arpSendWaiting(): void {
  const bytes = waitingBytes();
  if (ARP_PENDING_BYTES == 0 || bytes == 0) return;
  headerForget();
  const number = waitingInterface();
  const nif = interfaceAt(number);
  if (arpResolve(nif, waitingHop(), TX_ETHERNET) != 0) return;
  if (!linkTxBegin(number, ETHERNET_BYTES + bytes)) {
    arpRetrySoon();
    return;
  }
  ethernetHeader(nif, TYPE_IPV4);
  linkWrite(TX_ETHERNET, ETHERNET_BYTES);
  linkWrite(waitingPacket(), bytes);
  linkTxEnd();
  waitingSent();
}
