import { clockMs } from "board";
import { RecordNumber } from "options";
import { GPIO_WATCHES, RING_ENTRIES } from "../../stack/config";
import { ECANCELED, EINVAL, ENOENT, ETIME } from "../../stack/errors";
import { gpioNews } from "./gpio";
import { netPoll } from "./runtime";
import {
  OpState,
  RING_CANCEL,
  RING_LINK,
  RING_TIMEOUT,
  RingOp,
  RingSqe,
  opAt,
  opCancel,
  opDue,
  opFail,
  opFree,
  opTry,
  resultMore,
  resultOf,
} from "./ring-ops";
import { timeLeft } from "./socket-wait";

/**
 * A completion queue after io_uring(7): the application submits what shall be done (`RingSqe`) and takes what was done
 * (`RingCqe`), in static memory on both sides. An operation that cannot be done at once waits inside and costs the application
 * nothing. Nothing is ever lost: with the completion queue full, operations wait until there is room, and `ringOverflowed` tells
 * so.
 *
 *     const sqe = ringPrepare();           // null: RING_ENTRIES are in flight
 *     sqe.opcode = RING_RECV; sqe.fd = fd; sqe.address = BUFFER; sqe.bytes = 512; sqe.userData = 7;
 *     ringSubmit();
 *     if (ringWait(1, -1) > 0) { const cqe = ringPeek(); … ringSeen(); }
 */

export {
  RING_ACCEPT,
  RING_CANCEL,
  RING_CLOSE,
  RING_CONNECT,
  RING_F_BUFFER,
  RING_F_MORE,
  RING_F_NOTIF,
  RING_NOP,
  RING_POLL,
  RING_RECV,
  RING_SEND,
  RING_TIMEOUT,
  RING_BUFFER_SELECT,
  RING_LINK,
  RING_MULTISHOT,
  RING_ZEROCOPY,
  RingSqe,
  ringBuffers,
  ringGiveBack,
} from "./ring-ops";

/** A completion, 16 bytes. `flags` has the number of a chosen buffer in its high half. */
@unmanaged
export class RingCqe {
  userData: u32;
  userDataHigh: u32;
  result: i32;
  flags: u32;
}

const COMPLETIONS: u32 = 2 * RING_ENTRIES;
let head: u32 = 0;
let count: u32 = 0;
let sequence: u32 = 0;
let overflowed: bool = false;
/** The operation whose link waits for the next one that is submitted, plus one. */
let linking: u32 = 0;

function cqeAt(index: u32): RingCqe {
  const TABLE: usize = memory.data(COMPLETIONS * offsetof<RingCqe>(), 4);
  return changetype<RingCqe>(TABLE + (index % COMPLETIONS) * offsetof<RingCqe>());
}

/** A submission to fill in, zeroed; null when RING_ENTRIES are in flight or prepared. */
export function ringPrepare(): RingSqe | null {
  for (let index: u32 = 0; index < RING_ENTRIES; index++) {
    const op = opAt(index);
    if (op.state != <u8>OpState.FREE) continue;
    memory.fill(changetype<usize>(op), 0, offsetof<RingOp>());
    op.state = <u8>OpState.PREPARED;
    op.order = sequence++;
    return op;
  }
  return null;
}

/** The prepared operation that was prepared first, plus one; 0 = none. */
function firstPrepared(): u32 {
  let first: u32 = 0;
  for (let index: u32 = 0; index < RING_ENTRIES; index++) {
    const op = opAt(index);
    if (op.state != <u8>OpState.PREPARED) continue;
    if (first == 0 || <i32>(op.order - opAt(first - 1).order) < 0) first = index + 1;
  }
  return first;
}

/** Begins what was prepared, in that order; how many. Linked ones begin when the one before them has succeeded. */
export function ringSubmit(): i32 {
  let begun: i32 = 0;
  for (let turns: u32 = 0; turns < RING_ENTRIES; turns++) {
    const first = firstPrepared();
    if (first == 0) break;
    const op = opAt(first - 1);
    op.since = clockMs();
    op.state = <u8>(linking == 0 ? OpState.ACTIVE : OpState.LINKED);
    if (linking != 0) opAt(linking - 1).next = <RecordNumber>first;
    linking = ((<u32>op.flags) & RING_LINK) != 0 ? first : 0;
    begun += 1;
  }
  linking = 0;
  progress();
  return begun;
}

function post(op: RingOp, result: i32, flags: u32): bool {
  if (count == COMPLETIONS) {
    overflowed = true;
    return false;
  }
  const cqe = cqeAt(head + count);
  cqe.userData = op.userData;
  cqe.userDataHigh = op.userDataHigh;
  cqe.result = result;
  cqe.flags = flags;
  count += 1;
  return true;
}

/** An operation has ended: the one that is linked to it begins, or is cancelled with all behind it. */
function unlink(op: RingOp, failed: bool): void {
  let next = <u32>op.next;
  for (let turns: u32 = 0; next != 0 && turns < RING_ENTRIES; turns++) {
    const linked = opAt(next - 1);
    next = <u32>linked.next;
    linked.since = clockMs();
    if (!failed) {
      linked.state = <u8>OpState.ACTIVE;
      return;
    }
    opFail(linked, -ECANCELED);
    linked.next = 0;
  }
}

/** Nobody is followed by the operation with this number (plus one) any more. */
function forgetLink(number: u32): void {
  for (let index: u32 = 0; index < RING_ENTRIES; index++) {
    const op = opAt(index);
    if (op.state != <u8>OpState.FREE && <u32>op.next == number) op.next = 0;
  }
}

/** Cancels the operation with this user data: 0 or -ENOENT. */
function cancel(self: RingOp): i32 {
  for (let index: u32 = 0; index < RING_ENTRIES; index++) {
    const op = opAt(index);
    const waits = op.state == <u8>OpState.ACTIVE || op.state == <u8>OpState.LINKED;
    if (op === self || !waits || op.userData != self.bytes) continue;
    // The one before it has no follower any more; those behind it are cancelled with it.
    if (op.state == <u8>OpState.LINKED) forgetLink(index + 1);
    opCancel(op);
    return 0;
  }
  return -ENOENT;
}

/** Lets each operation do what it can; true when one has done something. */
function progress(): bool {
  let any = false;
  for (let index: u32 = 0; index < RING_ENTRIES; index++) {
    const op = opAt(index);
    // A multishot one may have several in a row; the bound is the room for them.
    for (let turns: u32 = 0; turns < COMPLETIONS && step(op); turns++) any = true;
  }
  return any;
}

/** One completion of an operation, if it has one; false otherwise. */
function step(op: RingOp): bool {
  const state = <u32>op.state;
  if (state != OpState.ACTIVE && state != OpState.DONE && state != OpState.NOTIFY) return false;
  if (state == OpState.ACTIVE) {
    if (op.opcode == <u8>RING_CANCEL) opFail(op, cancel(op));
    else if (op.opcode == <u8>RING_TIMEOUT) {
      if (opDue(op, clockMs()) != 0) return false;
      opFail(op, -ETIME);
    } else if (op.opcode > <u8>RING_CANCEL) opFail(op, -EINVAL);
    else if (count == COMPLETIONS) {
      // With the queue full nothing is tried that might have a result.
      overflowed = true;
      return false;
    } else if (!opTry(op)) return false;
  } else if (state == OpState.NOTIFY && !opTry(op)) return false;
  if (!post(op, op.result, resultOf(op))) return false;
  if (resultMore(op)) {
    // Sent is done: who is linked does not wait for the notice that the buffer is free.
    if (op.state == <u8>OpState.NOTIFY) {
      unlink(op, false);
      op.next = 0;
    }
    return true;
  }
  // A timeout that has passed is done; one that was cancelled is not.
  unlink(op, op.result < 0 && op.result != -ETIME);
  opFree(op);
  return true;
}

/** Milliseconds until the first timeout, a minute at most. */
function untilTimeout(): u32 {
  let left: u32 = 60_000;
  const now = clockMs();
  for (let index: u32 = 0; index < RING_ENTRIES; index++) {
    const op = opAt(index);
    if (op.state != <u8>OpState.ACTIVE || op.opcode != <u8>RING_TIMEOUT) continue;
    left = min<u32>(left, opDue(op, now));
  }
  return left;
}

/**
 * Waits until `wanted` completions are there, or as many as there is room for, `timeoutMs` at most (below 0: for ever); returns how many are. The processor
 * sleeps meanwhile; the network goes on. Each call gives the network one turn at least.
 */
export function ringWait(wanted: u32, timeoutMs: i32): u32 {
  const startMs = clockMs();
  netPoll(0);
  // What one has done may have begun another one, which had its turn already: no sleep before that has been tried.
  let busy = progress();
  // More than there is room for would never be there.
  wanted = min<u32>(wanted, COMPLETIONS);
  while (count < wanted && timeoutMs != 0) {
    const left = timeLeft(startMs, timeoutMs < 0 ? 0 : <u32>timeoutMs);
    if (left == 0) break;
    netPoll(busy ? 0 : min<u32>(left, untilTimeout()));
    busy = progress();
    if (GPIO_WATCHES != 0 && gpioNews()) break;
  }
  return count;
}

/** The oldest completion, to be read in place until `ringSeen`; null when there is none. */
export function ringPeek(): RingCqe | null {
  return count == 0 ? null : cqeAt(head);
}

/** The oldest completion was read: its place is free. */
export function ringSeen(): void {
  if (count == 0) return;
  head = (head + 1) % COMPLETIONS;
  count -= 1;
  if (!overflowed) return;
  // What has been held back comes in; `post` says so when there is still more.
  overflowed = false;
  progress();
}

/** True while operations wait for room in the completion queue. */
export function ringOverflowed(): bool {
  return overflowed;
}
