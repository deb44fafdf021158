import { clockMs } from "board";
import { MSG_DONTWAIT, MSG_ERRQUEUE, POLLERR } from "../../stack/posix";
import { sockEvents } from "../../stack/socket/socket";
import { SOCKETS } from "../../stack/config";
import { moreOptionsGiven, moreReceiveLow } from "../../stack/socket/more-options";
import { NO_SOCKET, SocketFlag, socketAt, socketIndex } from "../../stack/socket/table";
import { netPoll, netTurnMs, netTurns } from "./runtime";

/** Waiting in blocking calls, and what a call does instead that must not wait. */

/** Descriptors, by slot, whose calls have found nothing since turn `blockedTurn`. */
const BLOCKED: usize = memory.data(((SOCKETS + 31) >> 5) << 2, 4);
let blockedTurn: u32 = 0;

/**
 * A call that must not wait has found nothing. True when the network had a turn here, so that asking again may help: a loop of
 * such calls goes on without a poll(2). A descriptor's first one since the last turn within the same millisecond gives none,
 * for a program that goes through its many clients after each poll(2) would give each of them a turn, and so the first ones
 * more than the others.
 */
export function turnedInstead(fd: i32): bool {
  const index = socketIndex(fd);
  if (index == NO_SOCKET) return false;
  if (blockedTurn != netTurns()) {
    memory.fill(BLOCKED, 0, ((SOCKETS + 31) >> 5) << 2);
    blockedTurn = netTurns();
  }
  const at = BLOCKED + ((index >>> 5) << 2);
  const bit: u32 = 1 << (index & 31);
  if ((load<u32>(at) & bit) == 0 && netTurnMs() == clockMs()) {
    store<u32>(at, load<u32>(at) | bit);
    return false;
  }
  netPoll(0);
  return true;
}

/** Longest single wait inside a blocking call; it loops anyway. */
const TURN_MS: u32 = 60000;

/** True when a call on this descriptor with these flags may wait. */
export function mayWait(fd: i32, flags: i32): bool {
  // The queue of errors is never waited for (ip(7)).
  if ((flags & (MSG_DONTWAIT | MSG_ERRQUEUE)) != 0) return false;
  const index = socketIndex(fd);
  return index != NO_SOCKET && (socketAt(index).flags & SocketFlag.NONBLOCK) == 0;
}

/** Time left of `timeoutMs` (0 = for ever) since `startMs`; 0 when it has passed. */
export function timeLeft(startMs: u32, timeoutMs: u32): u32 {
  if (timeoutMs == 0) return TURN_MS;
  const passed = clockMs() - startMs;
  return passed >= timeoutMs ? 0 : min<u32>(timeoutMs - passed, TURN_MS);
}

export function receiveTimeout(fd: i32): u32 {
  return socketAt(socketIndex(fd)).receiveTimeoutMs;
}

/** SO_RCVLOWAT; 0 = not set. */
export function receiveLow(fd: i32): u32 {
  const index = socketIndex(fd);
  return moreOptionsGiven() && index != NO_SOCKET ? moreReceiveLow(socketAt(index)) : 0;
}

export function sendTimeout(fd: i32): u32 {
  return socketAt(socketIndex(fd)).sendTimeoutMs;
}

/** True after shutdown(SHUT_RD). */
export function readShut(fd: i32): bool {
  return (socketAt(socketIndex(fd)).flags & SocketFlag.READ_SHUT) != 0;
}

/** True when an error waits to be told: the next call shall have it, not one that has done part of its work. */
export function broken(fd: i32): bool {
  return (sockEvents(fd) & POLLERR) != 0;
}
