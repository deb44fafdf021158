import { ARP_PENDING_BYTES, INTERFACES, IP_MTU, TCP, TCP_TX_BYTES } from "../config";
import { Counter, count } from "../statistics";

/**
 * The device of the latest packet that waits for an ARP answer (RFC 1122 2.3.2.2): one slot, without the Ethernet header. A
 * newer packet takes the place of an older one. `stack/arp/waiting.ts` sends it on.
 *
 * A slot for a whole packet is memory of TCP: the send ring of its last connection, while that is free (tcp/lifecycle.ts). With all
 * connections in use there is none, and whoever sends is told to try again when the answer has come.
 */
export const WAITING_IS_LENT: bool =
  TCP && ARP_PENDING_BYTES >= IP_MTU && TCP_TX_BYTES >= ARP_PENDING_BYTES;
const SLOT: usize = memory.data(WAITING_IS_LENT ? 0 : ARP_PENDING_BYTES, 4);
/** What is lent; 0 = nothing. */
let lent: usize = 0;
/** Where the next byte goes. */
let filled: u32 = 0;
/** Bytes of the packet that waits; 0 = none. */
let waiting: u32 = 0;
let nextHop: u32 = 0;
/** Number of the interface that has the next hop. */
let hopInterface: u32 = 0;

function slot(): usize {
  return WAITING_IS_LENT ? lent : SLOT;
}

/** Lends memory for the slot; 0 takes it back, and what waited there is lost. */
export function waitingLend(at: usize): void {
  waitingGive();
  lent = at;
}

/** Opens the slot for a packet of `bytes` to be sent by interface `number` by way of `address`; false = too long for it, or there is none. */
export function waitingBegin(number: u32, address: u32, bytes: u32): bool {
  if (bytes > ARP_PENDING_BYTES || slot() == 0) return false;
  waitingGive();
  filled = 0;
  nextHop = address;
  if (INTERFACES > 1) hopInterface = number;
  return true;
}

/** Appends to the packet. */
export function waitingWrite(from: usize, bytes: u32): void {
  assert(filled + bytes <= ARP_PENDING_BYTES);
  memory.copy(slot() + filled, from, bytes);
  filled += bytes;
}

/** The packet is whole and waits from now on. */
export function waitingEnd(): void {
  waiting = filled;
}

/** Forgets the packet that is being written. */
export function waitingCancel(): void {
  filled = 0;
}

/** Gives the packet up that waits by interface `number`, if `address` is its next hop or 0. */
export function waitingDrop(number: u32, address: u32): void {
  if (address != 0 && address != nextHop) return;
  if (INTERFACES == 1 || number == hopInterface) waitingGive();
}

function waitingGive(): void {
  if (ARP_PENDING_BYTES == 0 || waiting == 0) return;
  waiting = 0;
  count(Counter.ARP_PENDING_DROPPED);
}

/** Bytes of the packet that waits; 0 = none. */
export function waitingBytes(): u32 {
  return ARP_PENDING_BYTES != 0 ? waiting : 0;
}

/** The slot, while nothing stands in it, for what passes through memory in one piece; 0 = it is in use. */
export function waitingSpare(): usize {
  return ARP_PENDING_BYTES >= IP_MTU && waiting == 0 ? slot() : 0;
}

/** The neighbour that it waits for. */
export function waitingHop(): u32 {
  return nextHop;
}

/** Number of the interface that it goes by. */
export function waitingInterface(): u32 {
  return INTERFACES == 1 ? 0 : hopInterface;
}

/** Where it stands. */
export function waitingPacket(): usize {
  return slot();
}

/** It has been sent. */
export function waitingSent(): void {
  waiting = 0;
}
