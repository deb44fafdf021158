import { TCP } from "../config";
import { EINVAL, ENOPROTOOPT } from "../errors";
import { TCP_KEEPCNT, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_USER_TIMEOUT } from "../posix";
import { Tcb, tcbAt } from "../tcp/connection";
import { keepAliveSet, userTimeoutSet } from "../tcp/patience";
import { Socket, SocketFlag, SocketKind } from "./table";

/** Options that say how long a stream socket waits for its peer: SO_KEEPALIVE, TCP_KEEPIDLE and its like, TCP_USER_TIMEOUT. */

/** Largest number of seconds (tcp(7)). */
const SECONDS_MAX: i32 = 32767;

/** What the socket was told holds for its new connection; mostly it was told nothing. */
export function inheritPatience(socket: Socket, tcb: Tcb): void {
  if ((socket.flags & SocketFlag.KEEP_ALIVE) != 0 || socket.userTimeoutMs != 0)
    applyPatience(socket, tcb);
}

function applyPatience(socket: Socket, tcb: Tcb): void {
  const on = (socket.flags & SocketFlag.KEEP_ALIVE) != 0;
  const count = <u32>socket.keepCount;
  keepAliveSet(tcb, on, <u32>socket.keepIdleS, <u32>socket.keepIntervalS, count);
  userTimeoutSet(tcb, socket.userTimeoutMs);
}

/** Sets one of the options of TCP; -ENOPROTOOPT for another, -EINVAL for a value out of range. */
export function setPatience(socket: Socket, option: i32, value: i32): i32 {
  const seconds = value > 0 && value <= SECONDS_MAX;
  if (option == TCP_KEEPIDLE) {
    if (!seconds) return -EINVAL;
    socket.keepIdleS = <u16>value;
  } else if (option == TCP_KEEPINTVL) {
    if (!seconds) return -EINVAL;
    socket.keepIntervalS = <u16>value;
  } else if (option == TCP_KEEPCNT) {
    if (value < 1 || value > 127) return -EINVAL;
    socket.keepCount = <u8>value;
  } else if (option == TCP_USER_TIMEOUT) {
    if (value < 0) return -EINVAL;
    socket.userTimeoutMs = <u32>value;
  } else return -ENOPROTOOPT;
  apply(socket);
  return 0;
}

/** SO_KEEPALIVE. */
export function setKeepAlive(socket: Socket, on: bool): void {
  if (on) socket.flags |= SocketFlag.KEEP_ALIVE;
  else socket.flags &= ~SocketFlag.KEEP_ALIVE;
  apply(socket);
}

function apply(socket: Socket): void {
  if (TCP && socket.kind == SocketKind.CONNECTION) applyPatience(socket, tcbAt(<u32>socket.index));
}

/** Reads one of the options of TCP; -ENOPROTOOPT for another. */
export function getPatience(socket: Socket, option: i32): i32 {
  if (option == TCP_KEEPIDLE) return <i32>socket.keepIdleS;
  if (option == TCP_KEEPINTVL) return <i32>socket.keepIntervalS;
  if (option == TCP_KEEPCNT) return <i32>socket.keepCount;
  return option == TCP_USER_TIMEOUT ? <i32>socket.userTimeoutMs : -ENOPROTOOPT;
}
