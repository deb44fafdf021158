import { now } from "../now";
import { congestionRestore } from "./congestion";
import { Tcb, TcbFlag } from "./connection";
import { Doubt, cutBefore, cutBegin, cutForget, cutOf } from "./cut";
import { RTO_MAX_MS, rtoBegin } from "./rto";
import { duplicateLeft, duplicateRight, sackOfDuplicate, sackRecovers, sackedBeyond } from "./sack";
import { Segment } from "./segment";
import { seqAtMost, seqLess } from "./sequence";
import { timestampNow, timestampsUsed } from "./timestamps";

/**
 * Losses that were none: the answer was only late, or the segment was overtaken. They are found by timestamps (Eifel, RFC 3522), after
 * a timeout without these by what arrives next (F-RTO, RFC 5682 3.1), and in the end by the report that all of what was sent again came
 * twice (RFC 3708); and taken back (RFC 4015). Without it all of a flight would be sent again, and the window stay cut.
 */

/** A timeout is about to cut the window. Where a loss was known already all has to be sent again, late answer or not. */
export function spuriousNote(tcb: Tcb, before: u32): void {
  const known = tcb.sacked != 0 || (tcb.flags & TcbFlag.RECOVERY) != 0;
  if (known || !sackRecovers(tcb)) {
    cutForget(tcb);
    return;
  }
  // "If the retransmission timer expires again" or in a recovery by it (RFC 5682 3.1 step 1): by duplicates alone.
  const again = seqLess(tcb.sndUna, tcb.recover);
  cutBegin(tcb, before, again ? Doubt.DUPLICATES : Doubt.TIMEOUT);
}

/**
 * True when `segment`, the first that acknowledges something after text was sent again, answers what was sent before it: "If the value
 * of the Timestamp Echo Reply field of the acceptable ACK's Timestamps option is smaller than the value of RetransmitTS" (RFC 3522 3.2
 * step 5). Where the peer reports it as a duplicate no answer was late, all were lost on their way, and the echo repeated (RFC 7323 5.3
 * R2 before R3). A second timeout in a row is believed.
 */
function answersEarlier(tcb: Tcb, segment: Segment): bool {
  if (!timestampsUsed(tcb) || !segment.stamped || segment.tsEcr == 0) return false;
  const cut = cutOf(tcb);
  if (cut.doubt != Doubt.RECOVERY && cut.doubt != Doubt.TIMEOUT) return false;
  if (cut.bytes == 0 || (tcb.flags & TcbFlag.PERSIST) != 0 || sackOfDuplicate(segment))
    return false;
  const roundTripMs = timestampNow(tcb) - segment.tsEcr;
  return roundTripMs <= RTO_MAX_MS << 1 && roundTripMs > <u32>(<u16>(now() - <u32>cut.sentMs));
}

/** What an acknowledgment that advances says of the cut, before it is taken. */
export const enum Verdict {
  NOTHING = 0,
  SPURIOUS = 1,
  /** It acknowledges more than was sent before the timeout (RFC 5682 3.1 steps 2a, 3a). */
  BEYOND = 2,
}

/** Judges the segment, which advances to `ack`. */
export function spuriousJudge(tcb: Tcb, segment: Segment, ack: u32): Verdict {
  const cut = cutOf(tcb);
  if (cut.doubt == Doubt.NONE || !seqLess(cut.from, ack)) return Verdict.NOTHING;
  if (answersEarlier(tcb, segment)) return Verdict.SPURIOUS;
  if (cut.doubt == Doubt.PROBING) {
    return seqLess(tcb.recover, ack) ? Verdict.BEYOND : Verdict.SPURIOUS;
  }
  return cut.doubt == Doubt.TIMEOUT && seqAtMost(tcb.recover, ack)
    ? Verdict.BEYOND
    : Verdict.NOTHING;
}

/** `acked` bytes are acknowledged, SND.UNA is behind them: does what was judged. */
export function spuriousAct(tcb: Tcb, segment: Segment, verdict: Verdict, acked: u32): void {
  const cut = cutOf(tcb);
  if (verdict == Verdict.SPURIOUS) {
    const timeout = cut.doubt == Doubt.TIMEOUT;
    takeBack(tcb, acked);
    // "SRTT <- R" (RFC 4015 3.2 step 7).
    if (timeout) rtoBegin(tcb, timestampNow(tcb) - segment.tsEcr);
  } else if (cut.doubt == Doubt.PROBING) {
    sendAgain(tcb);
  } else if (cut.doubt == Doubt.TIMEOUT && verdict == Verdict.NOTHING) {
    probe(tcb);
  } else if (cut.doubt != Doubt.NONE) {
    cut.doubt = <u16>Doubt.DUPLICATES;
  }
}

/** F-RTO step 2b: two new segments instead of those that the timeout would send again, if there is new text and room for it. */
function probe(tcb: Tcb): void {
  const cut = cutOf(tcb);
  const sent = tcb.sndMax - tcb.sndUna;
  cut.doubt = <u16>Doubt.DUPLICATES;
  if (timestampsUsed(tcb) || sent >= tcb.queued || sent >= tcb.sndWnd) return;
  cut.doubt = <u16>Doubt.PROBING;
  tcb.sndNxt = tcb.sndMax;
  tcb.cwnd = sent + 2 * <u32>tcb.sndMss;
  // No tail loss probe meanwhile: these are probes.
  tcb.flags |= TcbFlag.PROBED;
}

/** F-RTO step 3a: what was sent before the timeout is lost, and the window "no more than 3*MSS". */
function sendAgain(tcb: Tcb): void {
  cutOf(tcb).doubt = <u16>Doubt.DUPLICATES;
  tcb.sndNxt = tcb.sndUna;
  tcb.cwnd = 3 * <u32>tcb.sndMss;
  tcb.flags &= ~TcbFlag.PROBED;
}

/** F-RTO step 3 when the next that comes acknowledges nothing, but reports something new. */
export function spuriousReport(tcb: Tcb): void {
  if (cutOf(tcb).doubt != Doubt.PROBING) return;
  if (sackedBeyond(tcb, tcb.recover)) sendAgain(tcb);
  else takeBack(tcb, 0);
}

/**
 * The peer reports a duplicate: when all of what was sent again has come twice nothing was lost. After a timeout all of the flight must
 * have come, too: the answers may have been lost as well as what followed.
 */
export function spuriousDuplicate(tcb: Tcb, segment: Segment): void {
  const cut = cutOf(tcb);
  const left = duplicateLeft(segment);
  const right = duplicateRight(segment);
  if (cut.doubt == Doubt.NONE || seqLess(left, cut.from) || seqLess(cut.to, right)) return;
  const bytes = right - left;
  if (bytes < <u32>cut.bytes) cut.bytes -= <u16>bytes;
  else if (cut.bytes != 0 && arrived(tcb, segment.ack)) takeBack(tcb, bytes);
}

function arrived(tcb: Tcb, ack: u32): bool {
  return (tcb.flags & TcbFlag.RECOVERY) != 0 || seqAtMost(tcb.recover, ack);
}

/** Takes the cut back (RFC 4015 3.2, steps 5, 6 and 8). */
function takeBack(tcb: Tcb, acked: u32): void {
  tcb.sndNxt = tcb.sndMax;
  congestionRestore(tcb, acked, cutBefore(cutOf(tcb)));
  cutForget(tcb);
}
