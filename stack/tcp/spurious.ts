import { TCP_SPURIOUS } from "../config";
import { now } from "../now";
import { congestionRestore } from "./congestion";
import { Tcb, TcbFlag } from "./connection";
import { RTO_MAX_MS, rtoBegin } from "./rto";
import { sackOfDuplicate, sackRecovers } from "./sack";
import { Segment } from "./segment";
import { timestampNow, timestampsUsed } from "./timestamps";

/**
 * Timeouts that were none: the answer was only late (Eifel: RFC 3522 finds them by timestamps, RFC 4015 takes them back). Without
 * it all of the flight would be sent again, and the window stay cut.
 */

/**
 * A timeout is about to cut the window: what it was is kept where nothing is being timed. Where a loss was known already all has to
 * be sent again, late answer or not: 0.
 */
export function spuriousNote(tcb: Tcb): void {
  const known = tcb.sacked != 0 || (tcb.flags & TcbFlag.RECOVERY) != 0;
  tcb.rttSeq = known ? 0 : tcb.ssthresh;
}

/**
 * True when `segment`, the first that acknowledges something after a timeout, answers what was sent before it: "If the value of the
 * Timestamp Echo Reply field of the acceptable ACK's Timestamps option is smaller than the value of RetransmitTS" (RFC 3522 3.2
 * step 5). The repetition was the last to be sent. Where the peer reports it as a duplicate no answer was late, all were lost on their
 * way, and the echo repeated (RFC 7323 5.3 R2 before R3). A second timeout in a row is believed.
 */
export function spuriousTimeout(tcb: Tcb, segment: Segment): bool {
  if (!TCP_SPURIOUS || tcb.retries != 1 || !timestampsUsed(tcb) || !segment.stamped) return false;
  if ((tcb.flags & (TcbFlag.TIMING | TcbFlag.PERSIST)) != 0 || segment.tsEcr == 0) return false;
  if (tcb.rttSeq == 0 || !sackRecovers(tcb) || sackOfDuplicate(segment)) return false;
  const roundTripMs = timestampNow(tcb) - segment.tsEcr;
  return roundTripMs <= RTO_MAX_MS << 1 && roundTripMs > now() - tcb.lastSent;
}

/** Takes the timeout back (RFC 4015 3.2, steps 5 to 8); `acked` bytes are acknowledged, SND.UNA is behind them. */
export function spuriousUndo(tcb: Tcb, segment: Segment, acked: u32): void {
  tcb.sndNxt = tcb.sndMax;
  congestionRestore(tcb, acked, tcb.rttSeq);
  rtoBegin(tcb, timestampNow(tcb) - segment.tsEcr);
}
