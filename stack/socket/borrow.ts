import { TCP } from "../config";
import { EAGAIN, EBADF, EINVAL, ENOTCONN, EOPNOTSUPP } from "../errors";
import { Tcb, tcbAt } from "../tcp/connection";
import { windowIsWide } from "../tcp/receive-window";
import { sendQueueTail, sendQueueTailBytes } from "../tcp/send-queue";
import { textAddress, textBorrowable, textContiguous, textRelease, textStart } from "../tcp/text";
import { tcpReadDone, tcpReceive, tcpSend, tcpSendWritten } from "../tcp/user";
import { udpBorrow, udpRelease } from "../udp/transfer";
import { NO_SOCKET, Socket, SocketFlag, SocketKind, socketAt, socketIndex } from "./table";

/** Reading and writing in the rings themselves, without a copy: of connections, and reading of datagram sockets. */

/** The connection of a socket; null when it has none. */
function connectionOf(socket: Socket): Tcb | null {
  return TCP && socket.kind == SocketKind.CONNECTION ? tcbAt(<u32>socket.index) : null;
}

/** What is said of a socket without a connection. */
function without(index: u32): i32 {
  return <u32>socketAt(index).kind < <u32>SocketKind.DATAGRAM ? -ENOTCONN : -EOPNOTSUPP;
}

/**
 * What recv() would give, where it lies: two spans (address and length each, the second of length 0 when one is enough) to
 * `spans`, the sender's address and port to the two words at `peer` unless that is 0. Returns the bytes of both, or what recv()
 * would say: 0 at the end, -EAGAIN, an error. The bytes stay until `sockRelease`, or until the socket is closed.
 */
export function sockBorrow(fd: i32, spans: usize, peer: usize): i32 {
  const index = socketIndex(fd);
  if (index == NO_SOCKET) return -EBADF;
  const socket = socketAt(index);
  if (socket.kind == SocketKind.DATAGRAM) return udpBorrow(<u32>socket.index, spans, peer);
  const tcb = connectionOf(socket);
  if (tcb == null) return without(index);
  if (peer != 0) {
    store<u32>(peer, tcb.remoteAddress);
    store<u32>(peer, <u32>tcb.remotePort, 4);
  }
  if ((socket.flags & SocketFlag.READ_SHUT) != 0) return 0;
  const bytes = textBorrowable(tcb);
  // Without text it is as for any recv().
  if (bytes == 0) return tcpReceive(tcb, 0, 0, true);
  const first = textContiguous(tcb, bytes);
  store<usize>(spans, textAddress(tcb));
  store<u32>(spans, first, 4);
  store<usize>(spans, textStart(tcb), 8);
  store<u32>(spans, bytes - first, 12);
  return <i32>bytes;
}

/**
 * Gives back the first `bytes` of what was borrowed: their room is free, and the peer's window with it. Of a datagram all goes,
 * whatever `bytes` is. 0, -EBADF, -EINVAL (more than there was), -ENOTCONN, -EOPNOTSUPP.
 */
export function sockRelease(fd: i32, bytes: u32): i32 {
  const index = socketIndex(fd);
  if (index == NO_SOCKET) return -EBADF;
  const socket = socketAt(index);
  if (socket.kind == SocketKind.DATAGRAM) {
    udpRelease(<u32>socket.index);
    return 0;
  }
  const tcb = connectionOf(socket);
  if (tcb == null) return without(index);
  if (bytes > textBorrowable(tcb)) return -EINVAL;
  if (bytes == 0) return 0;
  textRelease(tcb, bytes);
  if (!windowIsWide(tcb)) tcpReadDone(tcb);
  return 0;
}

/**
 * Room in the send ring of a connection, in one piece: its address to `span`, its length behind that. Returns the length, or what
 * send() would say: -EAGAIN, -EPIPE, an error.
 */
export function sockSendRoom(fd: i32, span: usize): i32 {
  const index = socketIndex(fd);
  if (index == NO_SOCKET) return -EBADF;
  const tcb = connectionOf(socketAt(index));
  if (tcb == null) return without(index);
  const refused = tcpSend(tcb, 0, 0, false, false);
  if (refused < 0) return refused;
  const room = sendQueueTailBytes(tcb);
  if (room == 0) return -EAGAIN;
  store<usize>(span, sendQueueTail(tcb));
  store<u32>(span, room, 4);
  return <i32>room;
}

/** Sends the first `bytes` of that room, which were written meanwhile; `more`: a segment that is not full waits (MSG_MORE). */
export function sockSendWritten(fd: i32, bytes: u32, more: bool): i32 {
  const index = socketIndex(fd);
  if (index == NO_SOCKET) return -EBADF;
  const tcb = connectionOf(socketAt(index));
  if (tcb == null) return without(index);
  const refused = tcpSend(tcb, 0, 0, false, false);
  if (refused < 0) return refused;
  if (bytes > sendQueueTailBytes(tcb)) return -EINVAL;
  return bytes == 0 ? 0 : tcpSendWritten(tcb, bytes, more);
}
