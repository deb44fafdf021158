import { now } from "../now";
import { TCP_TCBS } from "../config";
import { TIMER_TCP, timerArmed, timerCancel, timerDue, timerFirst, timerSet } from "../time/timers";
import { Tcb, TcbTimer, tcbAt } from "./connection";

/**
 * Timers of a TCB. It has three deadlines but one entry in the heap, at the earliest of them. A deadline that moves later,
 * as the retransmission timer does with every acknowledgment, or that is stopped leaves the entry alone: a segment so costs no
 * work on the heap. An entry that is too early is put right when it comes due (expiry.ts), or before a device that has
 * nothing to do sleeps until it (`timersSettle`).
 */

/** Arms one of the three, `delayMs` from now. */
export function timerStart(tcb: Tcb, which: TcbTimer, delayMs: u32): void {
  const due = now() + delayMs;
  if (which == TcbTimer.RETRANSMIT) tcb.rexmtDue = due;
  else if (which == TcbTimer.DELAYED_ACK) tcb.delackDue = <u16>due;
  else tcb.lifeDue = due;
  entryUpTo(tcb, which, due);
}

/** `timerStart` for the retransmission timer. */
export function retransmissionTimerStart(tcb: Tcb, delayMs: u32): void {
  const due = now() + delayMs;
  tcb.rexmtDue = due;
  entryUpTo(tcb, TcbTimer.RETRANSMIT, due);
}

/** `timerStart` for the delayed acknowledgment. */
export function delackTimerStart(tcb: Tcb, delayMs: u32): void {
  const due = now() + delayMs;
  tcb.delackDue = <u16>due;
  entryUpTo(tcb, TcbTimer.DELAYED_ACK, due);
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
  timerCancel(TIMER_TCP + <u32>tcb.id);
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

/** Puts entries right that stand first in the heap though nothing of their TCB is due by then. */
export function timersSettle(): void {
  for (let turns: u32 = 0; turns < TCP_TCBS; turns++) {
    const id = timerFirst() - TIMER_TCP;
    if (id >= TCP_TCBS) return;
    const tcb = tcbAt(id);
    const before = timerDue(TIMER_TCP + id);
    timersRearm(tcb);
    if (tcb.armed != 0 && timerDue(TIMER_TCP + id) == before) return;
  }
}

function earlier(a: u32, b: u32): u32 {
  return <i32>(a - b) < 0 ? a : b;
}
