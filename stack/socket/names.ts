import { Tcb, TcpState, tcbAt } from "../tcp/connection";
import { textReadable } from "../tcp/text";
import { urgentAtMark } from "../tcp/urgent";
import { tcpTakeError } from "../tcp/user";
import { udpNextBytes } from "../udp/transfer";
import {
  udpLocalAddress,
  udpLocalPort,
  udpPeerAddress,
  udpPeerPort,
  udpTakeError,
} from "../udp/slots";
import { LOCAL_SOCKETS, RAW_SOCKETS, TCP, TCP_URGENT } from "../config";
import { EAFNOSUPPORT, EBADF, EINVAL, ENOTTY } from "../errors";
import { AF_INET, AF_UNIX } from "../posix";
import { localPeer } from "../local/connect";
import { NO_LOCAL, localIsStream, localSlot, localTakeError } from "../local/slots";
import { localNextBytes, localUnread } from "../local/transfer";
import { rawLocalAddress, rawSlot, rawTakeError } from "../raw/slots";
import { rawNextBytes } from "../raw/transfer";
import { NO_SOCKET, Socket, SocketKind, socketAt, socketIndex } from "./table";

/** What a socket tells of itself: ends, kind, pending error. */

/** True for an open stream socket. */
export function sockIsStream(fd: i32): bool {
  const index = socketIndex(fd);
  if (index == NO_SOCKET) return false;
  const socket = socketAt(index);
  if (LOCAL_SOCKETS != 0 && isLocal(socket)) return localIsStream(<u32>socket.index);
  return <u32>socket.kind < <u32>SocketKind.DATAGRAM;
}

/** The TCB of a connected stream socket, null otherwise. */
export function sockTcb(fd: i32): Tcb | null {
  const index = socketIndex(fd);
  if (index == NO_SOCKET) return null;
  const socket = socketAt(index);
  return TCP && socket.kind == SocketKind.CONNECTION ? tcbAt(<u32>socket.index) : null;
}

function isLocal(socket: Socket): bool {
  return socket.kind == SocketKind.LOCAL;
}

function isRaw(socket: Socket): bool {
  return socket.kind == SocketKind.RAW;
}

/** Bytes that recv would give: the text of a connection, or the next datagram. */
export function sockQueuedIn(fd: i32): u32 {
  const index = socketIndex(fd);
  if (index == NO_SOCKET) return 0;
  const socket = socketAt(index);
  if (socket.kind == SocketKind.DATAGRAM) return udpNextBytes(<u32>socket.index);
  if (RAW_SOCKETS != 0 && isRaw(socket)) return rawNextBytes(<u32>socket.index);
  if (LOCAL_SOCKETS != 0 && isLocal(socket)) return localNextBytes(<u32>socket.index);
  return TCP && socket.kind == SocketKind.CONNECTION ? textReadable(tcbAt(<u32>socket.index)) : 0;
}

/** Bytes of a connection that were sent and are not acknowledged. */
export function sockQueuedOut(fd: i32): u32 {
  if (LOCAL_SOCKETS != 0) {
    const index = socketIndex(fd);
    if (index != NO_SOCKET && isLocal(socketAt(index)))
      return localUnread(<u32>socketAt(index).index);
  }
  const tcb = sockTcb(fd);
  return tcb == null ? 0 : tcb.queued;
}

/** sockatmark(3): 1 = the next byte is the last urgent one; -EBADF, -ENOTTY for what is no connection. */
export function sockAtMark(fd: i32): i32 {
  if (socketIndex(fd) == NO_SOCKET) return -EBADF;
  const tcb = sockTcb(fd);
  if (!TCP || tcb == null) return -ENOTTY;
  return TCP_URGENT && urgentAtMark(tcb) ? 1 : 0;
}

/** True when the peer has acknowledged up to a number, or this connection (by its ports) is no more: the bytes are needed no more. */
export function sockAckedTo(id: u32, ports: u32, end: u32): bool {
  if (!TCP) return true;
  const tcb = tcbAt(id);
  if (tcb.state == TcpState.CLOSED || tcb.ports != ports) return true;
  return <i32>(tcb.sndUna - end) >= 0;
}

/** 0, -EBADF, or the error of an address whose family is not the socket's. */
export function sockFamilyFault(fd: i32, family: i32): i32 {
  const index = socketIndex(fd);
  if (index == NO_SOCKET) return -EBADF;
  if (LOCAL_SOCKETS != 0 && isLocal(socketAt(index))) return family == AF_UNIX ? 0 : -EINVAL;
  return family == AF_INET ? 0 : -EAFNOSUPPORT;
}

/** Local address of a socket, 0 when it has none. */
export function sockLocalAddress(index: u32): u32 {
  const socket = socketAt(index);
  if (socket.kind == SocketKind.DATAGRAM) return udpLocalAddress(<u32>socket.index);
  if (RAW_SOCKETS != 0 && isRaw(socket)) return rawLocalAddress(<u32>socket.index);
  if (LOCAL_SOCKETS != 0 && isLocal(socket)) return <u32>localSlot(<u32>socket.index).name;
  return socket.localAddress;
}

/** Local port of a socket, 0 when it has none; the protocol of a raw one, as on Linux. */
export function sockLocalPort(index: u32): u32 {
  const socket = socketAt(index);
  if (socket.kind == SocketKind.DATAGRAM) return udpLocalPort(<u32>socket.index);
  if (RAW_SOCKETS != 0 && isRaw(socket)) return <u32>rawSlot(<u32>socket.index).protocol;
  if (LOCAL_SOCKETS != 0 && isLocal(socket)) return <u32>localSlot(<u32>socket.index).nameBytes;
  return <u32>socket.localPort;
}

/** Peer's address, 0 when there is none. */
export function sockPeerAddress(index: u32): u32 {
  const socket = socketAt(index);
  if (socket.kind == SocketKind.DATAGRAM) return udpPeerAddress(<u32>socket.index);
  if (RAW_SOCKETS != 0 && isRaw(socket)) return rawSlot(<u32>socket.index).peerAddress;
  if (LOCAL_SOCKETS != 0 && isLocal(socket)) return localPeerName(socket, false);
  if (!TCP || socket.kind != SocketKind.CONNECTION) return 0;
  return tcbAt(<u32>socket.index).remoteAddress;
}

/** Peer's port, 0 when there is none. */
export function sockPeerPort(index: u32): u32 {
  const socket = socketAt(index);
  if (socket.kind == SocketKind.DATAGRAM) return udpPeerPort(<u32>socket.index);
  if (RAW_SOCKETS != 0 && isRaw(socket)) return <u32>rawSlot(<u32>socket.index).peerPort;
  if (LOCAL_SOCKETS != 0 && isLocal(socket)) return localPeerName(socket, true);
  if (!TCP || socket.kind != SocketKind.CONNECTION) return 0;
  return <u32>tcbAt(<u32>socket.index).remotePort;
}

/** Name of the other end of an AF_UNIX socket: its place, or its length. */
function localPeerName(socket: Socket, length: bool): u32 {
  const peer = localPeer(<u32>socket.index);
  if (peer == NO_LOCAL) return 0;
  return length ? <u32>localSlot(peer).nameBytes : <u32>localSlot(peer).name;
}

/** True for a socket of AF_UNIX: its addresses are the place of a name, its ports the length. */
export function sockIsLocal(fd: i32): bool {
  const index = socketIndex(fd);
  return LOCAL_SOCKETS != 0 && index != NO_SOCKET && isLocal(socketAt(index));
}

/** True when a socket has another end: a connection that is not open yet, or no more, has none. */
export function sockHasPeer(index: u32): bool {
  const socket = socketAt(index);
  if (LOCAL_SOCKETS != 0 && isLocal(socket)) return localPeer(<u32>socket.index) != NO_LOCAL;
  if (TCP && socket.kind == SocketKind.CONNECTION) {
    const state = <u32>tcbAt(<u32>socket.index).state;
    return state != TcpState.CLOSED && state != TcpState.SYN_SENT;
  }
  return sockPeerPort(index) != 0;
}

/** Takes the pending error of a socket (SO_ERROR), positive; 0 when there is none. */
export function sockTakeError(index: u32): i32 {
  const socket = socketAt(index);
  if (socket.kind == SocketKind.DATAGRAM) return udpTakeError(<u32>socket.index);
  if (RAW_SOCKETS != 0 && isRaw(socket)) return rawTakeError(<u32>socket.index);
  if (LOCAL_SOCKETS != 0 && isLocal(socket)) return localTakeError(<u32>socket.index);
  if (!TCP || socket.kind != SocketKind.CONNECTION) return 0;
  return -tcpTakeError(tcbAt(<u32>socket.index));
}
