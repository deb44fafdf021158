import { TCP_RX_BYTES, TCP_TX_BYTES } from "../config";
import { isDue, now } from "../now";
import { Counter, count } from "../statistics";
import { congestionOnIdle, congestionOnSent, congestionWindow } from "./congestion";
import { Tcb, TcbFlag, TcbTimer, TcpState } from "./connection";
import { RECEIVE_MSS, acceptableNumber, segmentSend } from "./emit";
import { pendingAdd } from "./pending";
import { TcpBit } from "./segment";
import { seqAtMost, seqLess, seqMax } from "./sequence";
import { textRoom } from "./text";
import { timerStart, timerStop } from "./timers";

/** Segments that one connection sends before the others have a turn. */
const BURST: u32 = 4;

/** Window to announce; moves the announced edge only by a worthwhile step (RFC 9293 MUST-39), never back (SHLD-14). */
function receiveWindow(tcb: Tcb): u32 {
  const room = textRoom(tcb);
  const announced = seqLess(tcb.rcvNxt, tcb.rcvAdv) ? tcb.rcvAdv - tcb.rcvNxt : 0;
  if (room < announced + min<u32>(TCP_RX_BYTES >>> 1, RECEIVE_MSS)) return announced;
  return room;
}

/** True when an acknowledgment would open the window by a step that the peer should hear of. */
export function windowUpdateWorthwhile(tcb: Tcb): bool {
  return tcb.rcvNxt + receiveWindow(tcb) != tcb.rcvAdv && (tcb.flags & TcbFlag.FIN_RECEIVED) == 0;
}

function sendOf(tcb: Tcb, seq: u32, bits: u32, mss: u32, offset: u32, bytes: u32): i32 {
  const window = receiveWindow(tcb);
  const ports = ((<u32>tcb.localPort) << 16) | (<u32>tcb.remotePort);
  const ack: u32 = (bits & TcpBit.ACK) != 0 ? tcb.rcvNxt : 0;
  const refused = segmentSend(
    tcb.localAddress,
    tcb.remoteAddress,
    ports,
    seq,
    ack,
    bits,
    window,
    mss,
    tcb,
    offset,
    bytes,
  );
  if (refused != 0) return refused;
  if ((bits & TcpBit.ACK) != 0) {
    tcb.rcvAdv = seqMax(tcb.rcvAdv, tcb.rcvNxt + window);
    tcb.flags &= ~TcbFlag.ACK_NOW;
    tcb.unackedBytes = 0;
    timerStop(tcb, TcbTimer.DELAYED_ACK);
  }
  return 0;
}

/** Sends all that a connection may send now. 0 when nothing is left to do, or why the IP layer took no more. */
export function tcpOutput(tcb: Tcb): i32 {
  const state = <u32>tcb.state;
  if (state == TcpState.CLOSED) return 0;
  if (state == TcpState.SYN_SENT || state == TcpState.SYN_RECEIVED) return outputSyn(tcb);
  if (tcb.sndMax == tcb.sndUna && tcb.queued != 0 && isDue(tcb.lastSent + tcb.rto)) {
    congestionOnIdle(tcb);
  }
  for (let turns: u32 = 0; turns < BURST; turns++) {
    const result = outputOne(tcb);
    if (result < 0) return result;
    if (result == 0) break;
    if (turns == BURST - 1) pendingAdd(<u32>tcb.id);
  }
  if (tcb.owedAcks == 0 && (tcb.flags & TcbFlag.ACK_NOW) != 0) tcb.owedAcks = 1;
  for (; tcb.owedAcks != 0; tcb.owedAcks--) {
    const refused = sendOf(tcb, acceptableNumber(tcb), TcpBit.ACK, 0, 0, 0);
    if (refused != 0) return refused;
  }
  // Data or a FIN waits and nothing is in flight that an acknowledgment would answer: the persist timer (RFC 9293 3.8.6.1).
  if (
    (tcb.queued != 0 || finDue(tcb)) &&
    tcb.sndMax == tcb.sndUna &&
    ((<u32>tcb.armed) & TcbTimer.RETRANSMIT) == 0
  ) {
    tcb.flags |= TcbFlag.PERSIST;
    tcb.backoff = 0;
    timerStart(tcb, TcbTimer.RETRANSMIT, tcb.rto);
  }
  return 0;
}

function outputSyn(tcb: Tcb): i32 {
  if (tcb.sndNxt != tcb.iss) {
    // A plain ACK answers what was not acceptable (RFC 9293 3.10.7.4): with both ends in SYN-RECEIVED it opens the connection.
    const answer = (tcb.flags & TcbFlag.ACK_NOW) != 0;
    return answer ? sendOf(tcb, tcb.sndMax, TcpBit.ACK, 0, 0, 0) : 0;
  }
  const bits: u32 = tcb.state == TcpState.SYN_RECEIVED ? TcpBit.SYN | TcpBit.ACK : TcpBit.SYN;
  const refused = sendOf(tcb, tcb.iss, bits, RECEIVE_MSS, 0, 0);
  if (refused != 0) return refused;
  if (tcb.sndMax == tcb.iss) {
    tcb.flags |= TcbFlag.TIMING;
    tcb.rttSeq = tcb.iss;
    tcb.rttStart = now();
  }
  // From when it leaves, whatever came before: 1, 2, 4 s after the first (RFC 6298 5.1).
  if (((<u32>tcb.armed) & TcbTimer.RETRANSMIT) == 0 || tcb.sndMax == tcb.iss) {
    tcb.retries = 0;
    timerStart(tcb, TcbTimer.RETRANSMIT, tcb.rto);
  }
  tcb.sndNxt = tcb.iss + 1;
  tcb.sndMax = tcb.iss + 1;
  return 0;
}

/** Sends the next segment if one may go. 1 when one went, 0 when none may, or the IP layer's refusal. */
function outputOne(tcb: Tcb): i32 {
  const head = (tcb.flags & TcbFlag.RETRANSMIT_HEAD) != 0;
  const seq = head ? tcb.sndUna : tcb.sndNxt;
  const offset = seq - tcb.sndUna;
  // Past the last byte only our FIN is left, and it has been sent.
  if (offset > tcb.queued) return 0;
  const available = tcb.queued - offset;
  const window = min<u32>(tcb.sndWnd, head ? tcb.sndWnd : congestionWindow(tcb));
  const usable = window > offset ? window - offset : 0;
  let bytes = min<u32>(min<u32>(available, <u32>tcb.sndMss), usable);
  const force = (tcb.flags & TcbFlag.FORCE) != 0;
  const finish = finDue(tcb);
  let probe = false;
  if (usable == 0 && (available != 0 || (finish && tcb.sndWnd <= offset))) {
    // A probe carries one byte (or the FIN) beyond the window; SND.NXT stays where it is (RFC 9293 MUST-36).
    if (!force) return 0;
    probe = true;
    bytes = min<u32>(available, 1);
  }
  const last = bytes == available;
  // The FIN takes room in the window, too, but none in the congestion window.
  const fin = last && finish && (probe ? bytes == 0 : tcb.sndWnd > offset + bytes);
  if (bytes == 0 && !fin) {
    tcb.flags &= ~TcbFlag.RETRANSMIT_HEAD;
    return 0;
  }
  if (!head && !force && !fin && !worthSending(tcb, seq, bytes, last)) return 0;
  let bits: u32 = TcpBit.ACK;
  if (last) bits |= TcpBit.PSH;
  if (fin) bits |= TcpBit.FIN;
  const refused = sendOf(tcb, seq, bits, 0, offset, bytes);
  if (refused != 0) return refused;
  sent(tcb, seq, bytes, fin, probe);
  return probe ? 0 : 1;
}

/** Our FIN belongs behind the last byte and is not acknowledged yet. */
export function finDue(tcb: Tcb): bool {
  const state = <u32>tcb.state;
  if ((tcb.flags & TcbFlag.FIN_QUEUED) == 0) return false;
  return state == TcpState.FIN_WAIT_1 || state == TcpState.CLOSING || state == TcpState.LAST_ACK;
}

/** Nagle (RFC 9293 3.7.4) and sender-side silly-window avoidance (3.8.6.2.1). */
function worthSending(tcb: Tcb, seq: u32, bytes: u32, last: bool): bool {
  if (bytes == <u32>tcb.sndMss) return true;
  if (seqLess(seq, tcb.sndMax)) return true;
  // Minshall's form: only a small segment in flight holds a small one back, not a full one, whose ACK may be delayed.
  const smallInFlight = seqLess(tcb.sndUna, tcb.sndSml) && seqAtMost(tcb.sndSml, tcb.sndMax);
  if (last && (!smallInFlight || (tcb.flags & (TcbFlag.NO_DELAY | TcbFlag.FIN_QUEUED)) != 0))
    return true;
  // Duplicates tell of a loss: the last bytes give the peer a reason for one more (RFC 3042).
  if (last && tcb.dupAcks != 0) return true;
  // With the ring full there is nothing to wait for: no more text can join these bytes.
  if (last && <u32>tcb.ringBytes == TCP_TX_BYTES) return true;
  return bytes >= tcb.maxSndWnd >>> 1;
}

function sent(tcb: Tcb, seq: u32, bytes: u32, fin: bool, probe: bool): void {
  const end = seq + bytes + (fin ? 1 : 0);
  const again = seqLess(seq, tcb.sndMax);
  tcb.lastSent = now();
  tcb.flags &= ~(TcbFlag.RETRANSMIT_HEAD | TcbFlag.FORCE);
  if (fin) tcb.flags |= TcbFlag.FIN_SENT;
  if (!probe && bytes < <u32>tcb.sndMss) tcb.sndSml = end;
  if (!again) congestionOnSent(tcb, end - tcb.sndUna, bytes);
  if (again) {
    count(Counter.TCP_RETRANSMIT);
    // Karn: what is timed may be answered by either copy (RFC 6298 3).
    if ((tcb.flags & TcbFlag.TIMING) != 0 && seqAtMost(seq, tcb.rttSeq)) {
      tcb.flags &= ~TcbFlag.TIMING;
    }
  } else if ((tcb.flags & TcbFlag.TIMING) == 0 && !probe) {
    tcb.flags |= TcbFlag.TIMING;
    tcb.rttSeq = seq;
    tcb.rttStart = now();
  }
  if (probe) {
    tcb.sndMax = seqMax(tcb.sndMax, end);
    return;
  }
  if (seqLess(tcb.sndNxt, end)) tcb.sndNxt = end;
  tcb.sndMax = seqMax(tcb.sndMax, end);
  if (((<u32>tcb.armed) & TcbTimer.RETRANSMIT) == 0 || (tcb.flags & TcbFlag.PERSIST) != 0) {
    tcb.flags &= ~TcbFlag.PERSIST;
    timerStart(tcb, TcbTimer.RETRANSMIT, tcb.rto);
  }
}
