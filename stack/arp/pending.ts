import { ARP_PENDING_BYTES } from "../config";
import { DEVICE_NIC, linkTxBegin, linkTxDivert, linkTxEnd, linkWrite } from "../link/device";
import { ETHERNET_BYTES, TX_ETHERNET, TYPE_IPV4, ethernetHeader } from "../link/headers";
import { now } from "../now";
import { Counter, count } from "../statistics";
import { TIMER_ARP, timerSet } from "../time/timers";
import { arpResolve } from "./cache";

/**
 * The slot of the latest packet that waits for an ARP answer (RFC 1122 2.3.2.2), UDP or ICMP; TCP sends again by itself. A
 * newer packet takes the place of an older one.
 */
const SLOT: usize = memory.data(ARP_PENDING_BYTES != 0 ? ARP_PENDING_BYTES : 4, 4);
/** Where the next byte goes. */
let filled: u32 = 0;
/** Bytes of the packet that waits; 0 = none. */
let waiting: u32 = 0;
let nextHop: u32 = 0;

/** Opens the slot for a packet of `bytes` to be sent by way of `address`; false = too long for it. */
export function pendingBegin(address: u32, bytes: u32): bool {
  if (bytes > ARP_PENDING_BYTES) return false;
  pendingDrop(0);
  filled = 0;
  nextHop = address;
  linkTxDivert();
  return true;
}

export function pendingWrite(from: usize, bytes: u32): void {
  assert(filled + bytes <= ARP_PENDING_BYTES);
  memory.copy(SLOT + filled, from, bytes);
  filled += bytes;
}

/** The packet is whole and waits from now on. */
export function pendingEnd(): void {
  waiting = filled;
}

export function pendingCancel(): void {
  filled = 0;
}

/** Gives the waiting packet up, if `address` is its next hop or 0. */
export function pendingDrop(address: u32): void {
  if (ARP_PENDING_BYTES == 0 || waiting == 0) return;
  if (address != 0 && address != nextHop) return;
  waiting = 0;
  count(Counter.ARP_PENDING_DROPPED);
}

/** Sends the waiting packet if its next hop is known now and there is room; else it goes on waiting. */
export function pendingFlush(): void {
  if (ARP_PENDING_BYTES == 0 || waiting == 0) return;
  if (arpResolve(nextHop, TX_ETHERNET) != 0) return;
  if (!linkTxBegin(DEVICE_NIC, ETHERNET_BYTES + waiting)) {
    timerSet(TIMER_ARP, now() + 10);
    return;
  }
  ethernetHeader(TYPE_IPV4);
  linkWrite(TX_ETHERNET, ETHERNET_BYTES);
  linkWrite(SLOT, waiting);
  linkTxEnd();
  waiting = 0;
}
