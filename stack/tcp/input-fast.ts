import { based, rev16, sumSegment } from "cpu";
import { TCP_ECN, TCP_KEEPALIVE, TCP_WINDOW_SCALE } from "../config";
import { linkInterface } from "../link/device";
import { RX_NETWORK } from "../link/headers";
import { POLLIN, POLLOUT } from "../posix";
import { Counter, count } from "../statistics";
import { sumIntact } from "../wire/checksum";
import { acknowledgeAny, acknowledgePlain } from "./acknowledge";
import {
  FIRST_SYN_RECORD,
  FIRST_TIME_WAIT,
  Tcb,
  TcbFlag,
  TcpState,
  connectionFind,
  tcbAt,
} from "./connection";
import { PROTOCOL_TCP } from "./emit";
import { closingInput, handshakeInput } from "./input-ends";
import { patienceHeard } from "./patience";
import {
  SEGMENT,
  TCP_HEADER_BYTES,
  TIMESTAMP_BYTES,
  TcpBit,
  segmentForget,
  segmentHeaderTake,
  segmentStampsSum,
  segmentStampsTake,
} from "./segment";
import { readyTell, textCount } from "./synchronized";
import { textReadNext } from "./text";
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
  if (bytes < TCP_HEADER_BYTES) {
    segmentForget();
    return false;
  }
  const ip = based(RX_NETWORK);
  const header = segmentHeaderTake();
  // A source that a connection was made with is one host, and not us.
  const source = bswap<u32>(load<u32>(ip, 12));
  const id = connectionFind(linkInterface().address, source, bswap<u32>(load<u32>(header)));
  found = id;
  if (id >= FIRST_SYN_RECORD) return id < FIRST_TIME_WAIT && handshakeInput(id, header, bytes);
  const tcb = tcbAt(id);
  const textBytes = expected(tcb, header, bytes);
  if (textBytes == UNEXPECTED) return closingInput(tcb, header, bytes);
  count(Counter.IP_IN);
  count(Counter.TCP_IN);
  // Text to its place while it is summed; only when that is proven it counts. Protocol and length in one: neither fills its byte.
  let sum = rev16(PROTOCOL_TCP + bytes);
  if (textBytes != 0) sum = textReadNext(tcb, textBytes, sum);
  if (timestampsUsed(tcb)) sum += segmentStampsSum();
  if (sumIntact(sumSegment(header, ip + 12, sum))) take(tcb, header, textBytes);
  else count(Counter.TCP_BAD_CHECKSUM);
  return true;
}

/** The segment is not the expected one. */
const UNEXPECTED: u32 = 0xffffffff;

/** Bytes of text of the segment when its header is the one that comes next on its connection, else UNEXPECTED. */
function expected(tcb: Tcb, header: usize, bytes: u32): u32 {
  const stamped = timestampsUsed(tcb);
  const headerBytes: u32 = stamped ? TCP_HEADER_BYTES + TIMESTAMP_BYTES : TCP_HEADER_BYTES;
  // Data offset and control bits as a plain load sees them.
  const word = (<u32>load<u16>(header, 12)) & (0xf0 | (CONTROL << 8));
  if (word != ((headerBytes << 2) | (TcpBit.ACK << 8))) return UNEXPECTED;
  if (tcb.state != TcpState.ESTABLISHED || (tcb.flags & SPECIAL) != 0) return UNEXPECTED;
  if (tcb.ranges != 0 || (TCP_ECN && tcb.ecn != 0)) return UNEXPECTED;
  const seq = bswap<u32>(load<u32>(header, 4));
  // More than any window where there is less than a header.
  const textBytes = bytes - headerBytes;
  if (seq != tcb.rcvNxt || textBytes > tcb.rcvAdv - seq) return UNEXPECTED;
  const acked = bswap<u32>(load<u32>(header, 8)) - tcb.sndUna;
  if (acked > tcb.sndMax - tcb.sndUna) return UNEXPECTED;
  if (!stamped) return textBytes;
  const segment = SEGMENT;
  return segmentStampsTake(segment) && !timestampIsOld(tcb, segment) ? textBytes : UNEXPECTED;
}

/** Takes the segment, whose text is in its place. */
function take(tcb: Tcb, header: usize, bytes: u32): void {
  const seq = tcb.rcvNxt;
  if (timestampsUsed(tcb)) stampTake(tcb, seq);
  if (TCP_KEEPALIVE && (tcb.flags & TcbFlag.KEEP_ALIVE) != 0) patienceHeard(tcb);
  const ack = bswap<u32>(load<u32>(header, 8));
  const window = rev16(<u32>load<u16>(header, 14)) << (TCP_WINDOW_SCALE ? tcb.sndShift : 0);
  let news: u32 = POLLIN;
  // Text that acknowledges nothing and leaves the window as it is says no more than which segment was the last to tell it.
  if (bytes != 0 && ack == tcb.sndUna && window == tcb.sndWnd) {
    tcb.sndWl1 = seq;
  } else if (acknowledgePlain(tcb, ack, window, seq)) {
    news = POLLIN | POLLOUT;
    if (bytes == 0) {
      readyTell(tcb, POLLOUT);
      return;
    }
  } else if (!acknowledgeAny(tcb, ack, window, bytes)) return;
  if (bytes == 0) return;
  tcb.rcvNxt += bytes;
  textCount(tcb, bytes, bytes, false, news);
}

function stampTake(tcb: Tcb, seq: u32): void {
  const segment = SEGMENT;
  segment.stamped = true;
  segment.seq = seq;
  timestampTake(tcb, segment);
}
