import { based } from "cpu";
import { RecordNumber } from "options";
import { LOCAL_RING_BYTES, LOCAL_SOCKETS, NO_RECORD } from "../config";
import { EADDRINUSE, ECONNRESET, EINVAL, ENOBUFS, EOPNOTSUPP } from "../errors";
import { POLLIN, SHUT_RD, SHUT_RDWR, SHUT_WR, SOCK_DGRAM, SOCK_STREAM } from "../posix";
import { POLLERR, POLLHUP, POLLOUT, POLLRDHUP } from "../posix";
import { ready } from "../readiness";

/**
 * AF_UNIX sockets (unix(7)) between parts of one firmware. Each has a ring for what it receives, and a sender writes straight into
 * the ring of the other end. Names are bytes that stay where they are, such as texts in flash: only the place is kept.
 */
@unmanaged
export class LocalSlot {
  name: usize;
  /** 0 = no name. */
  nameBytes: u16;
  /** Offset of the oldest byte in the ring, and bytes in use. */
  head: u16;
  used: u16;
  /** Of a connection that waits to be accepted: its turn. */
  order: u16;
  /** LocalState. */
  state: u8;
  /** SOCK_STREAM or SOCK_DGRAM. */
  type: u8;
  /** Socket that owns it; NOBODY while it waits to be accepted. */
  socket: RecordNumber;
  /** Other end, plus one; 0 = none. */
  peer: RecordNumber;
  /** Listener that it waits in, plus one. */
  listener: RecordNumber;
  backlog: u8;
  /** LocalFlag bits. */
  flags: u8;
  /** errno to be told when the ring is empty; 0 = none. */
  error: u8;
}

export const enum LocalState {
  FREE = 0,
  OPEN = 1,
  LISTENING = 2,
  CONNECTED = 3,
}

export const enum LocalFlag {
  /** Nothing more will come. */
  READ_SHUT = 1,
  WRITE_SHUT = 2,
  /** Datagrams: the other end was closed, which the next send tells. */
  PEER_GONE = 4,
}

export const NOBODY: u32 = NO_RECORD;
/** Whole words, whatever the width of a record's number is. */
const SLOT_BYTES: u32 = (offsetof<LocalSlot>() + 3) & ~3;
export const NO_LOCAL: u32 = 0xffffffff;
export const LOCAL_MASK: u32 = LOCAL_RING_BYTES - 1;

// The tables are constants of functions, so that an image without local sockets has none of them.

export function localSlot(number: u32): LocalSlot {
  const SLOTS: usize = memory.data(LOCAL_SOCKETS * SLOT_BYTES, 4);
  // Where there is none, nothing that asks for one is left in the image.
  if (LOCAL_SOCKETS == 0) unreachable();
  assert(number < LOCAL_SOCKETS);
  return changetype<LocalSlot>(based(SLOTS) + number * SLOT_BYTES);
}

/** Ring of a slot, LOCAL_RING_BYTES long. */
export function localRing(number: u32): usize {
  const RINGS: usize = memory.data(LOCAL_SOCKETS * LOCAL_RING_BYTES, 4);
  return RINGS + number * LOCAL_RING_BYTES;
}

/** A free slot for `socket` (or NOBODY); -ENOBUFS when there is none. */
export function localOpen(socket: u32, type: i32): i32 {
  for (let number: u32 = 0; number < LOCAL_SOCKETS; number++) {
    const slot = localSlot(number);
    if (slot.state != <u8>LocalState.FREE) continue;
    memory.fill(changetype<usize>(slot), 0, offsetof<LocalSlot>());
    slot.state = <u8>LocalState.OPEN;
    slot.type = <u8>type;
    slot.socket = <RecordNumber>socket;
    return <i32>number;
  }
  return -ENOBUFS;
}

export function localIsStream(number: u32): bool {
  return localSlot(number).type == <u8>SOCK_STREAM;
}

export function localHas(slot: LocalSlot, flag: LocalFlag): bool {
  return ((<u32>slot.flags) & flag) != 0;
}

function localSetFlag(slot: LocalSlot, flag: LocalFlag): void {
  slot.flags = <u8>((<u32>slot.flags) | flag);
}

/** News for the owner of a slot. */
export function localWake(slot: LocalSlot, bits: u32): void {
  if (<u32>slot.socket != NOBODY) ready(<u32>slot.socket, bits);
}

/** Slot of a type that has this name; NO_LOCAL = none. Each type has names of its own, as the abstract ones of Linux. */
export function localFind(type: u32, name: usize, bytes: u32): u32 {
  for (let number: u32 = 0; number < LOCAL_SOCKETS; number++) {
    const slot = localSlot(number);
    if (slot.state == <u8>LocalState.FREE || <u32>slot.type != type || <u32>slot.nameBytes != bytes)
      continue;
    // A connection has its listener's name, and is not found by it.
    if (slot.state == <u8>LocalState.CONNECTED && slot.listener != 0) continue;
    if (memory.compare(slot.name, name, bytes) == 0) return number;
  }
  return NO_LOCAL;
}

/** bind(2). -EINVAL (it has a name, or that is empty or longer than that of unix(7)), -EADDRINUSE. */
export function localBind(number: u32, name: usize, bytes: u32): i32 {
  const slot = localSlot(number);
  if (slot.nameBytes != 0 || bytes == 0 || bytes > 107) return -EINVAL;
  if (localFind(<u32>slot.type, name, bytes) != NO_LOCAL) return -EADDRINUSE;
  slot.name = name;
  slot.nameBytes = <u16>bytes;
  return 0;
}

/** listen(2). `backlog` + 1 connections may wait, as on Linux. -EOPNOTSUPP (datagrams), -EINVAL (no name, or connected). */
export function localListen(number: u32, backlog: i32): i32 {
  const slot = localSlot(number);
  if (slot.type != <u8>SOCK_STREAM) return -EOPNOTSUPP;
  if (slot.nameBytes == 0 || slot.state == <u8>LocalState.CONNECTED) return -EINVAL;
  slot.state = <u8>LocalState.LISTENING;
  slot.backlog = <u8>min<i32>(max<i32>(backlog, 0), 250);
  return 0;
}

/** shutdown(2): of a stream the other end is told. */
export function localShutdown(number: u32, how: i32): i32 {
  if (how < SHUT_RD || how > SHUT_RDWR) return -EINVAL;
  const slot = localSlot(number);
  const peer = slot.peer != 0 ? localSlot(<u32>slot.peer - 1) : null;
  if (how != SHUT_WR) localSetFlag(slot, LocalFlag.READ_SHUT);
  if (how != SHUT_RD) localSetFlag(slot, LocalFlag.WRITE_SHUT);
  if (peer != null && slot.type == <u8>SOCK_STREAM) {
    if (how != SHUT_WR) localSetFlag(peer, LocalFlag.WRITE_SHUT);
    if (how != SHUT_RD) localSetFlag(peer, LocalFlag.READ_SHUT);
    localWake(peer, POLLIN | POLLOUT | POLLHUP);
  }
  localWake(slot, POLLIN | POLLOUT | POLLHUP);
  return 0;
}

/** close(2): the other ends are told; what they had sent here and nobody has read is lost. */
export function localClose(number: u32): void {
  const slot = localSlot(number);
  const wasListening = slot.state == <u8>LocalState.LISTENING;
  release(number, false);
  if (!wasListening) return;
  for (let other: u32 = 0; other < LOCAL_SOCKETS; other++) {
    const waiting = localSlot(other);
    const its = <u32>waiting.listener == number + 1 && <u32>waiting.socket == NOBODY;
    if (waiting.state == <u8>LocalState.CONNECTED && its) release(other, true);
  }
}

function release(number: u32, reset: bool): void {
  const slot = localSlot(number);
  const lost = slot.used != 0 || reset;
  slot.state = <u8>LocalState.FREE;
  for (let other: u32 = 0; other < LOCAL_SOCKETS; other++) {
    const peer = localSlot(other);
    if (peer.state == <u8>LocalState.FREE || <u32>peer.peer != number + 1) continue;
    peer.peer = 0;
    if (peer.type == <u8>SOCK_DGRAM) {
      localSetFlag(peer, LocalFlag.PEER_GONE);
      // What waits to be read is no more than before.
      localWake(peer, POLLOUT);
    } else {
      localSetFlag(peer, LocalFlag.READ_SHUT);
      localSetFlag(peer, LocalFlag.WRITE_SHUT);
      if (lost) peer.error = <u8>ECONNRESET;
      localWake(peer, POLLIN | POLLOUT | POLLERR | POLLHUP);
    }
  }
}

/** Readiness as poll(2) bits. */
export function localEvents(number: u32): u32 {
  const slot = localSlot(number);
  if (slot.state == <u8>LocalState.LISTENING) return localWaiting(number) != 0 ? POLLIN : 0;
  const readShut = localHas(slot, LocalFlag.READ_SHUT);
  let events: u32 = slot.used != 0 || readShut ? POLLIN : 0;
  if (readShut) events |= POLLRDHUP;
  if (readShut && localHas(slot, LocalFlag.WRITE_SHUT)) events |= POLLHUP;
  if (slot.error != 0) events |= POLLERR;
  if (slot.type == <u8>SOCK_STREAM && slot.state == <u8>LocalState.OPEN) events |= POLLHUP;
  // Not for a few bytes.
  const room = slot.peer == 0 ? LOCAL_RING_BYTES : localRoom(<u32>slot.peer - 1);
  return room >= LOCAL_RING_BYTES >> 2 ? events | POLLOUT : events;
}

/** Bytes that the ring of a slot has room for. */
export function localRoom(number: u32): u32 {
  return LOCAL_RING_BYTES - <u32>localSlot(number).used;
}

/** Connections that wait in a listener. */
export function localWaiting(listener: u32): u32 {
  let waiting: u32 = 0;
  for (let number: u32 = 0; number < LOCAL_SOCKETS; number++) {
    const slot = localSlot(number);
    const its = <u32>slot.listener == listener + 1 && <u32>slot.socket == NOBODY;
    if (slot.state == <u8>LocalState.CONNECTED && its) waiting += 1;
  }
  return waiting;
}

/** Takes the pending error: errno, 0 = none. */
export function localTakeError(number: u32): i32 {
  const slot = localSlot(number);
  const error = <i32>slot.error;
  slot.error = 0;
  return error;
}
