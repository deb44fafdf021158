import { based } from "cpu";
import { TCP, TCP_FAST_PATH, TCP_TCBS, TCP_TX_BYTES, TCP_TX_PIECES } from "../config";
import { ipWrite } from "../ip/ipv4-output";
import { sumAdd } from "../wire/checksum";
import { Tcb } from "./connection";

/**
 * What a connection has to send or has sent without an acknowledgment yet: a short queue of pieces. A piece is a run of bytes
 * in the send ring, or memory of the application (zero-copy: an asset in flash, say) that is read in place. The queue starts
 * at SND.UNA, so it is the retransmission buffer too: nothing is ever copied for sending it again.
 *
 *     sndUna                                             sndUna + queued
 *     | ring run | asset in flash             | ring run |
 *
 * Without pieces (TCP_TX_PIECES 0) the queue is what the ring holds, and zero-copy sending copies, as MSG_ZEROCOPY may.
 */
@unmanaged
class Piece {
  /** Address of the bytes; 0 = the next `bytes` bytes of the send ring. */
  address: usize;
  bytes: u32;
}

const RING_ONLY: bool = TCP_TX_PIECES == 0;
const PIECES: usize = memory.data(
  TCP && !RING_ONLY ? TCP_TCBS * TCP_TX_PIECES * offsetof<Piece>() : 0,
  4,
);
const RINGS: usize = memory.data(TCP ? TCP_TCBS * TCP_TX_BYTES : 0, 4);
const MASK: u32 = TCP_TX_BYTES - 1;

function piece(tcb: Tcb, index: u32): Piece {
  return changetype<Piece>(
    based(PIECES) + (<u32>tcb.id * TCP_TX_PIECES + index) * offsetof<Piece>(),
  );
}

function ring(tcb: Tcb): usize {
  return RINGS + <u32>tcb.id * TCP_TX_BYTES;
}

/** The ring of the last connection, which others may use while that is free. */
export const LAST_SEND_RING: usize = RINGS + (TCP_TCBS - 1) * TCP_TX_BYTES;

/** Empties the queue. */
export function sendQueueClear(tcb: Tcb): void {
  tcb.ringHead = 0;
  tcb.ringBytes = 0;
  tcb.queued = 0;
  tcb.pieces = 0;
}

/** Bytes that `sendQueueCopy` would take. */
export function sendQueueRoom(tcb: Tcb): u32 {
  return noPiece(tcb) ? 0 : TCP_TX_BYTES - <u32>tcb.ringBytes;
}

/** True when there is no piece to stand for more bytes of the ring. */
function noPiece(tcb: Tcb): bool {
  const last = <u32>tcb.pieces;
  return !RING_ONLY && last == TCP_TX_PIECES && piece(tcb, last - 1).address != 0;
}

/** Copies bytes to the end of the queue, as many as there is room for; returns how many. */
export function sendQueueCopy(tcb: Tcb, from: usize, bytes: u32): u32 {
  bytes = min<u32>(bytes, sendQueueRoom(tcb));
  if (bytes == 0) return 0;
  const tail = (<u32>tcb.ringHead + <u32>tcb.ringBytes) & MASK;
  const first = min<u32>(bytes, TCP_TX_BYTES - tail);
  memory.copy(ring(tcb) + tail, from, first);
  if (bytes > first) memory.copy(ring(tcb), from + first, bytes - first);
  sendQueueWritten(tcb, bytes);
  return bytes;
}

/** Where bytes that are to be sent may be written in place, and `sendQueueTailBytes` how many in one piece. */
export function sendQueueTail(tcb: Tcb): usize {
  return ring(tcb) + ((<u32>tcb.ringHead + <u32>tcb.ringBytes) & MASK);
}

/** Room at `sendQueueTail`: up to the end of the ring. */
export function sendQueueTailBytes(tcb: Tcb): u32 {
  const tail = (<u32>tcb.ringHead + <u32>tcb.ringBytes) & MASK;
  if (noPiece(tcb)) return 0;
  return min<u32>(TCP_TX_BYTES - <u32>tcb.ringBytes, TCP_TX_BYTES - tail);
}

/** Bytes stand at the end of the ring, so many as there was room for: they belong to the queue now. */
export function sendQueueWritten(tcb: Tcb, bytes: u32): void {
  tcb.ringBytes = <u16>(<u32>tcb.ringBytes + bytes);
  tcb.queued += bytes;
  if (RING_ONLY) return;
  if (tcb.pieces != 0) {
    const last = piece(tcb, <u32>tcb.pieces - 1);
    if (last.address == 0) {
      last.bytes += bytes;
      return;
    }
  }
  append(tcb, 0, bytes);
}

/** Refers to bytes at the end of the queue; 0 when there is no piece left, otherwise `bytes`, or what a ring alone takes. */
export function sendQueueRefer(tcb: Tcb, from: usize, bytes: u32): u32 {
  if (RING_ONLY) return sendQueueCopy(tcb, from, bytes);
  if (<u32>tcb.pieces == TCP_TX_PIECES || bytes == 0) return 0;
  append(tcb, from, bytes);
  tcb.queued += bytes;
  return bytes;
}

function append(tcb: Tcb, address: usize, bytes: u32): void {
  const next = piece(tcb, <u32>tcb.pieces);
  next.address = address;
  next.bytes = bytes;
  tcb.pieces += 1;
}

/** Drops bytes from the front of the first piece that has some; returns those that it has left. */
function cut(tcb: Tcb, head: Piece, bytes: u32): u32 {
  if (head.address == 0) {
    tcb.ringHead = <u16>((<u32>tcb.ringHead + bytes) & MASK);
    tcb.ringBytes = <u16>(<u32>tcb.ringBytes - bytes);
  } else {
    head.address += bytes;
  }
  head.bytes -= bytes;
  return head.bytes;
}

/** Drops `bytes` acknowledged bytes from the front. */
export function sendQueueAcknowledge(tcb: Tcb, bytes: u32): void {
  assert(bytes <= tcb.queued);
  tcb.queued -= bytes;
  if (RING_ONLY) {
    tcb.ringHead = <u16>((<u32>tcb.ringHead + bytes) & MASK);
    tcb.ringBytes = <u16>(<u32>tcb.ringBytes - bytes);
    return;
  }
  if (TCP_FAST_PATH && tcb.pieces == 1) {
    // One piece, as it mostly is.
    if (cut(tcb, piece(tcb, 0), bytes) == 0) tcb.pieces = 0;
    return;
  }
  let head = piece(tcb, 0);
  let left = <u32>tcb.pieces;
  while (bytes != 0 && left != 0) {
    const part = min<u32>(bytes, head.bytes);
    bytes -= part;
    if (cut(tcb, head, part) != 0) break;
    head = changetype<Piece>(changetype<usize>(head) + offsetof<Piece>());
    left -= 1;
  }
  if (left == <u32>tcb.pieces) return;
  tcb.pieces = <u8>left;
  if (left == 0) return;
  const first = changetype<usize>(piece(tcb, 0));
  memory.copy(first, changetype<usize>(head), left * offsetof<Piece>());
}

/** Address of `bytes` queued bytes from `offset` when they lie in one run, as they mostly do; else 0. */
export function sendQueueRun(tcb: Tcb, offset: u32, bytes: u32): usize {
  if (RING_ONLY) {
    const start = (<u32>tcb.ringHead + offset) & MASK;
    return start + bytes > TCP_TX_BYTES ? 0 : ring(tcb) + start;
  }
  let part = piece(tcb, 0);
  let ringAt = <u32>tcb.ringHead;
  for (let left = <u32>tcb.pieces; left != 0; left--) {
    if (offset < part.bytes) {
      if (offset + bytes > part.bytes) return 0;
      if (part.address != 0) return part.address + offset;
      const start = (ringAt + offset) & MASK;
      return start + bytes > TCP_TX_BYTES ? 0 : ring(tcb) + start;
    }
    offset -= part.bytes;
    if (part.address == 0) ringAt += part.bytes;
    part = changetype<Piece>(changetype<usize>(part) + offsetof<Piece>());
  }
  return 0;
}

/** Adds `bytes` queued bytes from `offset` (counted from SND.UNA) to a checksum. */
export function sendQueueSum(tcb: Tcb, sum: u32, offset: u32, bytes: u32): u32 {
  return walk(tcb, sum, offset, bytes, false);
}

/** Writes the same bytes to the frame being sent. */
export function sendQueueWrite(tcb: Tcb, offset: u32, bytes: u32): void {
  walk(tcb, 0, offset, bytes, true);
}

function walk(tcb: Tcb, sum: u32, offset: u32, bytes: u32, write: bool): u32 {
  if (RING_ONLY) return walkRing(tcb, sum, offset, bytes, write);
  let ringAt = <u32>tcb.ringHead;
  let done: u32 = 0;
  for (let index: u32 = 0; index < <u32>tcb.pieces && bytes != 0; index++) {
    const part = piece(tcb, index);
    if (offset >= part.bytes) {
      offset -= part.bytes;
      if (part.address == 0) ringAt += part.bytes;
      continue;
    }
    let left = min<u32>(bytes, part.bytes - offset);
    bytes -= left;
    let at = part.address + offset;
    if (part.address == 0) {
      const start = (ringAt + offset) & MASK;
      ringAt += part.bytes;
      at = ring(tcb) + start;
      const first = TCP_TX_BYTES - start;
      if (left > first) {
        sum = run(sum, at, first, done, write);
        done += first;
        left -= first;
        at = ring(tcb);
      }
    }
    sum = run(sum, at, left, done, write);
    done += left;
    offset = 0;
  }
  assert(bytes == 0);
  return sum;
}

function walkRing(tcb: Tcb, sum: u32, offset: u32, bytes: u32, write: bool): u32 {
  const start = (<u32>tcb.ringHead + offset) & MASK;
  const first = min<u32>(bytes, TCP_TX_BYTES - start);
  sum = run(sum, ring(tcb) + start, first, 0, write);
  return bytes > first ? run(sum, ring(tcb), bytes - first, first, write) : sum;
}

function run(sum: u32, at: usize, bytes: u32, done: u32, write: bool): u32 {
  if (!write) return sumAdd(sum, at, bytes, done);
  ipWrite(at, bytes);
  return sum;
}
