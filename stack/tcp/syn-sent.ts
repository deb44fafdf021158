import { TCP_RX_BYTES } from "../config";
import { ECONNREFUSED } from "../errors";
import { now } from "../now";
import { established, noteWindow } from "./acknowledge";
import { Tcb, TcbFlag, TcbTimer, TcpState } from "./connection";
import { ackNow, tcbAbort } from "./lifecycle";
import { refuse, sendMss } from "./listen";
import { pendingAdd } from "./pending";
import { rtoSample } from "./rto";
import { Segment, TcpBit } from "./segment";
import { seqLess } from "./sequence";
import { timerStop } from "./timers";

/** A segment for a connection in SYN-SENT (RFC 9293 3.10.7.3). Text on a SYN-ACK is left for the peer to repeat. */
export function synSentInput(tcb: Tcb, segment: Segment): void {
  const bits = segment.bits;
  const hasAck = (bits & TcpBit.ACK) != 0;
  if (hasAck && segment.ack != tcb.iss + 1) {
    if ((bits & TcpBit.RST) == 0) refuse(segment);
    return;
  }
  if ((bits & TcpBit.RST) != 0) {
    if (hasAck) tcbAbort(tcb, ECONNREFUSED);
    return;
  }
  if ((bits & TcpBit.SYN) == 0) return;
  tcb.irs = segment.seq;
  tcb.rcvNxt = segment.seq + 1;
  tcb.rcvRead = tcb.rcvNxt;
  tcb.rcvAdv = tcb.rcvNxt + min<u32>(TCP_RX_BYTES, 0xffff);
  tcb.sndMss = <u16>sendMss(segment.mss);
  if (!hasAck) {
    // Simultaneous open (MUST-10): our SYN goes again, as SYN-ACK.
    tcb.state = <u8>TcpState.SYN_RECEIVED;
    tcb.sndNxt = tcb.iss;
    noteWindow(tcb, segment);
    pendingAdd(<u32>tcb.id);
    return;
  }
  if ((tcb.flags & TcbFlag.TIMING) != 0 && seqLess(tcb.rttSeq, segment.ack)) {
    rtoSample(tcb, now() - tcb.rttStart);
  }
  tcb.flags &= ~TcbFlag.TIMING;
  timerStop(tcb, TcbTimer.RETRANSMIT);
  tcb.sndUna = segment.ack;
  noteWindow(tcb, segment);
  established(tcb);
  ackNow(tcb);
}
