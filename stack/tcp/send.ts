import { TCP_ECN, TCP_TIMESTAMPS, TCP_URGENT } from "../config";
import { Tcb, TcbFlag, TcbTimer } from "./connection";
import { ECN_CAPABLE, ECN_SETUP, ecnBits, ecnFresh, ecnTold } from "./ecn";
import { RECEIVE_MSS, SynOption, TX, acceptableNumber, segmentPlain, segmentSend } from "./emit";
import { receiveWindow, receivedSize, turnTold } from "./receive-window";
import { TcpBit } from "./segment";
import { seqMax } from "./sequence";
import { timerStart, timerStop } from "./timers";
import { timestampNow, timestampsUsed } from "./timestamps";
import { urgentPointer } from "./urgent";

/** Segments of connections with whatever belongs into them (emit.ts), and the account of what they acknowledge. */

/** An opening of the window that nobody answers is repeated after this at least, ms: what a peer on the same link may take to send. */
const OPENING_MS: u32 = 10;
const OPENING_MAX_MS: u32 = 30_000;

/** What keeps a segment from being a plain one (`segmentPlain`). */
const REPORTED: u32 = TcbFlag.DUPLICATE | (TCP_URGENT ? TcbFlag.URGENT_OUT : 0);

/** Sends a segment of a connection that is open; `bits` has ACK. */
export function sendOf(tcb: Tcb, seq: u32, bits: u32, offset: u32, bytes: u32): i32 {
  const window = receiveWindow(tcb);
  const plain = !TCP_ECN && tcb.ranges == 0 && (tcb.flags & REPORTED) == 0;
  const refused = plain
    ? segmentPlain(tcb, seq, bits, window, offset, bytes)
    : sendFull(tcb, seq, bits, window, 0, offset, bytes);
  if (refused == 0) acknowledged(tcb, window, true);
  return refused;
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
  TX.localAddress = tcb.localAddress;
  TX.remoteAddress = tcb.remoteAddress;
  TX.ports = tcb.ports;
  TX.seq = seq;
  TX.ack = (bits & TcpBit.ACK) != 0 ? tcb.rcvNxt : 0;
  TX.window = window;
  TX.bits = bits;
  TX.options = options;
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
    timerStart(tcb, TcbTimer.DELAYED_ACK, delayMs);
  }
  turnTold(tcb);
}

/** Acknowledgments that no text has taken with it. */
export function outputAcks(tcb: Tcb): i32 {
  if (tcb.owedAcks == 0) {
    if ((tcb.flags & TcbFlag.ACK_NOW) == 0) return 0;
    return sendOf(tcb, acceptableNumber(tcb), TcpBit.ACK, 0, 0);
  }
  for (; tcb.owedAcks != 0; tcb.owedAcks--) {
    const refused = sendOf(tcb, acceptableNumber(tcb), TcpBit.ACK, 0, 0);
    if (refused != 0) return refused;
  }
  return 0;
}
