import { now } from "../now";
import { TIMER_TCP, timerArmed, timerCancel, timerSet } from "../time/timers";
import { Tcb, TcbTimer } from "./connection";

/**
 * Timers of a TCB. It has three deadlines but one entry in the heap, at the earliest of them. A deadline that moves later,
 * as the retransmission timer does with every acknowledgment, leaves the entry alone: when it comes due too early it is
 * simply set again (expiry.ts).
 */

/** Arms one of the three, `delayMs` from now. */
export function timerStart(tcb: Tcb, which: TcbTimer, delayMs: u32): void {
  const due = now() + delayMs;
  if (which == TcbTimer.RETRANSMIT) tcb.rexmtDue = due;
  else if (which == TcbTimer.DELAYED_ACK) tcb.delackDue = due;
  else tcb.lifeDue = due;
  tcb.armed |= <u8>which;
  const timer = TIMER_TCP + <u32>tcb.id;
  if (!timerArmed(timer) || <i32>(due - tcb.heapDue) < 0) {
    tcb.heapDue = due;
    timerSet(timer, due);
  }
}

/** Disarms one of the three. */
export function timerStop(tcb: Tcb, which: TcbTimer): void {
  tcb.armed &= ~(<u8>which);
  if (tcb.armed == 0) timerCancel(TIMER_TCP + <u32>tcb.id);
}

/** Disarms all. */
export function timersStop(tcb: Tcb): void {
  tcb.armed = 0;
  timerCancel(TIMER_TCP + <u32>tcb.id);
}

/** Sets the heap entry to the earliest armed deadline, after it came due. */
export function timersRearm(tcb: Tcb): void {
  const armed = <u32>tcb.armed;
  if (armed == 0) return;
  let due: u32 = now() + 0x3fffffff;
  if ((armed & TcbTimer.RETRANSMIT) != 0) due = earlier(due, tcb.rexmtDue);
  if ((armed & TcbTimer.DELAYED_ACK) != 0) due = earlier(due, tcb.delackDue);
  if ((armed & TcbTimer.LIFE) != 0) due = earlier(due, tcb.lifeDue);
  tcb.heapDue = due;
  timerSet(TIMER_TCP + <u32>tcb.id, due);
}

function earlier(a: u32, b: u32): u32 {
  return <i32>(a - b) < 0 ? a : b;
}
