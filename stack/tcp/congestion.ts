import {
  TCP_CONGESTION_CONTROL,
  TCP_ECN,
  TCP_PRR,
  TCP_RACK,
  TCP_SACK,
  TCP_SPURIOUS,
  TCP_WINDOW_SCALE,
} from "../config";
import { Tcb, TcbFlag } from "./connection";
import { controlAdds, controlKeeps } from "./control";
import { Doubt, cutBegin, cutForget } from "./cut";
import { prrAcknowledged, prrBegin } from "./prr";
import { rackCut, rackLost, rackLostAgain, rackPipe, rackRecovered, rackWait } from "./rack";
import {
  sackForget,
  sackHeadLost,
  sackLost,
  sackRecovers,
  sackedBelow,
  sackedBeyond,
} from "./sack";
import { reorderingSeen, timesBegin } from "./send-times";
import { seqAtMost, seqLess } from "./sequence";

/**
 * Congestion control (RFC 5681) with NewReno recovery (RFC 6582) or by the scoreboard; by how much the window shrinks and grows is
 * the matter of control.ts. It knows bytes and windows, no segments and no timers; the callers send what it asks for.
 */

/** Nothing here can use a larger window; the bound keeps the sums far from overflow. */
const CWND_MAX: u32 = TCP_WINDOW_SCALE ? 0x3fffff : 0x1ffff;

/** Segments by which an ACK opens the window in slow start at most: peers, we among them, answer many at once (RFC 9406 4.2). */
const SLOW_START_LIMIT: u32 = 8;
/** `Tcb.flight` counts units of 64 bytes, rounded up. */
const FLIGHT_SHIFT: u32 = 6;
const FLIGHT_ROUND: u32 = (1 << FLIGHT_SHIFT) - 1;
/** More than this of one ACK does not count: the product with a segment's size stays in a word. */
const ACKED_MAX: u32 = 0xffff;

/** Initial window (RFC 5681 3.1); one segment when the SYN had to be sent again. */
export function congestionInit(tcb: Tcb): void {
  const mss = <u32>tcb.sndMss;
  tcb.cwnd = initialWindow(mss);
  if ((tcb.flags & TcbFlag.SYN_RETRANSMITTED) != 0) tcb.cwnd = mss;
  tcb.ssthresh = TCP_WINDOW_SCALE ? CWND_MAX : 0xffff;
  tcb.recover = tcb.sndUna - 1;
  if (TCP_SACK || TCP_ECN) tcb.highRxt = tcb.sndUna;
  tcb.dupAcks = 0;
  if (TCP_RACK) timesBegin(tcb);
  if (TCP_SPURIOUS) cutForget(tcb);
}

function initialWindow(mss: u32): u32 {
  if (!TCP_CONGESTION_CONTROL) return CWND_MAX;
  // Two segments where they are longer than 2,190 bytes, which none of ours is.
  return mss > 1095 ? 3 * mss : 4 * mss;
}

/**
 * Bytes from SND.UNA that may be sent, the next at `seq`: the window, and what the peer reports before it, as that is not on the way any
 * more (RFC 6675 5 step 3, and 5.1 after a timeout). Without reports limited transmit (RFC 3042): one segment more for each of the first
 * two duplicates.
 */
export function congestionWindow(tcb: Tcb, seq: u32): u32 {
  if (TCP_SACK && tcb.sacked != 0) return tcb.cwnd + sackedBelow(tcb, seq);
  if (tcb.dupAcks == 0 || (tcb.flags & TcbFlag.RECOVERY) != 0) return tcb.cwnd;
  return tcb.dupAcks < 3 ? tcb.cwnd + <u32>tcb.dupAcks * <u32>tcb.sndMss : tcb.cwnd;
}

/**
 * A part of what was in flight when output last ran is kept (RFC 5681 equation 4, RFC 9438 4.6): acknowledgments that have come in
 * the same turn as the news of a loss have made room that nothing could fill yet.
 */
function cutFlight(tcb: Tcb): void {
  if (!TCP_CONGESTION_CONTROL) return;
  if (TCP_RACK) rackCut(tcb);
  const kept = controlKeeps(tcb, (<u32>tcb.flight) << FLIGHT_SHIFT);
  tcb.ssthresh = max<u32>(kept, 2 * <u32>tcb.sndMss);
}

/**
 * What was found lost last may be a repetition that was sent after the window had been cut: a second sign of congestion, which cuts it
 * once more, once in a round trip (RFC 8985 9.3: "MUST trigger an additional congestion response", without PRR; RFC 5681 4.3).
 */
export function congestionOnLostAgain(tcb: Tcb): void {
  if (!TCP_RACK || TCP_PRR || !TCP_CONGESTION_CONTROL || !rackLostAgain(tcb)) return;
  flightNote(tcb, tcb.cwnd);
  cutFlight(tcb);
  tcb.cwnd = tcb.ssthresh;
}

/**
 * A mark was echoed: the window is cut as for a loss (RFC 3168 6.1.2), once for what is in flight now, and not in a recovery, which
 * has cut it. `highRxt`, which means nothing outside of one, tells how far that reaches. True when it was cut.
 */
export function congestionOnEcho(tcb: Tcb): bool {
  if ((tcb.flags & TcbFlag.RECOVERY) != 0 || seqLess(tcb.sndUna, tcb.highRxt)) return false;
  cutFlight(tcb);
  tcb.cwnd = min<u32>(tcb.cwnd, tcb.ssthresh);
  tcb.highRxt = tcb.sndMax;
  return true;
}

/**
 * What lies beyond a tail loss probe is acknowledged, and nothing has told that the probe came twice: it has repaired a loss that
 * nobody has seen, which counts as any other (RFC 8985 7.4).
 */
export function congestionOnRepair(tcb: Tcb): void {
  tcb.flags &= ~TcbFlag.PROBED_AGAIN;
  cutFlight(tcb);
  tcb.cwnd = min<u32>(tcb.cwnd, tcb.ssthresh);
}

/** Output has run. What limited transmit has sent does not count as flight (RFC 5681 3.2 step 2: MUST NOT). */
export function congestionOnOutput(tcb: Tcb): void {
  if (tcb.dupAcks == 0 || (tcb.flags & TcbFlag.RECOVERY) != 0) {
    flightNote(tcb, tcb.sndMax - tcb.sndUna);
  }
}

/** So many `bytes` are in flight, none of them by limited transmit. */
export function flightNote(tcb: Tcb, bytes: u32): void {
  tcb.flight = <u16>min<u32>((bytes + FLIGHT_ROUND) >>> FLIGHT_SHIFT, 0xffff);
}

/**
 * `acked` new bytes were acknowledged up to `ack`; SND.UNA is still the old one. Returns true when the next hole has to be
 * sent again at once (partial acknowledgment, RFC 6582 3.2 step 3).
 */
export function congestionOnAck(tcb: Tcb, ack: u32, acked: u32): bool {
  if ((tcb.flags & TcbFlag.RECOVERY) != 0) {
    const mss = <u32>tcb.sndMss;
    tcb.dupAcks = 0;
    if (seqAtMost(tcb.recover, ack)) {
      const flight = tcb.sndMax - ack;
      tcb.cwnd = sackRecovers(tcb)
        ? tcb.ssthresh
        : min<u32>(tcb.ssthresh, max<u32>(flight, mss) + mss);
      if (TCP_RACK) rackRecovered(tcb);
      tcb.flags &= ~TcbFlag.RECOVERY;
      return false;
    }
    // By the scoreboard only a hole that has not been sent again yet is sent at once (RFC 6675 5).
    if (sackRecovers(tcb)) {
      if (!seqAtMost(tcb.highRxt, ack)) return false;
      return !TCP_RACK || rackLost(tcb, ack, duplicateThreshold(tcb));
    }
    tcb.cwnd = tcb.cwnd > acked ? tcb.cwnd - acked : 0;
    if (acked >= mss) tcb.cwnd += mss;
    tcb.cwnd = max<u32>(tcb.cwnd, mss);
    return true;
  }
  congestionOpen(tcb, ack, acked);
  return false;
}

/** `congestionOnAck` outside of a recovery. */
export function congestionOpen(tcb: Tcb, ack: u32, acked: u32): void {
  tcb.dupAcks = 0;
  // It follows, or after 2 GiB without a loss it would lie ahead, and a loss would not be believed.
  if (seqLess(tcb.recover, ack)) tcb.recover = ack - 1;
  if (TCP_ECN && seqLess(tcb.highRxt, ack)) tcb.highRxt = ack;
  // A window that the application or the peer's window does not let us use has proved nothing, and stays (RFC 9438 5.8).
  const flight = (<u32>tcb.flight) << FLIGHT_SHIFT;
  const mss = <u32>tcb.sndMss;
  if (tcb.cwnd < tcb.ssthresh) {
    if (tcb.cwnd < 2 * flight) tcb.cwnd += min<u32>(acked, SLOW_START_LIMIT * mss);
  } else if (tcb.cwnd < flight + mss) {
    tcb.cwnd += max<u32>((controlAdds(tcb) * min<u32>(acked, ACKED_MAX)) / tcb.cwnd, 1);
  }
  tcb.cwnd = min<u32>(tcb.cwnd, CWND_MAX);
}

/**
 * The peer has what limited transmit sent after the first duplicate had come: what is missing is a round trip older than that, and
 * does not come any more.
 */
function sackedLater(tcb: Tcb): bool {
  return tcb.dupAcks > 1 && sackedBeyond(tcb, tcb.sndUna + ((<u32>tcb.flight) << FLIGHT_SHIFT));
}

/**
 * A duplicate acknowledgment came, or (not `counts`) ranges above SND.UNA were reported. Returns true when the first hole has
 * to be sent again (fast retransmit), in a recovery also for the second time.
 */
export function congestionOnDuplicate(tcb: Tcb, counts: bool): bool {
  const sacks = sackRecovers(tcb);
  if (TCP_RACK && sacks) return lostByTime(tcb, counts);
  if ((tcb.flags & TcbFlag.RECOVERY) != 0) {
    // By the scoreboard what has left the network is known; without it each duplicate stands for a segment.
    if (sacks) return sackHeadLost(tcb, duplicateThreshold(tcb));
    tcb.cwnd = min<u32>(tcb.cwnd + <u32>tcb.sndMss, CWND_MAX);
    return false;
  }
  if (counts && tcb.dupAcks < 255) tcb.dupAcks += 1;
  const threshold = duplicateThreshold(tcb);
  const lost = sacks && (sackLost(tcb, threshold) || sackedLater(tcb));
  if (<u32>tcb.dupAcks < threshold && !lost) return false;
  // RFC 6582 3.2 step 2: not again for losses that a recovery or a timeout before has dealt with. When all of that is acknowledged
  // duplicates may still be its echo, but ranges above it are not.
  if (seqLess(tcb.sndUna, tcb.recover)) return false;
  if (!sacks && tcb.sndUna == tcb.recover) return false;
  enterRecovery(tcb, sacks ? 0 : 3 * <u32>tcb.sndMss);
  return true;
}

/** What the window is worth before a cut (pipe_prev, RFC 4015 3.2 step 1). */
export function congestionBefore(tcb: Tcb): u32 {
  return max<u32>((<u32>tcb.flight) << FLIGHT_SHIFT, tcb.ssthresh);
}

/** The window is cut, and for duplicates that each stand for a segment `inflation` wider (RFC 5681 3.2 step 3). */
function enterRecovery(tcb: Tcb, inflation: u32): void {
  if (TCP_SPURIOUS) cutBegin(tcb, congestionBefore(tcb), Doubt.RECOVERY);
  cutFlight(tcb);
  tcb.recover = tcb.sndMax;
  if (TCP_SACK || TCP_ECN) tcb.highRxt = tcb.sndUna;
  tcb.cwnd = tcb.ssthresh + inflation;
  tcb.flags = (tcb.flags | TcbFlag.RECOVERY) & ~(TcbFlag.PARTIAL | TcbFlag.PROBED_AGAIN);
}

/** The same by the times of sending (RACK): the first hole is sent again when it is lost, or lost again. */
function lostByTime(tcb: Tcb, counts: bool): bool {
  const recovers = (tcb.flags & TcbFlag.RECOVERY) != 0;
  if (!recovers && counts && tcb.dupAcks < 255) tcb.dupAcks += 1;
  const threshold = duplicateThreshold(tcb);
  const byTime = rackLost(tcb, tcb.sndUna, threshold);
  const byNumbers =
    !reorderingSeen(tcb) && (recovers ? sackHeadLost(tcb, threshold) : sackedLater(tcb));
  if (!byTime && !byNumbers) {
    rackWait(tcb, threshold);
    return false;
  }
  if (recovers) {
    if ((tcb.flags & TcbFlag.RETRANSMIT_HEAD) != 0) return false;
    congestionOnLostAgain(tcb);
    return true;
  }
  // After a timeout the window has been cut for all of this: what is lost again goes again, what was not sent yet will.
  if (seqLess(tcb.sndUna, tcb.recover)) return seqLess(tcb.sndUna, tcb.sndNxt);
  enterRecovery(tcb, 0);
  if (TCP_PRR) prrBegin(tcb, rackPipe(tcb, threshold));
  return true;
}

/** An acknowledgment has come in a recovery; `advances`: it has moved SND.UNA. */
export function congestionReduce(tcb: Tcb, advances: bool): void {
  if (sackRecovers(tcb)) prrAcknowledged(tcb, rackPipe(tcb, duplicateThreshold(tcb)), advances);
}

/**
 * Duplicates that tell of a loss: three, or with less than four segments in flight and no more to send, one less than there
 * are segments (early retransmit, RFC 5827 3.1): more can never come.
 */
export function duplicateThreshold(tcb: Tcb): u32 {
  const flight = tcb.sndMax - tcb.sndUna;
  const mss = <u32>tcb.sndMss;
  const sent = tcb.sndNxt - tcb.sndUna;
  const more = sent < tcb.queued && sent < tcb.sndWnd;
  if (more || flight <= mss || flight > 3 * mss) return 3;
  return flight > 2 * mss ? 2 : 1;
}

/** The retransmission timer expired for data. */
export function congestionOnTimeout(tcb: Tcb): void {
  if (tcb.retries <= 1) cutFlight(tcb);
  tcb.cwnd = TCP_CONGESTION_CONTROL ? <u32>tcb.sndMss : CWND_MAX;
  tcb.recover = tcb.sndMax;
  tcb.dupAcks = 0;
  tcb.flags &= ~(TcbFlag.RECOVERY | TcbFlag.PROBED_AGAIN);
  if (TCP_SACK) sackForget(tcb);
}

/** The loss was none (RFC 4015 3.2 step 6): the window holds what is in flight, and grows on to where it was. */
export function congestionRestore(tcb: Tcb, acked: u32, before: u32): void {
  const flight = tcb.sndMax - tcb.sndUna;
  tcb.ssthresh = max<u32>(tcb.ssthresh, before);
  tcb.cwnd = max<u32>(tcb.cwnd, flight + min<u32>(acked, initialWindow(<u32>tcb.sndMss)));
  tcb.recover = tcb.sndUna - 1;
  if (TCP_RACK && (tcb.flags & TcbFlag.RECOVERY) != 0) rackRecovered(tcb);
  tcb.flags &= ~(TcbFlag.RECOVERY | TcbFlag.RETRANSMIT_HEAD);
}

/** Nothing was sent for longer than a retransmission timeout (RFC 5681 4.1). */
export function congestionOnIdle(tcb: Tcb): void {
  tcb.cwnd = min<u32>(tcb.cwnd, initialWindow(<u32>tcb.sndMss));
}
