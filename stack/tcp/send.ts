import { based, checksumOf, rev16, sumSegment } from "cpu";
import { TCP_ECN, TCP_FAST_PATH, TCP_TIMESTAMPS, TCP_URGENT } from "../config";
import { ipEnd, ipFrameHeadersWrite, ipHeader, ipRoute, ipWrite } from "../ip/ipv4-output";
import { IP_HEADER_BYTES } from "../ip/packet";
import { TX_TRANSPORT } from "../link/headers";
import { Counter, count } from "../statistics";
import { halves, sumField } from "../wire/checksum";
import { Tcb, TcbFlag, TcbTimer } from "./connection";
import { ECN_CAPABLE, ECN_SETUP, ecnBits, ecnFresh, ecnTold } from "./ecn";
import {
  ADDRESSES_BYTES,
  PROTOCOL_TCP,
  SynOption,
  TX,
  acceptableNumber,
  fill,
  segmentSend,
} from "./emit";
import { RECEIVE_MSS } from "./places";
import { receiveWindow, receivedSize, turnTold } from "./receive-window";
import { TCP_HEADER_BYTES, TIMESTAMP_BYTES, TIMESTAMP_HEAD, TcpBit } from "./segment";
import { sendQueueRun, sendQueueSum, sendQueueWrite } from "./send-queue";
import { seqMax } from "./sequence";
import { delackTimerStart, timerStop } from "./timers";
import { timestampNow, timestampsUsed } from "./timestamps";
import { urgentPointer } from "./urgent";

/** Segments of connections with whatever belongs into them (emit.ts), and the account of what they acknowledge. */

/** An opening of the window that nobody answers is repeated after this at least, ms: what a peer on the same link may take to send. */
const OPENING_MS: u32 = 10;
const OPENING_MAX_MS: u32 = 30_000;

/** What keeps a segment from being a plain one. */
export const REPORTED: u32 = TcbFlag.DUPLICATE | (TCP_URGENT ? TcbFlag.URGENT_OUT : 0);

/** Sends a segment of a connection that is open; `bits` has ACK. Its `bytes` of text are those of the send queue at `seq`. */
export function sendOf(tcb: Tcb, seq: u32, bits: u32, bytes: u32): i32 {
  if (TCP_FAST_PATH && !TCP_ECN && tcb.ranges == 0 && (tcb.flags & REPORTED) == 0) {
    return sendPlain(tcb, seq, bits, bytes);
  }
  const window = receiveWindow(tcb);
  const refused = sendFull(tcb, seq, bits, window, 0, seq - tcb.sndUna, bytes);
  if (refused == 0) acknowledged(tcb, window, true);
  return refused;
}

/**
 * `sendOf` for what nearly all segments are: without any option but timestamps. All in one function, and the text before the headers,
 * so that little has to be kept in registers: a third less than by the way of all segments (`segmentSend`).
 */
export function sendPlain(tcb: Tcb, seq: u32, bits: u32, bytes: u32): i32 {
  const stamped = timestampsUsed(tcb);
  const headerBytes: u32 = stamped ? TCP_HEADER_BYTES + TIMESTAMP_BYTES : TCP_HEADER_BYTES;
  const totalBytes = IP_HEADER_BYTES + headerBytes + bytes;
  const refused = ipRoute(tcb.localAddress, tcb.remoteAddress, totalBytes, false);
  if (refused != 0) return refused;
  let run: usize = 0;
  let sum: u32 = 0;
  if (bytes != 0) {
    const offset = seq - tcb.sndUna;
    run = sendQueueRun(tcb, offset, bytes);
    sum = run != 0 ? checksumOf(run, bytes) : sendQueueSum(tcb, 0, offset, bytes);
  }
  ipHeader(totalBytes, <u32>tcb.tos, (<u32>tcb.ttl) | (PROTOCOL_TCP << 8));
  const header = based(TX_TRANSPORT);
  // Local port first: the record has the remote one in the high half.
  store<u32>(header, rev16(tcb.ends));
  store<u32>(header, bswap<u32>(seq), 4);
  store<u32>(header, bswap<u32>(tcb.rcvNxt), 8);
  const window = receiveWindow(tcb);
  store<u32>(header, (headerBytes << 2) | (bits << 8) | (rev16(window) << 16), 12);
  store<u32>(header, 0, 16);
  acknowledged(tcb, window, true);
  // Protocol and length in one: neither fills its byte.
  sum += rev16(PROTOCOL_TCP + headerBytes + bytes);
  if (stamped) sum += writeStamps(timestampNow(tcb), tcb.tsRecent);
  store<u16>(header, sumField(sumSegment(header, header - ADDRESSES_BYTES, sum)), 16);
  ipFrameHeadersWrite(headerBytes);
  if (run != 0) ipWrite(run, bytes);
  else if (bytes != 0) sendQueueWrite(tcb, seq - tcb.sndUna, bytes);
  ipEnd();
  count(Counter.TCP_OUT);
  return 0;
}

/** The timestamps option as the only one; returns its sum. */
function writeStamps(tsVal: u32, tsEcr: u32): u32 {
  const header = based(TX_TRANSPORT);
  const value = bswap<u32>(tsVal);
  const echo = bswap<u32>(tsEcr);
  store<u32>(header, TIMESTAMP_HEAD, 20);
  store<u32>(header, value, 24);
  store<u32>(header, echo, 28);
  return halves(TIMESTAMP_HEAD) + halves(value) + halves(echo);
}

/** Sends a segment with whatever belongs into it. */
export function sendFull(
  tcb: Tcb,
  seq: u32,
  bits: u32,
  window: u32,
  options: u32,
  offset: u32,
  bytes: u32,
): i32 {
  fill(tcb, seq, (bits & TcpBit.ACK) != 0 ? tcb.rcvNxt : 0, bits, window, options);
  TX.offset = offset;
  TX.bytes = bytes;
  if (TCP_TIMESTAMPS && ((options & SynOption.TIMESTAMPS) != 0 || timestampsUsed(tcb))) {
    TX.options = options | SynOption.TIMESTAMPS;
    TX.tsVal = timestampNow(tcb);
    TX.tsEcr = tcb.tsRecent;
  }
  if (TCP_URGENT && (tcb.flags & TcbFlag.URGENT_OUT) != 0) {
    TX.urgent = urgentPointer(tcb, seq);
    if (TX.urgent != 0) TX.bits |= TcpBit.URG;
  }
  if (TCP_ECN) {
    const fresh = ecnFresh(tcb, seq, bytes);
    TX.bits |= ecnBits(tcb, fresh);
    TX.ecn = fresh ? ECN_CAPABLE : 0;
  }
  const refused = segmentSend(TX, tcb);
  if (refused != 0) return refused;
  if (TCP_ECN && (TX.bits & ECN_SETUP) >= <u32>TcpBit.CWR) ecnTold(tcb);
  return 0;
}

/** A segment has left that acknowledges all that has come, and announces `window`. */
export function acknowledged(tcb: Tcb, window: u32, mayOpen: bool): void {
  // Shut as far as the peer knew, and open now. With room for less than a segment it waits, too (RFC 9293 3.8.6.2.1).
  const before = tcb.rcvAdv - tcb.rcvNxt;
  const opens = before < RECEIVE_MSS && mayOpen && window > before && before < receivedSize(tcb);
  tcb.rcvAdv = seqMax(tcb.rcvAdv, tcb.rcvNxt + window);
  tcb.flags &= ~(TcbFlag.ACK_NOW | TcbFlag.DUPLICATE);
  tcb.unackedBytes = 0;
  timerStop(tcb, TcbTimer.DELAYED_ACK);
  // Nobody acknowledges an opening: if nothing comes of it within two round trips, it is told once more.
  if (opens) {
    const delayMs = min<u32>(max<u32>(tcb.srtt >>> 2, OPENING_MS), OPENING_MAX_MS);
    delackTimerStart(tcb, delayMs);
  }
  turnTold(tcb);
}

/** Acknowledgments that no text has taken with it. */
export function outputAcks(tcb: Tcb): i32 {
  if (tcb.owedAcks == 0) {
    if ((tcb.flags & TcbFlag.ACK_NOW) == 0) return 0;
    return sendOf(tcb, acceptableNumber(tcb), TcpBit.ACK, 0);
  }
  for (; tcb.owedAcks != 0; tcb.owedAcks--) {
    const refused = sendOf(tcb, acceptableNumber(tcb), TcpBit.ACK, 0);
    if (refused != 0) return refused;
  }
  return 0;
}
