import { NO_RECORD, RECORD_NUMBER_BITS, RING_ENTRIES } from "../../stack/config";
import { EBADF, EINVAL, ENOBUFS, ENOENT } from "../../stack/errors";
import { POLLERR, POLLHUP, POLLNVAL } from "../../stack/posix";
import { sockEvents } from "../../stack/socket/socket";
import { NO_SOCKET, socketIndex } from "../../stack/socket/table";
import { EPOLLET, EPOLLONESHOT } from "./epoll";
import {
  RING_MULTISHOT,
  RING_POLL,
  ringPeek,
  ringPrepare,
  ringSeen,
  ringSubmit,
  ringWait,
} from "./ring";
import { OpState, RingOp, opAt, opFree } from "./ring-ops";

/**
 * The event loop over the completion queue: each socket that is watched is a multishot RING_POLL. Such an operation tells only
 * of what has become true, so it forgets what it has told when that is handed on: while it is so, it is told again, as by epoll.
 */

/** Bits of poll(2) among those of epoll. */
const POLL_BITS: u32 = 0x203f;
const ALWAYS: u32 = POLLERR | POLLHUP;

let data: u32 = 0;
let events: u32 = 0;

/** The number that goes with what `loopRingNext` gave, and the bits. */
export function loopRingData(): u32 {
  return data;
}

export function loopRingEvents(): u32 {
  return events;
}

/** The operation that watches a socket, plus one; 0 = none. Those of sockets that were closed are given up on the way. */
function watching(fd: i32): u32 {
  let found: u32 = 0;
  for (let index: u32 = 0; index < RING_ENTRIES; index++) {
    const op = opAt(index);
    if (op.state == <u8>OpState.FREE || op.opcode != <u8>RING_POLL) continue;
    if (socketIndex(op.fd) == NO_SOCKET) opFree(op);
    else if (op.fd == fd) found = index + 1;
  }
  return found;
}

/** Of an operation that watches: the handler stands in `address`, and `userData` tells the use of the place. */
function set(op: RingOp, index: u32, bits: u32, handler: u32, context: u32): void {
  op.bytes = bits;
  op.address = handler;
  op.userData = (op.order << RECORD_NUMBER_BITS) | index;
  op.userDataHigh = context;
  op.done = 0;
}

/** As `loopWatch`. -EINVAL with EPOLLET; -ENOBUFS when RING_ENTRIES are watched. */
export function loopRingWatch(fd: i32, bits: u32, handler: u32, context: u32): i32 {
  if ((bits & EPOLLET) != 0) return -EINVAL;
  if (socketIndex(fd) == NO_SOCKET) return -EBADF;
  const found = watching(fd);
  if (found != 0) {
    set(opAt(found - 1), found - 1, bits, handler, context);
    return 0;
  }
  if (ringPrepare() == null) return -ENOBUFS;
  for (let index: u32 = 0; index < RING_ENTRIES; index++) {
    const op = opAt(index);
    if (op.state != <u8>OpState.PREPARED) continue;
    op.opcode = <u8>RING_POLL;
    op.flags = <u8>RING_MULTISHOT;
    op.fd = fd;
    set(op, index, bits, handler, context);
  }
  ringSubmit();
  return 0;
}

/** As `loopForget`. */
export function loopRingForget(fd: i32): i32 {
  if (socketIndex(fd) == NO_SOCKET) return -EBADF;
  const found = watching(fd);
  if (found == 0) return -ENOENT;
  opFree(opAt(found - 1));
  return 0;
}

/** Waits until there is something for `loopRingNext`, `timeoutMs` at most. */
export function loopRingWait(timeoutMs: u32): void {
  ringWait(1, <i32>timeoutMs);
}

/** The handler of the next socket that something has happened to; 0 = none. */
export function loopRingNext(): u32 {
  for (let turns: u32 = 0; turns < 2 * RING_ENTRIES; turns++) {
    const cqe = ringPeek();
    if (cqe == null) return 0;
    const token = cqe.userData;
    ringSeen();
    const op = opAt((token & NO_RECORD) % RING_ENTRIES);
    // It may have been forgotten since.
    if (op.state != <u8>OpState.ACTIVE || op.userData != token) continue;
    op.done = 0;
    const now = sockEvents(op.fd);
    if ((now & POLLNVAL) != 0) {
      opFree(op);
      continue;
    }
    events = now & ((op.bytes & POLL_BITS) | ALWAYS);
    if (events == 0) continue;
    data = op.userDataHigh;
    if ((op.bytes & EPOLLONESHOT) != 0) opFree(op);
    return <u32>op.address;
  }
  return 0;
}
