import { RecordNumber } from "options";
import { RING_ENTRIES } from "../../stack/config";
import {
  EAGAIN,
  EALREADY,
  EBADF,
  ECANCELED,
  EINPROGRESS,
  EINVAL,
  ENOBUFS,
} from "../../stack/errors";
import { MSG_ZEROCOPY, POLLERR, POLLHUP, POLLIN, POLLNVAL } from "../../stack/posix";
import { SockAddrIn, addressOf, portOf } from "../../stack/socket/address";
import { sockAckedTo, sockFamilyFault, sockTcb } from "../../stack/socket/names";
import {
  sockAccept,
  sockClose,
  sockConnect,
  sockEvents,
  sockReceive,
  sockSend,
} from "../../stack/socket/socket";

/** The operations of the completion queue (ring.ts): what each one tries, and what it has to tell. */

export const RING_NOP: u32 = 0;
/** accept(2): the result is the descriptor. With RING_MULTISHOT one completion for each connection. */
export const RING_ACCEPT: u32 = 1;
/** connect(2) to the SockAddrIn at `address`. */
export const RING_CONNECT: u32 = 2;
/** recv(2) into `address`, `bytes`; with RING_BUFFER_SELECT into a buffer of `ringBuffers`; with RING_MULTISHOT, which needs them, again and again. */
export const RING_RECV: u32 = 3;
/** send(2), all of it; with RING_ZEROCOPY from where it lies (flash too), and a second completion when that is free again. */
export const RING_SEND: u32 = 4;
/** poll(2) for the bits in `bytes`; with RING_MULTISHOT each time that one becomes true. */
export const RING_POLL: u32 = 5;
/** After `bytes` milliseconds: -ETIME. */
export const RING_TIMEOUT: u32 = 6;
export const RING_CLOSE: u32 = 7;
/** Ends the operation whose user data is `bytes` with -ECANCELED. */
export const RING_CANCEL: u32 = 8;

/** Flags of a submission: the next one begins when this has succeeded, and is cancelled when it has not. */
export const RING_LINK: u32 = 1;
export const RING_MULTISHOT: u32 = 2;
export const RING_BUFFER_SELECT: u32 = 4;
export const RING_ZEROCOPY: u32 = 8;

/**
 * Flags of a completion: a buffer was chosen, its number in the high half; more will come for this submission; this tells that a
 * zero-copy buffer is free.
 */
export const RING_F_BUFFER: u32 = 1;
export const RING_F_MORE: u32 = 2;
export const RING_F_NOTIF: u32 = 8;

/** A submission. */
@unmanaged
export class RingSqe {
  opcode: u8;
  flags: u8;
  reserved: u16;
  fd: i32;
  address: usize;
  /** Length, or what the operation says. */
  bytes: u32;
  /** Comes back with each completion. */
  userData: u32;
  userDataHigh: u32;
}

export const enum OpState {
  FREE = 0,
  /** Given to the application to fill in. */
  PREPARED = 1,
  /** Waits for the one that it is linked to. */
  LINKED = 2,
  ACTIVE = 3,
  /** Has ended; its completion waits for room. */
  DONE = 4,
  /** Sent; the buffer is not acknowledged yet. */
  NOTIFY = 5,
}

/** A submission and how far it is. */
@unmanaged
export class RingOp extends RingSqe {
  state: u8;
  /** The one that is linked to this, plus one. */
  next: RecordNumber;
  /** Number of the chosen buffer, plus one. */
  buffer: u8;
  /** A connect has begun; or: a multishot operation has ended with its last result. */
  begun: bool;
  result: i32;
  /** Bytes sent; of a poll the bits told last; of a zero-copy send the number up to which the peer must acknowledge. */
  done: u32;
  since: u32;
  order: u32;
}

/** An operation by number. */
export function opAt(index: u32): RingOp {
  const TABLE: usize = memory.data(RING_ENTRIES * offsetof<RingOp>(), 4);
  return changetype<RingOp>(TABLE + index * offsetof<RingOp>());
}

let buffers: usize = 0;
let bufferBytes: u32 = 0;
let bufferCount: u32 = 0;
/** Buffers that are free, one bit each. */
let freeBuffers: u32 = 0;

/** Provides `count` buffers (32 at most) of `bytes` each, one behind the other, for RING_BUFFER_SELECT. */
export function ringBuffers(address: usize, bytes: u32, count: u32): void {
  buffers = address;
  bufferBytes = bytes;
  bufferCount = min<u32>(count, 32);
  freeBuffers = bufferCount == 32 ? 0xffffffff : (1 << bufferCount) - 1;
}

/** Gives a buffer back, by the number in the high half of the completion's flags. */
export function ringGiveBack(buffer: u32): void {
  if (buffer < bufferCount) freeBuffers |= 1 << buffer;
}

function has(op: RingOp, flag: u32): bool {
  return ((<u32>op.flags) & flag) != 0;
}

/** Ends an operation with a result. */
export function opFail(op: RingOp, result: i32): void {
  op.result = result;
  op.begun = true;
  op.state = <u8>OpState.DONE;
}

export function opFree(op: RingOp): void {
  op.state = <u8>OpState.FREE;
}

/** Milliseconds until a timeout ends. */
export function opDue(op: RingOp, nowMs: u32): u32 {
  const passed = nowMs - op.since;
  return passed >= op.bytes ? 0 : op.bytes - passed;
}

/** Flags of the completion that is about to be posted. */
export function resultOf(op: RingOp): u32 {
  if (op.state == <u8>OpState.NOTIFY) return RING_F_NOTIF;
  let flags: u32 = more(op) ? RING_F_MORE : 0;
  if (op.buffer != 0) flags |= RING_F_BUFFER | ((<u32>op.buffer - 1) << 16);
  return flags;
}

/** More completions will come: a multishot operation that has not ended, or the notice of a zero-copy send. */
function more(op: RingOp): bool {
  if (op.state == <u8>OpState.DONE || op.state == <u8>OpState.NOTIFY) return false;
  if (op.opcode == <u8>RING_SEND) return has(op, RING_ZEROCOPY) && op.result >= 0;
  return has(op, RING_MULTISHOT) && (op.opcode == <u8>RING_RECV ? op.result > 0 : op.result >= 0);
}

/** The completion was posted: true when the operation goes on. */
export function resultMore(op: RingOp): bool {
  const goesOn = more(op);
  op.buffer = 0;
  if (goesOn && op.opcode == <u8>RING_SEND) {
    op.state = <u8>OpState.NOTIFY;
    op.result = 0;
  }
  return goesOn;
}

/** Tries what can be done now; true when `result` is to be told. */
export function opTry(op: RingOp): bool {
  switch (<u32>op.opcode) {
    case RING_ACCEPT:
      return answered(op, sockAccept(op.fd));
    case RING_CONNECT:
      return connecting(op);
    case RING_RECV:
      return receiving(op);
    case RING_SEND:
      // The connection may outlive its socket.
      return op.state == <u8>OpState.NOTIFY
        ? sockAckedTo(op.bytes, <u32>op.address, op.done)
        : sending(op);
    case RING_POLL:
      return polling(op);
    case RING_CLOSE:
      return answered(op, sockClose(op.fd));
    default:
      return answered(op, 0);
  }
}

function answered(op: RingOp, result: i32): bool {
  if (result == -EAGAIN) return false;
  op.result = result;
  return true;
}

function connecting(op: RingOp): bool {
  if (op.begun && sockEvents(op.fd) == 0) return false;
  op.begun = true;
  const to = changetype<SockAddrIn>(op.address);
  const wrong = sockFamilyFault(op.fd, <i32>to.sinFamily);
  const result = wrong != 0 ? wrong : sockConnect(op.fd, addressOf(to), portOf(to));
  if (result == -EINPROGRESS || result == -EALREADY || result == -EAGAIN) return false;
  op.result = result;
  return true;
}

function receiving(op: RingOp): bool {
  // Again and again into the same place would lose text (io_uring_prep_recv_multishot(3)).
  if (has(op, RING_MULTISHOT) && !has(op, RING_BUFFER_SELECT)) return answered(op, -EINVAL);
  if (!has(op, RING_BUFFER_SELECT))
    return answered(op, sockReceive(op.fd, op.address, op.bytes, 0));
  // A buffer is chosen only when there is something to put into it.
  const events = sockEvents(op.fd);
  if ((events & (POLLIN | POLLERR | POLLHUP | POLLNVAL)) == 0) return false;
  if (freeBuffers == 0) return answered(op, (events & POLLNVAL) != 0 ? -EBADF : -ENOBUFS);
  const buffer = <u32>ctz(freeBuffers);
  const result = sockReceive(op.fd, buffers + <usize>(buffer * bufferBytes), bufferBytes, 0);
  if (result > 0) {
    freeBuffers &= ~(1 << buffer);
    op.buffer = <u8>(buffer + 1);
  }
  return answered(op, result);
}

function sending(op: RingOp): bool {
  const zeroCopy = has(op, RING_ZEROCOPY);
  const flags = zeroCopy ? MSG_ZEROCOPY : 0;
  const result = sockSend(op.fd, op.address + <usize>op.done, op.bytes - op.done, flags);
  if (result == -EAGAIN || result == -EINPROGRESS) return false;
  if (result < 0 && op.done == 0) return answered(op, result);
  if (result > 0) op.done += <u32>result;
  if (result > 0 && op.done < op.bytes) return false;
  op.result = <i32>op.done;
  if (zeroCopy) noteEnd(op);
  return true;
}

/** What must be acknowledged before the buffer is free: which connection, and up to where. Datagrams and local text are copied. */
function noteEnd(op: RingOp): void {
  const tcb = sockTcb(op.fd);
  op.bytes = tcb == null ? 0 : <u32>tcb.id;
  op.address = tcb == null ? 0 : <usize>tcb.ports;
  op.done = tcb == null ? 0 : tcb.sndUna + tcb.queued;
}

/** RING_CANCEL of a waiting operation: a send that has sent a part ends with that, any other one with -ECANCELED. */
export function opCancel(op: RingOp): void {
  const part = op.opcode == <u8>RING_SEND && op.state == <u8>OpState.ACTIVE && op.done != 0;
  if (part) op.bytes = op.done;
  else opFail(op, -ECANCELED);
}

function polling(op: RingOp): bool {
  const events = sockEvents(op.fd) & (op.bytes | POLLERR | POLLHUP | POLLNVAL);
  if ((events & POLLNVAL) != 0) return answered(op, -EBADF);
  const fresh = events & ~op.done;
  op.done = events;
  if (fresh == 0) return false;
  op.result = <i32>events;
  return true;
}
