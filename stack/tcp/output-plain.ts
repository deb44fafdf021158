import { TCP_ECN, TCP_RACK, TCP_URGENT } from "../config";
import { isDue, now } from "../now";
import { flightNote } from "./congestion";
import { Tcb, TcbFlag, TcbTimer, TcpState } from "./connection";
import { TcpBit } from "./segment";
import { outputAcks, sendPlain } from "./send";
import { timesSent } from "./send-times";
import { sackRecovers } from "./sack";
import { seqAtMost, seqLess } from "./sequence";
import { probeStart, retransmissionStart } from "./tail-loss";

/**
 * Output of a connection to which nothing special has happened: all that is queued is new text, fits into the windows and goes at
 * once, or there is none and at most an acknowledgment is due. Whatever is not so goes the general way (output.ts), which remains
 * the truth. `TCP_FAST_PATH` 0 leaves it out.
 */

/** Segments that one connection sends before the others have a turn. */
export const BURST: u32 = 4;
/** The general way is to be gone, and nothing has happened. */
export const NOT_PLAIN: i32 = 1;

/** What has to be decided with more care than here. */
const SPECIAL: u32 =
  TcbFlag.RETRANSMIT_HEAD |
  TcbFlag.RECOVERY |
  TcbFlag.PROBE |
  TcbFlag.FORCE |
  TcbFlag.PERSIST |
  TcbFlag.KEEP_PROBE |
  TcbFlag.FIN_QUEUED |
  TcbFlag.CORK |
  TcbFlag.MORE |
  TcbFlag.DUPLICATE |
  (TCP_URGENT ? TcbFlag.URGENT_OUT : 0);

/** `tcpOutput` where all is plain: 0, or why the IP layer took no more; NOT_PLAIN otherwise. */
export function outputPlain(tcb: Tcb): i32 {
  const seq = tcb.sndNxt;
  const mss = <u32>tcb.sndMss;
  if (TCP_ECN || tcb.state != TcpState.ESTABLISHED || (tcb.flags & SPECIAL) != 0) return NOT_PLAIN;
  if ((tcb.ranges | tcb.sacked | tcb.dupAcks) != 0 || seq != tcb.sndMax) return NOT_PLAIN;
  const queued = tcb.queued;
  let left = tcb.sndUna + queued - seq;
  if (left == 0) {
    flightNote(tcb, queued);
    return tcb.owedAcks == 0 && (tcb.flags & TcbFlag.ACK_NOW) == 0 ? 0 : outputAcks(tcb);
  }
  if (tcb.owedAcks != 0 || left > BURST * mss) return NOT_PLAIN;
  if (queued > min<u32>(tcb.sndWnd, tcb.cwnd)) return NOT_PLAIN;
  // Nothing in flight for a while: the congestion window may have to be cut.
  if (seq == tcb.sndUna && isDue(tcb.lastSent + <u32>tcb.rto)) return NOT_PLAIN;
  // Nagle's rule may hold back the last bytes.
  const delays = (tcb.flags & TcbFlag.NO_DELAY) == 0;
  if (delays && seqLess(tcb.sndUna, tcb.sndSml) && seqAtMost(tcb.sndSml, seq)) return NOT_PLAIN;
  do {
    const bytes = min<u32>(left, mss);
    left -= bytes;
    const bits: u32 = left == 0 ? TcpBit.ACK | TcpBit.PSH : TcpBit.ACK;
    const refused = sendPlain(tcb, tcb.sndNxt, bits, bytes);
    if (refused != 0) return refused;
    sentNew(tcb, tcb.sndNxt, bytes);
  } while (left != 0);
  // All of it is in flight, and has taken every acknowledgment with it.
  flightNote(tcb, tcb.queued);
  return 0;
}

/** `bytes` new bytes have left, text or our FIN; `sent` of output.ts for them. */
export function sentNew(tcb: Tcb, seq: u32, bytes: u32): void {
  const end = seq + bytes;
  let flags = tcb.flags;
  tcb.lastSent = now();
  if (sackRecovers(tcb)) {
    flags |= TcbFlag.LAST_IS_NEW;
    if (TCP_RACK) timesSent(tcb, seq, end, false);
  }
  if (bytes < <u32>tcb.sndMss) tcb.sndSml = end;
  if ((flags & TcbFlag.TIMING) == 0) {
    flags = (flags | TcbFlag.TIMING) & ~TcbFlag.TIMING_BY_SACK;
    tcb.rttSeq = seq;
    tcb.rttStart = <u16>now();
  }
  tcb.flags = flags;
  tcb.sndNxt = end;
  tcb.sndMax = end;
  if (((<u32>tcb.armed) & TcbTimer.RETRANSMIT) == 0) retransmissionStart(tcb);
  else if (sackRecovers(tcb)) probeStart(tcb);
}
