import { RecordNumber } from "options";
import { LOCAL_SOCKETS } from "../config";
import { EAGAIN, ECONNREFUSED, EINVAL, EISCONN, EOPNOTSUPP, EPERM } from "../errors";
import { POLLIN, SOCK_STREAM } from "../posix";
import {
  LocalFlag,
  LocalSlot,
  LocalState,
  NOBODY,
  NO_LOCAL,
  localFind,
  localOpen,
  localSlot,
  localWaiting,
  localWake,
} from "./slots";

/** Connections of AF_UNIX sockets. */

/** Counts up with each connection, so that the oldest is accepted first. */
let turn: u16 = 0;

/** socketpair(2): two slots are each other's other end. */
export function localPair(one: u32, two: u32): void {
  join(localSlot(one), two);
  join(localSlot(two), one);
}

function join(slot: LocalSlot, other: u32): void {
  slot.peer = <RecordNumber>(other + 1);
  slot.state = <u8>LocalState.CONNECTED;
  slot.flags = 0;
}

/** True when a datagram socket takes datagrams of this one: it is connected to nobody else. */
export function localMaySend(from: u32, to: u32): bool {
  const peer = <u32>localSlot(to).peer;
  return peer == 0 || peer == from + 1;
}

/**
 * connect(2), done at once. Streams: -ECONNREFUSED (nobody listens), -EISCONN, -EINVAL (a listener), -EAGAIN (the
 * backlog is full), -ENOBUFS (no slot for the other end). Datagrams: sets the other end, no name dissolves it; -EPERM (it is connected
 * to another).
 */
export function localConnect(number: u32, name: usize, bytes: u32): i32 {
  const slot = localSlot(number);
  const stream = slot.type == <u8>SOCK_STREAM;
  if (bytes == 0) {
    if (stream) return -EINVAL;
    slot.peer = 0;
    slot.flags = 0;
    slot.state = <u8>LocalState.OPEN;
    return 0;
  }
  const found = localFind(<u32>slot.type, name, bytes);
  if (found == NO_LOCAL) return -ECONNREFUSED;
  const other = localSlot(found);
  if (!stream) {
    if (!localMaySend(number, found)) return -EPERM;
    join(slot, found);
    return 0;
  }
  if (other.state != <u8>LocalState.LISTENING) return -ECONNREFUSED;
  if (localWaiting(found) > <u32>other.backlog) return -EAGAIN;
  if (slot.state == <u8>LocalState.CONNECTED) return -EISCONN;
  if (slot.state == <u8>LocalState.LISTENING) return -EINVAL;
  const server = localOpen(NOBODY, SOCK_STREAM);
  if (server < 0) return server;
  localPair(number, <u32>server);
  const waiting = localSlot(<u32>server);
  waiting.name = other.name;
  waiting.nameBytes = other.nameBytes;
  waiting.listener = <RecordNumber>(found + 1);
  waiting.order = turn++;
  localWake(other, POLLIN);
  return 0;
}

/** The oldest connection that waits in a listener, or -EOPNOTSUPP, -EINVAL (no listener), -EAGAIN. `localTaken` gives it its socket. */
export function localAccept(listener: u32): i32 {
  const slot = localSlot(listener);
  if (slot.type != <u8>SOCK_STREAM) return -EOPNOTSUPP;
  if (slot.state != <u8>LocalState.LISTENING) return -EINVAL;
  let oldest = NO_LOCAL;
  for (let number: u32 = 0; number < LOCAL_SOCKETS; number++) {
    const waiting = localSlot(number);
    if (waiting.state != <u8>LocalState.CONNECTED || <u32>waiting.socket != NOBODY) continue;
    if (<u32>waiting.listener != listener + 1) continue;
    if (oldest == NO_LOCAL || <i16>(waiting.order - localSlot(oldest).order) < 0) oldest = number;
  }
  return oldest == NO_LOCAL ? -EAGAIN : <i32>oldest;
}

/** An accepted connection belongs to this socket from now on. */
export function localTaken(number: u32, socket: u32): void {
  localSlot(number).socket = <RecordNumber>socket;
}

/** Other end of a slot, NO_LOCAL when there is none; a datagram socket whose other end was closed has one once more. */
export function localPeer(number: u32): u32 {
  const slot = localSlot(number);
  return slot.peer == 0 ? NO_LOCAL : <u32>slot.peer - 1;
}

/** True when the other end of a datagram socket was closed; told once. */
export function localTakeGone(number: u32): bool {
  const slot = localSlot(number);
  const gone = ((<u32>slot.flags) & LocalFlag.PEER_GONE) != 0;
  slot.flags = <u8>((<u32>slot.flags) & ~LocalFlag.PEER_GONE);
  return gone;
}
