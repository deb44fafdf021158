import { clockMs } from "board";
import { MSG_DONTWAIT, POLLERR } from "../../stack/posix";
import { sockEvents } from "../../stack/socket/socket";
import { NO_SOCKET, SocketFlag, socketAt, socketIndex } from "../../stack/socket/table";

/** Waiting in blocking calls. */

/** Longest single wait inside a blocking call; it loops anyway. */
const TURN_MS: u32 = 60000;

/** True when a call on this descriptor with these flags may wait. */
export function mayWait(fd: i32, flags: i32): bool {
  if ((flags & MSG_DONTWAIT) != 0) return false;
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
