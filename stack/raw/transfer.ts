import { checksumOf } from "cpu";
import { RAW_RX_BYTES } from "../config";
import {
  EACCES,
  EAGAIN,
  EDESTADDRREQ,
  EINPROGRESS,
  EINVAL,
  EMSGSIZE,
  ENETUNREACH,
} from "../errors";
import { IP_MTU } from "../interface";
import { ipBegin, ipBeginBare, ipEnd, ipWrite, routeSource } from "../ip/ipv4-output";
import { IP_HEADER_BYTES } from "../ip/packet";
import { random32 } from "../random";
import { SCRATCH } from "../scratch";
import { Be } from "../wire/bytes";
import { sumField } from "../wire/checksum";
import {
  RAW_ENTRY_BYTES,
  RawFlag,
  RawSlot,
  rawHas,
  rawMayReach,
  rawRing,
  rawSlot,
  rawTakeError,
} from "./slots";

const MASK: u32 = RAW_RX_BYTES - 1;

/**
 * Sends `bytes` bytes at `from` as one packet to `address`, 0 = to the connected peer: behind an IP header of ours, or with
 * IP_HDRINCL as they are but for length, checksum and, where they are 0, source and identification (raw(7)). Returns `bytes`, or
 * -EDESTADDRREQ, -EINVAL (no whole header), -EMSGSIZE, -EACCES, with IP_HDRINCL the pending error, -ENETUNREACH, -EHOSTUNREACH, -EAGAIN.
 */
export function rawSend(slot: u32, from: usize, bytes: u32, address: u32): i32 {
  const sending = rawSlot(slot);
  if (address == 0) address = sending.peerAddress;
  if (address == 0) return -EDESTADDRREQ;
  const included = rawHas(sending, RawFlag.HEADER_INCLUDED);
  // As on Linux, where only one of the two ways looks.
  if (included && sending.error != 0) return -rawTakeError(slot);
  if (bytes > (included ? IP_MTU : IP_MTU - IP_HEADER_BYTES)) return -EMSGSIZE;
  if (!rawMayReach(sending, address)) return -EACCES;
  let source = sending.localAddress;
  if (source == 0 || source == 0xffffffff) source = routeSource(address);
  if (source == 0) return -ENETUNREACH;
  const result = included
    ? sendBare(from, bytes, source, address)
    : sendBehindHeader(sending, from, bytes, source, address);
  return result == -EINPROGRESS ? -EAGAIN : result;
}

function sendBehindHeader(slot: RawSlot, from: usize, bytes: u32, source: u32, address: u32): i32 {
  const refused = ipBegin(<u32>slot.protocol, source, address, bytes, slot.tos, slot.ttl);
  if (refused != 0) return refused;
  ipWrite(from, bytes);
  ipEnd();
  return <i32>bytes;
}

function sendBare(from: usize, bytes: u32, source: u32, address: u32): i32 {
  if (bytes < IP_HEADER_BYTES) return -EINVAL;
  const headerBytes = ((<u32>load<u8>(from)) & 15) << 2;
  if (headerBytes < IP_HEADER_BYTES || headerBytes > bytes) return -EINVAL;
  const refused = ipBeginBare(address, bytes);
  if (refused != 0) return refused;
  memory.copy(SCRATCH, from, headerBytes);
  Be.store16(SCRATCH + 2, bytes);
  // Not for an atomic packet (RFC 6864 4.1): DF alone.
  if (load<u16>(SCRATCH, 4) == 0 && load<u16>(SCRATCH, 6) != 0x0040)
    store<u16>(SCRATCH, <u16>random32(), 4);
  if (load<u32>(SCRATCH, 12) == 0) Be.store32(SCRATCH + 12, source);
  store<u16>(SCRATCH, 0, 10);
  store<u16>(SCRATCH, sumField(checksumOf(SCRATCH, headerBytes)), 10);
  ipWrite(SCRATCH, headerBytes);
  ipWrite(from + headerBytes, bytes - headerBytes);
  ipEnd();
  return <i32>bytes;
}

/**
 * Takes the oldest packet with its IP header: up to `capacity` bytes to `to`, the rest of it is lost (left there when `peek`). The
 * sender's address and the port 0 go to the two words at `peer`, if that is not 0. Returns the bytes copied (with `whole` the
 * packet's length), or -EAGAIN, or the error that ICMP told, once.
 */
export function rawReceive(
  slot: u32,
  to: usize,
  capacity: u32,
  peer: usize,
  peek: bool,
  whole: bool,
): i32 {
  const receiving = rawSlot(slot);
  if (receiving.error != 0) return -rawTakeError(slot);
  if (receiving.used == 0) return -EAGAIN;
  const ring = rawRing(slot);
  const head = <u32>receiving.head;
  const bytes = load<u32>(ring + head);
  const at = (head + RAW_ENTRY_BYTES) & MASK;
  if (peer != 0) {
    store<u32>(peer, bswap<u32>(load<u32>(ring + ((at + 12) & MASK))));
    store<u32>(peer, 0, 4);
  }
  const copied = min(bytes, capacity);
  const first = min(copied, RAW_RX_BYTES - at);
  memory.copy(to, ring + at, first);
  memory.copy(to + first, ring, copied - first);
  if (!peek) {
    const total = RAW_ENTRY_BYTES + ((bytes + 3) & ~3);
    receiving.head = <u16>((head + total) & MASK);
    receiving.used = <u16>(<u32>receiving.used - total);
  }
  return <i32>(whole ? bytes : copied);
}

/** Bytes of the oldest packet; 0 when there is none. */
export function rawNextBytes(slot: u32): u32 {
  const receiving = rawSlot(slot);
  return receiving.used == 0 ? 0 : load<u32>(rawRing(slot) + <u32>receiving.head);
}
