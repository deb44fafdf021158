import { LOCAL_SOCKETS, RAW_SOCKETS, SOCKET_MORE_OPTIONS, TCP, UDP_SOCKETS } from "../config";
import { linkTxReady } from "../link/device";
import { localEvents } from "../local/slots";
import { POLLERR, POLLHUP, POLLIN, POLLNVAL, POLLOUT, POLLRDHUP } from "../posix";
import { rawSlot } from "../raw/slots";
import { TcbFlag, tcbAt } from "../tcp/connection";
import { textReadable } from "../tcp/text";
import { tcpEvents, tcpListenerEvents } from "../tcp/user";
import { udpErrorWaits } from "../udp/errors";
import { udpHasError } from "../udp/slots";
import { udpReadable, udpWritable } from "../udp/transfer";
import { moreOptionsGiven } from "./more-options";
import { NO_SOCKET, Socket, SocketFlag, SocketKind, socketAt, socketIndex } from "./table";

/** Readiness as poll(2) bits; POLLNVAL for a descriptor that is not open. */
export function sockEvents(fd: i32): u32 {
  const index = socketIndex(fd);
  if (index == NO_SOCKET) return POLLNVAL;
  const socket = socketAt(index);
  const slot = <u32>socket.index;
  if (TCP && socket.kind == SocketKind.LISTENER) return tcpListenerEvents(slot);
  if (TCP && socket.kind == SocketKind.CONNECTION) {
    const tcb = tcbAt(slot);
    let events = tcpEvents(tcb);
    if ((socket.flags & SocketFlag.READ_SHUT) != 0) {
      events |= POLLIN | POLLRDHUP;
      if ((tcb.flags & TcbFlag.FIN_QUEUED) != 0) events |= POLLHUP;
    }
    return moreOptionsGiven() && belowLow(socket, events) ? events & ~POLLIN : events;
  }
  if (socket.kind == SocketKind.STREAM) return POLLOUT | POLLHUP;
  if (RAW_SOCKETS != 0 && socket.kind == SocketKind.RAW)
    return rawEvents(slot) | shutEvents(socket.flags);
  if (LOCAL_SOCKETS != 0 && socket.kind == SocketKind.LOCAL) return localEvents(slot);
  let events: u32 = udpReadable(slot) ? POLLIN : 0;
  if (udpWritable()) events |= POLLOUT;
  if (udpHasError(slot)) events |= POLLERR;
  // The option stands alone, so that without it not even the table of errors is compiled.
  if (SOCKET_MORE_OPTIONS && UDP_SOCKETS != 0 && moreOptionsGiven() && udpErrorWaits(slot))
    events |= POLLERR;
  return events | shutEvents(socket.flags);
}

/** True when a connection is readable, but has less text than SO_RCVLOWAT asks for, and more may come. */
function belowLow(socket: Socket, events: u32): bool {
  if ((events & (POLLIN | POLLRDHUP | POLLERR)) != POLLIN) return false;
  if ((socket.flags & SocketFlag.READ_SHUT) != 0) return false;
  return textReadable(tcbAt(<u32>socket.index)) < <u32>socket.receiveLow;
}

/** Of a datagram socket after shutdown(). */
function shutEvents(flags: u32): u32 {
  if ((flags & SocketFlag.READ_SHUT) == 0) return 0;
  return POLLIN | POLLRDHUP | ((flags & SocketFlag.WRITE_SHUT) != 0 ? POLLHUP : 0);
}

function rawEvents(number: u32): u32 {
  const slot = rawSlot(number);
  const readable: u32 = slot.used != 0 ? POLLIN : 0;
  return readable | (linkTxReady() ? POLLOUT : 0) | (slot.error != 0 ? POLLERR : 0);
}
