import { Tcb, TcbFlag } from "./connection";
import { rangeLeft, rangeRight, reportedOf } from "./ranges";
import { Segment } from "./segment";
import { seqAtMost, seqLess } from "./sequence";
import { timestampsUsed } from "./timestamps";

/** What our acknowledgments report of text that has come out of order, or twice (RFC 2018, 2883). */

/** Blocks that fit beside no other option, and beside timestamps (RFC 2018 3). */
const BLOCKS_MAX: u32 = 4;
const BLOCKS_MAX_STAMPED: u32 = 3;

/** Blocks that the next acknowledgment reports. */
function blocks(tcb: Tcb): u32 {
  if ((tcb.flags & TcbFlag.SACK_PERMITTED) == 0) return 0;
  const duplicate: u32 = (tcb.flags & TcbFlag.DUPLICATE) != 0 ? 1 : 0;
  return min<u32>(
    <u32>tcb.ranges + duplicate,
    timestampsUsed(tcb) ? BLOCKS_MAX_STAMPED : BLOCKS_MAX,
  );
}

/** Bytes that the option takes of the next segment, two NOPs before it included; 0 = there is nothing to report. */
export function sackOptionBytes(tcb: Tcb): u32 {
  const count = blocks(tcb);
  return count == 0 ? 0 : 4 + (count << 3);
}

/**
 * Writes the option to `to`: the duplicate first, if there is one (RFC 2883 4), then the range of the latest text, then the
 * others (RFC 2018 4). Returns its bytes.
 */
export function sackWrite(tcb: Tcb, to: usize): u32 {
  const count = blocks(tcb);
  if (count == 0) return 0;
  store<u32>(to, bswap<u32>((0x0101 << 16) | (5 << 8) | (2 + (count << 3))));
  let at = to + 4;
  let left = count;
  if ((tcb.flags & TcbFlag.DUPLICATE) != 0) {
    const block = reportedOf(tcb);
    at = put(at, block.left, block.right);
    left -= 1;
  }
  const first = latestRange(tcb);
  if (left != 0 && first < <u32>tcb.ranges) {
    at = put(at, rangeLeft(tcb, first), rangeRight(tcb, first));
    left -= 1;
  }
  // The higher ones are the newer ones.
  for (let index = <u32>tcb.ranges; index != 0 && left != 0; index--) {
    if (index - 1 == first) continue;
    at = put(at, rangeLeft(tcb, index - 1), rangeRight(tcb, index - 1));
    left -= 1;
  }
  return 4 + (count << 3);
}

/** The range with the latest text; the number of ranges when that has become part of the stream. */
function latestRange(tcb: Tcb): u32 {
  const seq = reportedOf(tcb).latest;
  let index: u32 = 0;
  while (index < <u32>tcb.ranges) {
    if (seqAtMost(rangeLeft(tcb, index), seq) && seqLess(seq, rangeRight(tcb, index))) break;
    index += 1;
  }
  return index;
}

function put(at: usize, left: u32, right: u32): usize {
  store<u32>(at, bswap<u32>(left));
  store<u32>(at, bswap<u32>(right), 4);
  return at + 8;
}

/** Text is coming that is beyond RCV.NXT, or has come before: the next acknowledgment says so. Before it is accepted. */
export function sackNote(tcb: Tcb, segment: Segment): void {
  if ((tcb.flags & TcbFlag.SACK_PERMITTED) == 0) return;
  const block = reportedOf(tcb);
  block.latest = segment.seq;
  const end = segment.seq + segment.textBytes;
  if (!alreadyHere(tcb, segment.seq, end)) return;
  block.left = segment.seq;
  block.right = end;
  tcb.flags |= TcbFlag.DUPLICATE;
}

/** True when all of [left, right) has come before. */
function alreadyHere(tcb: Tcb, left: u32, right: u32): bool {
  if (seqAtMost(right, tcb.rcvNxt)) return true;
  for (let index: u32 = 0; index < <u32>tcb.ranges; index++) {
    if (seqAtMost(rangeLeft(tcb, index), left) && seqAtMost(right, rangeRight(tcb, index)))
      return true;
  }
  return false;
}
