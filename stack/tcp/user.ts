import { RecordNumber } from "options";
import {
  NO_RECORD,
  TCP_CONNECT,
  TCP_KEEPALIVE,
  TCP_TIMESTAMPS,
  TCP_TX_BYTES,
  TCP_TX_PIECES,
  TCP_URGENT,
} from "../config";
import {
  EADDRINUSE,
  EADDRNOTAVAIL,
  EAGAIN,
  EINVAL,
  ENETUNREACH,
  ENOBUFS,
  ENOTCONN,
  EPIPE,
} from "../errors";
import { isOurs, isSubnetBroadcast } from "../interface";
import { routeSource } from "../ip/ipv4-output";
import { isLoopback } from "../ip/packet";
import { now } from "../now";
import { ready } from "../readiness";
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLPRI, POLLRDHUP } from "../posix";
import {
  NO_CONNECTION,
  Tcb,
  TcbFlag,
  TcpState,
  connectionFind,
  connectionInsert,
  tcbAt,
} from "./connection";
import { initialSequenceNumber } from "./isn";
import {
  ackNow,
  enterOrphanFinWait2,
  limitLife,
  tcbAllocate,
  tcbClose,
  tcbRelease,
  tcbReset,
} from "./lifecycle";
import { listenAbandon } from "./listen";
import { handshakeWaiting } from "./syn-records";
import {
  NO_LISTENER,
  acceptQueueAdd,
  acceptQueueTake,
  listenerAllocate,
  listenerAt,
  listenerHeir,
  listenerTaken,
  listenersChanged,
} from "./listener";
import { turnAsk, windowIsWide, windowUpdateWorthwhile } from "./receive-window";
import { patienceAsked, patienceProgress } from "./patience";
import { pendingAdd } from "./pending";
import { promoteNews } from "./promote";
import { DEFAULT_MSS } from "./segment";
import { sendQueueCopy, sendQueueRefer, sendQueueRoom, sendQueueWritten } from "./send-queue";
import { textRead, textReadable } from "./text";
import { timestampOffset } from "./timestamps";

/**
 * The user calls of TCP (RFC 9293 3.9.1): OPEN, SEND, RECEIVE, CLOSE, ABORT, STATUS, for the socket layer. None of them
 * waits; errors are negative POSIX numbers, addresses and ports are in host order.
 */

/** Active OPEN. Returns the TCB's number. */
export function tcpConnect(
  socket: u32,
  localAddress: u32,
  localPort: u32,
  remoteAddress: u32,
  remotePort: u32,
): i32 {
  if (remotePort == 0) return -EADDRNOTAVAIL;
  if (!isHost(remoteAddress)) return -ENETUNREACH;
  const source = routeSource(remoteAddress);
  if (source == 0) return -ENETUNREACH;
  if (localAddress == 0) localAddress = source;
  // Nothing that 127/8 sends would ever leave.
  if (isLoopback(localAddress) && !isLoopback(source) && !isOurs(remoteAddress)) return -EINVAL;
  const ends = (remotePort << 16) | localPort;
  if (connectionFind(localAddress, remoteAddress, ends) != NO_CONNECTION) {
    return -EADDRINUSE;
  }
  const id = tcbAllocate(true);
  if (id == NO_CONNECTION) return -ENOBUFS;
  const tcb = tcbAt(id);
  tcb.localAddress = localAddress;
  tcb.remoteAddress = remoteAddress;
  tcb.localPort = <u16>localPort;
  tcb.remotePort = <u16>remotePort;
  tcb.socket = <RecordNumber>(socket + 1);
  tcb.state = <u8>TcpState.SYN_SENT;
  const iss = initialSequenceNumber(localAddress, remoteAddress, tcb.ports, now());
  tcb.sndUna = iss;
  tcb.sndNxt = iss;
  tcb.sndMax = iss;
  tcb.sndMss = <u16>DEFAULT_MSS;
  if (TCP_TIMESTAMPS) tcb.tsOffset = timestampOffset(localAddress, remoteAddress, tcb.ports);
  connectionInsert(tcb, id);
  // The retransmission timer starts when the SYN leaves (output.ts).
  pendingAdd(tcb);
  return <i32>id;
}

/** MUST-46: not broadcast, not multicast, not "this network". */
function isHost(address: u32): bool {
  if (address >>> 24 == 0 || address >= 0xe0000000) return false;
  return !isSubnetBroadcast(address);
}

/** Passive OPEN. Returns the listener's number. Port 0 means every port where the build allows it. */
export function tcpListen(socket: u32, address: u32, port: u32, backlog: u32, shared: bool): i32 {
  if (listenerTaken(address, port, shared)) return -EADDRINUSE;
  const index = listenerAllocate();
  if (index == NO_LISTENER) return -ENOBUFS;
  const listener = listenerAt(index);
  listener.localAddress = address;
  listener.localPort = <u16>port;
  listener.socket = <RecordNumber>socket;
  listener.backlog = <u8>min<u32>(max<u32>(backlog, 1), 255);
  listener.accepted = 0;
  listener.head = 0;
  listener.tail = 0;
  listener.shared = shared;
  listener.manner = 0;
  listener.maxSegment = 0;
  listener.open = true;
  listenersChanged();
  return <i32>index;
}

/** Changes the backlog of a listener; a larger one lets waiting handshakes in. */
export function tcpListenAgain(index: u32, backlog: u32): void {
  listenerAt(index).backlog = <u8>min<u32>(max<u32>(backlog, 1), 255);
  promoteNews();
}

/** Takes the oldest connection of the accept queue for `socket`; there is one. */
export function tcpAccept(index: u32, socket: u32): Tcb {
  const tcb = acceptQueueTake(listenerAt(index));
  tcb.listener = 0;
  tcb.socket = <RecordNumber>(socket + 1);
  // What came before there was a socket is news of it now.
  if (tcb.rcvNxt != tcb.rcvRead || tcb.state != TcpState.ESTABLISHED) ready(socket, POLLIN);
  promoteNews();
  return tcb;
}

/**
 * Closes a listener: connections that nobody has accepted, and half-open ones, go to one who shares its place (SO_REUSEPORT);
 * where there is none they are reset.
 */
export function tcpCloseListener(index: u32): void {
  const listener = listenerAt(index);
  const heir = listenerHeir(index);
  listener.backlog = 0;
  for (let left = NO_RECORD; listener.head != 0 && left != 0; left--) {
    const tcb = acceptQueueTake(listener);
    if (heir != NO_LISTENER) {
      tcb.listener = <RecordNumber>(heir + 1);
      acceptQueueAdd(listenerAt(heir), tcb);
      ready(<u32>listenerAt(heir).socket, POLLIN);
      continue;
    }
    tcb.listener = 0;
    tcbReset(tcb);
  }
  listenAbandon(index, heir);
  listener.open = false;
  listenersChanged();
}

/** Takes the pending error of a connection, negative; 0 when there is none. */
export function tcpTakeError(tcb: Tcb): i32 {
  const error = <i32>tcb.error;
  tcb.error = 0;
  return -error;
}

/**
 * SEND: queues bytes, copied or (zero-copy) referred to. Returns how many, at least 1 of any; -EAGAIN when there is no room now or
 * the connection is not open yet, -EPIPE after the sending side was closed, or the pending error.
 */
export function tcpSend(tcb: Tcb, from: usize, bytes: u32, zeroCopy: bool, more: bool): i32 {
  if (tcb.error != 0) return tcpTakeError(tcb);
  if (tcb.state != TcpState.ESTABLISHED) {
    // In CLOSE-WAIT there may be more to send.
    const state = <u32>tcb.state;
    if ((tcb.flags & TcbFlag.FIN_QUEUED) != 0 || state == TcpState.CLOSED) return -EPIPE;
    if (TCP_CONNECT && state <= <u32>TcpState.SYN_RECEIVED) return -EAGAIN;
  }
  if (bytes == 0) return 0;
  beginsWaiting(tcb);
  const taken = zeroCopy ? sendQueueRefer(tcb, from, bytes) : sendQueueCopy(tcb, from, bytes);
  if (taken == 0) return -EAGAIN;
  followed(tcb, more);
  return <i32>taken;
}

/** SEND of bytes that stand in the send ring already (`sendQueueTail`). */
export function tcpSendWritten(tcb: Tcb, bytes: u32, more: bool): i32 {
  beginsWaiting(tcb);
  sendQueueWritten(tcb, bytes);
  followed(tcb, more);
  return <i32>bytes;
}

/** Text was queued, and is to be sent; `more` of it follows, or none is announced. */
function followed(tcb: Tcb, more: bool): void {
  if (more) tcb.flags |= TcbFlag.MORE;
  else if ((tcb.flags & TcbFlag.MORE) != 0) tcb.flags &= ~TcbFlag.MORE;
  pendingAdd(tcb);
}

/** With the first thing to deliver after an idle time the user timeout begins, also when it cannot leave yet. */
function beginsWaiting(tcb: Tcb): void {
  if (!TCP_KEEPALIVE || !patienceAsked()) return;
  if (tcb.queued == 0 && tcb.sndMax == tcb.sndUna) patienceProgress(tcb);
}

/** RECEIVE: copies text out. 0 at the end of the stream, -EAGAIN when none is there now. */
export function tcpReceive(tcb: Tcb, to: usize, capacity: u32, peek: bool): i32 {
  if (textReadable(tcb) == 0) {
    if (tcb.error != 0) return tcpTakeError(tcb);
    if ((tcb.flags & TcbFlag.FIN_RECEIVED) != 0 || tcb.state == TcpState.CLOSED) return 0;
    return -EAGAIN;
  }
  const bytes = textRead(tcb, to, capacity, peek);
  if (!peek && !windowIsWide(tcb)) tcpReadDone(tcb);
  return <i32>bytes;
}

/** Text was read, and the window is not wide: tells the peer of a window that has opened, when the step is worth a segment. */
export function tcpReadDone(tcb: Tcb): void {
  if (tcb.state == TcpState.CLOSED) return;
  if (windowUpdateWorthwhile(tcb)) ackNow(tcb);
  else turnAsk(tcb);
}

/** TCP_NODELAY; switched on, it sends what Nagle's rule holds back (tcp(7)). */
export function tcpSetNoDelay(tcb: Tcb, on: bool): void {
  if (on) tcb.flags |= TcbFlag.NO_DELAY;
  else tcb.flags &= ~TcbFlag.NO_DELAY;
  if (on && tcb.queued != 0 && tcb.state != TcpState.CLOSED) pendingAdd(tcb);
}

/** TCP_CORK and TCP_QUICKACK. Uncorked, what waits is sent. */
export function tcpSetFlag(tcb: Tcb, flag: TcbFlag, on: bool): void {
  tcb.flags = on ? tcb.flags | flag : tcb.flags & ~flag;
  if (!on && tcb.queued != 0 && tcb.state != TcpState.CLOSED) pendingAdd(tcb);
}

/** Half-close: FIN after the last byte queued. */
export function tcpShutdown(tcb: Tcb): i32 {
  const state = <u32>tcb.state;
  if (state == TcpState.CLOSED) return -ENOTCONN;
  if ((tcb.flags & TcbFlag.FIN_QUEUED) != 0) return 0;
  beginsWaiting(tcb);
  tcb.flags |= TcbFlag.FIN_QUEUED;
  if (state == TcpState.ESTABLISHED) tcb.state = <u8>TcpState.FIN_WAIT_1;
  else if (state == TcpState.CLOSE_WAIT) tcb.state = <u8>TcpState.LAST_ACK;
  pendingAdd(tcb);
  return 0;
}

/**
 * CLOSE: the socket lets go. What was queued is still delivered, then FIN; unread text, or `reset` (linger zero), ends the
 * connection with RST instead (RFC 9293 SHLD-3).
 */
export function tcpClose(tcb: Tcb, reset: bool): void {
  const state = <u32>tcb.state;
  const unread = textReadable(tcb) != 0 || tcb.ranges != 0;
  tcb.socket = 0;
  if (state == TcpState.CLOSED) {
    tcbRelease(tcb);
    return;
  }
  if (TCP_CONNECT && state == TcpState.SYN_SENT) {
    tcbClose(tcb);
    return;
  }
  if (reset || unread) {
    tcbReset(tcb);
    return;
  }
  tcb.flags |= TcbFlag.READ_SHUT;
  tcpShutdown(tcb);
  const waits = tcb.state == TcpState.FIN_WAIT_2 && (tcb.flags & TcbFlag.FIN_SEEN) == 0;
  if (waits) enterOrphanFinWait2(tcb);
  else limitLife(tcb);
}

/** Readiness of a connection as poll() bits. */
export function tcpEvents(tcb: Tcb): u32 {
  const state = <u32>tcb.state;
  let events: u32 = 0;
  const ended = (tcb.flags & TcbFlag.FIN_RECEIVED) != 0 || state == TcpState.CLOSED;
  if (ended || textReadable(tcb) != 0) events |= POLLIN;
  if (ended) events |= POLLRDHUP;
  if (TCP_URGENT && (tcb.flags & TcbFlag.URGENT) != 0) events |= POLLPRI;
  if (tcb.error != 0) events |= POLLERR | POLLIN | POLLOUT;
  if (state == TcpState.CLOSED) return events | POLLHUP | POLLOUT;
  if (ended && (tcb.flags & TcbFlag.FIN_QUEUED) != 0) events |= POLLHUP;
  if (TCP_CONNECT && (state == TcpState.SYN_SENT || state == TcpState.SYN_RECEIVED)) return events;
  const pieces = TCP_TX_PIECES == 0 || <u32>tcb.pieces < TCP_TX_PIECES;
  const room = pieces && sendQueueRoom(tcb) >= TCP_TX_BYTES >>> 2;
  if (room || (tcb.flags & TcbFlag.FIN_QUEUED) != 0) events |= POLLOUT;
  return events;
}

/** Readiness of a listener as poll() bits; POLLPRI: a finished handshake waits for a record, at whichever listener. */
export function tcpListenerEvents(index: u32): u32 {
  const waiting: u32 = handshakeWaiting() ? POLLPRI : 0;
  return (listenerAt(index).head != 0 ? POLLIN : 0) | waiting;
}
