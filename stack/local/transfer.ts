import { LOCAL_RING_BYTES, LOCAL_SOCKETS } from "../config";
import {
  EAGAIN,
  ECONNREFUSED,
  EINVAL,
  EISCONN,
  EMSGSIZE,
  ENOTCONN,
  EOPNOTSUPP,
  EPERM,
  EPIPE,
} from "../errors";
import { POLLIN, POLLOUT, SOCK_DGRAM, SOCK_STREAM } from "../posix";
import { readyWake } from "../readiness";
import { localMaySend, localPeer, localTakeGone } from "./connect";
import {
  LOCAL_MASK,
  LocalFlag,
  LocalSlot,
  LocalState,
  NO_LOCAL,
  localFind,
  localHas,
  localRing,
  localRoom,
  localSlot,
  localTakeError,
  localWake,
} from "./slots";

/** In a ring each datagram stands behind its sender's name (place and length) and its length, filled up to a multiple of four. */
const ENTRY_BYTES: u32 = 8;

/** Appends to a ring. */
function put(number: u32, at: u32, from: usize, bytes: u32): void {
  const ring = localRing(number);
  const start = at & LOCAL_MASK;
  const first = min(bytes, LOCAL_RING_BYTES - start);
  memory.copy(ring + start, from, first);
  memory.copy(ring, from + first, bytes - first);
}

function take(number: u32, at: u32, to: usize, bytes: u32): void {
  const ring = localRing(number);
  const start = at & LOCAL_MASK;
  const first = min(bytes, LOCAL_RING_BYTES - start);
  memory.copy(to, ring + start, first);
  memory.copy(to + first, ring, bytes - first);
}

/** send(2), and sendto(2) with a name; no name = to the other end. */
export function localSend(number: u32, from: usize, bytes: u32, name: usize, nameBytes: u32): i32 {
  const slot = localSlot(number);
  if (slot.type == <u8>SOCK_DGRAM) return sendDatagram(number, from, bytes, name, nameBytes);
  const connected = slot.state == <u8>LocalState.CONNECTED;
  if (nameBytes != 0) return connected ? -EISCONN : -EOPNOTSUPP;
  if (!connected) return -ENOTCONN;
  const peer = localPeer(number);
  if (peer == NO_LOCAL || localHas(slot, LocalFlag.WRITE_SHUT)) return -EPIPE;
  const part = min(bytes, localRoom(peer));
  if (part == 0) return bytes == 0 ? 0 : -EAGAIN;
  const other = localSlot(peer);
  put(peer, <u32>other.head + <u32>other.used, from, part);
  other.used = <u16>(<u32>other.used + part);
  localWake(other, POLLIN);
  return <i32>part;
}

/** Where a datagram goes: a slot's number, or an error below 0. */
function goal(number: u32, name: usize, nameBytes: u32): i32 {
  let to: u32;
  if (nameBytes != 0) {
    to = localFind(SOCK_DGRAM, name, nameBytes);
    if (to == NO_LOCAL) return -ECONNREFUSED;
  } else {
    if (localTakeGone(number)) return -ECONNREFUSED;
    to = localPeer(number);
    if (to == NO_LOCAL) return -ENOTCONN;
  }
  return localMaySend(number, to) ? <i32>to : -EPERM;
}

function sendDatagram(number: u32, from: usize, bytes: u32, name: usize, nameBytes: u32): i32 {
  const to = goal(number, name, nameBytes);
  if (to < 0) return to;
  const slot = localSlot(number);
  const other = localSlot(<u32>to);
  if (bytes > LOCAL_RING_BYTES - ENTRY_BYTES) return -EMSGSIZE;
  if (localHas(slot, LocalFlag.WRITE_SHUT) || localHas(other, LocalFlag.READ_SHUT)) return -EPIPE;
  const total = ENTRY_BYTES + ((bytes + 3) & ~3);
  if (total > localRoom(<u32>to)) return -EAGAIN;
  const at = <u32>other.head + <u32>other.used;
  const ring = localRing(<u32>to);
  store<u32>(ring + (at & LOCAL_MASK), <u32>slot.name);
  store<u32>(ring + ((at + 4) & LOCAL_MASK), ((<u32>slot.nameBytes) << 16) | bytes);
  put(<u32>to, at + ENTRY_BYTES, from, bytes);
  other.used = <u16>(<u32>other.used + total);
  localWake(other, POLLIN);
  return <i32>bytes;
}

/** Bytes of a stream that wait, or of the oldest datagram. */
export function localNextBytes(number: u32): u32 {
  const slot = localSlot(number);
  if (slot.type == <u8>SOCK_STREAM || slot.used == 0) return <u32>slot.used;
  return load<u32>(localRing(number) + ((<u32>slot.head + 4) & LOCAL_MASK)) & 0xffff;
}

/** Bytes of a stream that were sent and that the other end has not read. */
export function localUnread(number: u32): u32 {
  const peer = localPeer(number);
  return peer == NO_LOCAL ? 0 : <u32>localSlot(peer).used;
}

function consume(slot: LocalSlot, bytes: u32): void {
  slot.head = <u16>((<u32>slot.head + bytes) & LOCAL_MASK);
  slot.used = <u16>(<u32>slot.used - bytes);
}

/** recv(2) and recvfrom(2); the sender's name, place and length, goes to the two words at `peer`, if that is not 0. */
export function localReceive(
  number: u32,
  to: usize,
  capacity: u32,
  peer: usize,
  peek: bool,
  whole: bool,
): i32 {
  const slot = localSlot(number);
  if (peer != 0) {
    store<u32>(peer, 0);
    store<u32>(peer, 0, 4);
  }
  if (slot.type == <u8>SOCK_DGRAM) return receiveDatagram(number, to, capacity, peer, peek, whole);
  if (slot.state != <u8>LocalState.CONNECTED) return -EINVAL;
  if (slot.used == 0) {
    if (slot.error != 0) return -localTakeError(number);
    return localHas(slot, LocalFlag.READ_SHUT) || capacity == 0 ? 0 : -EAGAIN;
  }
  const copied = min(<u32>slot.used, capacity);
  take(number, <u32>slot.head, to, copied);
  if (peek) return <i32>copied;
  consume(slot, copied);
  const other = localPeer(number);
  if (other != NO_LOCAL) localWake(localSlot(other), POLLOUT);
  return <i32>copied;
}

function receiveDatagram(
  number: u32,
  to: usize,
  capacity: u32,
  peer: usize,
  peek: bool,
  whole: bool,
): i32 {
  const slot = localSlot(number);
  if (slot.used == 0) return -EAGAIN;
  const head = <u32>slot.head;
  const bytes = localNextBytes(number);
  const copied = min(bytes, capacity);
  if (peer != 0) {
    const ring = localRing(number);
    store<u32>(peer, load<u32>(ring + head));
    store<u32>(peer, load<u32>(ring + ((head + 4) & LOCAL_MASK)) >>> 16, 4);
  }
  take(number, head + ENTRY_BYTES, to, copied);
  if (!peek) {
    consume(slot, ENTRY_BYTES + ((bytes + 3) & ~3));
    madeRoom(number);
  }
  return <i32>(whole ? bytes : copied);
}

/** Whoever sends datagrams here may try again. */
function madeRoom(number: u32): void {
  for (let other: u32 = 0; other < LOCAL_SOCKETS; other++) {
    const slot = localSlot(other);
    if (slot.state != <u8>LocalState.FREE && <u32>slot.peer == number + 1) localWake(slot, POLLOUT);
  }
  readyWake();
}
