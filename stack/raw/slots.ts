import { based } from "cpu";
import { RecordNumber } from "options";
import { RAW_RX_BYTES, RAW_SOCKETS } from "../config";
import { EACCES, EADDRNOTAVAIL, EINVAL, ENETUNREACH, ENOBUFS } from "../errors";
import { isOurs, isSubnetBroadcast } from "../interface";
import { routeSource } from "../ip/ipv4-output";
import { DEFAULT_TTL, IPPROTO_TCP, IPPROTO_UDP, isLoopback } from "../ip/packet";

/**
 * Raw sockets (raw(7)): each takes a copy of every packet of one IP protocol, with its IP header, beside what the stack does
 * with it. Addresses in host order; local address 0 = any.
 */
@unmanaged
export class RawSlot {
  localAddress: u32;
  peerAddress: u32;
  /** ICMP_FILTER: types that are not wanted, one bit each. */
  icmpFilter: u32;
  /** Told by getpeername() only: protocols below UDP and TCP have no ports. */
  peerPort: u16;
  /** Offset of the oldest packet in the ring. */
  head: u16;
  /** Bytes of the ring in use. */
  used: u16;
  /** errno to be told at the next call; 0 = none. */
  error: u16;
  open: bool;
  /** Socket that owns it. */
  socket: RecordNumber;
  protocol: u8;
  /** RawFlag bits. */
  flags: u8;
  tos: u8;
  ttl: u8;
}

export const enum RawFlag {
  /** IP_HDRINCL: the caller writes the IP header. */
  HEADER_INCLUDED = 1,
  /** SO_BROADCAST. */
  BROADCAST = 2,
  CONNECTED = 4,
}

/** In the ring each packet stands behind a word with its length and is filled up to a multiple of four. */
export const RAW_ENTRY_BYTES: u32 = 4;
/** What is sent with this protocol has its header already; nothing comes back (raw(7)). */
const IPPROTO_RAW: u32 = 255;
/** RFC 1122 3.2.1.6: a protocol number is a byte. */
const PROTOCOLS: u32 = 256;

/** Whole words, whatever the width of a record's number is. */
const SLOT_BYTES: u32 = (offsetof<RawSlot>() + 3) & ~3;

// The tables are constants of functions, so that an image without raw sockets has none of them.

export function rawSlot(slot: u32): RawSlot {
  const SLOTS: usize = memory.data(SLOT_BYTES * RAW_SOCKETS, 4);
  // Where there is none, nothing that asks for one is left in the image.
  if (RAW_SOCKETS == 0) unreachable();
  assert(slot < RAW_SOCKETS);
  return changetype<RawSlot>(based(SLOTS) + slot * SLOT_BYTES);
}

/** Ring of a slot, RAW_RX_BYTES long. */
export function rawRing(slot: u32): usize {
  const RINGS: usize = memory.data(RAW_RX_BYTES * RAW_SOCKETS, 4);
  return RINGS + slot * RAW_RX_BYTES;
}

/** True for a protocol that a raw socket can have. */
export function rawProtocol(protocol: i32): bool {
  return protocol > 0 && <u32>protocol < PROTOCOLS;
}

/** Raw sockets that hear TCP. */
export let rawTcpOpen: u32 = 0;
/** Those that hear UDP. */
export let rawUdpOpen: u32 = 0;

/** A free slot for `socket`; -ENOBUFS when there is none. */
export function rawOpen(socket: u32, protocol: u32): i32 {
  for (let i: u32 = 0; i < RAW_SOCKETS; i++) {
    const slot = rawSlot(i);
    if (slot.open) continue;
    memory.fill(changetype<usize>(slot), 0, SLOT_BYTES);
    slot.open = true;
    slot.socket = <RecordNumber>socket;
    slot.protocol = <u8>protocol;
    slot.ttl = <u8>DEFAULT_TTL;
    if (protocol == IPPROTO_TCP) rawTcpOpen += 1;
    if (protocol == IPPROTO_UDP) rawUdpOpen += 1;
    if (protocol == IPPROTO_RAW) slot.flags = <u8>RawFlag.HEADER_INCLUDED;
    return <i32>i;
  }
  return -ENOBUFS;
}

/** Frees a slot and what waits in it. */
export function rawClose(slot: u32): void {
  const closing = rawSlot(slot);
  closing.open = false;
  if (closing.protocol == <u8>IPPROTO_TCP) rawTcpOpen -= 1;
  if (closing.protocol == <u8>IPPROTO_UDP) rawUdpOpen -= 1;
}

export function rawHas(slot: RawSlot, flag: RawFlag): bool {
  return ((<u32>slot.flags) & flag) != 0;
}

export function rawSetFlag(slot: RawSlot, flag: RawFlag, on: bool): void {
  slot.flags = <u8>(on ? (<u32>slot.flags) | flag : (<u32>slot.flags) & ~flag);
}

/** Hears packets to this address only, and sends from it; 0 = any. -EINVAL (connected), -EADDRNOTAVAIL. May be called again. */
export function rawBind(slot: u32, address: u32): i32 {
  const binding = rawSlot(slot);
  if (rawHas(binding, RawFlag.CONNECTED)) return -EINVAL;
  const ours =
    address == 0 ||
    address == 0xffffffff ||
    isOurs(address) ||
    isSubnetBroadcast(address) ||
    isLoopback(address);
  if (!ours) return -EADDRNOTAVAIL;
  binding.localAddress = address;
  return 0;
}

/** False for a broadcast address without SO_BROADCAST. */
export function rawMayReach(slot: RawSlot, address: u32): bool {
  if (rawHas(slot, RawFlag.BROADCAST)) return true;
  return address != 0xffffffff && !isSubnetBroadcast(address);
}

/** Only this peer is heard, and it is where a send without address goes. Address 0 dissolves it. -ENETUNREACH, -EACCES. */
export function rawConnect(slot: u32, address: u32, port: u32): i32 {
  const connecting = rawSlot(slot);
  if (address != 0 && routeSource(address) == 0) return -ENETUNREACH;
  if (!rawMayReach(connecting, address)) return -EACCES;
  connecting.peerAddress = address;
  connecting.peerPort = <u16>port;
  rawSetFlag(connecting, RawFlag.CONNECTED, address != 0);
  return 0;
}

/** Address that the slot is bound to, or sends from when it is connected; 0 = any. */
export function rawLocalAddress(slot: u32): u32 {
  const at = rawSlot(slot);
  if (at.localAddress != 0 || at.peerAddress == 0) return at.localAddress;
  return routeSource(at.peerAddress);
}

/** Takes the pending error of a slot: errno, 0 = none. */
export function rawTakeError(slot: u32): i32 {
  const taking = rawSlot(slot);
  const error = <i32>taking.error;
  taking.error = 0;
  return error;
}
