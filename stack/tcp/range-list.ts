import { seqAtMost, seqLess, seqMax, seqMin } from "./sequence";

/**
 * Short lists of ranges [left, right) of sequence numbers, in order, disjoint and not touching: what has come before its turn
 * (ranges.ts), and what the peer says it has (sack.ts). A list is an array of Range and a count; who changes it is told the new
 * count.
 */
@unmanaged
export class Range {
  left: u32;
  right: u32;
}

/** Element `index` of a list. */
export function rangeOf(list: usize, index: u32): Range {
  return changetype<Range>(list + index * offsetof<Range>());
}

/** First range that ends at or after `left`; `count` when there is none. */
function firstTouching(list: usize, count: u32, left: u32): u32 {
  let index: u32 = 0;
  while (index < count && seqLess(rangeOf(list, index).right, left)) index += 1;
  return index;
}

/** True when [left, right) could be added: it touches a range, or the list is shorter than `capacity`. */
export function listFits(list: usize, count: u32, capacity: u32, left: u32, right: u32): bool {
  if (count < capacity) return true;
  const index = firstTouching(list, count, left);
  return index < count && seqAtMost(rangeOf(list, index).left, right);
}

/** Adds [left, right), joined with what it touches; `listFits` must hold. Returns the new count. */
export function listAdd(list: usize, count: u32, left: u32, right: u32): u32 {
  const index = firstTouching(list, count, left);
  let end = index;
  while (end < count && seqAtMost(rangeOf(list, end).left, right)) {
    const range = rangeOf(list, end);
    left = seqMin(left, range.left);
    right = seqMax(right, range.right);
    end += 1;
  }
  const after = count - end;
  memory.copy(
    changetype<usize>(rangeOf(list, index + 1)),
    changetype<usize>(rangeOf(list, end)),
    after * offsetof<Range>(),
  );
  const range = rangeOf(list, index);
  range.left = left;
  range.right = right;
  return index + 1 + after;
}

/** Drops the first `gone` ranges. Returns the new count. */
export function listDrop(list: usize, count: u32, gone: u32): u32 {
  if (gone == 0) return count;
  memory.copy(list, changetype<usize>(rangeOf(list, gone)), (count - gone) * offsetof<Range>());
  return count - gone;
}
