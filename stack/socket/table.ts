import { based, wordsClear, wordsCopy } from "cpu";
import { RecordNumber } from "options";
import { NO_RECORD, RECORD_NUMBER_BITS, SOCKETS, TCP, TCP_KEEPALIVE } from "../config";

/** What a descriptor stands for. */
export const enum SocketKind {
  FREE = 0,
  /** Stream socket before listen() or connect(). */
  STREAM = 1,
  LISTENER = 2,
  /** Stream socket with a TCB. */
  CONNECTION = 3,
  DATAGRAM = 4,
  RAW = 5,
  /** AF_UNIX. */
  LOCAL = 6,
  /** A further descriptor, made by dup(), of the socket at `index`. */
  ALIAS = 7,
}

export const enum SocketFlag {
  NONBLOCK = 1,
  READ_SHUT = 2,
  NO_DELAY = 4,
  /** SO_LINGER with zero seconds: close() resets. */
  LINGER_RESET = 8,
  REUSE_ADDRESS = 16,
  BROADCAST = 32,
  /** connect() has begun and its outcome has not been told. */
  CONNECTING = 64,
  /** The local end was chosen by bind(). */
  BOUND = 128,
  /** SO_KEEPALIVE. */
  KEEP_ALIVE = 256,
  /** SO_REUSEPORT. */
  REUSE_PORT = 512,
  /** TCP_CORK, TCP_QUICKACK. */
  CORK = 1024,
  QUICK_ACK = 2048,
  /** Of datagrams; a stream has its FIN. */
  WRITE_SHUT = 4096,
  /** TCP_CONGESTION: NewReno, where the rule is CUBIC. */
  RENO = 1 << 31,
  /** Its first descriptor was closed; others made by dup() are left. */
  FIRST_CLOSED = 0x40000000,
}

/** One open socket. */
@unmanaged
export class Socket {
  kind: u8;
  /** Counts up with each use of the slot, so that a stale descriptor is told from a new one. */
  generation: u8;
  /** Listener, TCB or UDP slot, by kind. */
  index: RecordNumber;
  tos: u8;
  flags: u32;
  localPort: u16;
  /** SO_LINGER with time: seconds that close() waits for delivery; 0 = it does not wait. */
  lingerS: u16;
  localAddress: u32;
  /** SO_RCVTIMEO and SO_SNDTIMEO in milliseconds; 0 = for ever. */
  receiveTimeoutMs: u32;
  sendTimeoutMs: u32;
  /** SO_RCVLOWAT; 0 = 1. */
  receiveLow: u16;
  ttl: u8;
  /** TCP_KEEPCNT; what follows is there only with TCP_KEEPALIVE. */
  keepCount: u8;
  /** TCP_USER_TIMEOUT, ms. */
  userTimeoutMs: u32;
  /** TCP_KEEPIDLE and TCP_KEEPINTVL in seconds. */
  keepIdleS: u16;
  keepIntervalS: u16;
}

const SOCKET_BYTES: u32 =
  TCP && TCP_KEEPALIVE ? offsetof<Socket>() : offsetof<Socket>("userTimeoutMs");

/** Two hours (RFC 9293 MUST-28); the others as on Linux. */
const KEEP_IDLE_S: u32 = 7200;
const KEEP_INTERVAL_S: u32 = 75;
const KEEP_COUNT: u32 = 9;

if ((SOCKET_BYTES & 3) != 0) ERROR("the table's records must stay word-aligned");

const TABLE: usize = memory.data(SOCKETS * SOCKET_BYTES, 4);
export const NO_SOCKET: u32 = NO_RECORD;
/** Above the slot's number a descriptor has its generation: small at first, and never the same for two sockets in a row. */
const SLOT_MASK: u32 = NO_RECORD;
/** Every descriptor of a socket is below it. */
export const FD_END: i32 = 0x100 << RECORD_NUMBER_BITS;

/** A slot of the table. */
export function socketAt(index: u32): Socket {
  assert(index < SOCKETS);
  return changetype<Socket>(based(TABLE) + index * SOCKET_BYTES);
}

/** Number of the slot that a descriptor names, be it open or not. */
export function socketSlot(fd: i32): u32 {
  return (<u32>fd) & SLOT_MASK;
}

/** dup() was called. Nothing sets it in an image without dup(), which therefore has nothing of it. */
let aliases: bool = false;

/** Slot of a descriptor, NO_SOCKET when it is not, or no longer, open. */
export function socketIndex(fd: i32): u32 {
  const index = socketSlot(fd);
  if (index >= SOCKETS) return NO_SOCKET;
  const socket = socketAt(index);
  // Of a negative number it is larger than any.
  const generation = (<u32>fd) >>> RECORD_NUMBER_BITS;
  if (socket.kind == SocketKind.FREE || <u32>socket.generation != generation) return NO_SOCKET;
  return aliases && socket.kind == SocketKind.ALIAS ? <u32>socket.index : index;
}

/** Descriptor of an open slot. */
export function socketFd(index: u32): i32 {
  return <i32>(((<u32>socketAt(index).generation) << RECORD_NUMBER_BITS) | index);
}

/** All slots below it are in use. */
let lowestFree: u32 = 0;

/** The lowest slot that is not in use; NO_SOCKET when all are. */
function freeSlot(): u32 {
  for (let index = lowestFree; index < SOCKETS; index++) {
    if (socketAt(index).kind != SocketKind.FREE) continue;
    lowestFree = index;
    return index;
  }
  return NO_SOCKET;
}

/** Opens a slot; NO_SOCKET when all are in use. */
export function socketAllocate(kind: SocketKind): u32 {
  const index = freeSlot();
  if (index == NO_SOCKET) return NO_SOCKET;
  const socket = socketAt(index);
  const generation = socket.generation;
  wordsClear(changetype<usize>(socket), SOCKET_BYTES);
  socket.generation = generation;
  socket.kind = <u8>kind;
  socket.ttl = 64;
  if (!TCP || !TCP_KEEPALIVE) return index;
  socket.keepIdleS = <u16>KEEP_IDLE_S;
  socket.keepIntervalS = <u16>KEEP_INTERVAL_S;
  socket.keepCount = <u8>KEEP_COUNT;
  return index;
}

/** Opens a slot for a connection, with all that its listener was told; NO_SOCKET when all are in use. */
export function socketInherit(listener: Socket): u32 {
  const index = freeSlot();
  if (index == NO_SOCKET) return NO_SOCKET;
  const socket = socketAt(index);
  const generation = socket.generation;
  wordsCopy(changetype<usize>(socket), changetype<usize>(listener), SOCKET_BYTES);
  socket.generation = generation;
  socket.kind = <u8>SocketKind.CONNECTION;
  return index;
}

/** dup(2): another descriptor of the socket in a slot; NO_SOCKET when all slots are in use. */
export function socketAlias(index: u32): u32 {
  const fresh = socketAllocate(SocketKind.ALIAS);
  if (fresh == NO_SOCKET) return NO_SOCKET;
  aliases = true;
  socketAt(fresh).index = <RecordNumber>index;
  return fresh;
}

/** True when the socket in a slot has more than one descriptor. */
export function socketShared(index: u32): bool {
  if (!aliases) return false;
  let names: u32 = (socketAt(index).flags & SocketFlag.FIRST_CLOSED) != 0 ? 0 : 1;
  for (let other: u32 = 0; other < SOCKETS; other++) {
    const alias = socketAt(other);
    if (alias.kind == SocketKind.ALIAS && <u32>alias.index == index) names += 1;
  }
  return names > 1;
}

/** Closes one of several descriptors of the socket in slot `index`; the socket stays. */
export function socketLetGo(fd: i32, index: u32): void {
  const own = socketSlot(fd);
  if (own != index) {
    socketFree(own);
    return;
  }
  // The slot stays, and nobody has its descriptor any more.
  const socket = socketAt(index);
  socket.flags |= SocketFlag.FIRST_CLOSED;
  socket.generation = <u8>((<u32>socket.generation + 1) & 0x7f);
}

/** Closes the slot of an alias, if that is what a descriptor is. */
export function socketFreeAlias(fd: i32, index: u32): void {
  const own = socketSlot(fd);
  if (aliases && own != index) socketFree(own);
}

/** Closes a slot; its descriptors are stale from now on. */
export function socketFree(index: u32): void {
  const socket = socketAt(index);
  if (index < lowestFree) lowestFree = index;
  socket.kind = <u8>SocketKind.FREE;
  socket.generation = <u8>((<u32>socket.generation + 1) & 0x7f);
}

/** Slots in use. */
export function socketsInUse(): u32 {
  let used: u32 = 0;
  for (let index: u32 = 0; index < SOCKETS; index++) {
    if (socketAt(index).kind != SocketKind.FREE) used += 1;
  }
  return used;
}
