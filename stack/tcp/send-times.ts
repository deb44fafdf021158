import { TCP_TCBS } from "../config";
import { now } from "../now";
import { Tcb } from "./connection";
import { seqAtMost, seqLess, seqMax, seqMin } from "./sequence";

/**
 * When what is in flight was sent (RFC 8985 5): a short list of runs, in order, each to the next one's beginning, with the time of
 * their sending and whether it was a repetition. What leaves in one millisecond is one run, so a flight has few. When the list is
 * full the two neighbours nearest in time become one, with the later time: a loss among them is seen later, never sooner.
 */

/** Runs of a connection; the ACK clock makes one for every second segment of 32 KB at most. */
const CAPACITY: u32 = 12;

/** Text up to `end`, sent at `stamp` (milliseconds times two; bit 0: it was sent before). */
@unmanaged
export class SendRun {
  end: u32;
  stamp: u32;
}

/** What RACK keeps of a connection (RFC 8985 5.2), beside the runs. */
@unmanaged
export class SendTimes {
  /** RACK.xmit_ts and RACK.end_seq: of what the peer has, the segment that was sent last. */
  xmitMs: u32;
  endSeq: u32;
  /** RACK.fack: the highest that the peer has. */
  fack: u32;
  /** RACK.dsack_round: until SND.UNA is there, further duplicates are of the same round trip. */
  dsackRound: u32;
  /** RACK.rtt and RACK.min_RTT, milliseconds. */
  rttMs: u16;
  minRttMs: u16;
  runs: u8;
  /** RACK.reo_wnd_mult, and RACK.reo_wnd_persist: recoveries until it is 1 again. */
  mult: u8;
  persist: u8;
  /** TimesBit bits. */
  bits: u8;
}

/** Bits of `SendTimes.bits`. */
export const enum TimesBit {
  /** RACK.reordering_seen. */
  REORDERING = 1,
  /** `dsackRound` is one. */
  ROUND = 2,
  /** Something was delivered: `xmitMs` and `endSeq` are so. */
  DELIVERED = 4,
}

/** No sample yet. */
export const NO_RTT: u32 = 0xffff;

const RECORD_BYTES: u32 = offsetof<SendTimes>() + CAPACITY * offsetof<SendRun>();

/** The record of a connection. */
export function timesOf(tcb: Tcb): SendTimes {
  // In the function, so that a build without RACK has no such table.
  const TIMES: usize = memory.data(TCP_TCBS * RECORD_BYTES, 4);
  return changetype<SendTimes>(TIMES + <u32>tcb.id * RECORD_BYTES);
}

/** Run `index`. */
export function runAt(times: SendTimes, index: u32): SendRun {
  const runs = changetype<usize>(times) + offsetof<SendTimes>();
  return changetype<SendRun>(runs + index * offsetof<SendRun>());
}

/** A connection begins. */
export function timesBegin(tcb: Tcb): void {
  const times = timesOf(tcb);
  memory.fill(changetype<usize>(times), 0, offsetof<SendTimes>());
  times.mult = 1;
  times.minRttMs = <u16>NO_RTT;
  times.fack = tcb.sndUna;
}

/** Text [seq, end) leaves now; `again` = not for the first time. */
export function timesSent(tcb: Tcb, seq: u32, end: u32, again: bool): void {
  const times = timesOf(tcb);
  const stamp = now() << 1;
  if (again) {
    sentAgain(times, seq, end, stamp | 1);
    return;
  }
  if (seq == tcb.sndUna) times.runs = 0;
  const count = <u32>times.runs;
  if (count != 0) {
    const last = runAt(times, count - 1);
    if (last.stamp == stamp) {
      last.end = end;
      return;
    }
    if (count == CAPACITY) makeRoom(tcb, times);
  }
  const run = runAt(times, <u32>times.runs);
  run.end = end;
  run.stamp = stamp;
  times.runs += 1;
}

/** Drops what is acknowledged, or joins the two neighbours that are nearest in time. */
function makeRoom(tcb: Tcb, times: SendTimes): void {
  let gone: u32 = 0;
  while (gone < <u32>times.runs && seqAtMost(runAt(times, gone).end, tcb.sndUna)) gone += 1;
  if (gone != 0) {
    take(times, 0, gone);
    return;
  }
  let nearest: u32 = 0;
  let least: u32 = 0xffffffff;
  for (let index: u32 = 0; index + 1 < <u32>times.runs; index++) {
    const gap = apart(runAt(times, index).stamp, runAt(times, index + 1).stamp);
    if (gap >= least) continue;
    least = gap;
    nearest = index;
  }
  const kept = runAt(times, nearest + 1);
  kept.stamp = laterOf(runAt(times, nearest).stamp, kept.stamp);
  take(times, nearest, 1);
}

function apart(a: u32, b: u32): u32 {
  const difference = <i32>(a - b);
  return <u32>(difference < 0 ? -difference : difference);
}

/** The later time; it was sent again when one of both was. */
function laterOf(a: u32, b: u32): u32 {
  return (<i32>(a - b) > 0 ? a : b) | ((a | b) & 1);
}

/** Takes `gone` runs out from `index` on. */
function take(times: SendTimes, index: u32, gone: u32): void {
  const after = <u32>times.runs - index - gone;
  memory.copy(
    changetype<usize>(runAt(times, index)),
    changetype<usize>(runAt(times, index + gone)),
    after * offsetof<SendRun>(),
  );
  times.runs -= <u8>gone;
}

/** Splits the run that holds `seq`, so that one ends there. False when there is no room. */
function split(times: SendTimes, seq: u32): bool {
  let index: u32 = 0;
  while (index < <u32>times.runs && seqLess(runAt(times, index).end, seq)) index += 1;
  if (index == <u32>times.runs || runAt(times, index).end == seq) return true;
  if (<u32>times.runs == CAPACITY) return false;
  memory.copy(
    changetype<usize>(runAt(times, index + 1)),
    changetype<usize>(runAt(times, index)),
    (<u32>times.runs - index) * offsetof<SendRun>(),
  );
  runAt(times, index).end = seq;
  times.runs += 1;
  return true;
}

/** A repetition has a time of its own; without room all of the run that it is part of counts as sent now. */
function sentAgain(times: SendTimes, seq: u32, end: u32, stamp: u32): void {
  const count = <u32>times.runs;
  // What a timeout sends again may go on with new text.
  if (count != 0) runAt(times, count - 1).end = seqMax(runAt(times, count - 1).end, end);
  split(times, seq);
  split(times, end);
  for (let index: u32 = 0; index < <u32>times.runs; index++) {
    const run = runAt(times, index);
    if (!seqLess(seq, run.end)) continue;
    run.stamp = stamp;
    if (seqAtMost(end, run.end)) return;
  }
}

/** The peer has [left, right), which it had not before (RFC 8985 6.2, steps 1 to 3). */
export function timesDelivered(tcb: Tcb, left: u32, right: u32): void {
  const times = timesOf(tcb);
  for (let index: u32 = 0; index < <u32>times.runs; index++) {
    const run = runAt(times, index);
    if (!seqLess(left, run.end)) continue;
    const end = seqMin(run.end, right);
    delivered(times, run.stamp, end);
    if (end == right) return;
    left = end;
  }
}

function delivered(times: SendTimes, stamp: u32, end: u32): void {
  const sentMs = stamp >>> 1;
  const again = (stamp & 1) != 0;
  // The clock of the stamps has 31 bits.
  const rttMs = min<u32>((now() - sentMs) & 0x7fffffff, NO_RTT - 1);
  if (again) {
    // Step 2: so soon after the repetition it is the answer to the first sending.
    if (times.minRttMs != <u16>NO_RTT && rttMs < <u32>times.minRttMs) return;
  } else {
    times.minRttMs = <u16>min<u32>(<u32>times.minRttMs, rttMs);
    // Step 3: what was sent before something that has arrived comes late, and was sent only once.
    if (seqLess(end, times.fack)) times.bits |= <u8>TimesBit.REORDERING;
  }
  times.fack = seqMax(times.fack, end);
  if (((<u32>times.bits) & TimesBit.DELIVERED) != 0 && !sentAfter(sentMs, end, times)) return;
  times.bits |= <u8>TimesBit.DELIVERED;
  times.xmitMs = sentMs;
  times.endSeq = end;
  times.rttMs = <u16>rttMs;
}

function sentAfter(sentMs: u32, end: u32, times: SendTimes): bool {
  const later = <i32>((sentMs - times.xmitMs) << 1);
  return later > 0 || (later == 0 && seqLess(times.endSeq, end));
}

/**
 * True when what has `stamp` and ends at `end` was sent before the latest that the peer has (RACK_sent_after, RFC 8985 6.2). Of one
 * millisecond the numbers tell the order, but not that of a repetition.
 */
export function sentBefore(times: SendTimes, stamp: u32, end: u32): bool {
  if (((<u32>times.bits) & TimesBit.DELIVERED) == 0) return false;
  const later = <i32>((times.xmitMs - (stamp >>> 1)) << 1);
  return later > 0 || (later == 0 && (stamp & 1) == 0 && seqLess(end, times.endSeq));
}

/** RACK.reordering_seen: the numbers alone do not tell of a loss any more. */
export function reorderingSeen(tcb: Tcb): bool {
  return ((<u32>timesOf(tcb).bits) & TimesBit.REORDERING) != 0;
}
