import { MULTICAST_GROUPS, UDP_RX_BYTES, UDP_SOCKETS } from "../config";
import { EADDRINUSE, EADDRNOTAVAIL, EINVAL, ENOBUFS } from "../errors";
import { igmpAddress, igmpJoin, igmpLeave, igmpMember } from "../ip/igmp";
import { ipBeginLoopback, ipEnd, ipWrite } from "../ip/ipv4-output";
import { IPPROTO_UDP } from "../ip/packet";
import { POLLIN } from "../posix";
import { ready } from "../readiness";
import { SCRATCH } from "../scratch";
import { Counter, count } from "../statistics";
import { DATAGRAM_HEADER_BYTES, udpBucket, udpHears, udpRing, udpSlot } from "./slots";

/** Groups of datagram sockets (ip(7)): membership, time to live and loop of what they send, delivery to many. */

/** What a slot has of it, in a table of its own: a device without groups has none. */
@unmanaged
class Membership {
  /** Places in the table of IGMP, one bit each. */
  groups: u16;
  ttl: u8;
  /** 1: what it sends does not come to sockets of ours. */
  silent: u8;
}

const MASK: u32 = UDP_RX_BYTES - 1;
const NO_GROUP: u32 = 0xff;

function membership(slot: u32): Membership {
  const TABLE: usize = memory.data(UDP_SOCKETS * offsetof<Membership>(), 4);
  return changetype<Membership>(TABLE + slot * offsetof<Membership>());
}

/** True for an address of a group (RFC 1112 4). */
export function isGroup(address: u32): bool {
  return address >>> 28 == 14;
}

/** A slot has been opened. */
export function groupsBegin(slot: u32): void {
  const own = membership(slot);
  own.groups = 0;
  own.ttl = 1;
  own.silent = 0;
}

/** Place of a group among those that the slot has joined; NO_GROUP = it has not. */
function place(slot: u32, address: u32): u32 {
  const groups = <u32>membership(slot).groups;
  for (let index: u32 = 0; index <= MULTICAST_GROUPS; index++) {
    if (((groups >>> index) & 1) != 0 && igmpAddress(index) == address) return index;
  }
  return NO_GROUP;
}

/** IP_ADD_MEMBERSHIP. -EINVAL (no group), -EADDRINUSE (joined already), -ENOBUFS (the table is full). */
export function groupJoin(slot: u32, address: u32): i32 {
  if (!isGroup(address)) return -EINVAL;
  if (place(slot, address) != NO_GROUP) return -EADDRINUSE;
  const index = igmpJoin(address);
  if (index == NO_GROUP) return -ENOBUFS;
  const own = membership(slot);
  own.groups = <u16>((<u32>own.groups) | (1 << index));
  return 0;
}

/** IP_DROP_MEMBERSHIP. -EADDRNOTAVAIL (not joined). */
export function groupLeave(slot: u32, address: u32): i32 {
  const index = place(slot, address);
  if (index == NO_GROUP) return -EADDRNOTAVAIL;
  const own = membership(slot);
  own.groups = <u16>((<u32>own.groups) & ~(1 << index));
  igmpLeave(index);
  return 0;
}

/** A slot is closed: it leaves its groups. */
export function groupsEnd(slot: u32): void {
  const own = membership(slot);
  for (let index: u32 = 0; index <= MULTICAST_GROUPS; index++) {
    if ((((<u32>own.groups) >>> index) & 1) != 0) igmpLeave(index);
  }
  own.groups = 0;
}

/** IP_MULTICAST_TTL; -1 is 1. */
export function groupSetTtl(slot: u32, ttl: i32): i32 {
  if (ttl < -1 || ttl > 255) return -EINVAL;
  membership(slot).ttl = <u8>(ttl < 0 ? 1 : ttl);
  return 0;
}

export function groupTtl(slot: u32): u32 {
  return <u32>membership(slot).ttl;
}

/** IP_MULTICAST_LOOP. */
export function groupSetLoop(slot: u32, on: bool): void {
  membership(slot).silent = on ? 0 : 1;
}

export function groupLoops(slot: u32): bool {
  return membership(slot).silent == 0;
}

/** A datagram to a group, whose header is in the scratch bytes, goes to our own members too. */
export function groupLoop(
  slot: u32,
  source: u32,
  address: u32,
  from: usize,
  bytes: u32,
  headerBytes: u32,
): void {
  if (!groupLoops(slot) || !igmpMember(address)) return;
  const total = headerBytes + bytes;
  const tos = <u32>udpSlot(slot).tos;
  if (ipBeginLoopback(IPPROTO_UDP, source, address, total, tos, groupTtl(slot)) != 0) return;
  ipWrite(SCRATCH, headerBytes);
  ipWrite(from, bytes);
  ipEnd();
}

/** A datagram to many stands in the ring of slot `first` at `entry`: all others that hear it get a copy. */
export function copyToOthers(first: u32, entry: u32, destination: u32, port: u32): void {
  const ring = udpRing(first);
  const source = load<u32>(ring + (entry & MASK));
  const word = load<u32>(ring + ((entry + 8) & MASK));
  const total = DATAGRAM_HEADER_BYTES + (((word & 0xffff) + 3) & ~3);
  let link = udpBucket(port);
  for (let steps: u32 = 0; link != 0 && steps < UDP_SOCKETS; steps++) {
    const number = link - 1;
    const slot = udpSlot(number);
    link = <u32>slot.next;
    if (number == first || !udpHears(slot, destination, port, source, word >>> 16)) continue;
    if (total > UDP_RX_BYTES - <u32>slot.used) {
      count(Counter.UDP_RING_FULL);
      continue;
    }
    const to = udpRing(number);
    const at = <u32>slot.head + <u32>slot.used;
    for (let i: u32 = 0; i < total; i += 4) {
      store<u32>(to + ((at + i) & MASK), load<u32>(ring + ((entry + i) & MASK)));
    }
    slot.used = <u16>(<u32>slot.used + total);
    ready(<u32>slot.socket, POLLIN);
  }
}
