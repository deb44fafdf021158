import { TCP_ECN, TCP_LISTENERS, TCP_SACK, TCP_TIMESTAMPS, TCP_WINDOW_SCALE } from "../config";
import { now } from "../now";
import { POLLIN, POLLPRI } from "../posix";
import { ready } from "../readiness";
import { Counter, count } from "../statistics";
import { congestionInit } from "./congestion";
import {
  FIRST_SYN_RECORD,
  FIRST_TIME_WAIT,
  NO_CONNECTION,
  Tcb,
  TcbFlag,
  TcpState,
  connectionReplace,
  synRecordAt,
  tcbAt,
} from "./connection";
import { ecnBegin } from "./ecn";
import { ackNow, tcbAllocate, tcbRelease, tcbsFree, tcbsNews, tcbsTakeNews } from "./lifecycle";
import { acceptQueueAdd, listenerAt } from "./listener";
import { RTO_AFTER_SYN_LOSS_MS, rtoSample } from "./rto";
import { synRecordEnd, synRecordWait, synRecordsUsed } from "./syn-records";
import { timestampOffset, timestampsBegin } from "./timestamps";

/** From a finished handshake to a TCB in the accept queue, at once or when there is room. */

/** Something has made room for a finished handshake, or may have: the next turn looks. */
let news: bool = false;

/** Lets the next turn look for a finished handshake that there is room for. */
export function promoteNews(): void {
  news = true;
}

/**
 * True when a window may be announced in a SYN-ACK of this listener: a TCB and a place in the accept queue are free beyond
 * what has been announced to others. It is a forecast, not a reservation: a peer that finishes its handshake takes a TCB
 * whatever half-open ones were told, or SYNs from nobody could keep honest clients out (RFC 4987 2.2). Who comes too late
 * after all waits and sends his text again.
 */
export function roomToPromise(listenerNumber: u32): bool {
  const listener = listenerAt(listenerNumber);
  let tcbs: u32 = 1;
  let places: u32 = <u32>listener.accepted + 1;
  // Mostly there is no other.
  const end: u32 = synRecordsUsed() != 0 ? FIRST_TIME_WAIT : FIRST_SYN_RECORD;
  for (let id = FIRST_SYN_RECORD; id < end; id++) {
    const record = synRecordAt(id);
    if (record.state == TcpState.CLOSED || record.promised == 0 || record.retries != 0) continue;
    tcbs += 1;
    if (<u32>record.listener == listenerNumber + 1) places += 1;
  }
  return places <= <u32>listener.backlog && tcbsFree(tcbs) == tcbs;
}

/** True when a finished handshake of this listener can have a TCB and a place in the accept queue now. */
export function roomFor(listenerNumber: u32): bool {
  const listener = listenerAt(listenerNumber);
  return <u32>listener.accepted < <u32>listener.backlog && tcbsFree(1) != 0;
}

/**
 * Makes a TCB of a record whose handshake is finished; the record stays until `promoteCommit`, so that nothing has happened
 * when the checksum turns out wrong. `proven` = it has been checked, so that a stalled orphan may be given up for this one.
 * NO_CONNECTION when there is no room.
 */
export function promote(recordId: u32, proven: bool): u32 {
  const record = synRecordAt(recordId);
  const listener = listenerAt(<u32>record.listener - 1);
  if (<u32>listener.accepted >= <u32>listener.backlog) return NO_CONNECTION;
  const id = tcbAllocate(proven);
  if (id == NO_CONNECTION) return NO_CONNECTION;
  const tcb = tcbAt(id);
  tcb.localAddress = record.localAddress;
  tcb.remoteAddress = record.remoteAddress;
  tcb.ends = record.ends;
  tcb.listener = record.listener;
  // Not CLOSED any more, or another record could be given the same TCB.
  tcb.state = <u8>TcpState.SYN_RECEIVED;
  const iss = record.iss;
  tcb.sndUna = iss;
  tcb.sndNxt = iss + 1;
  tcb.sndMax = iss + 1;
  if (TCP_SACK && record.sackPermitted) tcb.flags |= TcbFlag.SACK_PERMITTED;
  if (TCP_WINDOW_SCALE && record.scaled) tcb.sndShift = record.shift;
  // Kept: the compiler cannot know that no store reaches the record, and would load each again.
  const window = <u32>record.window;
  const irs = record.irs;
  const mss = <u16>record.mss;
  tcb.sndWnd = window;
  tcb.maxSndWnd = window;
  tcb.sndWl1 = irs;
  tcb.irs = <u16>irs;
  tcb.rcvNxt = irs + 1;
  tcb.rcvRead = irs + 1;
  tcb.rcvAdv = irs + 1 + <u32>record.promised;
  tcb.sndMss = mss;
  tcb.peerMss = mss;
  tcb.lastSent = now();
  if (TCP_ECN && record.ecn) ecnBegin(tcb);
  if (TCP_TIMESTAMPS) {
    const known = record.stamped;
    if (known || record.stampsUnknown) {
      tcb.tsOffset = timestampOffset(tcb.localAddress, tcb.remoteAddress, tcb.ports);
      timestampsBegin(tcb, known ? record.stamp : 0, known);
    }
  }
  if (record.retries != 0) {
    tcb.flags |= TcbFlag.SYN_RETRANSMITTED;
    tcb.rto = <u16>RTO_AFTER_SYN_LOSS_MS;
  } else if (!record.waiting && !record.ambiguous) {
    rtoSample(tcb, <u32>record.age);
  }
  return id;
}

/** The record has become the TCB `id`: ESTABLISHED, and in the accept queue. */
export function promoteCommit(recordId: u32, id: u32): void {
  const record = synRecordAt(recordId);
  const tcb = tcbAt(id);
  connectionReplace(record, recordId, tcb, id);
  synRecordEnd(record, recordId);
  tcb.state = <u8>TcpState.ESTABLISHED;
  tcb.sndUna += 1;
  congestionInit(tcb);
  // The window that could not be promised is open now.
  if (tcb.rcvAdv == tcb.rcvNxt) ackNow(tcb);
  const listener = listenerAt(<u32>tcb.listener - 1);
  acceptQueueAdd(listener, tcb);
  ready(<u32>listener.socket, POLLIN);
}

/** The checksum was wrong after all. */
export function promoteUndo(tcb: Tcb): void {
  tcb.state = <u8>TcpState.CLOSED;
  tcbRelease(tcb);
}

/** The handshake is finished but there is no room: the record waits for `promoteWaiting`. */
export function promoteLater(recordId: u32): void {
  const record = synRecordAt(recordId);
  if (!synRecordWait(record)) return;
  count(Counter.TCP_ACCEPT_DEFERRED);
  // Every listener shows it (`tcpListenerEvents`): it may be another one's connections that have to end for this one.
  for (let index: u32 = 0; index < TCP_LISTENERS; index++) {
    const listener = listenerAt(index);
    if (listener.open) ready(<u32>listener.socket, POLLPRI);
  }
}

/** Somebody waits: if a TCB or a place in an accept queue has become free, the record that waits longest gets it. */
export function promoteWaiting(): void {
  if (!news && !tcbsNews()) return;
  tcbsTakeNews();
  news = false;
  for (let turns = FIRST_SYN_RECORD; turns < FIRST_TIME_WAIT; turns++) {
    const recordId = longestWaiting();
    if (recordId == NO_CONNECTION) return;
    const id = promote(recordId, true);
    if (id == NO_CONNECTION) return;
    promoteCommit(recordId, id);
  }
}

/** The oldest record that is finished and whose listener has room. */
function longestWaiting(): u32 {
  let oldest = NO_CONNECTION;
  for (let id = FIRST_SYN_RECORD; id < FIRST_TIME_WAIT; id++) {
    const record = synRecordAt(id);
    if (record.state == TcpState.CLOSED || !record.waiting) continue;
    if (!roomFor(<u32>record.listener - 1)) continue;
    if (oldest == NO_CONNECTION || record.age > synRecordAt(oldest).age) oldest = id;
  }
  return oldest;
}
