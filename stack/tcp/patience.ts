import { based } from "cpu";
import { TCP_TCBS } from "../config";
import { now } from "../now";
import { Tcb, TcbFlag, TcbTimer } from "./connection";
import { lifeTimerStart, timerStop } from "./timers";

/**
 * How long a connection puts up with silence: keep-alive (RFC 9293 3.8.4), and the user timeout for what is not acknowledged
 * (RFC 9293 3.8.3 (d), RFC 5482). `TCP_KEEPALIVE` 0 leaves both out.
 */
@unmanaged
export class Patience {
  /** Seconds of silence before the first probe, between probes, and probes without an answer that end the connection. */
  idleS: u16;
  intervalS: u16;
  count: u8;
  /** Probes sent since something was heard. */
  probes: u8;
  reserved: u16;
  /** When the peer was heard last. */
  heard: u32;
  /** Since when nothing that is in flight was acknowledged. */
  waiting: u32;
  /** TCP_USER_TIMEOUT, ms; 0 = the number of retransmissions decides. */
  userTimeoutMs: u32;
}

/** The patience of a connection. */
export function patienceOf(tcb: Tcb): Patience {
  const TABLE: usize = memory.data(TCP_TCBS * offsetof<Patience>(), 4);
  return changetype<Patience>(based(TABLE) + <u32>tcb.id * offsetof<Patience>());
}

/** Some connection has had a user timeout: before that nobody asks since when one waits, and most devices never do. */
let asked: bool = false;

/** True when that is so. */
export function patienceAsked(): bool {
  return asked;
}

/** A TCB is new: no keep-alive (MUST-25), no user timeout. */
export function patienceInit(tcb: Tcb): void {
  // The rest is set before it is asked for.
  patienceOf(tcb).userTimeoutMs = 0;
}

/** SO_KEEPALIVE with its three values (TCP_KEEPIDLE, TCP_KEEPINTVL in seconds, TCP_KEEPCNT). */
export function keepAliveSet(tcb: Tcb, on: bool, idleS: u32, intervalS: u32, probes: u32): void {
  const it = patienceOf(tcb);
  it.idleS = <u16>idleS;
  it.intervalS = <u16>intervalS;
  it.count = <u8>probes;
  if (!on && (tcb.flags & TcbFlag.KEEP_ALIVE) == 0) return;
  tcb.flags = on ? tcb.flags | TcbFlag.KEEP_ALIVE : tcb.flags & ~TcbFlag.KEEP_ALIVE;
  if (!on) {
    if (tcb.socket != 0) timerStop(tcb, TcbTimer.LIFE);
    return;
  }
  it.heard = now();
  it.probes = 0;
  lifeTimerStart(tcb, idleS * 1000);
}

/** TCP_USER_TIMEOUT, ms; 0 = none. Where there was none it counts from now at the earliest. */
export function userTimeoutSet(tcb: Tcb, ms: u32): void {
  const it = patienceOf(tcb);
  if (it.userTimeoutMs == 0) it.waiting = now();
  it.userTimeoutMs = ms;
  if (ms != 0) asked = true;
}

/** Something acceptable has come from the peer. */
export function patienceHeard(tcb: Tcb): void {
  const it = patienceOf(tcb);
  it.heard = now();
  it.probes = 0;
}

/** What is in flight was acknowledged in part, or something is in flight that was not before. */
export function patienceProgress(tcb: Tcb): void {
  if (asked) patienceOf(tcb).waiting = now();
}

/** True when the user timeout has passed; false also when there is none: then the number of retransmissions decides. */
export function userTimeoutPassed(tcb: Tcb): bool {
  const it = patienceOf(tcb);
  return it.userTimeoutMs != 0 && now() - it.waiting >= it.userTimeoutMs;
}

/** True when retransmissions are not counted, because the application has said how long it waits. */
export function hasUserTimeout(tcb: Tcb): bool {
  return patienceOf(tcb).userTimeoutMs != 0;
}

/** A delay of the retransmission timer, cut so that the user timeout is kept to the millisecond. */
export function userTimeoutCut(tcb: Tcb, delayMs: u32): u32 {
  const it = patienceOf(tcb);
  if (it.userTimeoutMs == 0) return delayMs;
  const passed = now() - it.waiting;
  return passed >= it.userTimeoutMs ? 0 : min<u32>(delayMs, it.userTimeoutMs - passed);
}
