import { now } from "../now";
import { Tcb, TcbFlag } from "./connection";
import { sackHoleEnd, sackSkip, sackedBytes } from "./sack";
import {
  NO_RTT,
  SendTimes,
  TimesBit,
  runAt,
  runIsAgain,
  runSentMs,
  runsBegin,
  sentBefore,
  timesOf,
} from "./send-times";
import { seqAtMost, seqLess, seqMin } from "./sequence";
import { sooner } from "./tail-loss";
import { retransmissionTimerStart } from "./timers";

/**
 * Recent acknowledgment (RACK, RFC 8985): a segment is lost when one that was sent some time after it has arrived. So a
 * retransmission that is lost, too, is found by the next one that is not, and segments that only change places on the way are
 * not sent again: the time grants them a part of the shortest round trip, more when duplicates show that it was too little.
 */

/** Recoveries for which a widened window is kept (RACK.reo_wnd_persist). */
const PERSIST: u32 = 16;
const MULT_MAX: u32 = 255;
/** Shortest window, ms: two turns of the millisecond clock. */
const WINDOW_MIN_MS: u32 = 2;

/** RACK.reo_wnd in milliseconds (RACK_update_reo_wnd, RFC 8985 6.2 step 4). */
function reorderingWindow(tcb: Tcb, times: SendTimes, threshold: u32): u32 {
  if (((<u32>times.bits) & TimesBit.REORDERING) == 0) {
    if ((tcb.flags & TcbFlag.RECOVERY) != 0) return 0;
    if (<u32>tcb.sacked >= threshold) return 0;
    if (sackedBytes(tcb) > (threshold - 1) * <u32>tcb.sndMss) return 0;
  }
  const srttMs = tcb.srtt >>> 3;
  const shortest = <u32>times.minRttMs == NO_RTT ? srttMs : <u32>times.minRttMs;
  return max<u32>(min<u32>((<u32>times.mult * shortest) >>> 2, srttMs), WINDOW_MIN_MS);
}

/** A piece of the flight that the peer does not have, from `pieceLeft` to `pieceEnd`, all sent at once; 0 = there is none. */
let pieceLeft: u32 = 0;
let pieceEnd: u32 = 0;
let pieceSentMs: u32 = 0;
let pieceAgain: bool = false;

/** Finds the next piece from `seq` on. False at the end of the flight. */
function pieceFrom(tcb: Tcb, times: SendTimes, seq: u32): bool {
  seq = sackSkip(tcb, seq);
  if (!seqLess(seq, tcb.sndMax)) return false;
  let at = runsBegin(times);
  for (let index: u32 = 0; index < <u32>times.runs; index++) {
    const run = runAt(times, index);
    at += <u32>run.bytes;
    if (seqAtMost(at, seq)) continue;
    pieceLeft = seq;
    pieceEnd = seqMin(sackHoleEnd(tcb, seq), at);
    pieceSentMs = runSentMs(run);
    pieceAgain = runIsAgain(run);
    return true;
  }
  return false;
}

/** How long until the piece is lost, ms: 0 = it is; -1 = nothing tells of it (RACK_detect_loss, RFC 8985 6.2 step 5). */
function untilLost(times: SendTimes, windowMs: u32): i32 {
  if (!sentBefore(times, pieceSentMs, pieceAgain, pieceEnd)) return -1;
  const passedMs = now() - pieceSentMs;
  const neededMs = <u32>times.rttMs + windowMs;
  return passedMs >= neededMs ? 0 : <i32>(neededMs - passedMs);
}

/** True when the segment at `seq`, in flight, is lost. */
export function rackLost(tcb: Tcb, seq: u32, threshold: u32): bool {
  const times = timesOf(tcb);
  if (!pieceFrom(tcb, times, seq) || pieceLeft != seq) return false;
  return untilLost(times, reorderingWindow(tcb, times, threshold)) == 0;
}

/** The first text that is lost; SND.MAX when none is. `rackLostEnd` tells how far it goes. */
export function rackNextLost(tcb: Tcb, threshold: u32): u32 {
  const times = timesOf(tcb);
  const windowMs = reorderingWindow(tcb, times, threshold);
  for (let seq = tcb.sndUna; pieceFrom(tcb, times, seq); seq = pieceEnd) {
    if (untilLost(times, windowMs) == 0) return pieceLeft;
  }
  return tcb.sndMax;
}

/** True when what was found lost last, or looked at by `rackLost`, had been sent again since the window was cut. */
export function rackLostAgain(tcb: Tcb): bool {
  return pieceAgain && <i32>(pieceSentMs - timesOf(tcb).cutMs) >= 0;
}

/** The window is cut. */
export function rackCut(tcb: Tcb): void {
  timesOf(tcb).cutMs = now();
}

/** End of what `rackNextLost` has found. */
export function rackLostEnd(): u32 {
  return pieceEnd;
}

/** Bytes that are thought to be on the way: neither lost nor arrived. */
export function rackPipe(tcb: Tcb, threshold: u32): u32 {
  const times = timesOf(tcb);
  const windowMs = reorderingWindow(tcb, times, threshold);
  let pipe: u32 = 0;
  for (let seq = tcb.sndUna; pieceFrom(tcb, times, seq); seq = pieceEnd) {
    if (untilLost(times, windowMs) != 0) pipe += pieceEnd - pieceLeft;
  }
  return pipe;
}

/**
 * Something has arrived and may show that something else is lost, but not yet: the timer of retransmissions comes due when it is
 * (the reordering timer, RFC 8985 6.2 step 5).
 */
export function rackWait(tcb: Tcb, threshold: u32): void {
  const times = timesOf(tcb);
  const windowMs = reorderingWindow(tcb, times, threshold);
  let waitMs: i32 = 0;
  for (let seq = tcb.sndUna; pieceFrom(tcb, times, seq); seq = pieceEnd) {
    waitMs = max<i32>(waitMs, untilLost(times, windowMs));
  }
  if (waitMs == 0) return;
  // A probe is for a flight of which nothing has arrived (RFC 8985 7.2: "no SACKed sequences"): this is sooner than the timeout then.
  const waits = (tcb.flags & (TcbFlag.REORDER_TIMER | TcbFlag.PROBE_TIMER)) != 0;
  if (!waits && <i32>(tcb.rexmtDue - now()) <= waitMs) return;
  tcb.flags = (tcb.flags | TcbFlag.REORDER_TIMER) & ~TcbFlag.PROBE_TIMER;
  retransmissionTimerStart(tcb, <u32>waitMs);
}

/** The timer of retransmissions came due: true when it was for this. The timeout runs from then on. */
export function rackDue(tcb: Tcb): bool {
  return sooner(tcb, TcbFlag.REORDER_TIMER);
}

/** The peer has reported a duplicate, and has all before `ack`: the window was too short. It widens once in a round trip (RFC 8985 6.2 step 4). */
export function rackDuplicate(tcb: Tcb, ack: u32): void {
  const times = timesOf(tcb);
  const known = ((<u32>times.bits) & TimesBit.ROUND) != 0;
  if (known && seqLess(tcb.sndUna, times.dsackRound)) return;
  times.bits |= <u8>TimesBit.ROUND;
  times.dsackRound = tcb.sndMax;
  times.mult = <u8>min<u32>(<u32>times.mult + 1, MULT_MAX);
  // The recovery that ends with this very acknowledgment was not one without a duplicate.
  const ends = (tcb.flags & TcbFlag.RECOVERY) != 0 && seqAtMost(tcb.recover, ack);
  times.persist = <u8>(ends ? PERSIST + 1 : PERSIST);
}

/** A recovery is over: after sixteen without a duplicate the window is as at first. */
export function rackRecovered(tcb: Tcb): void {
  const times = timesOf(tcb);
  if (times.persist != 0) times.persist -= 1;
  if (times.persist == 0) times.mult = 1;
}
