import { based } from "cpu";
import {
  TCP_CONNECT,
  TCP_ECN,
  TCP_KEEPALIVE,
  TCP_PRR,
  TCP_RACK,
  TCP_SACK,
  TCP_SPURIOUS,
  TCP_TIMESTAMPS,
  TCP_URGENT,
} from "../config";
import { now } from "../now";
import { POLLOUT } from "../posix";
import { ready } from "../readiness";
import { Counter, count } from "../statistics";
import {
  congestionInit,
  congestionOnAck,
  congestionOnDuplicate,
  congestionOnRepair,
  congestionOpen,
  congestionReduce,
} from "./congestion";
import { Tcb, TcbFlag, TcbTimer, TcpState } from "./connection";
import { ecnAcknowledged, ecnReduced } from "./ecn";
import { patienceProgress } from "./patience";
import { enterTimeWait, limitLife, tcbClose } from "./lifecycle";
import { mssRaise } from "./path-mtu";
import { pendingAdd } from "./pending";
import { RTO_AFTER_SYN_LOSS_MS, rtoConfirms, rtoSample } from "./rto";
import { rackDuplicate } from "./rack";
import { sackAdvance, sackDelivered, sackOfDuplicate, sackSkip, sackTake } from "./sack";
import { SEGMENT, Segment, TCP_HEADER_BYTES, TIMESTAMP_BYTES, TcpBit } from "./segment";
import { sendQueueAcknowledge } from "./send-queue";
import { seqAtMost, seqLess } from "./sequence";
import { spuriousAct, spuriousDuplicate, spuriousJudge, spuriousReport } from "./spurious";
import { retransmissionStart } from "./tail-loss";
import { timerStop } from "./timers";
import { timestampNow, timestampsUsed } from "./timestamps";
import { urgentAcknowledged } from "./urgent";

/** The handshake of a connection that we opened is done. */
export function established(tcb: Tcb): void {
  tcb.state = <u8>TcpState.ESTABLISHED;
  tcb.retries = 0;
  congestionInit(tcb);
  if ((tcb.flags & TcbFlag.SYN_RETRANSMITTED) != 0) tcb.rto = <u16>RTO_AFTER_SYN_LOSS_MS;
  // An application that shut down its sending side while the connection was being opened.
  if ((tcb.flags & TcbFlag.FIN_QUEUED) != 0) tcb.state = <u8>TcpState.FIN_WAIT_1;
  if (tcb.socket != 0) ready(<u32>tcb.socket - 1, POLLOUT);
  pendingAdd(tcb);
}

/** Takes over the peer's window (RFC 9293 3.10.7.4, fifth step), whatever came before. */
export function noteWindow(tcb: Tcb, window: u32, seq: u32): void {
  tcb.sndWnd = window;
  tcb.sndWl1 = seq;
  if (window > tcb.maxSndWnd) tcb.maxSndWnd = window;
}

/**
 * The ACK field of an acceptable segment (RFC 9293 3.10.7.4, fifth step; RFC 5681; RFC 6582). False when the connection is
 * gone or was handed over, so that nothing more may be done with the TCB.
 */
export function acknowledge(tcb: Tcb, segment: Segment): bool {
  if (TCP_CONNECT && tcb.state == TcpState.SYN_RECEIVED) openedSimultaneously(tcb, segment);
  const ack = segment.ack;
  const sacks = TCP_SACK && (tcb.flags & TcbFlag.SACK_PERMITTED) != 0;
  let news: bool = false;
  if (sacks) {
    if (!hasPlainOptions(tcb, segment)) news = reportTake(tcb, segment);
    else if (TCP_RACK && (tcb.sacked != 0 || (tcb.flags & TcbFlag.RECOVERY) != 0)) {
      deliveredTo(tcb, ack);
    }
  }
  const advances = seqLess(tcb.sndUna, ack);
  if (advances) {
    const doubtful = tcb.retries != 0 || (tcb.flags & (TcbFlag.RECOVERY | TcbFlag.PROBED)) != 0;
    const late = TCP_SPURIOUS && doubtful;
    if (!(late ? advanceLate(tcb, segment, ack) : advance(tcb, segment, ack))) return false;
    if ((news || TCP_RACK) && tcb.sacked != 0) lossFound(tcb, false);
  } else if (ack == tcb.sndUna && (sacks ? news : isDuplicate(tcb, segment))) {
    if (TCP_SPURIOUS && (tcb.flags & TcbFlag.PROBED) != 0) spuriousReport(tcb);
    lossFound(tcb, true);
  } else if (
    TCP_SACK &&
    ack == tcb.highRxt &&
    segment.textBytes == 0 &&
    segment.window == tcb.sndWnd
  ) {
    // Both copies of a probe have come to a peer that does not report duplicates.
    tcb.flags &= ~TcbFlag.PROBED_AGAIN;
  }
  if (TCP_PRR && (tcb.flags & TcbFlag.RECOVERY) != 0) congestionReduce(tcb, advances);
  // RFC 9293 SEG-10: not from a segment older than the one that told the present window.
  // Nor from one that acknowledges less than we know of (3.10.7.4: "if SND.UNA =< SEG.ACK =< SND.NXT").
  if (!seqAtMost(tcb.sndUna, ack)) return true;
  if (TCP_ECN) ecnAcknowledged(tcb, segment);
  // What acknowledges more is the latest that the peer has sent, though it be old text sent again: the window, which counts from
  // SND.UNA, would otherwise move on with it, past the edge that the peer has told.
  // SND.WL2 is not kept: it never lies beyond SND.UNA, which this acknowledges at least.
  if (advances || seqAtMost(tcb.sndWl1, segment.seq)) windowUpdate(tcb, segment);
  return true;
}

/** What lies below `ack` has arrived, before all that is reported with it (RFC 8985 6.2: in ascending order). */
function deliveredTo(tcb: Tcb, ack: u32): void {
  if (seqLess(tcb.sndUna, ack)) sackDelivered(tcb, tcb.sndUna, ack);
}

/** What has to be looked at with more care than in `acknowledgePlain`. */
const SPECIAL: u32 =
  TcbFlag.RECOVERY |
  TcbFlag.PERSIST |
  TcbFlag.FIN_SENT |
  TcbFlag.URGENT_OUT |
  TcbFlag.RETRANSMIT_HEAD |
  TcbFlag.TIMING_BY_SACK |
  TcbFlag.PROBE |
  TcbFlag.PROBED |
  TcbFlag.PROBED_AGAIN;

/** True when a segment has no options but timestamps, if both ends send these. */
export function hasPlainOptions(tcb: Tcb, segment: Segment): bool {
  const stamps = timestampsUsed(tcb) ? TIMESTAMP_BYTES : 0;
  return segment.headerBytes == TCP_HEADER_BYTES + stamps;
}

/**
 * `acknowledge` where all is plain: a segment without other options than timestamps acknowledges new text of a connection in state
 * ESTABLISHED, and nothing has been lost. There is room to send more, which the caller tells the application with what else he has to tell. False = nothing
 * has happened, the general way is to be gone, which remains the truth.
 */
export function acknowledgePlain(tcb: Tcb, ack: u32, window: u32, seq: u32): bool {
  const acked = ack - tcb.sndUna;
  if (TCP_ECN || (tcb.flags & SPECIAL) != 0) return false;
  if (<i32>acked <= 0) return false;
  // After a timeout it may be an answer that was only late.
  if ((tcb.sacked | tcb.retries) != 0) return false;
  if ((tcb.flags & TcbFlag.TIMING) != 0) {
    if (seqLess(tcb.rttSeq, ack)) takeSample(tcb);
  } else if (timestampsUsed(tcb)) {
    sampleByTimestamp(tcb, SEGMENT);
  }
  congestionOpen(tcb, ack, acked);
  sendQueueAcknowledge(tcb, acked);
  tcb.sndUna = ack;
  if (seqLess(tcb.sndNxt, ack)) tcb.sndNxt = ack;
  tcb.softError = 0;
  if (TCP_KEEPALIVE) patienceProgress(tcb);
  if (tcb.sndMax == ack) timerStop(tcb, TcbTimer.RETRANSMIT);
  else retransmissionStart(tcb);
  // What is not open any more is not plain, so without text there is nothing to be sent, and it has its socket or waits for it.
  if (tcb.queued != 0) pendingAdd(tcb);
  noteWindow(tcb, window, seq);
  return true;
}

/** `acknowledge` for a segment at RCV.NXT that was not parsed: no control bit but ACK, no other option than timestamps. */
export function acknowledgeAny(tcb: Tcb, ack: u32, window: u32, textBytes: u32): bool {
  const segment = changetype<Segment>(based(changetype<usize>(SEGMENT)));
  const stamped = timestampsUsed(tcb);
  if (TCP_TIMESTAMPS) segment.stamped = stamped;
  segment.seq = tcb.rcvNxt;
  segment.ack = ack;
  segment.bits = TcpBit.ACK;
  segment.window = window;
  segment.textBytes = textBytes;
  segment.headerBytes = stamped ? TCP_HEADER_BYTES + TIMESTAMP_BYTES : TCP_HEADER_BYTES;
  return acknowledge(tcb, segment);
}

/** The segment has options besides timestamps: what the peer reports. True when something new is there. */
function reportTake(tcb: Tcb, segment: Segment): bool {
  if (TCP_RACK) deliveredTo(tcb, segment.ack);
  const news = sackTake(tcb, segment);
  if (news) sampleBySack(tcb);
  // The last segment sent again as a probe comes twice when only its acknowledgment was lost (RFC 8985 7.4): no reordering.
  if (sackOfDuplicate(segment)) {
    tcb.flags &= ~TcbFlag.PROBED_AGAIN;
    if (TCP_RACK && (tcb.flags & TcbFlag.PROBED) == 0) rackDuplicate(tcb, segment.ack);
    if (TCP_SPURIOUS) spuriousDuplicate(tcb, segment);
  }
  return news;
}

/** Something tells of a hole at SND.UNA: a duplicate acknowledgment, or (not `counts`) new ranges above it, or a time that has passed. */
export function lossFound(tcb: Tcb, counts: bool): void {
  if (congestionOnDuplicate(tcb, counts)) {
    count(Counter.TCP_FAST_RETRANSMIT);
    tcb.flags |= TcbFlag.RETRANSMIT_HEAD;
    if (TCP_ECN) ecnReduced(tcb);
  }
  pendingAdd(tcb);
}

function openedSimultaneously(tcb: Tcb, segment: Segment): void {
  timerStop(tcb, TcbTimer.RETRANSMIT);
  tcb.flags &= ~TcbFlag.TIMING;
  // The SYN is acknowledged here; the advance below starts at the first byte of text.
  tcb.sndUna += 1;
  if (seqLess(tcb.sndNxt, tcb.sndUna)) tcb.sndNxt = tcb.sndUna;
  noteWindow(tcb, segment.window, segment.seq);
  established(tcb);
}

/** CC-6 (RFC 5681 2): data outstanding, no text, no SYN or FIN, the window unchanged. */
function isDuplicate(tcb: Tcb, segment: Segment): bool {
  return (
    tcb.sndMax != tcb.sndUna &&
    (tcb.flags & TcbFlag.PERSIST) == 0 &&
    segment.textBytes == 0 &&
    (segment.bits & (TcpBit.SYN | TcpBit.FIN)) == 0 &&
    segment.window == tcb.sndWnd
  );
}

/** The timed segment has arrived: a sample of the round trip. */
function takeSample(tcb: Tcb): void {
  tcb.flags &= ~TcbFlag.TIMING;
  const rttMs = <u32>(<u16>(now() - <u32>tcb.rttStart));
  if (!rtoConfirms(tcb, rttMs)) rtoSample(tcb, rttMs);
  mssRaise(tcb);
}

/**
 * A segment is there whatever is missing before it: the timed one, or the last one if it was never sent before. Without these
 * samples a timeout that has backed off stays so as long as the first segment of each flight is lost.
 */
function sampleBySack(tcb: Tcb): void {
  if ((tcb.flags & TcbFlag.TIMING) != 0 && sackSkip(tcb, tcb.rttSeq) != tcb.rttSeq) {
    takeSample(tcb);
  } else if (
    (tcb.flags & TcbFlag.LAST_IS_NEW) != 0 &&
    sackSkip(tcb, tcb.sndMax - 1) == tcb.sndMax
  ) {
    tcb.flags &= ~TcbFlag.LAST_IS_NEW;
    rtoSample(tcb, now() - tcb.lastSent);
  }
}

/**
 * Nothing is being timed, as it was sent again: the echo tells which copy was acknowledged (RFC 7323 4: only where text is). One
 * that is older than what was sent last says little: the acknowledgment of an earlier copy may have been lost, and the peer
 * repeats its echo (RFC 7323 5.3 R2 before R3).
 */
function sampleByTimestamp(tcb: Tcb, segment: Segment): void {
  const roundTripMs = timestampNow(tcb) - segment.tsEcr;
  if (segment.tsEcr == 0 || roundTripMs > now() - tcb.lastSent) return;
  rtoSample(tcb, roundTripMs);
  mssRaise(tcb);
}

/** Something is acknowledged after a timeout or in a recovery: perhaps nothing was lost. */
function advanceLate(tcb: Tcb, segment: Segment, ack: u32): bool {
  const acked = ack - tcb.sndUna;
  const verdict = spuriousJudge(tcb, segment, ack);
  if (!advance(tcb, segment, ack)) return false;
  spuriousAct(tcb, segment, verdict, acked);
  return true;
}

/** New data is acknowledged up to `ack`. */
function advance(tcb: Tcb, segment: Segment, ack: u32): bool {
  const acked = ack - tcb.sndUna;
  if ((tcb.flags & TcbFlag.TIMING) != 0 && seqLess(tcb.rttSeq, ack)) {
    if (!TCP_SACK || (tcb.flags & TcbFlag.TIMING_BY_SACK) == 0) takeSample(tcb);
    tcb.flags &= ~TcbFlag.TIMING;
  } else if (timestampsUsed(tcb) && (tcb.flags & TcbFlag.TIMING) == 0 && segment.stamped) {
    sampleByTimestamp(tcb, segment);
  }
  if (TCP_SACK && (tcb.flags & TcbFlag.PROBED_AGAIN) != 0 && seqLess(tcb.highRxt, ack)) {
    congestionOnRepair(tcb);
  }
  const partial = congestionOnAck(tcb, ack, acked);
  // RFC 6582 3.2 step 3: only the first partial acknowledgment of a recovery restarts the timer.
  const restart = !partial || (tcb.flags & TcbFlag.PARTIAL) == 0;
  if (partial) tcb.flags |= TcbFlag.RETRANSMIT_HEAD | TcbFlag.PARTIAL;
  const finAcked = (tcb.flags & TcbFlag.FIN_SENT) != 0 && acked == tcb.queued + 1;
  sendQueueAcknowledge(tcb, finAcked ? acked - 1 : acked);
  if (TCP_URGENT && (tcb.flags & TcbFlag.URGENT_OUT) != 0) urgentAcknowledged(tcb, ack);
  if (TCP_SACK && tcb.sacked != 0) sackAdvance(tcb, ack);
  tcb.sndUna = ack;
  if (seqLess(tcb.sndNxt, ack)) tcb.sndNxt = ack;
  tcb.retries = 0;
  tcb.softError = 0;
  if (TCP_KEEPALIVE) patienceProgress(tcb);
  if (tcb.sndMax == ack) {
    timerStop(tcb, TcbTimer.RETRANSMIT);
    tcb.flags &= ~(TcbFlag.PERSIST | TcbFlag.RETRANSMIT_HEAD | TcbFlag.PROBE | TcbFlag.PROBED);
  } else if (restart) {
    if (TCP_SACK) tcb.flags &= ~TcbFlag.PROBED;
    retransmissionStart(tcb);
  }
  pendingAdd(tcb);
  if (tcb.socket != 0) ready(<u32>tcb.socket - 1, POLLOUT);
  else if (tcb.listener == 0) limitLife(tcb);
  return !finAcked || finAcknowledged(tcb);
}

/** Our FIN is acknowledged. */
function finAcknowledged(tcb: Tcb): bool {
  const state = <u32>tcb.state;
  if (state == TcpState.FIN_WAIT_1) {
    tcb.state = <u8>TcpState.FIN_WAIT_2;
    // The rest of the segment still counts: a FIN in it ends the connection at once. An orphan's life has begun anew with the progress
    // (`advance`): FIN_WAIT_2_MS is ORPHAN_MS.
    return true;
  }
  if (state == TcpState.CLOSING) {
    enterTimeWait(tcb);
    return false;
  }
  if (state == TcpState.LAST_ACK) {
    tcbClose(tcb);
    return false;
  }
  return true;
}

function windowUpdate(tcb: Tcb, segment: Segment): void {
  const before = tcb.sndWnd;
  noteWindow(tcb, segment.window, segment.seq);
  // An answered probe keeps the connection, however long the window stays shut (MUST-37); but it delivers nothing, and an application that
  // has set TCP_USER_TIMEOUT wants no more patience than that.
  if ((tcb.flags & TcbFlag.PERSIST) != 0) {
    tcb.retries = 0;
    if (tcb.sndWnd != 0) {
      if (TCP_KEEPALIVE) patienceProgress(tcb);
      tcb.flags &= ~TcbFlag.PERSIST;
      timerStop(tcb, TcbTimer.RETRANSMIT);
      tcb.sndNxt = tcb.sndUna;
      pendingAdd(tcb);
    }
  }
  if (tcb.sndWnd > before) pendingAdd(tcb);
}
