import { TCP_RACK, TCP_SACK, TCP_TCBS } from "../config";
import { Tcb, TcbFlag } from "./connection";
import { RANGE_REACH, Range, leftOf, listAdd, listDrop, listFits, rightOf } from "./range-list";
import { Segment, optionNumber, sackBlocks, sackOption } from "./segment";
import { timesDelivered, timesDeliveredFar } from "./send-times";
import { seqAtMost, seqLess, seqMax, seqMin } from "./sequence";

/**
 * The scoreboard (RFC 6675): what the peer has of the flight, as a short list of ranges. What is beyond the list's room is
 * forgotten, which costs at most a needless retransmission. The peer may take back what it reported (RFC 2018 8): bytes stay
 * in the send queue until they are acknowledged, and a timeout forgets the list.
 */

/** Ranges remembered; a peer reports four at most. */
const CAPACITY: u32 = 6;

/** The list of a connection, and behind it the end of all that had been sent when its first hole was sent again. */
const RECORD_BYTES: u32 = CAPACITY * offsetof<Range>() + 4;

function listOf(tcb: Tcb): usize {
  // A build without SACK has no such table, though the compiler passes here.
  const LISTS: usize = memory.data(TCP_SACK ? TCP_TCBS * RECORD_BYTES : 0, 4);
  return LISTS + <u32>tcb.id * RECORD_BYTES;
}

/** The segment at SND.UNA is sent again now. */
export function sackHeadSent(tcb: Tcb): void {
  store<u32>(listOf(tcb) + CAPACITY * offsetof<Range>(), tcb.sndMax);
}

/**
 * True when the segment at SND.UNA, sent again in this recovery, must have been lost again: the peer has what was sent after it, as
 * much as tells of a loss, or all of it (the order of sending as in RFC 8985 6.2, told by numbers instead of times).
 */
export function sackHeadLost(tcb: Tcb, threshold: u32): bool {
  if (!seqLess(tcb.sndUna, tcb.highRxt)) return false;
  const from = load<u32>(listOf(tcb) + CAPACITY * offsetof<Range>());
  if (!seqLess(from, tcb.sndMax)) return false;
  let later: u32 = 0;
  for (let index: u32 = 0; index < <u32>tcb.sacked; index++) {
    const right = sackedRight(tcb, index);
    if (seqLess(from, right)) later += right - seqMax(from, sackedLeft(tcb, index));
  }
  return later == tcb.sndMax - from || later > (threshold - 1) * <u32>tcb.sndMss;
}

/** Where range `index` of what the peer has begins. */
export function sackedLeft(tcb: Tcb, index: u32): u32 {
  return leftOf(listOf(tcb), tcb.sndUna, index);
}

/** Where it ends. */
export function sackedRight(tcb: Tcb, index: u32): u32 {
  return rightOf(listOf(tcb), tcb.sndUna, index);
}

function sackedLength(tcb: Tcb, index: u32): u32 {
  return sackedRight(tcb, index) - sackedLeft(tcb, index);
}

/**
 * Takes the blocks of a segment into the list. Each is believed only if it lies in the flight, above what the segment
 * acknowledges; others, such as the report of a duplicate, are passed over (RFC 2883 4.2). True when something new is there.
 */
export function sackTake(tcb: Tcb, segment: Segment): bool {
  const option = sackOption(segment);
  if (option == 0) return false;
  const before = sackedBytes(tcb);
  let far: bool = false;
  const from = seqMax(segment.ack, tcb.sndUna);
  // The last block came first (RFC 2018 4): in the order of arrival, or several that are news at once would look like segments that
  // have changed places on the way (RFC 8985 6.2 step 3).
  for (let block = sackBlocks(option); block != 0; block--) {
    const left = optionNumber(option + (block << 3) - 8);
    const reported = optionNumber(option + (block << 3) - 4);
    // By unsigned distances, as for the ACK field (synchronized.ts).
    const end = reported - from;
    if (left == from || left - from >= end || end > tcb.sndMax - from) continue;
    const list = listOf(tcb);
    const una = tcb.sndUna;
    const count = <u32>tcb.sacked;
    // What is too far away is forgotten, as what finds no room is: it is reported again. But it has come, and says so of its time.
    const right = una + min<u32>(reported - una, RANGE_REACH);
    if (TCP_RACK && right != reported && timesDeliveredFar(tcb, seqMax(left, right), reported))
      far = true;
    if (left - una >= RANGE_REACH) continue;
    if (!listFits(list, una, count, CAPACITY, left, right)) continue;
    if (TCP_RACK) sackDelivered(tcb, left, right);
    tcb.sacked = <u8>listAdd(list, una, count, left, right);
  }
  return far || sackedBytes(tcb) != before;
}

/** The peer has [left, right): what of it is news has a time of its sending. */
export function sackDelivered(tcb: Tcb, left: u32, right: u32): void {
  for (let at = sackSkip(tcb, left); seqLess(at, right); at = sackSkip(tcb, at)) {
    const end = seqMin(sackHoleEnd(tcb, at), right);
    timesDelivered(tcb, at, end);
    at = end;
  }
}

/** True when the first block reports a duplicate: it is acknowledged, or part of the second (RFC 2883 4). */
export function sackOfDuplicate(segment: Segment): bool {
  const option = sackOption(segment);
  if (option == 0) return false;
  const left = optionNumber(option);
  const right = optionNumber(option + 4);
  if (!seqLess(left, right)) return false;
  if (seqAtMost(right, segment.ack)) return true;
  if (sackBlocks(option) < 2) return false;
  return seqAtMost(optionNumber(option + 8), left) && seqAtMost(right, optionNumber(option + 12));
}

/** The first block, which reports a duplicate. */
export function duplicateLeft(segment: Segment): u32 {
  return optionNumber(sackOption(segment));
}

export function duplicateRight(segment: Segment): u32 {
  return optionNumber(sackOption(segment) + 4);
}

/**
 * SND.UNA is about to move to `ack`: what lies below is forgotten. So is a range that reaches to it or beyond: who had it would have acknowledged
 * all of it, so it has been thrown away (RFC 2018 8).
 */
export function sackAdvance(tcb: Tcb, ack: u32): void {
  let gone: u32 = 0;
  while (gone < <u32>tcb.sacked && seqAtMost(sackedLeft(tcb, gone), ack)) gone += 1;
  tcb.sacked = <u8>listDrop(listOf(tcb), <u32>tcb.sacked, gone);
}

/** Bytes of the flight that the peer has. */
export function sackedBytes(tcb: Tcb): u32 {
  return sackedBelow(tcb, tcb.sndMax);
}

/** Those of them below `seq`. */
export function sackedBelow(tcb: Tcb, seq: u32): u32 {
  let bytes: u32 = 0;
  for (let index: u32 = 0; index < <u32>tcb.sacked; index++) {
    const left = sackedLeft(tcb, index);
    if (seqLess(left, seq)) bytes += seqMin(sackedRight(tcb, index), seq) - left;
  }
  return bytes;
}

/**
 * True when the bytes before range `index` count as lost (IsLost, RFC 6675 4): `threshold` ranges lie above, or more than
 * threshold - 1 full segments of sacked bytes.
 */
function isLostBefore(tcb: Tcb, index: u32, threshold: u32): bool {
  if (<u32>tcb.sacked - index >= threshold) return true;
  let bytes: u32 = 0;
  for (let above = index; above < <u32>tcb.sacked; above++) {
    bytes += sackedLength(tcb, above);
  }
  return bytes > (threshold - 1) * <u32>tcb.sndMss;
}

/** True when the peer has bytes at `seq` or later. */
export function sackedBeyond(tcb: Tcb, seq: u32): bool {
  return tcb.sacked != 0 && seqLess(seq, sackedRight(tcb, <u32>tcb.sacked - 1));
}

/** True when the first unacknowledged byte counts as lost. */
export function sackLost(tcb: Tcb, threshold: u32): bool {
  return tcb.sacked != 0 && isLostBefore(tcb, 0, threshold);
}

/** Where the range that holds `seq` ends, or `seq` itself: the next byte that is worth sending. */
export function sackSkip(tcb: Tcb, seq: u32): u32 {
  for (let index: u32 = 0; index < <u32>tcb.sacked; index++) {
    const right = sackedRight(tcb, index);
    if (seqAtMost(sackedLeft(tcb, index), seq) && seqLess(seq, right)) return right;
  }
  return seq;
}

/** Where the next range above `seq` begins; SND.MAX without one. */
export function sackHoleEnd(tcb: Tcb, seq: u32): u32 {
  for (let index: u32 = 0; index < <u32>tcb.sacked; index++) {
    const left = sackedLeft(tcb, index);
    if (seqLess(seq, left)) return left;
  }
  return tcb.sndMax;
}

/** The first byte from HighRxt on that counts as lost and was not sent again in this recovery; SND.MAX when there is none. */
export function sackNextLost(tcb: Tcb, threshold: u32): u32 {
  const from = seqMax(tcb.highRxt, tcb.sndUna);
  let hole = tcb.sndUna;
  for (let index: u32 = 0; index < <u32>tcb.sacked; index++) {
    const seq = seqMax(hole, from);
    if (seqLess(seq, sackedLeft(tcb, index)) && isLostBefore(tcb, index, threshold)) return seq;
    hole = sackedRight(tcb, index);
  }
  return tcb.sndMax;
}

/** Bytes that are thought to be on the way (SetPipe, RFC 6675 4). */
export function sackPipe(tcb: Tcb, threshold: u32): u32 {
  let pipe: u32 = 0;
  let hole = tcb.sndUna;
  for (let index: u32 = 0; index <= <u32>tcb.sacked; index++) {
    const last = index == <u32>tcb.sacked;
    const end = last ? tcb.sndMax : sackedLeft(tcb, index);
    if (last || !isLostBefore(tcb, index, threshold)) pipe += end - hole;
    const again = seqMin(tcb.highRxt, end);
    if (seqLess(hole, again)) pipe += again - hole;
    if (!last) hole = sackedRight(tcb, index);
  }
  return pipe;
}

/** A timeout: the peer may have thrown away what it reported (RFC 2018 8). */
export function sackForget(tcb: Tcb): void {
  tcb.sacked = 0;
}

/** True when recovery goes by the scoreboard. */
export function sackRecovers(tcb: Tcb): bool {
  return TCP_SACK && (tcb.flags & TcbFlag.SACK_PERMITTED) != 0;
}
