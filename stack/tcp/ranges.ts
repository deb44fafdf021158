import { TCP, TCP_RANGES, TCP_SACK, TCP_TCBS } from "../config";
import { Tcb } from "./connection";
import { Range, leftOf, listAdd, listDrop, listFits, rightOf } from "./range-list";
import { seqAtMost, seqMax } from "./sequence";

/**
 * Text that has come before its turn: a short list of ranges, all beyond RCV.NXT and no farther than the ring is long. The bytes
 * themselves lie in the receive ring, each at its place.
 */
const LIST_BYTES: u32 = TCP_RANGES * offsetof<Range>();

/** With SACK, behind the list: what the next acknowledgment reports first. */
@unmanaged
export class Reported {
  /** The block of the latest duplicate (RFC 2883), while flag DUPLICATE is set. */
  left: u32;
  right: u32;
  /** Where the latest text out of order began (RFC 2018 4). */
  latest: u32;
}

const RECORD_BYTES: u32 = LIST_BYTES + (TCP_SACK ? offsetof<Reported>() : 0);
/** Without ranges (TCP_RANGES 0) text out of order is dropped. */
const RANGES: usize = memory.data(TCP ? TCP_TCBS * RECORD_BYTES : 0, 4);

function listOf(tcb: Tcb): usize {
  return RANGES + <u32>tcb.id * RECORD_BYTES;
}

/** Where range `index` of a connection begins. */
export function rangeLeft(tcb: Tcb, index: u32): u32 {
  return leftOf(listOf(tcb), tcb.rcvNxt, index);
}

/** Where it ends. */
export function rangeRight(tcb: Tcb, index: u32): u32 {
  return rightOf(listOf(tcb), tcb.rcvNxt, index);
}

/** What is reported first. */
export function reportedOf(tcb: Tcb): Reported {
  return changetype<Reported>(listOf(tcb) + LIST_BYTES);
}

/** True when [left, right) could be remembered: it touches a range, or a slot is free. */
export function rangeFits(tcb: Tcb, left: u32, right: u32): bool {
  if (TCP_RANGES == 0) return false;
  return listFits(listOf(tcb), tcb.rcvNxt, <u32>tcb.ranges, TCP_RANGES, left, right);
}

/** Remembers [left, right), joined with what it touches. `rangeFits` must hold. */
export function rangeAdd(tcb: Tcb, left: u32, right: u32): void {
  tcb.rangeCount = <u8>listAdd(listOf(tcb), tcb.rcvNxt, <u32>tcb.ranges, left, right);
  assert(<u32>tcb.ranges <= TCP_RANGES);
}

/** RCV.NXT is about to move to `edge`: over ranges that it has reached, too, which are forgotten; returns where it moves then. */
export function rangesAdvance(tcb: Tcb, edge: u32): u32 {
  if (TCP_RANGES == 0) return edge;
  let gone: u32 = 0;
  while (gone < <u32>tcb.ranges && seqAtMost(rangeLeft(tcb, gone), edge)) {
    edge = seqMax(edge, rangeRight(tcb, gone));
    gone += 1;
  }
  tcb.rangeCount = <u8>listDrop(listOf(tcb), <u32>tcb.ranges, gone);
  return edge;
}

/** End of all that has come, in order or not. */
export function rangesEnd(tcb: Tcb): u32 {
  return tcb.ranges == 0 ? tcb.rcvNxt : rangeRight(tcb, <u32>tcb.ranges - 1);
}
