import { wordsClear } from "cpu";
import { RecordNumber } from "options";
import { TCP_CONNECT, TCP_KEEPALIVE, TCP_MSL_MS, TCP_TCBS, TCP_TIMESTAMPS } from "../config";
import { WAITING_IS_LENT, waitingLend } from "../link/waiting";
import { now } from "../now";
import { POLLERR, POLLHUP, POLLIN, POLLOUT } from "../posix";
import { ready } from "../readiness";
import { Counter, count } from "../statistics";
import { TIMER_TCP, timerCancel, timerSet } from "../time/timers";
import {
  CONNECTIONS,
  FIRST_TIME_WAIT,
  NO_CONNECTION,
  TCB_BYTES,
  Tcb,
  TcbFlag,
  TcbTimer,
  TcpState,
  TimeWait,
  connectionInsert,
  connectionRemove,
  tcbAt,
  timeWaitAt,
} from "./connection";
import { sendOfRecord, sendReset } from "./emit";
import { acceptQueueRemove, listenerAt } from "./listener";
import { patienceInit } from "./patience";
import { pendingAdd, pendingRemove } from "./pending";
import { RTO_INITIAL_MS } from "./rto";
import { TcpBit } from "./segment";
import { LAST_SEND_RING, sendQueueClear } from "./send-queue";
import { lifeTimerStart, timersStop } from "./timers";
import { timestampsUsed } from "./timestamps";

/**
 * Birth and death of connections. A connection that nobody owns any more gives its rings back as soon as they hold nothing
 * that matters: TIME-WAIT, and FIN-WAIT-2 of a closed socket, live on as small records.
 */

/** How long an orphan with data to deliver may go without progress. */
const ORPHAN_MS: u32 = 60000;
/** How long an orphan waits in FIN-WAIT-2 for the peer's FIN: the acknowledgment of ours is the last progress. */
const FIN_WAIT_2_MS: u32 = ORPHAN_MS;
/** After so long without progress an orphan may be given up for a new connection. */
const STALLED_MS: u32 = 5000;

/** `TimeWait.born` counts in 16 ms. */
export const BORN_SHIFT: u32 = 4;

/** All TCBs below it are in use. */
let lowestFree: u32 = 0;

/** A TCB has become free since the last turn. */
let freed: bool = false;

/** True when that is so. */
export function tcbsNews(): bool {
  return freed;
}

/** A TCB is free: the last one lends its send ring. */
function noteFree(id: u32): void {
  freed = true;
  if (id < lowestFree) lowestFree = id;
  if (WAITING_IS_LENT && id == TCP_TCBS - 1) waitingLend(LAST_SEND_RING);
}

/** Nothing is in use yet. */
export function tcbsStart(): void {
  if (WAITING_IS_LENT) waitingLend(LAST_SEND_RING);
}

/** Takes the news that a TCB has become free: who waits for one is served once a turn (promote.ts). */
export function tcbsTakeNews(): void {
  freed = false;
}

/**
 * A fresh TCB, zeroed; NO_CONNECTION when all are in use. With `evict` a stalled orphan is given up for it. The caller sets
 * the tuple and the state.
 */
export function tcbAllocate(evict: bool): u32 {
  for (let id = lowestFree; id < TCP_TCBS; id++) {
    const tcb = tcbAt(id);
    if (!isFree(tcb)) continue;
    lowestFree = id;
    return tcbInit(tcb, id);
  }
  for (let id: u32 = 0; evict && id < TCP_TCBS; id++) {
    const tcb = tcbAt(id);
    if (!stalledOrphan(tcb)) continue;
    sendReset(tcb);
    tcbUnlink(tcb);
    return tcbInit(tcb, id);
  }
  return NO_CONNECTION;
}

function isFree(tcb: Tcb): bool {
  return tcb.state == TcpState.CLOSED && tcb.socket == 0;
}

function tcbInit(tcb: Tcb, id: u32): u32 {
  if (WAITING_IS_LENT && id == TCP_TCBS - 1) waitingLend(0);
  wordsClear(changetype<usize>(tcb), TCB_BYTES);
  tcb.id = <RecordNumber>id;
  tcb.rto = <u16>RTO_INITIAL_MS;
  tcb.ttl = 64;
  if (TCP_KEEPALIVE) patienceInit(tcb);
  return id;
}

/** An orphan whose peer has acknowledged nothing for a while: it gives way when somebody needs the TCB. */
function stalledOrphan(tcb: Tcb): bool {
  if (tcb.socket != 0 || tcb.listener != 0 || ((<u32>tcb.armed) & TcbTimer.LIFE) == 0) return false;
  return <i32>(tcb.lifeDue - now()) <= <i32>(ORPHAN_MS - STALLED_MS);
}

/** TCBs that are free, or would be made free; counted up to `enough`. */
export function tcbsFree(enough: u32): u32 {
  // Mostly one is enough, and there it is.
  if (enough == 1 && lowestFree < TCP_TCBS && isFree(tcbAt(lowestFree))) return 1;
  let free: u32 = 0;
  for (let id: u32 = 0; free < enough && id < TCP_TCBS; id++) {
    const tcb = tcbAt(id);
    if (isFree(tcb) || stalledOrphan(tcb)) free += 1;
  }
  return free;
}

/**
 * Ends a connection at once: state CLOSED, out of all tables. While a socket owns the TCB it stays allocated, so that what
 * was received can still be read and the error be told.
 */
export function tcbClose(tcb: Tcb): void {
  if (tcb.state == TcpState.CLOSED) return;
  tcbUnlink(tcb);
  if (tcb.socket != 0) ready(<u32>tcb.socket - 1, POLLIN | POLLOUT | POLLERR | POLLHUP);
  else noteFree(<u32>tcb.id);
}

function tcbUnlink(tcb: Tcb): void {
  const id = <u32>tcb.id;
  connectionRemove(tcb, id);
  pendingRemove(tcb, id);
  timersStop(tcb);
  tcb.state = <u8>TcpState.CLOSED;
  sendQueueClear(tcb);
  if (tcb.listener != 0 && tcb.socket == 0) {
    acceptQueueRemove(listenerAt(<u32>tcb.listener - 1), tcb);
  }
}

/** Ends a connection because of an error that the application will be told (RFC 9293 MUST-12). */
export function tcbAbort(tcb: Tcb, error: i32): void {
  if (tcb.error == 0) tcb.error = <u8>error;
  tcbClose(tcb);
}

/** Ends a connection and tells the peer by RST. */
export function tcbReset(tcb: Tcb): void {
  if (!TCP_CONNECT || tcb.state != TcpState.SYN_SENT) sendReset(tcb);
  tcbClose(tcb);
}

/** A TCB that is CLOSED is free now: no socket has it any more, or none ever had. */
export function tcbRelease(tcb: Tcb): void {
  tcb.socket = 0;
  noteFree(<u32>tcb.id);
}

/** Enters TIME-WAIT: the rest of the connection needs no rings (RFC 9293 3.6.1). */
export function enterTimeWait(tcb: Tcb): void {
  timeWaitAcknowledge(handOver(tcb, TcpState.TIME_WAIT, 2 * TCP_MSL_MS));
}

/** The ACK of the peer's FIN, first or repeated. If it can't go now, the peer sends its FIN again. */
export function timeWaitAcknowledge(record: TimeWait): void {
  const stamp: u32 = TCP_TIMESTAMPS ? record.tsRecent : 0;
  sendOfRecord(record, record.sndNxt, record.rcvNxt, TcpBit.ACK, stamp);
}

/** Our FIN is acknowledged and nobody reads any more: waits for the peer's FIN without rings. */
export function enterOrphanFinWait2(tcb: Tcb): void {
  handOver(tcb, TcpState.FIN_WAIT_2, FIN_WAIT_2_MS);
}

function handOver(tcb: Tcb, state: TcpState, lifeMs: u32): TimeWait {
  const id = timeWaitAllocate();
  const record = timeWaitAt(id);
  record.localAddress = tcb.localAddress;
  record.remoteAddress = tcb.remoteAddress;
  record.ends = tcb.ends;
  record.sndNxt = tcb.sndMax;
  record.rcvNxt = tcb.rcvNxt;
  record.born = <u16>(now() >>> BORN_SHIFT);
  if (TCP_TIMESTAMPS) record.tsRecent = timestampsUsed(tcb) ? max<u32>(tcb.tsRecent, 1) : 0;
  record.challenges = 0;
  record.state = <u8>state;
  timerSet(TIMER_TCP + id, now() + lifeMs);
  tcbClose(tcb);
  connectionInsert(record, id);
  return record;
}

/** A TIME-WAIT record: a free one, or the oldest of all (TW-4: never refuse work because of old connections). */
function timeWaitAllocate(): u32 {
  let oldest = FIRST_TIME_WAIT;
  for (let id = FIRST_TIME_WAIT; id < CONNECTIONS; id++) {
    const record = timeWaitAt(id);
    if (record.state == TcpState.CLOSED) return id;
    if (ageOf(record) > ageOf(timeWaitAt(oldest))) oldest = id;
  }
  count(Counter.TCP_TIME_WAIT_EVICTED);
  timeWaitFree(oldest);
  return oldest;
}

/** In units of 16 ms. */
function ageOf(record: TimeWait): u32 {
  return <u32>(<u16>((now() >>> BORN_SHIFT) - <u32>record.born));
}

/** Frees a TIME-WAIT record. */
export function timeWaitFree(id: u32): void {
  const record = timeWaitAt(id);
  connectionRemove(record, id);
  timerCancel(TIMER_TCP + id);
  record.state = <u8>TcpState.CLOSED;
}

/** The acknowledgment that is due goes out in this turn (or with data, if some goes first). */
export function ackNow(tcb: Tcb): void {
  tcb.flags |= TcbFlag.ACK_NOW;
  pendingAdd(tcb);
}

/** Arms the life timer of an orphan, so that a peer that stays silent cannot keep the TCB. */
export function limitLife(tcb: Tcb): void {
  lifeTimerStart(tcb, ORPHAN_MS);
}
