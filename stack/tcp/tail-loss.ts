import { TCP_SACK } from "../config";
import { now } from "../now";
import { Counter, count } from "../statistics";
import { Tcb, TcbFlag } from "./connection";
import { pendingAdd } from "./pending";
import { sackRecovers } from "./sack";
import { retransmissionTimerStart, timeoutStart } from "./timers";

/**
 * Tail loss probes (RFC 8985 7): when the last segments of a flight are lost no duplicates tell of it. Some time before the
 * retransmission timeout one more segment is sent, new text or the last one again; its acknowledgment brings the SACKs that
 * show the holes.
 */

/** What a peer may take for the acknowledgment of a lone segment (TLP.max_ack_delay), ms. */
const ACK_DELAY_MS: u32 = 200;
/** Before the first round trip is known. */
const PROBE_FIRST_MS: u32 = 1000;
/**
 * Added to twice the round trip: two turns of the millisecond clock, by which a round trip and a deadline are known. Without it a probe comes
 * too early where round trips are a few turns, and what has swallowed the flight, some milliseconds of noise, swallows the probe, too.
 */
const CLOCK_TURNS_MS: u32 = 2;

const EXCLUDED: u32 = TcbFlag.RECOVERY | TcbFlag.PROBED | TcbFlag.PERSIST | TcbFlag.RETRANSMIT_HEAD;

/** Something is in flight: starts the retransmission timer, for a probe first if that comes sooner. */
export function retransmissionStart(tcb: Tcb): void {
  if (TCP_SACK) tcb.flags &= ~(TcbFlag.PROBE_TIMER | TcbFlag.REORDER_TIMER);
  timeoutStart(tcb);
  if (sackRecovers(tcb)) probeStart(tcb);
}

/**
 * New text was sent: the time of a probe counts from it, while that is sooner than the timeout (RFC 8985 7.2: "If Now() + PTO >
 * TCP_RTO_expiration()"), which new text does not put off (RFC 6298 5.1).
 */
export function probeStart(tcb: Tcb): void {
  if ((tcb.flags & EXCLUDED) != 0 || tcb.sacked != 0 || tcb.retries != 0) return;
  // Twice the smoothed round trip, which is kept times eight.
  let probeMs = tcb.srtt == 0 ? PROBE_FIRST_MS : (tcb.srtt >>> 2) + CLOCK_TURNS_MS;
  if (tcb.sndMax - tcb.sndUna <= <u32>tcb.sndMss) probeMs += ACK_DELAY_MS;
  if ((tcb.flags & TcbFlag.PROBE_TIMER) != 0) {
    probeMs = min<u32>(probeMs, untilTimeout(tcb));
  } else {
    if (<i32>(tcb.rexmtDue - now()) <= <i32>probeMs) return;
    tcb.flags |= TcbFlag.PROBE_TIMER;
  }
  retransmissionTimerStart(tcb, probeMs);
}

/**
 * While the timer runs for a probe the deadline of the timeout is not kept: it is that of the segment that is being timed, or a little later,
 * and there is one, as nothing has been sent again.
 */
function untilTimeout(tcb: Tcb): u32 {
  const rto = <u32>tcb.rto;
  if ((tcb.flags & TcbFlag.TIMING) == 0) return rto;
  const passedMs = <u32>(<u16>(now() - <u32>tcb.rttStart));
  return passedMs < rto ? rto - passedMs : 0;
}

/** A probe has sent again what ends at `end` (TLP.end_seq, TLP.is_retrans). */
export function probedAgain(tcb: Tcb, end: u32): void {
  tcb.flags |= TcbFlag.PROBED_AGAIN;
  tcb.highRxt = end;
}

/** The retransmission timer came due: true when it ran for what this flag stands for, and text is in flight. The timeout runs from then on. */
export function sooner(tcb: Tcb, timer: TcbFlag): bool {
  if ((tcb.flags & timer) == 0) return false;
  tcb.flags &= ~timer;
  if (tcb.sndMax == tcb.sndUna || (tcb.flags & TcbFlag.PERSIST) != 0) return false;
  timeoutStart(tcb);
  return true;
}

/** The same, and a probe is sent, as that is what it ran for. */
export function probeDue(tcb: Tcb): bool {
  if (!sooner(tcb, TcbFlag.PROBE_TIMER)) return false;
  tcb.flags |= TcbFlag.PROBE | TcbFlag.PROBED;
  count(Counter.TCP_TAIL_PROBE);
  pendingAdd(tcb);
  return true;
}
