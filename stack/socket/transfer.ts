import { LOCAL_SOCKETS, RAW_SOCKETS, SOCKET_MORE_OPTIONS, TCP, TCP_URGENT } from "../config";
import { EAGAIN, EBADF, EINVAL, ENOTCONN, EOPNOTSUPP, EPIPE } from "../errors";
import { tcbAt } from "../tcp/connection";
import { tcpReceive, tcpSend } from "../tcp/user";
import { urgentSend } from "../tcp/urgent";
import { localIsStream } from "../local/slots";
import { localReceive, localSend } from "../local/transfer";
import { rawReceive, rawSend } from "../raw/transfer";
import { udpReceive, udpSend } from "../udp/transfer";
import { moreOptionsGiven, moreTakeError } from "./more-options";
import { MSG_ERRQUEUE, MSG_MORE, MSG_OOB, MSG_PEEK, MSG_TRUNC, MSG_ZEROCOPY } from "../posix";
import { GENERAL_OPTION } from "./raw-options";
import { NO_SOCKET, Socket, SocketFlag, SocketKind, socketAt, socketIndex } from "./table";

/** The data calls of a socket: what would block gives -EAGAIN. */

function isStream(socket: Socket): bool {
  if (LOCAL_SOCKETS != 0 && socket.kind == SocketKind.LOCAL)
    return localIsStream(<u32>socket.index);
  return <u32>socket.kind < <u32>SocketKind.DATAGRAM;
}

/** What MSG_ERRQUEUE and MSG_OOB give that have an answer of their own; GENERAL_OPTION: it is as without them. */
function receiveRare(socket: Socket, flags: i32): i32 {
  const local = LOCAL_SOCKETS != 0 && socket.kind == SocketKind.LOCAL;
  if (SOCKET_MORE_OPTIONS && !local && (flags & MSG_ERRQUEUE) != 0)
    return moreOptionsGiven() && moreTakeError(socket) != null ? 0 : -EAGAIN;
  if ((flags & MSG_OOB) == 0 || socket.kind == SocketKind.DATAGRAM) return GENERAL_OPTION;
  // As with SO_OOBINLINE: what is urgent is in the stream (RFC 6093 6).
  return isStream(socket) ? -EINVAL : -EOPNOTSUPP;
}

/** send(2), sendto(2) without an address. */
export function sockSend(fd: i32, from: usize, bytes: u32, flags: i32): i32 {
  const index = socketIndex(fd);
  if (index == NO_SOCKET) return -EBADF;
  const socket = socketAt(index);
  if (TCP && socket.kind == SocketKind.CONNECTION) {
    const tcb = tcbAt(<u32>socket.index);
    const more = (flags & MSG_MORE) != 0;
    const sent = tcpSend(tcb, from, bytes, (flags & MSG_ZEROCOPY) != 0, more);
    if (!TCP_URGENT || (flags & MSG_OOB) == 0) return sent;
    if (sent > 0) urgentSend(tcb);
    return sent;
  }
  if ((flags & MSG_OOB) != 0 && !isStream(socket)) return -EOPNOTSUPP;
  if ((socket.flags & SocketFlag.WRITE_SHUT) != 0) return -EPIPE;
  if (RAW_SOCKETS != 0 && socket.kind == SocketKind.RAW)
    return rawSend(<u32>socket.index, from, bytes, 0);
  if (LOCAL_SOCKETS != 0 && socket.kind == SocketKind.LOCAL)
    return localSend(<u32>socket.index, from, bytes, 0, 0);
  if (socket.kind != SocketKind.DATAGRAM) return -ENOTCONN;
  return udpSend(<u32>socket.index, from, bytes, 0, 0);
}

/** sendto(2). On a stream the address is ignored, as POSIX allows. */
export function sockSendTo(
  fd: i32,
  from: usize,
  bytes: u32,
  flags: i32,
  address: u32,
  port: u32,
): i32 {
  const index = socketIndex(fd);
  if (index == NO_SOCKET) return -EBADF;
  const socket = socketAt(index);
  if ((flags & MSG_OOB) != 0 && !isStream(socket)) return -EOPNOTSUPP;
  if ((socket.flags & SocketFlag.WRITE_SHUT) != 0) return -EPIPE;
  if (RAW_SOCKETS != 0 && socket.kind == SocketKind.RAW)
    return rawSend(<u32>socket.index, from, bytes, address);
  if (LOCAL_SOCKETS != 0 && socket.kind == SocketKind.LOCAL)
    return localSend(<u32>socket.index, from, bytes, address, port);
  if (socket.kind != SocketKind.DATAGRAM) return sockSend(fd, from, bytes, flags);
  if (port == 0) return -EINVAL;
  return udpSend(<u32>socket.index, from, bytes, address, port);
}

/** recv(2). */
export function sockReceive(fd: i32, to: usize, capacity: u32, flags: i32): i32 {
  const index = socketIndex(fd);
  if (TCP && flags == 0 && index != NO_SOCKET) {
    // Mostly it is this; alone, it takes half of what all of recvfrom() does.
    const socket = socketAt(index);
    const reads = (socket.flags & SocketFlag.READ_SHUT) == 0;
    if (socket.kind == SocketKind.CONNECTION && reads)
      return tcpReceive(tcbAt(<u32>socket.index), to, capacity, false);
  }
  return sockReceiveFrom(fd, to, capacity, flags, 0);
}

/** recvfrom(2); `peer` is 0 or the address of two u32: the sender's address and port in host order. */
export function sockReceiveFrom(fd: i32, to: usize, capacity: u32, flags: i32, peer: usize): i32 {
  const index = socketIndex(fd);
  if (index == NO_SOCKET) return -EBADF;
  const socket = socketAt(index);
  const peek = (flags & MSG_PEEK) != 0;
  const whole = (flags & MSG_TRUNC) != 0;
  if ((flags & (MSG_OOB | MSG_ERRQUEUE)) != 0) {
    const rare = receiveRare(socket, flags);
    if (rare != GENERAL_OPTION) return rare;
  }
  if (socket.kind == SocketKind.DATAGRAM)
    return udpReceive(<u32>socket.index, to, capacity, peer, peek, whole);
  if (RAW_SOCKETS != 0 && socket.kind == SocketKind.RAW) {
    return rawReceive(<u32>socket.index, to, capacity, peer, peek, whole);
  }
  if (LOCAL_SOCKETS != 0 && socket.kind == SocketKind.LOCAL) {
    return localReceive(<u32>socket.index, to, capacity, peer, peek, whole);
  }
  if (!TCP || socket.kind != SocketKind.CONNECTION) return -ENOTCONN;
  const tcb = tcbAt(<u32>socket.index);
  if (peer != 0) {
    store<u32>(peer, tcb.remoteAddress);
    store<u32>(peer, <u32>tcb.remotePort, 4);
  }
  if ((socket.flags & SocketFlag.READ_SHUT) != 0) return 0;
  return tcpReceive(tcb, to, capacity, peek);
}
