import { TCP_TCBS, TCP_TX_BYTES } from "../config";
import { now } from "../now";
import { Tcb } from "./connection";
import { seqAtMost, seqLess, seqMax, seqMin } from "./sequence";

/**
 * When what is in flight was sent (RFC 8985 5): a short list of runs, in order, one behind the other, with the time of
 * their sending and whether it was a repetition. What leaves in one millisecond is one run, so a flight has few. When the list is
 * full the two neighbours nearest in time become one, with the later time: a loss among them is seen later, never sooner. What lies before
 * the first run counts as part of it.
 */

/**
 * Runs of a connection. The ACK clock makes one for every second segment; losses make more, and a ring that holds few segments has few
 * of either.
 */
const CAPACITY: u32 =
  TCP_TX_BYTES > 8192 ? 11 : TCP_TX_BYTES > 2048 ? 1 + (TCP_TX_BYTES >>> 10) : 3;

/** A run of text: its length, and when it was sent. Two half-words, as each connection has many. */
@unmanaged
export class SendRun {
  bytes: u16;
  /** The low 15 bits of the milliseconds, times two; bit 0: it was sent before. */
  stamp: u16;
}

const BYTES_MAX: u32 = 0xffff;
/** A time that is told by its low bits lies less than 32.8 s back. Retransmissions see to it; what is older seems newer, and its loss is seen later. */
const AGE_MASK: u32 = 0x7fff;

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
  /** End of the last run. */
  end: u32;
  /** When the window was cut last. */
  cutMs: u32;
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
  /** What these are of had been sent before, and was answered later than in the millisecond of its sending. */
  AGAIN = 8,
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

/** Where the first run begins. */
export function runsBegin(times: SendTimes): u32 {
  let begin = times.end;
  for (let index: u32 = 0; index < <u32>times.runs; index++)
    begin -= <u32>runAt(times, index).bytes;
  return begin;
}

/** When a run was sent. */
export function runSentMs(run: SendRun): u32 {
  return now() - ((now() - ((<u32>run.stamp) >>> 1)) & AGE_MASK);
}

/** True when a run was sent before. */
export function runIsAgain(run: SendRun): bool {
  return ((<u32>run.stamp) & 1) != 0;
}

/** A connection begins. */
export function timesBegin(tcb: Tcb): void {
  const times = timesOf(tcb);
  // What its bits do not say to be there is not asked for, nor the end of no runs.
  times.fack = tcb.sndUna;
  times.rttMs = 0;
  times.minRttMs = <u16>NO_RTT;
  times.runs = 0;
  times.mult = 1;
  times.persist = 0;
  times.bits = 0;
}

/** Text [seq, end) leaves now; `again` = not for the first time. */
export function timesSent(tcb: Tcb, seq: u32, end: u32, again: bool): void {
  const times = timesOf(tcb);
  const stamp = (now() << 1) & 0xfffe;
  if (again) {
    dropAcknowledged(tcb, times, times.end);
    sentAgain(times, seq, end, stamp | 1);
    return;
  }
  if (seq == tcb.sndUna) {
    times.runs = 0;
    times.end = seq;
  }
  const bytes = end - times.end;
  times.end = end;
  const count = <u32>times.runs;
  if (count != 0) {
    const last = runAt(times, count - 1);
    const joined = <u32>last.bytes + bytes;
    if (<u32>last.stamp == stamp && joined <= BYTES_MAX) {
      last.bytes = <u16>joined;
      return;
    }
    if (count == CAPACITY) makeRoom(tcb, times, end - bytes);
  }
  const run = runAt(times, <u32>times.runs);
  run.bytes = <u16>bytes;
  run.stamp = <u16>stamp;
  times.runs += 1;
}

/** Drops what is acknowledged of a list that ends at `end`. */
function dropAcknowledged(tcb: Tcb, times: SendTimes, end: u32): void {
  let left = end - tcb.sndUna;
  let gone = <u32>times.runs;
  // From the end: how many runs reach to what is not acknowledged.
  while (gone != 0 && <i32>left > 0) {
    gone -= 1;
    left -= <u32>runAt(times, gone).bytes;
  }
  take(times, 0, gone);
}

/** Drops what is acknowledged, or joins the two neighbours that are nearest in time; the list ends at `end`. */
function makeRoom(tcb: Tcb, times: SendTimes, end: u32): void {
  dropAcknowledged(tcb, times, end);
  if (<u32>times.runs != CAPACITY) return;
  // Where no two fit in one the first is forgotten, and counts as part of the second.
  let nearest: u32 = 0;
  let least: u32 = 0xffffffff;
  for (let index: u32 = 0; index + 1 < <u32>times.runs; index++) {
    const one = runAt(times, index);
    const next = runAt(times, index + 1);
    const gap = apart(<u32>one.stamp, <u32>next.stamp);
    if (gap >= least || <u32>one.bytes + <u32>next.bytes > BYTES_MAX) continue;
    least = gap;
    nearest = index;
  }
  const kept = runAt(times, nearest + 1);
  const first = runAt(times, nearest);
  kept.stamp = laterOf(first.stamp, kept.stamp);
  if (least != 0xffffffff) kept.bytes += first.bytes;
  take(times, nearest, 1);
}

function apart(a: u32, b: u32): u32 {
  const difference = <i32>(<i16>(a - b));
  return <u32>(difference < 0 ? -difference : difference);
}

/** The later time; it was sent again when one of both was. */
function laterOf(a: u16, b: u16): u16 {
  return (<i16>(a - b) > 0 ? a : b) | ((a | b) & 1);
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

/** Splits the run that holds `seq`, so that one ends there, if there is room. */
function split(times: SendTimes, seq: u32): void {
  let at = runsBegin(times);
  if (!seqLess(at, seq) || !seqLess(seq, times.end)) return;
  let index: u32 = 0;
  let bytes = <u32>runAt(times, 0).bytes;
  while (seqLess(at + bytes, seq)) {
    at += bytes;
    index += 1;
    bytes = <u32>runAt(times, index).bytes;
  }
  if (at + bytes == seq || <u32>times.runs == CAPACITY) return;
  memory.copy(
    changetype<usize>(runAt(times, index + 1)),
    changetype<usize>(runAt(times, index)),
    (<u32>times.runs - index) * offsetof<SendRun>(),
  );
  times.runs += 1;
  runAt(times, index).bytes = <u16>(seq - at);
  runAt(times, index + 1).bytes = <u16>(at + bytes - seq);
}

/** A repetition has a time of its own; without room all of the run that it is part of counts as sent now. */
function sentAgain(times: SendTimes, seq: u32, end: u32, stamp: u32): void {
  const count = <u32>times.runs;
  // What a timeout sends again may go on with new text.
  if (count != 0 && seqLess(times.end, end)) {
    const last = runAt(times, count - 1);
    last.bytes = <u16>min<u32>(<u32>last.bytes + end - times.end, BYTES_MAX);
    times.end = end;
  }
  split(times, seq);
  split(times, end);
  let at = runsBegin(times);
  for (let index: u32 = 0; index < <u32>times.runs; index++) {
    const run = runAt(times, index);
    at += <u32>run.bytes;
    if (!seqLess(seq, at)) continue;
    run.stamp = <u16>stamp;
    if (seqAtMost(end, at)) return;
  }
}

/** The peer has [left, right), which it had not before (RFC 8985 6.2, steps 1 to 3). */
export function timesDelivered(tcb: Tcb, left: u32, right: u32): void {
  const times = timesOf(tcb);
  let at = runsBegin(times);
  for (let index: u32 = 0; index < <u32>times.runs; index++) {
    const run = runAt(times, index);
    at += <u32>run.bytes;
    if (!seqLess(left, at)) continue;
    const end = seqMin(at, right);
    delivered(times, run, end);
    if (end == right) return;
    left = end;
  }
}

/** The same of text that no list of ranges remembers: what is above all that the peer had is news, and true. */
export function timesDeliveredFar(tcb: Tcb, left: u32, right: u32): bool {
  const begin = seqMax(left, timesOf(tcb).fack);
  if (!seqLess(begin, right)) return false;
  timesDelivered(tcb, begin, right);
  return true;
}

function delivered(times: SendTimes, run: SendRun, end: u32): void {
  const sentMs = runSentMs(run);
  const rttMs = now() - sentMs;
  if (runIsAgain(run)) {
    // Step 2: so soon after the repetition it is the answer to the first sending.
    if (times.minRttMs != <u16>NO_RTT && rttMs < <u32>times.minRttMs) return;
  } else {
    times.minRttMs = <u16>min<u32>(<u32>times.minRttMs, rttMs);
    // Step 3: what was sent before something that has arrived comes late, and was sent only once.
    if (seqLess(end, times.fack)) times.bits |= <u8>TimesBit.REORDERING;
  }
  times.fack = seqMax(times.fack, end);
  if (((<u32>times.bits) & TimesBit.DELIVERED) != 0 && !sentAfter(sentMs, end, times)) return;
  times.bits &= ~(<u8>TimesBit.AGAIN);
  const tells = runIsAgain(run) && rttMs != 0;
  times.bits |= <u8>(tells ? TimesBit.DELIVERED | TimesBit.AGAIN : TimesBit.DELIVERED);
  times.xmitMs = sentMs;
  times.endSeq = end;
  times.rttMs = <u16>rttMs;
}

function sentAfter(sentMs: u32, end: u32, times: SendTimes): bool {
  const later = <i32>(sentMs - times.xmitMs);
  return later > 0 || (later == 0 && seqLess(times.endSeq, end));
}

/**
 * True when what was sent at `sentMs`, for the first time or `again`, and ends at `end` was sent before the latest that the peer has
 * (RACK_sent_after, RFC 8985 6.2). Of one millisecond the numbers tell the order, that of a repetition only among repetitions, since a
 * recovery goes upwards. One that is answered in the millisecond of its sending tells nothing: what is sent again for it would be lost at once.
 */
export function sentBefore(times: SendTimes, sentMs: u32, again: bool, end: u32): bool {
  if (((<u32>times.bits) & TimesBit.DELIVERED) == 0) return false;
  const later = <i32>(times.xmitMs - sentMs);
  if (later != 0) return later > 0;
  return (!again || ((<u32>times.bits) & TimesBit.AGAIN) != 0) && seqLess(end, times.endSeq);
}

/** RACK.reordering_seen: the numbers alone do not tell of a loss any more. */
export function reorderingSeen(tcb: Tcb): bool {
  return ((<u32>timesOf(tcb).bits) & TimesBit.REORDERING) != 0;
}
