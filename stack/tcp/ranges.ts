import { TCP_RANGES, TCP_TCBS } from "../config";
import { Tcb } from "./connection";
import { seqAtMost, seqLess, seqMax, seqMin } from "./sequence";

/**
 * Text that has come before its turn: a short list of ranges [left, right), in order, disjoint and not touching, all beyond
 * RCV.NXT. The bytes themselves lie in the receive ring, each at its place.
 */
@unmanaged
export class Range {
  left: u32;
  right: u32;
}

const RANGES: usize = memory.data(TCP_TCBS * TCP_RANGES * offsetof<Range>(), 4);

/** Range `index` of a connection. */
export function rangeAt(tcb: Tcb, index: u32): Range {
  return changetype<Range>(RANGES + (<u32>tcb.id * TCP_RANGES + index) * offsetof<Range>());
}

/** First range that ends at or after `left`; the number of ranges when there is none. */
function firstTouching(tcb: Tcb, left: u32): u32 {
  let index: u32 = 0;
  while (index < <u32>tcb.ranges && seqLess(rangeAt(tcb, index).right, left)) index += 1;
  return index;
}

/** True when [left, right) could be remembered: it touches a range, or a slot is free. */
export function rangeFits(tcb: Tcb, left: u32, right: u32): bool {
  if (<u32>tcb.ranges < TCP_RANGES) return true;
  const index = firstTouching(tcb, left);
  return index < <u32>tcb.ranges && seqAtMost(rangeAt(tcb, index).left, right);
}

/** Remembers [left, right), joined with what it touches. `rangeFits` must hold. */
export function rangeAdd(tcb: Tcb, left: u32, right: u32): void {
  const index = firstTouching(tcb, left);
  let end = index;
  while (end < <u32>tcb.ranges && seqAtMost(rangeAt(tcb, end).left, right)) {
    const range = rangeAt(tcb, end);
    left = seqMin(left, range.left);
    right = seqMax(right, range.right);
    end += 1;
  }
  const after = <u32>tcb.ranges - end;
  assert(end > index || <u32>tcb.ranges < TCP_RANGES);
  memory.copy(
    changetype<usize>(rangeAt(tcb, index + 1)),
    changetype<usize>(rangeAt(tcb, end)),
    after * offsetof<Range>(),
  );
  tcb.ranges = <u8>(index + 1 + after);
  const range = rangeAt(tcb, index);
  range.left = left;
  range.right = right;
}

/** Moves `edge` over ranges that it has reached, which are forgotten; returns the new edge. */
export function rangesAdvance(tcb: Tcb, edge: u32): u32 {
  let gone: u32 = 0;
  while (gone < <u32>tcb.ranges && seqAtMost(rangeAt(tcb, gone).left, edge)) {
    edge = seqMax(edge, rangeAt(tcb, gone).right);
    gone += 1;
  }
  if (gone != 0) {
    tcb.ranges -= <u8>gone;
    memory.copy(
      changetype<usize>(rangeAt(tcb, 0)),
      changetype<usize>(rangeAt(tcb, gone)),
      <u32>tcb.ranges * offsetof<Range>(),
    );
  }
  return edge;
}

/** End of all that has come, in order or not. */
export function rangesEnd(tcb: Tcb): u32 {
  return tcb.ranges == 0 ? tcb.rcvNxt : rangeAt(tcb, <u32>tcb.ranges - 1).right;
}
