import {
  ICMP_ERRORS,
  TCP_CONNECT,
  TCP_ECN,
  TCP_FAST_PATH,
  TCP_KEEPALIVE,
  TCP_PRR,
  TCP_RACK,
  TCP_SACK,
  TCP_SPURIOUS,
  TCP_TX_BYTES,
} from "../config";
import { isDue, now } from "../now";
import { Counter, count } from "../statistics";
import {
  congestionOnIdle,
  congestionOnLostAgain,
  congestionOnOutput,
  congestionWindow,
  duplicateThreshold,
} from "./congestion";
import { Tcb, TcbFlag, TcbTimer, TcpState } from "./connection";
import { cutSentAgain } from "./cut";
import { ECN_SETUP } from "./ecn";
import { SYN_OPTIONS, synAnswerOptions } from "./emit";
import { BURST, NOT_PLAIN, outputPlain, sentNew } from "./output-plain";
import { patienceProgress } from "./patience";
import { pendingAdd } from "./pending";
import { prrSent } from "./prr";
import { rackLostEnd, rackNextLost, rackPipe } from "./rack";
import { receiveWindow } from "./receive-window";
import { sackHeadSent, sackHoleEnd, sackNextLost, sackPipe, sackRecovers, sackSkip } from "./sack";
import { sackOptionBytes } from "./sack-report";
import { TcpBit } from "./segment";
import { REPORTED, acknowledged, outputAcks, sendFull, sendOf, sendPlain } from "./send";
import { timesSent } from "./send-times";
import { seqAtMost, seqLess, seqMax } from "./sequence";
import { probeStart, probedAgain, retransmissionStart } from "./tail-loss";
import { timeoutStart } from "./timers";

/** Something to be sent that is neither text nor an acknowledgment. */
const DEMANDS: u32 =
  TcbFlag.FIN_QUEUED |
  TcbFlag.FORCE |
  TcbFlag.RETRANSMIT_HEAD |
  (TCP_KEEPALIVE ? TcbFlag.KEEP_PROBE : 0) |
  (TCP_SACK ? TcbFlag.PROBE : 0);

/** The same, and holes that the scoreboard shows: a recovery may have more to send again when all that is queued has left. */
const WANTED: u32 = DEMANDS | (TCP_SACK ? TcbFlag.RECOVERY : 0);

/** Sends all that a connection may send now. 0 when nothing is left to do, or why the IP layer took no more. */
export function tcpOutput(tcb: Tcb): i32 {
  if (TCP_FAST_PATH) {
    const result = outputPlain(tcb);
    if (result != NOT_PLAIN) return result;
    if (finAlone(tcb)) return outputFin(tcb);
  }
  return outputAny(tcb);
}

/** With one of these our FIN is not all that is to be sent, or not for the first time. */
const BESIDE_FIN: u32 = DEMANDS | REPORTED | TcbFlag.RECOVERY | TcbFlag.PERSIST | TcbFlag.FIN_SENT;

/** True when our FIN is all that is to be sent, for the first time and at once, as at the end of most connections. */
function finAlone(tcb: Tcb): bool {
  if (TCP_ECN || (tcb.flags & BESIDE_FIN) != <u32>TcbFlag.FIN_QUEUED) return false;
  if (tcb.sndMax != tcb.sndUna || tcb.queued != 0 || tcb.sndWnd == 0) return false;
  if (tcb.ranges != 0 || tcb.owedAcks != 0) return false;
  return <u32>tcb.state > <u32>TcpState.ESTABLISHED;
}

/** What the general way would do then. */
function outputFin(tcb: Tcb): i32 {
  const seq = tcb.sndNxt;
  const refused = sendPlain(tcb, seq, TcpBit.ACK | TcpBit.PSH | TcpBit.FIN, 0);
  if (refused != 0) return refused;
  tcb.flags |= TcbFlag.FIN_SENT;
  sentNew(tcb, seq, 1);
  congestionOnOutput(tcb);
  return 0;
}

function outputAny(tcb: Tcb): i32 {
  const state = <u32>tcb.state;
  if (state == TcpState.CLOSED) return 0;
  if (TCP_CONNECT && (state == TcpState.SYN_SENT || state == TcpState.SYN_RECEIVED))
    return outputSyn(tcb);
  // Nothing but an acknowledgment can be due.
  if (tcb.queued == 0 && (tcb.flags & DEMANDS) == 0) {
    congestionOnOutput(tcb);
    return outputAcks(tcb);
  }
  if (tcb.sndMax == tcb.sndUna && tcb.queued != 0 && isDue(tcb.lastSent + <u32>tcb.rto)) {
    congestionOnIdle(tcb);
    // All that a router may have meant has got through.
    if (ICMP_ERRORS) tcb.routerMss = 0;
  }
  for (let turns: u32 = 0; turns < BURST; turns++) {
    const result = outputOne(tcb);
    if (result < 0) return result;
    if (result == 0) break;
    // All that is queued has been sent, and nothing else is wanted.
    if (tcb.sndNxt - tcb.sndUna == tcb.queued && (tcb.flags & WANTED) == 0) break;
    if (turns == BURST - 1) pendingAdd(tcb);
  }
  congestionOnOutput(tcb);
  if (TCP_KEEPALIVE && (tcb.flags & TcbFlag.KEEP_PROBE) != 0) {
    // SHLD-12: without text, one before what the peer expects, so that it answers.
    const refused = sendOf(tcb, tcb.sndUna - 1, TcpBit.ACK, 0);
    if (refused != 0) return refused;
    tcb.flags &= ~TcbFlag.KEEP_PROBE;
  }
  const refused = outputAcks(tcb);
  if (refused != 0) return refused;
  // Data or a FIN waits and nothing is in flight that an acknowledgment would answer: the persist timer (RFC 9293 3.8.6.1).
  if (
    (tcb.queued != 0 || finDue(tcb)) &&
    tcb.sndMax == tcb.sndUna &&
    ((<u32>tcb.armed) & TcbTimer.RETRANSMIT) == 0
  ) {
    tcb.flags |= TcbFlag.PERSIST;
    tcb.backoff = 0;
    timeoutStart(tcb);
  }
  return 0;
}

function outputSyn(tcb: Tcb): i32 {
  if (tcb.sndNxt != tcb.sndUna) {
    // A plain ACK answers what was not acceptable (RFC 9293 3.10.7.4): with both ends in SYN-RECEIVED it opens the connection.
    const answer = (tcb.flags & TcbFlag.ACK_NOW) != 0;
    return answer ? sendOf(tcb, tcb.sndMax, TcpBit.ACK, 0) : 0;
  }
  const bits: u32 = tcb.state == TcpState.SYN_RECEIVED ? TcpBit.SYN | TcpBit.ACK : TcpBit.SYN;
  const options = tcb.state == TcpState.SYN_RECEIVED ? synAnswerOptions(tcb) : SYN_OPTIONS;
  // Offered once: what does not get through may be in the way of it (RFC 3168 6.1.1.1).
  const offers =
    TCP_ECN && tcb.state == TcpState.SYN_SENT && (tcb.flags & TcbFlag.SYN_RETRANSMITTED) == 0;
  const window = receiveWindow(tcb);
  const allBits = offers ? bits | ECN_SETUP : bits;
  const refused = sendFull(tcb, tcb.sndUna, allBits, window, options, 0, 0);
  if (refused != 0) return refused;
  if ((bits & TcpBit.ACK) != 0) acknowledged(tcb, window, false);
  if (tcb.sndMax == tcb.sndUna) {
    if (TCP_KEEPALIVE) patienceProgress(tcb);
    tcb.flags |= TcbFlag.TIMING;
    tcb.rttSeq = tcb.sndUna;
    tcb.rttStart = <u16>now();
    tcb.lastSent = now();
  }
  // From when it leaves, whatever came before: 1, 2, 4 s after the first (RFC 6298 5.1).
  if (((<u32>tcb.armed) & TcbTimer.RETRANSMIT) == 0 || tcb.sndMax == tcb.sndUna) {
    tcb.retries = 0;
    timeoutStart(tcb);
  }
  tcb.sndNxt = tcb.sndUna + 1;
  tcb.sndMax = tcb.sndUna + 1;
  return 0;
}

/** Bytes of text that a full segment holds now: less while text out of order is to be reported. */
function fullSegment(tcb: Tcb): u32 {
  const mss = <u32>tcb.sndMss;
  if (!TCP_SACK || (tcb.ranges == 0 && (tcb.flags & TcbFlag.DUPLICATE) == 0)) return mss;
  return mss - sackOptionBytes(tcb);
}

/** What `choose` has found: where the next segment begins, and how many bytes it may have for other reasons than its size. */
let chosenSeq: u32 = 0;
let chosenLimit: u32 = 0;
/** It fills a hole, or probes, whatever Nagle says. */
let chosenUrgent: bool = false;

/** True when the next segment is not simply what comes at SND.NXT, or the first one again, but a matter of the scoreboard. */
function hasChoice(tcb: Tcb): bool {
  if (!TCP_SACK || (tcb.flags & TcbFlag.SACK_PERMITTED) == 0) return false;
  return tcb.sacked != 0 || (tcb.flags & (TcbFlag.RECOVERY | TcbFlag.PROBE)) != 0;
}

/**
 * Which segment is next: the first hole after a fast retransmit, by the scoreboard in recovery (NextSeg, RFC 6675 4), a tail
 * loss probe, or what comes at SND.NXT. False when the pipe is full.
 */
function choose(tcb: Tcb): bool {
  const head = (tcb.flags & TcbFlag.RETRANSMIT_HEAD) != 0;
  chosenSeq = head ? tcb.sndUna : tcb.sndNxt;
  chosenLimit = 0xffffffff;
  chosenUrgent = head;
  if (head) {
    chosenLimit = sackHoleEnd(tcb, chosenSeq) - chosenSeq;
    return true;
  }
  if ((tcb.flags & TcbFlag.RECOVERY) != 0) return chooseInRecovery(tcb);
  if ((tcb.flags & TcbFlag.PROBE) != 0) {
    chosenUrgent = true;
    const sent = tcb.sndNxt - tcb.sndUna;
    if (sent < tcb.queued && sent < tcb.sndWnd) return true;
    // No new text: the last segment again, which may be no more than the FIN.
    const text = min<u32>(tcb.sndMax - tcb.sndUna, tcb.queued);
    chosenSeq = tcb.sndUna + text - min<u32>(text, <u32>tcb.sndMss);
  } else if (seqLess(chosenSeq, tcb.sndMax)) {
    // After a timeout: what the peer has is passed over.
    chosenSeq = sackSkip(tcb, chosenSeq);
    if (chosenSeq != tcb.sndMax) chosenLimit = sackHoleEnd(tcb, chosenSeq) - chosenSeq;
  }
  return true;
}

function chooseInRecovery(tcb: Tcb): bool {
  const threshold = duplicateThreshold(tcb);
  const pipe = TCP_RACK ? rackPipe(tcb, threshold) : sackPipe(tcb, threshold);
  const room = tcb.cwnd > pipe ? tcb.cwnd - pipe : 0;
  if (room < <u32>tcb.sndMss) return false;
  const lost = TCP_RACK ? rackNextLost(tcb, threshold) : sackNextLost(tcb, threshold);
  chosenLimit = room;
  if (lost == tcb.sndMax) return true;
  chosenSeq = lost;
  chosenUrgent = true;
  const end = TCP_RACK ? rackLostEnd() : sackHoleEnd(tcb, lost);
  congestionOnLostAgain(tcb);
  chosenLimit = min<u32>(room, end - lost);
  return true;
}

/** Bytes from SND.UNA that may be in flight with the next segment, at `seq`. */
function sendWindow(tcb: Tcb, seq: u32): u32 {
  const special = TcbFlag.RETRANSMIT_HEAD | TcbFlag.PROBE | TcbFlag.RECOVERY;
  // Without the scoreboard there are no probes, and a recovery is limited as all else is.
  if (!TCP_SACK) {
    const head = (tcb.flags & TcbFlag.RETRANSMIT_HEAD) != 0;
    return head ? tcb.sndWnd : min<u32>(tcb.sndWnd, congestionWindow(tcb, seq));
  }
  if ((tcb.flags & special) == 0) return min<u32>(tcb.sndWnd, congestionWindow(tcb, seq));
  if ((tcb.flags & (TcbFlag.RETRANSMIT_HEAD | TcbFlag.PROBE)) != 0) return tcb.sndWnd;
  // In recovery by the scoreboard the pipe is the limit, not the flight.
  return sackRecovers(tcb) ? tcb.sndWnd : min<u32>(tcb.sndWnd, congestionWindow(tcb, seq));
}

/** Sends the next segment if one may go. 1 when one went, 0 when none may, or the IP layer's refusal. */
function outputOne(tcb: Tcb): i32 {
  let urgent: bool = (tcb.flags & TcbFlag.RETRANSMIT_HEAD) != 0;
  let seq = urgent ? tcb.sndUna : tcb.sndNxt;
  let limit: u32 = 0xffffffff;
  if (hasChoice(tcb)) {
    if (!choose(tcb)) return 0;
    seq = chosenSeq;
    limit = chosenLimit;
    urgent = chosenUrgent;
  }
  const offset = seq - tcb.sndUna;
  // Past the last byte only our FIN is left, and it has been sent.
  if (offset > tcb.queued) return 0;
  const available = tcb.queued - offset;
  const window = sendWindow(tcb, seq);
  const usable = window > offset ? window - offset : 0;
  const full = fullSegment(tcb);
  let bytes = min<u32>(min<u32>(available, full), min<u32>(usable, limit));
  const force = (tcb.flags & TcbFlag.FORCE) != 0;
  const finish = finDue(tcb);
  let probe = false;
  if (usable == 0 && (available != 0 || (finish && tcb.sndWnd <= offset))) {
    // A probe carries one byte (or the FIN) beyond the window; SND.NXT stays where it is (RFC 9293 MUST-36).
    if (!force) {
      if (TCP_SACK) tcb.flags &= ~TcbFlag.PROBE;
      return 0;
    }
    probe = true;
    bytes = min<u32>(available, 1);
  }
  const last = bytes == available;
  // The FIN takes room in the window, too, but none in the congestion window.
  const fin = last && finish && (probe ? bytes == 0 : tcb.sndWnd > offset + bytes);
  if (bytes == 0 && !fin) {
    tcb.flags &= ~(TcbFlag.RETRANSMIT_HEAD | TcbFlag.PROBE);
    return 0;
  }
  if (!urgent && !force && !fin && !worthSending(tcb, seq, bytes, last, full)) return 0;
  let bits: u32 = TcpBit.ACK;
  if (last) bits |= TcpBit.PSH;
  if (fin) bits |= TcpBit.FIN;
  const refused = sendOf(tcb, seq, bits, bytes);
  if (refused != 0) return refused;
  sent(tcb, seq, bytes, fin, probe);
  return probe ? 0 : 1;
}

/** Our FIN belongs behind the last byte and is not acknowledged yet. */
export function finDue(tcb: Tcb): bool {
  const state = <u32>tcb.state;
  if ((tcb.flags & TcbFlag.FIN_QUEUED) == 0) return false;
  return state == TcpState.FIN_WAIT_1 || state == TcpState.CLOSING || state == TcpState.LAST_ACK;
}

/** Nagle (RFC 9293 3.7.4) and sender-side silly-window avoidance (3.8.6.2.1). */
function worthSending(tcb: Tcb, seq: u32, bytes: u32, last: bool, full: u32): bool {
  if (bytes == full) return true;
  if (seqLess(seq, tcb.sndMax)) return true;
  // The application has said that more follows; the persist timer sends in the end what it does not fill.
  const waits = TcbFlag.CORK | TcbFlag.MORE;
  const over = <u32>tcb.ringBytes == TCP_TX_BYTES || (tcb.flags & TcbFlag.FIN_QUEUED) != 0;
  if ((tcb.flags & waits) != 0 && !over) return false;
  // Minshall's form: only a small segment in flight holds a small one back, not a full one, whose ACK may be delayed.
  const smallInFlight = seqLess(tcb.sndUna, tcb.sndSml) && seqAtMost(tcb.sndSml, tcb.sndMax);
  if (last && (!smallInFlight || (tcb.flags & (TcbFlag.NO_DELAY | TcbFlag.FIN_QUEUED)) != 0))
    return true;
  // Duplicates tell of a loss: the last bytes give the peer a reason for one more (RFC 3042).
  if (last && tcb.dupAcks != 0) return true;
  // With the ring full there is nothing to wait for: no more text can join these bytes.
  if (last && <u32>tcb.ringBytes == TCP_TX_BYTES) return true;
  return bytes >= tcb.maxSndWnd >>> 1;
}

/** In fast recovery, without the scoreboard only up to its first partial acknowledgment (RFC 6582 3.2 step 3). */
function timerCountsAnew(tcb: Tcb): bool {
  if ((tcb.flags & TcbFlag.RECOVERY) == 0) return false;
  return sackRecovers(tcb) || (tcb.flags & TcbFlag.PARTIAL) == 0;
}

function sent(tcb: Tcb, seq: u32, bytes: u32, fin: bool, probe: bool): void {
  const end = seq + bytes + (fin ? 1 : 0);
  const again = seqLess(seq, tcb.sndMax);
  tcb.lastSent = now();
  if (sackRecovers(tcb)) {
    if (TCP_RACK) timesSent(tcb, seq, end, again);
    if (TCP_PRR && (tcb.flags & TcbFlag.RECOVERY) != 0) prrSent(tcb, bytes);
    if (again) {
      if (TCP_SPURIOUS) cutSentAgain(tcb, seq, bytes);
      tcb.highRxt = seqMax(tcb.highRxt, end);
      if ((tcb.flags & TcbFlag.PROBE) != 0) probedAgain(tcb, end);
      if (seq == tcb.sndUna) sackHeadSent(tcb);
      tcb.flags &= ~TcbFlag.LAST_IS_NEW;
    } else tcb.flags |= TcbFlag.LAST_IS_NEW;
  }
  tcb.flags &= ~(TcbFlag.RETRANSMIT_HEAD | TcbFlag.FORCE | TcbFlag.PROBE);
  if (fin) tcb.flags |= TcbFlag.FIN_SENT;
  if (!probe && bytes < <u32>tcb.sndMss) tcb.sndSml = end;
  if (again) {
    count(Counter.TCP_RETRANSMIT);
    // Karn: what is timed may be answered by either copy (RFC 6298 3), and a cumulative ACK waits for what came before it.
    if ((tcb.flags & TcbFlag.TIMING) != 0 && seqAtMost(seq, tcb.rttSeq)) {
      if (sackRecovers(tcb) && seqAtMost(end, tcb.rttSeq)) tcb.flags |= TcbFlag.TIMING_BY_SACK;
      else tcb.flags &= ~TcbFlag.TIMING;
    }
  } else if ((tcb.flags & TcbFlag.TIMING) == 0 && !probe) {
    const flags = tcb.flags | TcbFlag.TIMING;
    tcb.flags = TCP_SACK ? flags & ~TcbFlag.TIMING_BY_SACK : flags;
    tcb.rttSeq = seq;
    tcb.rttStart = <u16>now();
  }
  if (probe) {
    tcb.sndMax = seqMax(tcb.sndMax, end);
    return;
  }
  if (seqLess(tcb.sndNxt, end)) tcb.sndNxt = end;
  tcb.sndMax = seqMax(tcb.sndMax, end);
  if (((<u32>tcb.armed) & TcbTimer.RETRANSMIT) == 0 || (tcb.flags & TcbFlag.PERSIST) != 0) {
    tcb.flags &= ~TcbFlag.PERSIST;
    retransmissionStart(tcb);
  } else if (again && tcb.sndUna == seq && timerCountsAnew(tcb)) {
    // A round trip has passed until the loss was seen, and the answer takes another: the timeout counts from now.
    retransmissionStart(tcb);
  } else if (!again && sackRecovers(tcb)) {
    probeStart(tcb);
  }
}
