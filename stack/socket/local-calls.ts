import { RecordNumber } from "options";
import { LOCAL_RING_BYTES, LOCAL_SOCKETS } from "../config";
import {
  EAFNOSUPPORT,
  EINVAL,
  EMFILE,
  EOPNOTSUPP,
  EPROTONOSUPPORT,
  ESOCKTNOSUPPORT,
} from "../errors";
import { localAccept, localPair, localTaken } from "../local/connect";
import { LocalState, localClose, localOpen, localSlot, localTakeError } from "../local/slots";
import {
  AF_INET,
  AF_UNIX,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_ACCEPTCONN,
  SO_DOMAIN,
  SO_ERROR,
  SO_PROTOCOL,
  SO_RCVBUF,
  SO_REUSEPORT,
  SO_SNDBUF,
  SO_TYPE,
} from "../posix";
import { GENERAL_OPTION } from "./raw-options";
import {
  NO_SOCKET,
  Socket,
  SocketFlag,
  SocketKind,
  socketAllocate,
  socketAt,
  socketFd,
  socketFree,
  socketIndex,
} from "./table";

/** The calls that AF_UNIX sockets do in a way of their own. */

/** Taken, and without a meaning: there is no exec. */
const SOCK_CLOEXEC: i32 = 0x80000;

/** True when a type has flags that nobody knows. */
export function unknownTypeFlags(type: i32): bool {
  return (type & ~(0xf | SOCK_NONBLOCK | SOCK_CLOEXEC)) != 0;
}

/** socket(2) for AF_UNIX. */
export function localSocket(type: i32, protocol: i32): i32 {
  if (unknownTypeFlags(type)) return -EINVAL;
  const kind = type & 0xf;
  if (kind != SOCK_STREAM && kind != SOCK_DGRAM) return -ESOCKTNOSUPPORT;
  if (protocol != 0 && protocol != AF_UNIX) return -EPROTONOSUPPORT;
  const index = socketAllocate(SocketKind.LOCAL);
  if (index == NO_SOCKET) return -EMFILE;
  const slot = localOpen(index, kind);
  if (slot < 0) {
    socketFree(index);
    return slot;
  }
  socketAt(index).index = <RecordNumber>slot;
  if ((type & SOCK_NONBLOCK) != 0) socketAt(index).flags |= SocketFlag.NONBLOCK;
  return socketFd(index);
}

/** socketpair(2): two descriptors to `fds`. -EOPNOTSUPP for a family that has none. */
export function sockPair(domain: i32, type: i32, protocol: i32, fds: usize): i32 {
  if (domain == AF_INET) return -EOPNOTSUPP;
  if (LOCAL_SOCKETS != 0 && domain == AF_UNIX) {
    const one = localSocket(type, protocol);
    if (one < 0) return one;
    const first = socketAt(socketIndex(one));
    const two = localSocket(type, protocol);
    if (two < 0) {
      localClose(<u32>first.index);
      socketFree(socketIndex(one));
      return two;
    }
    localPair(<u32>first.index, <u32>socketAt(socketIndex(two)).index);
    store<i32>(fds, one);
    store<i32>(fds, two, 4);
    return 0;
  }
  return -EAFNOSUPPORT;
}

/** accept(2). */
export function localAcceptSocket(listener: Socket): i32 {
  const waiting = localAccept(<u32>listener.index);
  if (waiting < 0) return waiting;
  const index = socketAllocate(SocketKind.LOCAL);
  if (index == NO_SOCKET) return -EMFILE;
  const socket = socketAt(index);
  socket.index = <RecordNumber>waiting;
  localTaken(<u32>waiting, index);
  return socketFd(index);
}

/** There are no options of other levels; those of SOL_SOCKET are remembered. */
export function localSetOption(level: i32, option: i32, value: i32): i32 {
  if (option == SO_REUSEPORT && value != 0) return -EOPNOTSUPP;
  return level == SOL_SOCKET ? GENERAL_OPTION : -EOPNOTSUPP;
}

/** Reads an option, or says that it is like that of any socket: GENERAL_OPTION. */
export function localGetOption(socket: Socket, level: i32, option: i32): i32 {
  if (level != SOL_SOCKET) return -EOPNOTSUPP;
  const number = <u32>socket.index;
  const slot = localSlot(number);
  switch (option) {
    case SO_TYPE:
      return <i32>slot.type;
    case SO_DOMAIN:
      return AF_UNIX;
    case SO_PROTOCOL:
      return 0;
    case SO_ACCEPTCONN:
      return slot.state == <u8>LocalState.LISTENING ? 1 : 0;
    case SO_ERROR:
      return localTakeError(number);
    case SO_RCVBUF:
    case SO_SNDBUF:
      return <i32>LOCAL_RING_BYTES;
    default:
      return GENERAL_OPTION;
  }
}
