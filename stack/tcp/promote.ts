import { now } from "../now";
import { POLLIN } from "../posix";
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
  connectionInsert,
  synRecordAt,
  tcbAt,
} from "./connection";
import { ackNow, tcbAllocate, tcbsFree } from "./lifecycle";
import { synRecordFree } from "./listen";
import { acceptQueueAdd, listenerAt } from "./listener";
import { RTO_AFTER_SYN_LOSS_MS, rtoSample } from "./rto";

/** From a finished handshake to a TCB in the accept queue, at once or when there is room. */

/**
 * True when a TCB and a place in the accept queue are free for one more connection of this listener. What has been promised
 * by a window in a SYN-ACK is kept back for those whom it was promised; `promised` says that this one is among them. A promise
 * lapses when the SYN-ACK has to be sent again, or SYNs from nobody could take all TCBs: one who comes late after all waits
 * and sends his text again.
 */
export function roomFor(listenerNumber: u32, promised: bool): bool {
  const listener = listenerAt(listenerNumber);
  let tcbs: u32 = 1;
  let places: u32 = <u32>listener.accepted + 1;
  if (!promised) {
    for (let id = FIRST_SYN_RECORD; id < FIRST_TIME_WAIT; id++) {
      const record = synRecordAt(id);
      if (record.state == TcpState.CLOSED || record.promised == 0 || record.retries != 0) continue;
      tcbs += 1;
      if (<u32>record.listener == listenerNumber + 1) places += 1;
    }
  }
  return tcbsFree() >= tcbs && places <= <u32>listener.backlog;
}

/**
 * Makes a TCB of a record whose handshake is finished; the record stays until `promoteCommit`, so that nothing has happened
 * when the checksum turns out wrong. NO_CONNECTION when there is no room, and the record is marked as waiting.
 */
export function promote(recordId: u32): u32 {
  const record = synRecordAt(recordId);
  const room = roomFor(<u32>record.listener - 1, record.promised != 0);
  const id: u32 = room ? tcbAllocate() : NO_CONNECTION;
  if (id == NO_CONNECTION) return NO_CONNECTION;
  const tcb = tcbAt(id);
  tcb.localAddress = record.localAddress;
  tcb.remoteAddress = record.remoteAddress;
  tcb.localPort = record.localPort;
  tcb.remotePort = record.remotePort;
  tcb.listener = record.listener;
  // Not CLOSED any more, or another record could be given the same TCB.
  tcb.state = <u8>TcpState.SYN_RECEIVED;
  tcb.iss = record.iss;
  tcb.sndUna = record.iss;
  tcb.sndNxt = record.iss + 1;
  tcb.sndMax = record.iss + 1;
  tcb.sndWnd = <u32>record.window;
  tcb.maxSndWnd = <u32>record.window;
  tcb.sndWl1 = record.irs;
  tcb.sndWl2 = record.iss;
  tcb.irs = record.irs;
  tcb.rcvNxt = record.irs + 1;
  tcb.rcvRead = record.irs + 1;
  tcb.rcvAdv = record.irs + 1 + <u32>record.promised;
  tcb.sndMss = record.mss;
  if (record.retries != 0) {
    tcb.flags |= TcbFlag.SYN_RETRANSMITTED;
    tcb.rto = RTO_AFTER_SYN_LOSS_MS;
  } else if (record.waiting == 0 && record.ambiguous == 0) {
    rtoSample(tcb, now() - record.born);
  }
  return id;
}

/** The record has become the TCB `id`: ESTABLISHED, and in the accept queue. */
export function promoteCommit(recordId: u32, id: u32): void {
  const listenerNumber = <u32>synRecordAt(recordId).listener - 1;
  synRecordFree(recordId);
  connectionInsert(id);
  const tcb = tcbAt(id);
  tcb.state = <u8>TcpState.ESTABLISHED;
  tcb.sndUna = tcb.iss + 1;
  congestionInit(tcb);
  // The window that could not be promised is open now.
  if (tcb.rcvAdv == tcb.rcvNxt) ackNow(tcb);
  const listener = listenerAt(listenerNumber);
  acceptQueueAdd(listener, tcb);
  ready(<u32>listener.socket, POLLIN);
}

/** The checksum was wrong after all. */
export function promoteUndo(tcb: Tcb): void {
  tcb.state = <u8>TcpState.CLOSED;
}

/** The handshake is finished but there is no room: the record waits for `promoteWaiting`. */
export function promoteLater(recordId: u32): void {
  const record = synRecordAt(recordId);
  if (record.waiting != 0) return;
  record.waiting = 1;
  count(Counter.TCP_ACCEPT_DEFERRED);
}

/** A TCB or a place in an accept queue is free: the record that waits longest gets it. */
export function promoteWaiting(): void {
  for (let turns = FIRST_SYN_RECORD; turns < FIRST_TIME_WAIT; turns++) {
    const recordId = longestWaiting();
    if (recordId == NO_CONNECTION) return;
    const id = promote(recordId);
    if (id == NO_CONNECTION) return;
    promoteCommit(recordId, id);
  }
}

/** The oldest record that is finished and whose listener has room. */
function longestWaiting(): u32 {
  let oldest = NO_CONNECTION;
  for (let id = FIRST_SYN_RECORD; id < FIRST_TIME_WAIT; id++) {
    const record = synRecordAt(id);
    if (record.state == TcpState.CLOSED || record.waiting == 0) continue;
    if (!roomFor(<u32>record.listener - 1, record.promised != 0)) continue;
    if (oldest == NO_CONNECTION || <i32>(record.born - synRecordAt(oldest).born) < 0) oldest = id;
  }
  return oldest;
}
