import { RecordNumber } from "options";
import {
  INTERFACES,
  LOCAL_SOCKETS,
  MULTICAST_GROUPS,
  RAW_SOCKETS,
  SOCKETS,
  SOCKET_MORE_OPTIONS,
  TCP,
  TCP_ANY_PORT,
  TCP_CONNECT,
  TCP_KEEPALIVE,
  UDP_SOCKETS,
} from "../config";
import {
  EADDRINUSE,
  EADDRNOTAVAIL,
  EAGAIN,
  EALREADY,
  EBADF,
  ECONNABORTED,
  EINPROGRESS,
  EINVAL,
  EISCONN,
  EMFILE,
  ENETUNREACH,
  ENOTCONN,
  EOPNOTSUPP,
} from "../errors";
import { isOurs } from "../interface";
import { localConnect } from "../local/connect";
import { localBind, localClose, localListen, localShutdown } from "../local/slots";
import { random32 } from "../random";
import { Tcb, TcbFlag, TcpState, connectionUsesPort, tcbAt } from "../tcp/connection";
import { tcbRelease } from "../tcp/lifecycle";
import { listenerTaken } from "../tcp/listener";
import {
  tcpAccept,
  tcpClose,
  tcpCloseListener,
  tcpConnect,
  tcpListen,
  tcpListenAgain,
  tcpListenerEvents,
  tcpShutdown,
  tcpTakeError,
} from "../tcp/user";
import { ready } from "../readiness";
import { rawBind, rawClose, rawConnect } from "../raw/slots";
import { groupsEnd } from "../udp/multicast";
import { udpErrorsForget } from "../udp/errors";
import { udpBind, udpClose, udpConnect } from "../udp/slots";
import { POLLHUP, POLLIN, POLLOUT, SHUT_RD, SHUT_RDWR, SHUT_WR } from "../posix";
import { sockPeerAddress } from "./names";
import { localAcceptSocket } from "./local-calls";
import {
  moreControl,
  moreMaxSegment,
  moreMayReach,
  moreSource,
  moreOptionsGiven,
  moreOptionsListen,
} from "./more-options";
import { inheritPatience } from "./patience";
import {
  NO_SOCKET,
  Socket,
  SocketFlag,
  SocketKind,
  socketInherit,
  socketAlias,
  socketAt,
  socketFd,
  socketFree,
  socketFreeAlias,
  socketIndex,
  socketLetGo,
  socketShared,
} from "./table";

export {
  sockIsStream,
  sockLocalAddress,
  sockLocalPort,
  sockPeerAddress,
  sockPeerPort,
  sockTakeError,
  sockTcb,
} from "./names";
export { sockPair } from "./local-calls";
export { sockEvents } from "./events";
export { sockOpen } from "./open";
export { sockReceive, sockReceiveFrom, sockSend, sockSendTo } from "./transfer";

/**
 * The socket calls, none of which waits: what would block gives -EAGAIN (connect: -EINPROGRESS). The POSIX face with its
 * blocking calls is `firmware/net/sockets.ts`. Addresses and ports are in host order here.
 */

/** bind(2). Port 0 takes an ephemeral one. -EADDRNOTAVAIL when the address is not ours, -EADDRINUSE, -EINVAL when bound. */
export function sockBind(fd: i32, address: u32, port: u32): i32 {
  const index = socketIndex(fd);
  if (index == NO_SOCKET) return -EBADF;
  const socket = socketAt(index);
  const loopback = address >>> 24 == 127;
  if (socket.kind == SocketKind.DATAGRAM) return udpBind(<u32>socket.index, address, port);
  if (RAW_SOCKETS != 0 && isRaw(socket)) return rawBind(<u32>socket.index, address);
  if (LOCAL_SOCKETS != 0 && isLocal(socket)) return localBind(<u32>socket.index, address, port);
  if (address != 0 && !loopback && !isOurs(address)) return -EADDRNOTAVAIL;
  if (!TCP || socket.kind != SocketKind.STREAM || socket.localPort != 0) return -EINVAL;
  if (port == 0) port = freePort();
  else if (portTaken(index, address, port)) return -EADDRINUSE;
  else if (
    (socket.flags & (SocketFlag.REUSE_ADDRESS | SocketFlag.REUSE_PORT)) == 0 &&
    connectionUsesPort(port)
  ) {
    // Connections of a listener before, TIME-WAIT among them: SO_REUSEADDR is for restarts (socket(7)).
    return -EADDRINUSE;
  }
  if (port == 0) return -EADDRINUSE;
  socket.localAddress = address;
  socket.localPort = <u16>port;
  socket.flags |= SocketFlag.BOUND;
  return 0;
}

function isLocal(socket: Socket): bool {
  return socket.kind == SocketKind.LOCAL;
}

function isRaw(socket: Socket): bool {
  return socket.kind == SocketKind.RAW;
}

/** A free port at random out of 1024 to 65535 (RFC 6056 3.2, 3.3.2); 0 when none was found. */
function freePort(): u32 {
  for (let tries: u32 = 0; tries < 64; tries++) {
    const port = random32() & 0xffff;
    if (port < 1024) continue;
    if (!connectionUsesPort(port) && !portTaken(NO_SOCKET, 0, port)) return port;
  }
  return 0;
}

function portTaken(self: u32, address: u32, port: u32): bool {
  const shared = self != NO_SOCKET && isShared(self);
  if (listenerTaken(address, port, shared)) return true;
  for (let index: u32 = 0; index < SOCKETS; index++) {
    const other = socketAt(index);
    if (index == self || other.kind != SocketKind.STREAM) continue;
    if (<u32>other.localPort != port || (shared && isShared(index))) continue;
    if (address == 0 || other.localAddress == 0 || other.localAddress == address) return true;
  }
  return false;
}

/** SO_REUSEPORT. */
function isShared(index: u32): bool {
  return (socketAt(index).flags & SocketFlag.REUSE_PORT) != 0;
}

/** listen(2). `backlog` is the most established connections that wait for accept(). Again on a listener: a new backlog. */
export function sockListen(fd: i32, backlog: i32): i32 {
  const index = socketIndex(fd);
  if (index == NO_SOCKET) return -EBADF;
  const socket = socketAt(index);
  const places: u32 = backlog < 1 ? 1 : <u32>backlog;
  if (TCP && socket.kind == SocketKind.LISTENER) {
    tcpListenAgain(<u32>socket.index, places);
    return 0;
  }
  if (LOCAL_SOCKETS != 0 && isLocal(socket)) return localListen(<u32>socket.index, backlog);
  if (!TCP || <u32>socket.kind >= <u32>SocketKind.DATAGRAM) return -EOPNOTSUPP;
  if (socket.kind != SocketKind.STREAM) return -EINVAL;
  if (socket.localPort == 0) {
    const port = freePort();
    if (port == 0) return -EADDRINUSE;
    socket.localPort = <u16>port;
  }
  return becomeListener(index, <u32>socket.localPort, places);
}

/** Listens on every port at once; for a gateway, where the build has TCP_ANY_PORT. */
export function sockListenAny(fd: i32): i32 {
  const index = socketIndex(fd);
  if (index == NO_SOCKET) return -EBADF;
  if (!TCP_ANY_PORT || socketAt(index).kind != SocketKind.STREAM) return -EOPNOTSUPP;
  return becomeListener(index, 0, 64);
}

function becomeListener(index: u32, port: u32, backlog: u32): i32 {
  const socket = socketAt(index);
  const listener = tcpListen(index, socket.localAddress, port, backlog, isShared(index));
  if (listener < 0) return listener;
  socket.kind = <u8>SocketKind.LISTENER;
  socket.index = <RecordNumber>listener;
  if (moreOptionsGiven()) moreOptionsListen(socket);
  return 0;
}

/**
 * accept(2). A new descriptor for the oldest established connection. It inherits the listener's options (type of service, time
 * to live, TCP_NODELAY, SO_LINGER, time-outs), but blocks whatever O_NONBLOCK the listener has, as on Linux.
 */
export function sockAccept(fd: i32): i32 {
  const index = socketIndex(fd);
  if (index == NO_SOCKET) return -EBADF;
  const socket = socketAt(index);
  if (LOCAL_SOCKETS != 0 && isLocal(socket)) return localAcceptSocket(socket);
  if (!TCP || <u32>socket.kind >= <u32>SocketKind.DATAGRAM) return -EOPNOTSUPP;
  if (socket.kind != SocketKind.LISTENER) return -EINVAL;
  if ((tcpListenerEvents(<u32>socket.index) & POLLIN) == 0) return -EAGAIN;
  return acceptFirst(socket);
}

/** There is a connection to be accepted: of its own, as the question whether there is one is asked once more than that. */
function acceptFirst(socket: Socket): i32 {
  const fresh = socketInherit(socket);
  if (fresh == NO_SOCKET) return -EMFILE;
  const tcb = tcpAccept(<u32>socket.index, fresh);
  const child = socketAt(fresh);
  attach(child, tcb);
  // Nor does it have the listener's descriptors.
  child.flags &= ~(SocketFlag.NONBLOCK | SocketFlag.READ_SHUT | SocketFlag.FIRST_CLOSED);
  applyOptions(socket, tcb);
  return socketFd(fresh);
}

/** What a socket was told before it had a connection holds for the connection. */
function applyOptions(socket: Socket, tcb: Tcb): void {
  tcb.tos = socket.tos;
  tcb.ttl = socket.ttl;
  const flags = socket.flags;
  if ((flags & SocketFlag.NO_DELAY) != 0) tcb.flags |= TcbFlag.NO_DELAY;
  if ((flags & SocketFlag.CORK) != 0) tcb.flags |= TcbFlag.CORK;
  if ((flags & SocketFlag.QUICK_ACK) != 0) tcb.flags |= TcbFlag.QUICK_ACK;
  if (TCP_KEEPALIVE) inheritPatience(socket, tcb);
  if (!moreOptionsGiven()) return;
  moreControl(socket, tcb);
  if (TCP_CONNECT && tcb.state == TcpState.SYN_SENT) tcb.peerMss = <u16>moreMaxSegment(socket);
}

function attach(socket: Socket, tcb: Tcb): void {
  socket.kind = <u8>SocketKind.CONNECTION;
  socket.index = tcb.id;
  socket.localAddress = tcb.localAddress;
  socket.localPort = tcb.localPort;
}

/** connect(2). Streams: -EINPROGRESS, later -EALREADY, 0 once when open, then -EISCONN; or the error. Datagrams: sets the peer. */
export function sockConnect(fd: i32, address: u32, port: u32): i32 {
  const index = socketIndex(fd);
  if (index == NO_SOCKET) return -EBADF;
  const socket = socketAt(index);
  if (socket.kind == SocketKind.DATAGRAM) return udpConnect(<u32>socket.index, address, port);
  if (RAW_SOCKETS != 0 && isRaw(socket)) return rawConnect(<u32>socket.index, address, port);
  if (LOCAL_SOCKETS != 0 && isLocal(socket)) return localConnect(<u32>socket.index, address, port);
  if (!TCP || socket.kind == SocketKind.LISTENER) return -EOPNOTSUPP;
  if (!TCP_CONNECT && socket.kind != SocketKind.CONNECTION) return -EOPNOTSUPP;
  if (socket.kind == SocketKind.CONNECTION) return connectOutcome(socket);
  if (moreOptionsGiven() && !moreMayReach(socket, address)) return -ENETUNREACH;
  const local = socket.localPort != 0 ? <u32>socket.localPort : freePort();
  if (local == 0) return -EADDRNOTAVAIL;
  let source = socket.localAddress;
  if (INTERFACES > 1 && source == 0) source = moreSource(socket, address);
  const id = tcpConnect(index, source, local, address, port);
  if (id < 0) return id;
  const tcb = tcbAt(<u32>id);
  attach(socket, tcb);
  socket.flags |= SocketFlag.CONNECTING;
  applyOptions(socket, tcb);
  return -EINPROGRESS;
}

function connectOutcome(socket: Socket): i32 {
  const tcb = tcbAt(<u32>socket.index);
  if (tcb.state == TcpState.SYN_SENT || tcb.state == TcpState.SYN_RECEIVED) return -EALREADY;
  if ((socket.flags & SocketFlag.CONNECTING) == 0)
    return tcb.error != 0 ? tcpTakeError(tcb) : -EISCONN;
  if (tcb.state == TcpState.CLOSED) return connectFailed(socket);
  socket.flags &= ~SocketFlag.CONNECTING;
  return 0;
}

/**
 * An attempt to connect has ended without a connection: its error, or -ECONNABORTED when SO_ERROR has taken that. The socket
 * may then try again (as on Linux; POSIX leaves its state open).
 */
function connectFailed(socket: Socket): i32 {
  const tcb = tcbAt(<u32>socket.index);
  const error = tcpTakeError(tcb);
  tcbRelease(tcb);
  socket.kind = <u8>SocketKind.STREAM;
  socket.flags &= ~SocketFlag.CONNECTING;
  if ((socket.flags & SocketFlag.BOUND) == 0) {
    socket.localAddress = 0;
    socket.localPort = 0;
  }
  return error != 0 ? error : -ECONNABORTED;
}

/** shutdown(2). */
export function sockShutdown(fd: i32, how: i32): i32 {
  const index = socketIndex(fd);
  if (index == NO_SOCKET) return -EBADF;
  const socket = socketAt(index);
  if (LOCAL_SOCKETS != 0 && isLocal(socket)) return localShutdown(<u32>socket.index, how);
  if (how < SHUT_RD || how > SHUT_RDWR) return -EINVAL;
  if (<u32>socket.kind >= <u32>SocketKind.DATAGRAM) return shutDatagrams(index, how);
  if (!TCP || socket.kind != SocketKind.CONNECTION) return -ENOTCONN;
  const tcb = tcbAt(<u32>socket.index);
  if (tcb.state == TcpState.CLOSED) return -ENOTCONN;
  if (how != SHUT_WR) socket.flags |= SocketFlag.READ_SHUT;
  // What can be shut was opened: connect() has nothing to tell any more, and its end is no failed attempt.
  if (tcb.state != TcpState.SYN_SENT && tcb.state != TcpState.SYN_RECEIVED)
    socket.flags &= ~SocketFlag.CONNECTING;
  ready(index, POLLIN | POLLOUT | POLLHUP);
  return how == SHUT_RD ? 0 : tcpShutdown(tcb);
}

/** Of a socket without connections the ways are only shut here, and only when it has a peer. */
function shutDatagrams(index: u32, how: i32): i32 {
  if (sockPeerAddress(index) == 0) return -ENOTCONN;
  const socket = socketAt(index);
  if (how != SHUT_WR) socket.flags |= SocketFlag.READ_SHUT;
  if (how != SHUT_RD) socket.flags |= SocketFlag.WRITE_SHUT;
  ready(index, POLLIN | POLLOUT | POLLHUP);
  return 0;
}

/** dup(2): a second descriptor of the same socket; it is closed with its last one. -EBADF, -EMFILE. */
export function sockDup(fd: i32): i32 {
  const index = socketIndex(fd);
  if (index == NO_SOCKET) return -EBADF;
  const fresh = socketAlias(index);
  return fresh == NO_SOCKET ? -EMFILE : socketFd(fresh);
}

/** close(2). Never waits: what was queued is delivered in the background. */
export function sockClose(fd: i32): i32 {
  return closeWith(fd, false);
}

/** True while a connection has text or its FIN to deliver. */
export function sockUndelivered(fd: i32): bool {
  const index = socketIndex(fd);
  if (!TCP || index == NO_SOCKET || socketAt(index).kind != SocketKind.CONNECTION) return false;
  const tcb = tcbAt(<u32>socketAt(index).index);
  return tcb.state != TcpState.CLOSED && (tcb.queued != 0 || tcb.sndMax != tcb.sndUna);
}

/** Closes with RST, as SO_LINGER with zero seconds does. */
export function sockAbort(fd: i32): i32 {
  return closeWith(fd, true);
}

function closeWith(fd: i32, abort: bool): i32 {
  const index = socketIndex(fd);
  if (index == NO_SOCKET) return -EBADF;
  if (socketShared(index)) {
    socketLetGo(fd, index);
    return 0;
  }
  const socket = socketAt(index);
  const kind = <u32>socket.kind;
  const slot = <u32>socket.index;
  const reset = abort || (socket.flags & SocketFlag.LINGER_RESET) != 0;
  socketFreeAlias(fd, index);
  socketFree(index);
  if (TCP && kind == SocketKind.LISTENER) tcpCloseListener(slot);
  else if (TCP && kind == SocketKind.CONNECTION) tcpClose(tcbAt(slot), reset);
  else if (kind == SocketKind.DATAGRAM) {
    if (MULTICAST_GROUPS != 0) groupsEnd(slot);
    if (SOCKET_MORE_OPTIONS && UDP_SOCKETS != 0 && moreOptionsGiven()) udpErrorsForget(slot);
    udpClose(slot);
  } else if (RAW_SOCKETS != 0 && kind == SocketKind.RAW) rawClose(slot);
  else if (LOCAL_SOCKETS != 0 && kind == SocketKind.LOCAL) localClose(slot);
  return 0;
}
