import { SOCKET_MORE_OPTIONS, TCP_SACK, TCP_TIMESTAMPS, TCP_WINDOW_SCALE } from "../config";
import { ECONNREFUSED } from "../errors";
import { now } from "../now";
import { established, noteWindow } from "./acknowledge";
import { Tcb, TcbFlag, TcbTimer, TcpState } from "./connection";
import { ecnBegin, ecnOffered } from "./ecn";
import { SynOption, synAnswerSet } from "./emit";
import { ackNow, tcbAbort } from "./lifecycle";
import { refuse, sendMss } from "./listen";
import { pendingAdd } from "./pending";
import { FIRST_WINDOW } from "./places";
import { rtoSample } from "./rto";
import { NO_SCALE, Segment, TcpBit } from "./segment";
import { seqLess } from "./sequence";
import { textAndFinInput } from "./synchronized";
import { timerStop } from "./timers";
import { timestampsBegin } from "./timestamps";

/** The acknowledgment is of our SYN, or there is none. */
function answersUs(tcb: Tcb, segment: Segment): bool {
  return (segment.bits & TcpBit.ACK) == 0 || segment.ack == tcb.sndUna + 1;
}

/**
 * Before the text of a segment for a connection in SYN-SENT is placed: text on a SYN belongs behind the SYN's number. These
 * variables mean nothing in SYN-SENT, so a wrong checksum has changed nothing.
 */
export function synSentPrepare(tcb: Tcb, segment: Segment): void {
  const bits = segment.bits & (TcpBit.SYN | TcpBit.RST);
  tcb.irs = <u16>segment.seq;
  tcb.rcvNxt = segment.seq + 1;
  tcb.rcvRead = tcb.rcvNxt;
  tcb.rcvAdv = tcb.rcvNxt;
  if (bits == TcpBit.SYN && answersUs(tcb, segment)) {
    tcb.rcvAdv = tcb.rcvNxt + FIRST_WINDOW;
  }
}

/** A segment for a connection in SYN-SENT (RFC 9293 3.10.7.3). */
export function synSentInput(tcb: Tcb, segment: Segment): void {
  const bits = segment.bits;
  const hasAck = (bits & TcpBit.ACK) != 0;
  if (!answersUs(tcb, segment)) {
    if ((bits & TcpBit.RST) == 0) refuse(segment);
    return;
  }
  if ((bits & TcpBit.RST) != 0) {
    if (hasAck) tcbAbort(tcb, ECONNREFUSED);
    return;
  }
  if ((bits & TcpBit.SYN) == 0) return;
  // Until now it held TCP_MAXSEG, if that was set.
  const limit: u32 = SOCKET_MORE_OPTIONS ? <u32>tcb.peerMss : 0;
  const mss = sendMss(segment.mss);
  tcb.sndMss = <u16>(SOCKET_MORE_OPTIONS && limit != 0 ? min<u32>(mss, limit) : mss);
  tcb.peerMss = tcb.sndMss;
  if (TCP_WINDOW_SCALE && segment.scale != NO_SCALE) tcb.sndShift = segment.scale;
  if (TCP_SACK && segment.sackPermitted) tcb.flags |= TcbFlag.SACK_PERMITTED;
  if (TCP_TIMESTAMPS && segment.stamped) timestampsBegin(tcb, segment.tsVal, true);
  // Who has sent a SYN without it uses none (RFC 3168 6.1.1.1).
  if (hasAck && ecnOffered(segment, true) && (tcb.flags & TcbFlag.SYN_RETRANSMITTED) == 0) {
    ecnBegin(tcb);
  }
  if (!hasAck) {
    // Simultaneous open (MUST-10): our SYN goes again, as SYN-ACK.
    synAnswerSet(tcb, answered(segment), limit);
    tcb.state = <u8>TcpState.SYN_RECEIVED;
    tcb.sndNxt = tcb.sndUna;
    noteWindow(tcb, segment.window, segment.seq);
    pendingAdd(tcb);
    textAndFin(tcb, segment);
    return;
  }
  if ((tcb.flags & TcbFlag.TIMING) != 0 && seqLess(tcb.rttSeq, segment.ack)) {
    rtoSample(tcb, <u32>(<u16>(now() - <u32>tcb.rttStart)));
  }
  tcb.flags &= ~TcbFlag.TIMING;
  timerStop(tcb, TcbTimer.RETRANSMIT);
  tcb.sndUna = segment.ack;
  // In the same turn the timeout may have set it back, for a SYN that need not go again now.
  tcb.sndNxt = segment.ack;
  noteWindow(tcb, segment.window, segment.seq);
  established(tcb);
  ackNow(tcb);
  textAndFin(tcb, segment);
}

/** Options of a SYN-ACK: what the SYN has not offered is not answered (RFC 7323 2.2, 3.2). */
function answered(segment: Segment): u32 {
  const scale: u32 = TCP_WINDOW_SCALE && segment.scale != NO_SCALE ? SynOption.SCALE : 0;
  const sack: u32 = TCP_SACK && segment.sackPermitted ? SynOption.SACK_PERMITTED : 0;
  const stamps: u32 = TCP_TIMESTAMPS && segment.stamped ? SynOption.TIMESTAMPS : 0;
  return SynOption.MSS | scale | sack | stamps;
}

/** Text and FIN that came on the SYN; what has no SYN in it any more begins one number later. */
function textAndFin(tcb: Tcb, segment: Segment): void {
  segment.seq += 1;
  segment.bits &= ~TcpBit.SYN;
  textAndFinInput(tcb, segment);
}
