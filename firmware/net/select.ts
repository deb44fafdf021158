import { clockMs } from "board";
import { SOCKETS } from "../../stack/config";
import { EBADF } from "../../stack/errors";
import { POLLERR, POLLHUP, POLLIN, POLLNVAL, POLLOUT, POLLPRI } from "../../stack/posix";
import { sockEvents } from "../../stack/socket/socket";
import { FD_END, SocketKind, socketAt, socketFd, socketSlot } from "../../stack/socket/table";
import { netPoll } from "./runtime";
import { timeLeft } from "./socket-wait";

/** select(2) over sets of descriptors. A set has a bit for each slot of the socket table, whatever its descriptor's number is. */

/** Bytes of a set: `memory.data(FD_SET_BYTES, 4)`. */
export const FD_SET_BYTES: u32 = ((SOCKETS + 31) >> 5) << 2;
/** Any descriptor is below it: what to pass as `nfds`. */
export const FD_SETSIZE: i32 = FD_END;

/** FD_ZERO. */
export function fdZero(set: usize): void {
  memory.fill(set, 0, FD_SET_BYTES);
}

/** FD_SET. */
export function fdSet(fd: i32, set: usize): void {
  mark(set, socketSlot(fd));
}

/** FD_CLR. */
export function fdClear(fd: i32, set: usize): void {
  const slot = socketSlot(fd);
  if (slot >= SOCKETS) return;
  const at = set + <usize>((slot >>> 5) << 2);
  store<u32>(at, load<u32>(at) & ~(1 << (slot & 31)));
}

/** FD_ISSET. */
export function fdIsSet(fd: i32, set: usize): bool {
  return isMarked(set, socketSlot(fd));
}

function mark(set: usize, slot: u32): void {
  if (slot >= SOCKETS) return;
  const at = set + <usize>((slot >>> 5) << 2);
  store<u32>(at, load<u32>(at) | (1 << (slot & 31)));
}

function isMarked(set: usize, slot: u32): bool {
  if (set == 0 || slot >= SOCKETS) return false;
  return ((load<u32>(set + <usize>((slot >>> 5) << 2)) >>> (slot & 31)) & 1) != 0;
}

/** What each set asks for, as bits of poll(2) (select(2), "Correspondence between select() and poll() notifications"). */
const READABLE: u32 = POLLIN | POLLHUP | POLLERR;
const WRITABLE: u32 = POLLOUT | POLLERR;
const EXCEPTIONAL: u32 = POLLPRI;

/** What was found, for each of the three sets. In a function, so that an application without select has no such buffer. */
function foundAt(set: u32): usize {
  const FOUND: usize = memory.data(3 * FD_SET_BYTES, 4);
  return FOUND + <usize>(set * FD_SET_BYTES);
}

/** Fills `foundAt`; how many bits were set, or -EBADF. */
function look(readSet: usize, writeSet: usize, exceptSet: usize): i32 {
  let count: i32 = 0;
  memory.fill(foundAt(0), 0, 3 * FD_SET_BYTES);
  for (let slot: u32 = 0; slot < SOCKETS; slot++) {
    const read = isMarked(readSet, slot);
    const write = isMarked(writeSet, slot);
    const except = isMarked(exceptSet, slot);
    if (!read && !write && !except) continue;
    if (socketAt(slot).kind == <u8>SocketKind.FREE) return -EBADF;
    const events = sockEvents(socketFd(slot));
    if ((events & POLLNVAL) != 0) return -EBADF;
    count += found(0, slot, read && (events & READABLE) != 0);
    count += found(1, slot, write && (events & WRITABLE) != 0);
    count += found(2, slot, except && (events & EXCEPTIONAL) != 0);
  }
  return count;
}

function found(set: u32, slot: u32, yes: bool): i32 {
  if (yes) mark(foundAt(set), slot);
  return yes ? 1 : 0;
}

function answer(set: usize, number: u32): void {
  if (set != 0) memory.copy(set, foundAt(number), FD_SET_BYTES);
}

/**
 * select(2): waits until a descriptor of one of the sets (0 = none) is readable, writable or has an exception, at most
 * `timeoutMs` (below 0: for ever). The sets are replaced by what was found; returns how many bits they have, or -EBADF.
 * `nfds` is FD_SETSIZE. Each call gives the network one turn at least.
 */
export function select(
  nfds: i32,
  readSet: usize,
  writeSet: usize,
  exceptSet: usize,
  timeoutMs: i32,
): i32 {
  const startMs = clockMs();
  netPoll(0);
  let count = nfds <= 0 ? 0 : look(readSet, writeSet, exceptSet);
  while (count == 0 && timeoutMs != 0) {
    const left = timeLeft(startMs, timeoutMs < 0 ? 0 : <u32>timeoutMs);
    if (left == 0) break;
    netPoll(left);
    count = nfds <= 0 ? 0 : look(readSet, writeSet, exceptSet);
  }
  if (count < 0) return count;
  if (nfds <= 0) memory.fill(foundAt(0), 0, 3 * FD_SET_BYTES);
  answer(readSet, 0);
  answer(writeSet, 1);
  answer(exceptSet, 2);
  return count;
}
