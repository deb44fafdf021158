import {
  ICMP_ERRORS,
  TCP_CONNECT,
  TCP_ECN,
  TCP_KEEPALIVE,
  TCP_RACK,
  TCP_SACK,
  TCP_SPURIOUS,
} from "../config";
import { ETIMEDOUT } from "../errors";
import { isDue, now } from "../now";
import { Counter, count } from "../statistics";
import { lossFound } from "./acknowledge";
import { congestionBefore, congestionOnTimeout } from "./congestion";
import {
  FIRST_SYN_RECORD,
  FIRST_TIME_WAIT,
  Tcb,
  TcbFlag,
  TcbTimer,
  TcpState,
  tcbAt,
} from "./connection";
import { ecnReduced } from "./ecn";
import { keepAliveExpired } from "./keep-alive";
import { hasUserTimeout, userTimeoutCut, userTimeoutPassed } from "./patience";
import { ackNow, tcbAbort, tcbReset, timeWaitFree } from "./lifecycle";
import { synRecordExpired } from "./listen";
import { finDue } from "./output";
import { mssLower } from "./path-mtu";
import { pendingAdd } from "./pending";
import { rackDue } from "./rack";
import { turnDue } from "./receive-window";
import { RTO_MAX_MS, rtoBackOff } from "./rto";
import { spuriousNote } from "./spurious";
import { probeDue } from "./tail-loss";
import { delackDue, lifeTimerStart, retransmissionTimerStart, timersRearm } from "./timers";

/**
 * Retransmissions before a connection is given up (R2, RFC 9293 3.8.3): with the timeout doubling from 200 ms to 60 s, the
 * eleventh comes after more than 100 s; for a SYN, which starts at 1 s, the eighth after more than three minutes.
 */
const RETRIES_MAX: u32 = 11;
const SYN_RETRIES_MAX: u32 = 8;
/** Tries of a SYN that cannot leave, a second apart: the time that MUST-23 gives a SYN. */
const UNSENT_TRIES: u32 = 180;

/** A timer of the TCP range came due; `id` is the connection number. */
export function tcpTimer(id: u32): void {
  if (id >= FIRST_TIME_WAIT) {
    timeWaitFree(id);
    return;
  }
  if (id >= FIRST_SYN_RECORD) {
    synRecordExpired(id);
    return;
  }
  const tcb = tcbAt(id);
  if (tcb.state == TcpState.CLOSED) return;
  if (taken(tcb, TcbTimer.DELAYED_ACK, delackDue(tcb))) {
    turnDue(tcb);
    ackNow(tcb);
  }
  if (taken(tcb, TcbTimer.LIFE, tcb.lifeDue)) {
    if (TCP_KEEPALIVE && tcb.socket != 0) keepAliveExpired(tcb);
    else if (!orphanWaits(tcb)) {
      tcbReset(tcb);
      return;
    }
  }
  if (taken(tcb, TcbTimer.RETRANSMIT, tcb.rexmtDue)) retransmitExpired(tcb);
  if (tcb.state != TcpState.CLOSED) timersRearm(tcb);
}

/** What an orphan sends again in the end has so long to be answered. */
const LAST_ANSWER_MS: u32 = 3000;

/**
 * The life of an orphan is over; one that was about to send again, and has not done so just now, does it first: a timeout grows to a minute, so
 * what has come of a cable that was plugged in again may be seen by that alone.
 */
function orphanWaits(tcb: Tcb): bool {
  const leftMs = tcb.rexmtDue - now();
  const armed = ((<u32>tcb.armed) & TcbTimer.RETRANSMIT) != 0;
  if (!armed || leftMs + 2 * LAST_ANSWER_MS > <u32>tcb.rto) return false;
  lifeTimerStart(tcb, leftMs + LAST_ANSWER_MS);
  return true;
}

function taken(tcb: Tcb, which: TcbTimer, due: u32): bool {
  if (((<u32>tcb.armed) & which) == 0 || !isDue(due)) return false;
  tcb.armed &= ~(<u8>which);
  return true;
}

function retransmitExpired(tcb: Tcb): void {
  if (TCP_SACK && probeDue(tcb)) return;
  if (TCP_RACK && rackDue(tcb)) {
    lossFound(tcb, false);
    return;
  }
  tcb.flags &= ~TcbFlag.WAIT_NEIGHBOUR;
  if ((tcb.flags & TcbFlag.PERSIST) != 0) {
    persistExpired(tcb);
    return;
  }
  const opening =
    TCP_CONNECT && (tcb.state == TcpState.SYN_SENT || tcb.state == TcpState.SYN_RECEIVED);
  const inFlight = tcb.sndMax != tcb.sndUna;
  if (!opening && !inFlight && tcb.queued == 0 && !finDue(tcb)) {
    // Nothing to send again: the timer stood by for an ACK that waits for a neighbour (pending.ts).
    pendingAdd(tcb);
    return;
  }
  if (!opening && inFlight && tcb.sndWnd == 0) {
    // The window has shrunk to nothing under what is in flight: probes, not retransmissions (RFC 9293 MUST-35).
    // A recovery is over with it: once the window opens all goes again, as after a timeout.
    tcb.flags &= ~(TcbFlag.RECOVERY | TcbFlag.RETRANSMIT_HEAD);
    tcb.flags |= TcbFlag.PERSIST;
    tcb.backoff = 0;
    tcb.sndNxt = tcb.sndUna;
    persistExpired(tcb);
    return;
  }
  if (TCP_CONNECT && opening && !inFlight) {
    synNeverSent(tcb);
    return;
  }
  count(Counter.TCP_TIMEOUT);
  tcb.retries += 1;
  if (givesUp(tcb, opening ? SYN_RETRIES_MAX : RETRIES_MAX)) {
    giveUp(tcb);
    return;
  }
  if (TCP_CONNECT && opening) {
    tcb.flags |= TcbFlag.SYN_RETRANSMITTED;
    tcb.sndNxt = tcb.sndUna;
  } else {
    if (ICMP_ERRORS && tcb.routerMss != 0) mssLower(tcb);
    if (inFlight) {
      if (TCP_SPURIOUS) spuriousNote(tcb, congestionBefore(tcb));
      congestionOnTimeout(tcb);
      if (TCP_ECN) ecnReduced(tcb);
    }
    tcb.sndNxt = tcb.sndUna;
  }
  tcb.flags &= ~(TcbFlag.TIMING | TcbFlag.RETRANSMIT_HEAD | TcbFlag.PROBE);
  rtoBackOff(tcb);
  sendAndWait(tcb, cut(tcb, <u32>tcb.rto));
}

/** R2 (RFC 9293 3.8.3): by the number of retransmissions, or by the time that the application has set (MUST-21). */
function givesUp(tcb: Tcb, retriesMax: u32): bool {
  if (TCP_KEEPALIVE && hasUserTimeout(tcb)) return userTimeoutPassed(tcb);
  return <u32>tcb.retries >= retriesMax;
}

function cut(tcb: Tcb, delayMs: u32): u32 {
  return TCP_KEEPALIVE ? userTimeoutCut(tcb, delayMs) : delayMs;
}

/** A SYN that has not left yet, for want of a neighbour or a link, backs nothing off; after three minutes it is given up. */
function synNeverSent(tcb: Tcb): void {
  tcb.retries += 1;
  if (<u32>tcb.retries >= UNSENT_TRIES) {
    giveUp(tcb);
    return;
  }
  sendAndWait(tcb, <u32>tcb.rto);
}

/** Something is sent now, and again in `delayMs` if nothing comes of it. */
function sendAndWait(tcb: Tcb, delayMs: u32): void {
  retransmissionTimerStart(tcb, delayMs);
  pendingAdd(tcb);
}

/** Nothing gets through: the application is told why. */
function giveUp(tcb: Tcb): void {
  tcbAbort(tcb, tcb.softError != 0 ? <i32>tcb.softError : ETIMEDOUT);
}

/** Persist state (RFC 9293 3.8.6.1): a probe, at growing intervals. Answered probes keep the connection for ever. */
function persistExpired(tcb: Tcb): void {
  if (givesUp(tcb, RETRIES_MAX)) {
    giveUp(tcb);
    return;
  }
  count(Counter.TCP_WINDOW_PROBE);
  tcb.retries += 1;
  tcb.flags |= TcbFlag.FORCE;
  // The timeout of data stays as it is: what the probes wait for is the application of the peer, not the network.
  if (tcb.backoff < 15) tcb.backoff += 1;
  const delayMs = min<u32>((<u32>tcb.rto) << tcb.backoff, RTO_MAX_MS);
  sendAndWait(tcb, cut(tcb, delayMs));
}
