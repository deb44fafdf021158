import { based, rev16, sumSegment } from "cpu";
import { SOCKET_MORE_OPTIONS, TCP_ECN, TCP_KEEPALIVE, TCP_WINDOW_SCALE } from "../config";
import { RX_NETWORK } from "../link/headers";
import { POLLHUP, POLLIN, POLLOUT } from "../posix";
import { Counter, count } from "../statistics";
import { sumIntact } from "../wire/checksum";
import { acknowledgeAny, acknowledgePlain, noteWindow } from "./acknowledge";
import { NO_CONNECTION, Tcb, TcbFlag, TcpState, synRecordAt, tcbAt } from "./connection";
import { PROTOCOL_TCP } from "./emit";
import { enterOrphanFinWait2, tcbClose } from "./lifecycle";
import { defers } from "./listen";
import { patienceHeard } from "./patience";
import { promote, promoteCommit, promoteUndo } from "./promote";
import {
  SEGMENT,
  TCP_HEADER_BYTES,
  TIMESTAMP_BYTES,
  TcpBit,
  segmentOptionTaken,
  segmentStampsSum,
  segmentStampsTake,
} from "./segment";
import { finTake } from "./synchronized";
import { timestampTake, timestampsUsed } from "./timestamps";

/**
 * The fast path's share at both ends of a connection: the ACK that finishes a handshake, the peer's FIN, and the ACK of ours, each bare:
 * without text and without options but timestamps. What is not as most are goes the general way, which remains the truth.
 */

/** Data offset and control bits as a plain load sees them: of a header without options and of one with timestamps, and ACK. */
const BARE: u32 = TCP_HEADER_BYTES << 2;
const STAMPED: u32 = (TCP_HEADER_BYTES + TIMESTAMP_BYTES) << 2;
const ACK: u32 = TcpBit.ACK << 8;
const FIN: u32 = TcpBit.FIN << 8;
const PSH: u32 = TcpBit.PSH << 8;

/** What has to be looked at with more care than here. */
const SPECIAL: u32 =
  TcbFlag.PERSIST | TcbFlag.RECOVERY | TcbFlag.PROBED | TcbFlag.PROBED_AGAIN | TcbFlag.URGENT_OUT;

/** Sum of protocol and length of a segment that is a fixed header: neither fills its byte. */
const BARE_SUM: u32 = (PROTOCOL_TCP + TCP_HEADER_BYTES) << 8;

/** The same and the sum of the timestamps, if the segment of `bytes` has these alone, no older than `recent`; else 0. */
function stampsTake(header: usize, bytes: u32, recent: u32): u32 {
  if (bytes != TCP_HEADER_BYTES + TIMESTAMP_BYTES || segmentOptionTaken()) return 0;
  const segment = SEGMENT;
  segment.stamped = true;
  segment.seq = bswap<u32>(load<u32>(header, 4));
  if (!segmentStampsTake(segment) || <i32>(segment.tsVal - recent) < 0) return 0;
  return BARE_SUM + (TIMESTAMP_BYTES << 8) + segmentStampsSum();
}

/** Counts the segment, a header alone in a plain packet; `sum` is that of all but header and addresses. True when its checksum is right. */
function proven(header: usize, sum: u32): bool {
  count(Counter.IP_IN);
  count(Counter.TCP_IN);
  if (sumIntact(sumSegment(header, based(RX_NETWORK) + 12, sum))) return true;
  count(Counter.TCP_BAD_CHECKSUM);
  return false;
}

/** Its window, not scaled yet. */
function windowOf(header: usize): u32 {
  return rev16(<u32>load<u16>(header, 14));
}

/** Takes the segment of `bytes` for record `id` if it does no more than finish its handshake. False = nothing has happened. */
export function handshakeInput(id: u32, header: usize, bytes: u32): bool {
  const record = synRecordAt(id);
  const seq = record.irs + 1;
  let sum = BARE_SUM;
  let offset = BARE;
  if (record.stamped) {
    sum = stampsTake(header, bytes, record.stamp);
    if (sum == 0) return false;
    offset = STAMPED;
  } else if (bytes != TCP_HEADER_BYTES) return false;
  if (<u32>load<u16>(header, 12) != (offset | ACK)) return false;
  if (bswap<u32>(load<u32>(header, 8)) != record.iss + 1) return false;
  if (bswap<u32>(load<u32>(header, 4)) != seq) return false;
  if (SOCKET_MORE_OPTIONS && defers(record)) return false;
  const promoted = promote(id, false);
  if (promoted == NO_CONNECTION) return false;
  const tcb = tcbAt(promoted);
  if (!proven(header, sum)) {
    promoteUndo(tcb);
    return true;
  }
  promoteCommit(id, promoted);
  noteWindow(tcb, windowOf(header) << tcb.sndShift, seq);
  if (timestampsUsed(tcb)) timestampTake(tcb, SEGMENT);
  return true;
}

/** Takes the segment of `bytes`, which is not the expected one, if it does no more than end its connection. False = nothing has happened. */
export function closingInput(tcb: Tcb, header: usize, bytes: u32): bool {
  let sum = BARE_SUM;
  let offset = BARE;
  if (timestampsUsed(tcb)) {
    sum = stampsTake(header, bytes, tcb.tsRecent);
    if (sum == 0) return false;
    offset = STAMPED;
  } else if (bytes != TCP_HEADER_BYTES) return false;
  if ((tcb.flags & SPECIAL) != 0) return false;
  if ((tcb.retries | tcb.sacked | tcb.ranges) != 0 || (TCP_ECN && tcb.ecn != 0)) return false;
  if (bswap<u32>(load<u32>(header, 4)) != tcb.rcvNxt) return false;
  const word = (<u32>load<u16>(header, 12)) & ~PSH;
  const ack = bswap<u32>(load<u32>(header, 8));
  if (word == (offset | ACK | FIN)) return finInput(tcb, header, ack, sum);
  return word == (offset | ACK) && finAcknowledged(tcb, header, ack, sum);
}

/** `proven` for a segment of a connection, whose clock counts then. */
function taken(tcb: Tcb, header: usize, sum: u32): bool {
  if (!proven(header, sum)) return false;
  if (timestampsUsed(tcb)) timestampTake(tcb, SEGMENT);
  return true;
}

/** The peer has no more to send. */
function finInput(tcb: Tcb, header: usize, ack: u32, sum: u32): bool {
  if (tcb.state != TcpState.ESTABLISHED || (tcb.flags & TcbFlag.FIN_SEEN) != 0) return false;
  const window = windowOf(header) << (TCP_WINDOW_SCALE ? tcb.sndShift : 0);
  const acked = ack - tcb.sndUna;
  if (acked > tcb.sndMax - tcb.sndUna || (acked == 0 && window != tcb.sndWnd)) return false;
  if (!taken(tcb, header, sum)) return true;
  if (TCP_KEEPALIVE && (tcb.flags & TcbFlag.KEEP_ALIVE) != 0) patienceHeard(tcb);
  const seq = tcb.rcvNxt;
  let news: u32 = POLLIN | POLLHUP;
  if (acked == 0) tcb.sndWl1 = seq;
  else if (acknowledgePlain(tcb, ack, window, seq)) news |= POLLOUT;
  else acknowledgeAny(tcb, ack, window, 0);
  tcb.finSeq = <u16>seq;
  finTake(tcb, news);
  return true;
}

/** All that we have sent has come, our FIN with it: the connection is over, or nothing is left of it that needs its rings. */
function finAcknowledged(tcb: Tcb, header: usize, ack: u32, sum: u32): bool {
  const last = tcb.state == TcpState.LAST_ACK;
  if (!last && (tcb.state != TcpState.FIN_WAIT_1 || tcb.socket != 0)) return false;
  if (!last && (tcb.flags & TcbFlag.FIN_SEEN) != 0) return false;
  if ((tcb.flags & TcbFlag.FIN_SENT) == 0 || ack != tcb.sndUna + tcb.queued + 1) return false;
  if (!taken(tcb, header, sum)) return true;
  tcb.sndUna = ack;
  if (last) tcbClose(tcb);
  else enterOrphanFinWait2(tcb);
  return true;
}
