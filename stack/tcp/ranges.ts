import { TCP, TCP_RANGES, TCP_SACK, TCP_TCBS } from "../config";
import { Tcb } from "./connection";
import { Range, listAdd, listDrop, listFits, rangeOf } from "./range-list";
import { seqAtMost, seqMax } from "./sequence";

/**
 * Text that has come before its turn: a short list of ranges, all beyond RCV.NXT. The bytes themselves lie in the receive
 * ring, each at its place. With SACK two more elements behind the list hold what the next acknowledgment reports first: the
 * block of a duplicate (RFC 2883), and where the latest text began (RFC 2018 4).
 */
const SLOTS: u32 = TCP_RANGES + (TCP_SACK ? 2 : 0);
/** Without ranges (TCP_RANGES 0) text out of order is dropped. */
const RANGES: usize = memory.data(TCP ? TCP_TCBS * SLOTS * offsetof<Range>() : 0, 4);

function listOf(tcb: Tcb): usize {
  return RANGES + <u32>tcb.id * SLOTS * offsetof<Range>();
}

/** Range `index` of a connection. */
export function rangeAt(tcb: Tcb, index: u32): Range {
  return rangeOf(listOf(tcb), index);
}

/** The block of the latest duplicate, while flag DUPLICATE is set. */
export function duplicateBlock(tcb: Tcb): Range {
  return rangeAt(tcb, TCP_RANGES);
}

/** Its `left` is where the latest text out of order began. */
export function latestText(tcb: Tcb): Range {
  return rangeAt(tcb, TCP_RANGES + 1);
}

/** True when [left, right) could be remembered: it touches a range, or a slot is free. */
export function rangeFits(tcb: Tcb, left: u32, right: u32): bool {
  return TCP_RANGES != 0 && listFits(listOf(tcb), <u32>tcb.ranges, TCP_RANGES, left, right);
}

/** Remembers [left, right), joined with what it touches. `rangeFits` must hold. */
export function rangeAdd(tcb: Tcb, left: u32, right: u32): void {
  tcb.rangeCount = <u8>listAdd(listOf(tcb), <u32>tcb.ranges, left, right);
  assert(<u32>tcb.ranges <= TCP_RANGES);
}

/** Moves `edge` over ranges that it has reached, which are forgotten; returns the new edge. */
export function rangesAdvance(tcb: Tcb, edge: u32): u32 {
  if (TCP_RANGES == 0) return edge;
  let gone: u32 = 0;
  while (gone < <u32>tcb.ranges && seqAtMost(rangeAt(tcb, gone).left, edge)) {
    edge = seqMax(edge, rangeAt(tcb, gone).right);
    gone += 1;
  }
  tcb.rangeCount = <u8>listDrop(listOf(tcb), <u32>tcb.ranges, gone);
  return edge;
}

/** End of all that has come, in order or not. */
export function rangesEnd(tcb: Tcb): u32 {
  return tcb.ranges == 0 ? tcb.rcvNxt : rangeAt(tcb, <u32>tcb.ranges - 1).right;
}
