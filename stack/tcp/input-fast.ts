import { based, rev16, sumHeader } from "cpu";
import { TCP_ECN, TCP_KEEPALIVE, TCP_TIMESTAMPS, TCP_WINDOW_SCALE } from "../config";
import { linkInterface } from "../link/device";
import { RX_NETWORK } from "../link/headers";
import { Counter, count } from "../statistics";
import { halves, sumFold } from "../wire/checksum";
import { acknowledge, acknowledgePlain } from "./acknowledge";
import { FIRST_SYN_RECORD, Tcb, TcbFlag, TcpState, connectionFind, tcbAt } from "./connection";
import { PROTOCOL_TCP } from "./emit";
import { patienceHeard } from "./patience";
import {
  SEGMENT,
  Segment,
  TCP_HEADER_BYTES,
  TIMESTAMP_BYTES,
  TcpBit,
  segmentForget,
  segmentHeaderTake,
  segmentStampsSum,
  segmentStampsTake,
} from "./segment";
import { seqLess } from "./sequence";
import { textCount } from "./synchronized";
import { textReadInto } from "./text";
import { timestampIsOld, timestampTake, timestampsUsed } from "./timestamps";

/**
 * The fast path: a segment that is just what is expected next, of a connection that is open: in a plain packet, no control
 * bit but ACK and PSH, no option but timestamps, its text at RCV.NXT and inside of the window, nothing missing before it. One
 * function looks at all of it at once (header prediction, after Van Jacobson). Whatever is not so goes the general way
 * (input.ts), which remains the truth: this one does the same, in the same order, and only leaves out what
 * cannot be. `TCP_FAST_PATH` 0 leaves it out.
 */

/** What the last segment's four-tuple has been found to be. */
let found: u32 = 0;

/** Number of the record that the segment belongs to which was not taken here; NO_CONNECTION = none (connection.ts). */
export function connectionFound(): u32 {
  return found;
}

/** Control bits that must be as expected: all but PSH. */
const CONTROL: u32 = 0x37;

/** States of a connection in which more is to be done than is done here. */
const SPECIAL: u32 = TcbFlag.FIN_SEEN | TcbFlag.FIN_RECEIVED | TcbFlag.READ_SHUT | TcbFlag.PERSIST;

/**
 * Takes the segment of `bytes` in the open packet, a plain one (ip/ipv4-plain.ts), if it is the expected one. False = nothing has
 * happened, the general way is to be gone.
 */
export function tcpInputFast(bytes: u32): bool {
  segmentForget();
  if (bytes < TCP_HEADER_BYTES) return false;
  const ip = based(RX_NETWORK);
  const header = segmentHeaderTake();
  const ports = bswap<u32>(load<u32>(header));
  const source = bswap<u32>(load<u32>(ip, 12));
  // A source that a connection was made with is one host, and not us.
  const id = connectionFind(linkInterface().address, ports & 0xffff, source, ports >>> 16);
  found = id;
  if (id >= FIRST_SYN_RECORD) return false;
  const tcb = tcbAt(id);
  const segment = changetype<Segment>(based(changetype<usize>(SEGMENT)));
  if (!expected(tcb, segment, header, bytes)) return false;
  count(Counter.IP_IN);
  count(Counter.TCP_IN);
  let sum = halves(load<u32>(ip, 12)) + halves(load<u32>(ip, 16)) + (PROTOCOL_TCP << 8);
  sum += rev16(bytes) + sumHeader(header);
  if (segment.stamped) sum += segmentStampsSum();
  take(tcb, segment, sum);
  return true;
}

/** True when this header is the one that comes next on its connection; `segment` is filled then. */
function expected(tcb: Tcb, segment: Segment, header: usize, bytes: u32): bool {
  const stamped = timestampsUsed(tcb);
  const headerBytes: u32 = stamped ? TCP_HEADER_BYTES + TIMESTAMP_BYTES : TCP_HEADER_BYTES;
  // Data offset, control bits, window.
  const word = load<u32>(header, 12);
  if ((word & 0xf0) != headerBytes << 2 || headerBytes > bytes) return false;
  if (((word >>> 8) & CONTROL) != <u32>TcpBit.ACK || tcb.state != TcpState.ESTABLISHED)
    return false;
  if ((tcb.flags & SPECIAL) != 0 || tcb.ranges != 0 || (TCP_ECN && tcb.ecn != 0)) return false;
  const seq = bswap<u32>(load<u32>(header, 4));
  const ack = bswap<u32>(load<u32>(header, 8));
  const textBytes = bytes - headerBytes;
  if (seq != tcb.rcvNxt || textBytes > tcb.rcvAdv - seq) return false;
  if (seqLess(ack, tcb.sndUna) || seqLess(tcb.sndMax, ack)) return false;
  if (TCP_TIMESTAMPS) segment.stamped = stamped;
  if (stamped && (!segmentStampsTake(segment) || timestampIsOld(tcb, segment))) return false;
  segment.seq = seq;
  segment.ack = ack;
  segment.bits = TcpBit.ACK;
  segment.window = rev16(word >>> 16) << (TCP_WINDOW_SCALE ? tcb.sndShift : 0);
  segment.textBytes = textBytes;
  segment.headerBytes = headerBytes;
  return true;
}

/** Text to its place while the checksum is summed; only when that is proven it counts. */
function take(tcb: Tcb, segment: Segment, sum: u32): void {
  const bytes = segment.textBytes;
  if (bytes != 0) sum = textReadInto(tcb, segment.seq, bytes, sum, 0);
  if (sumFold(sum) != 0xffff) {
    count(Counter.TCP_BAD_CHECKSUM);
    return;
  }
  if (timestampsUsed(tcb)) timestampTake(tcb, segment);
  if (TCP_KEEPALIVE && (tcb.flags & TcbFlag.KEEP_ALIVE) != 0) patienceHeard(tcb);
  // Text that acknowledges nothing and leaves the window as it is says no more than which segment was the last to tell it.
  if (bytes != 0 && segment.ack == tcb.sndUna && segment.window == tcb.sndWnd) {
    tcb.sndWl1 = segment.seq;
  } else if (!acknowledgePlain(tcb, segment) && !acknowledge(tcb, segment)) {
    return;
  }
  if (bytes == 0) return;
  tcb.rcvNxt = segment.seq + bytes;
  textCount(tcb, bytes, bytes, false);
}
