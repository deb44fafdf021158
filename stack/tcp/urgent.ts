import { POLLPRI } from "../posix";
import { ready } from "../readiness";
import { Tcb, TcbFlag } from "./connection";
import { ackNow } from "./lifecycle";
import { Segment } from "./segment";
import { seqLess } from "./sequence";

/**
 * Urgent data (RFC 9293 3.8.5, RFC 6093): the text stays in line, whatever the pointer; a mark in the stream tells the
 * application how far it should hurry. The pointer is the number of the byte behind the urgent ones; the mark stands before the
 * last of them, as on other systems. Nothing but the two numbers is kept, and no buffer is ever indexed by them.
 */

/** Farthest that a pointer is followed: what 16 bits tell. */
const FARTHEST: u32 = 0xffff;

/** RCV.UP in full; it lies beyond what has been read. */
function urgentEnd(tcb: Tcb): u32 {
  return tcb.rcvRead + <u32>(<u16>(<u32>tcb.rcvUp - tcb.rcvRead));
}

/** A segment with URG, in a state that takes text: the application is told of the first pointer and of each that goes on (MUST-32). */
export function urgentInput(tcb: Tcb, segment: Segment): void {
  const end = segment.seq + segment.urgent;
  if (!seqLess(tcb.rcvRead, end)) return;
  const pending = (tcb.flags & TcbFlag.URGENT) != 0;
  if (pending && !seqLess(urgentEnd(tcb), end)) return;
  tcb.rcvUp = <u16>(tcb.rcvRead + min<u32>(end - tcb.rcvRead, FARTHEST));
  tcb.flags |= TcbFlag.URGENT;
  if (tcb.socket != 0) ready(<u32>tcb.socket - 1, POLLPRI);
}

/** How much of `bytes` a read may take: it does not pass the mark, unless it begins there (POSIX 2.10.12). */
export function urgentLimit(tcb: Tcb, bytes: u32): u32 {
  const before = urgentEnd(tcb) - 1 - tcb.rcvRead;
  return before == 0 ? bytes : min<u32>(bytes, before);
}

/** `bytes` are about to be taken from the stream: behind the last urgent byte nothing is urgent any more. */
export function urgentRead(tcb: Tcb, bytes: u32): void {
  if (bytes >= urgentEnd(tcb) - tcb.rcvRead) tcb.flags &= ~TcbFlag.URGENT;
}

/** sockatmark(3): the next byte is the last urgent one. */
export function urgentAtMark(tcb: Tcb): bool {
  return (tcb.flags & TcbFlag.URGENT) != 0 && urgentEnd(tcb) == tcb.rcvRead + 1;
}

/** MSG_OOB: all that is queued is urgent. The peer is told at once, even if its window is shut (RFC 9293 3.8.5). */
export function urgentSend(tcb: Tcb): void {
  tcb.sndUp = <u16>(tcb.sndUna + min<u32>(tcb.queued, FARTHEST));
  tcb.flags |= TcbFlag.URGENT_OUT;
  ackNow(tcb);
}

/** Urgent pointer of a segment that begins at `seq`; 0 = nothing from there on is urgent. */
export function urgentPointer(tcb: Tcb, seq: u32): u32 {
  const end = tcb.sndUna + <u32>(<u16>(<u32>tcb.sndUp - tcb.sndUna));
  return seqLess(seq, end) ? min<u32>(end - seq, FARTHEST) : 0;
}

/** SND.UNA is about to move to `ack`. */
export function urgentAcknowledged(tcb: Tcb, ack: u32): void {
  if (urgentPointer(tcb, ack) == 0) tcb.flags &= ~TcbFlag.URGENT_OUT;
}
