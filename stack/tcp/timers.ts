import { now } from "../now";
import { TIMER_TCP, timerArmed, timerCancel, timerDue, timerFirst, timerSet } from "../time/timers";
import {
  FIRST_SYN_RECORD,
  FIRST_TIME_WAIT,
  SynRecord,
  Tcb,
  TcbTimer,
  TcpState,
  synRecordAt,
  tcbAt,
} from "./connection";

/**
 * Timers of a TCB. It has three deadlines but one entry in the heap, at the earliest of them. A deadline that moves later,
 * as the retransmission timer does with every acknowledgment, or that is stopped leaves the entry alone, and so does the end of a
 * connection: a segment costs no work on the heap, and a new connection mostly finds an entry that is early enough. An entry that is
 * too early is put right when it comes due (expiry.ts), or before a device that has nothing to do sleeps until it (`timersSettle`).
 * Records of the SYN queue do the same.
 */

/** Arms the retransmission timer, `delayMs` from now. */
export function retransmissionTimerStart(tcb: Tcb, delayMs: u32): void {
  const due = now() + delayMs;
  tcb.rexmtDue = due;
  entryUpTo(tcb, TcbTimer.RETRANSMIT, due);
}

/** Arms the retransmission timer for the timeout. */
export function timeoutStart(tcb: Tcb): void {
  retransmissionTimerStart(tcb, <u32>tcb.rto);
}

/** Arms the timer of the delayed acknowledgment, `delayMs` from now. */
export function delackTimerStart(tcb: Tcb, delayMs: u32): void {
  const due = now() + delayMs;
  tcb.delackDue = <u16>due;
  entryUpTo(tcb, TcbTimer.DELAYED_ACK, due);
}

/** Arms the life timer, `delayMs` from now. */
export function lifeTimerStart(tcb: Tcb, delayMs: u32): void {
  const due = now() + delayMs;
  tcb.lifeDue = due;
  entryUpTo(tcb, TcbTimer.LIFE, due);
}

/** One of the three is armed: the entry in the heap is no later than `due`. */
function entryUpTo(tcb: Tcb, which: TcbTimer, due: u32): void {
  tcb.armed |= <u8>which;
  const timer = TIMER_TCP + <u32>tcb.id;
  if (!timerArmed(timer) || <i32>(due - timerDue(timer)) < 0) timerSet(timer, due);
}

/** Deadline of the delayed acknowledgment, in full: it is less than half of 16 bits away. */
export function delackDue(tcb: Tcb): u32 {
  const time = now();
  return time + <i32>(<i16>(<u32>tcb.delackDue - time));
}

/** Disarms one of the three. */
export function timerStop(tcb: Tcb, which: TcbTimer): void {
  tcb.armed &= ~(<u8>which);
}

/** Disarms all. */
export function timersStop(tcb: Tcb): void {
  tcb.armed = 0;
}

/** Sets the heap entry to the earliest armed deadline, after it came due; without one there is none. */
export function timersRearm(tcb: Tcb): void {
  const armed = <u32>tcb.armed;
  if (armed == 0) {
    timerCancel(TIMER_TCP + <u32>tcb.id);
    return;
  }
  let due: u32 = now() + 0x3fffffff;
  if ((armed & TcbTimer.RETRANSMIT) != 0) due = earlier(due, tcb.rexmtDue);
  if ((armed & TcbTimer.DELAYED_ACK) != 0) due = earlier(due, delackDue(tcb));
  if ((armed & TcbTimer.LIFE) != 0) due = earlier(due, tcb.lifeDue);
  timerSet(TIMER_TCP + <u32>tcb.id, due);
}

/** First timeout of a SYN-ACK; it doubles. */
export const SYN_ACK_RTO_MS: u32 = 1000;

/**
 * Arms the timer of a record. What a record before has left in the heap stays if it is early enough: who finishes his handshake at once
 * costs no work there.
 */
export function synRecordTimer(id: u32, delayMs: u32): void {
  assert(synRecordAt(id).state != TcpState.CLOSED);
  const due = now() + delayMs;
  const timer = TIMER_TCP + id;
  if (!timerArmed(timer) || <i32>(due - timerDue(timer)) < 0) timerSet(timer, due);
}

/** Milliseconds until a record's timer is really due; later ones than the first are never early. */
export function synRecordWaits(record: SynRecord): u32 {
  const age = record.age;
  return record.retries == 0 && age < SYN_ACK_RTO_MS ? SYN_ACK_RTO_MS - age : 0;
}

/** Puts the timer of a record right, whose entry stands first in the heap. */
export function synRecordSettle(id: u32): void {
  const record = synRecordAt(id);
  const left = synRecordWaits(record);
  if (record.state == TcpState.CLOSED) timerCancel(TIMER_TCP + id);
  else if (left != 0) timerSet(TIMER_TCP + id, now() + left);
}

/** Puts entries right that stand first in the heap though nothing of their TCB or record is due by then. */
export function timersSettle(): void {
  for (let turns: u32 = 0; turns < FIRST_TIME_WAIT; turns++) {
    const timer = timerFirst();
    const id = timer - TIMER_TCP;
    if (id >= FIRST_TIME_WAIT) return;
    const before = timerDue(timer);
    if (id >= FIRST_SYN_RECORD) synRecordSettle(id);
    else timersRearm(tcbAt(id));
    if (timerArmed(timer) && timerDue(timer) == before) return;
  }
}

function earlier(a: u32, b: u32): u32 {
  return <i32>(a - b) < 0 ? a : b;
}
