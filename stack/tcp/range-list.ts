import { seqMax, seqMin } from "./sequence";

/**
 * Short lists of ranges [left, right) of sequence numbers, in order, disjoint and not touching: what has come before its turn
 * (ranges.ts), and what the peer says it has (sack.ts). A list is an array of Range and a count; who changes it is told the new
 * count. Each connection has two of them, so a range is two half-words, the low bits of its numbers: all lie above a number `base`
 * that the connection has anyway, and less than 64 KB above it.
 */
@unmanaged
export class Range {
  left: u16;
  right: u16;
}

/** Farthest from its base that a number of a list may lie. */
export const RANGE_REACH: u32 = 0xffff;

/** Element `index` of a list. */
function rangeOf(list: usize, index: u32): Range {
  return changetype<Range>(list + index * offsetof<Range>());
}

/** Where range `index` begins. */
export function leftOf(list: usize, base: u32, index: u32): u32 {
  return base + <u32>(<u16>(<u32>rangeOf(list, index).left - base));
}

/** Where it ends. */
export function rightOf(list: usize, base: u32, index: u32): u32 {
  return base + <u32>(<u16>(<u32>rangeOf(list, index).right - base));
}

/** First range that ends at or after `left`; `count` when there is none. */
function firstTouching(list: usize, base: u32, count: u32, left: u32): u32 {
  let index: u32 = 0;
  while (index < count && rightOf(list, base, index) - base < left - base) index += 1;
  return index;
}

/** True when [left, right) could be added: it touches a range, or the list is shorter than `capacity`. */
export function listFits(
  list: usize,
  base: u32,
  count: u32,
  capacity: u32,
  left: u32,
  right: u32,
): bool {
  if (count < capacity) return true;
  const index = firstTouching(list, base, count, left);
  return index < count && leftOf(list, base, index) - base <= right - base;
}

/** Adds [left, right), joined with what it touches; `listFits` must hold. Returns the new count. */
export function listAdd(list: usize, base: u32, count: u32, left: u32, right: u32): u32 {
  assert(right - base <= RANGE_REACH);
  const index = firstTouching(list, base, count, left);
  let end = index;
  while (end < count && leftOf(list, base, end) - base <= right - base) {
    left = seqMin(left, leftOf(list, base, end));
    right = seqMax(right, rightOf(list, base, end));
    end += 1;
  }
  const after = count - end;
  memory.copy(
    changetype<usize>(rangeOf(list, index + 1)),
    changetype<usize>(rangeOf(list, end)),
    after * offsetof<Range>(),
  );
  const range = rangeOf(list, index);
  range.left = <u16>left;
  range.right = <u16>right;
  return index + 1 + after;
}

/** Drops the first `gone` ranges. Returns the new count. */
export function listDrop(list: usize, count: u32, gone: u32): u32 {
  if (gone == 0) return count;
  memory.copy(list, changetype<usize>(rangeOf(list, gone)), (count - gone) * offsetof<Range>());
  return count - gone;
}
