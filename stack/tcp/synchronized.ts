import {
  TCP_CONNECT,
  TCP_DELAYED_ACK_MS,
  TCP_ECN,
  TCP_FAST_PATH,
  TCP_KEEPALIVE,
  TCP_SACK,
  TCP_URGENT,
} from "../config";
import { ECONNREFUSED, ECONNRESET } from "../errors";
import { now } from "../now";
import { POLLHUP, POLLIN, POLLOUT } from "../posix";
import { ready } from "../readiness";
import { Counter, count } from "../statistics";
import { acknowledge, acknowledgePlain, hasPlainOptions } from "./acknowledge";
import { Tcb, TcbFlag, TcbTimer, TcpState } from "./connection";
import {
  ackNow,
  enterOrphanFinWait2,
  enterTimeWait,
  tcbAbort,
  tcbClose,
  tcbReset,
} from "./lifecycle";
import { ecnInput } from "./ecn";
import { patienceHeard } from "./patience";
import { refuse } from "./listen";
import { rangesEnd } from "./ranges";
import { receivedSize, shareNote } from "./receive-window";
import { sackNote } from "./sack-report";
import { Segment, TcpBit, segmentLength } from "./segment";
import { seqLess } from "./sequence";
import { finDistance, takesText, textAccept } from "./text";
import { delackTimerStart } from "./timers";
import { timestampIsOld, timestampTake, timestampsUsed } from "./timestamps";
import { urgentInput } from "./urgent";

/** RFC 5961 7: challenge ACKs per connection in a period; per connection, so that no other can measure them. */
const CHALLENGES: u32 = 10;
/** Five seconds in units of 256 ms. */
const CHALLENGE_PERIOD: u32 = 20;
const OWED_ACKS_MAX: u32 = 8;
/**
 * A short segment behind a full one is the last that the peer could send, as its window is full, or all that it has: what follows
 * at once is worth waiting for, and no more. On a wire that is shared each acknowledgment takes the peer's room.
 */
const LAST_MS: u32 = 2;

/**
 * A segment for a TCB in SYN-RECEIVED or a synchronised state (RFC 9293 3.10.7.4): sequence number, RST, SYN, ACK, URG, text,
 * FIN, in this order, and no later step after one that dropped the segment. The text has been placed already (text.ts), but
 * counts only here.
 */
export function synchronizedInput(tcb: Tcb, segment: Segment): void {
  if (timestampsUsed(tcb)) {
    // SHOULD silently drop (RFC 7323 3.2); a SYN gets its challenge.
    const named = segment.bits & (TcpBit.RST | TcpBit.SYN);
    if (!segment.stamped && named == 0) {
      count(Counter.TCP_OUT_OF_WINDOW);
      return;
    }
    if (segment.stamped && (named & TcpBit.RST) == 0 && timestampIsOld(tcb, segment)) {
      // PAWS (RFC 7323 5.3 R1): "Send an acknowledgment in reply [...] and drop the segment". It may be what was sent again meanwhile:
      // the sender wants to know.
      if (TCP_SACK && segment.textBytes != 0) sackNote(tcb, segment);
      notAcceptable(tcb, segment);
      return;
    }
  }
  if (!acceptable(tcb, segment)) {
    if (TCP_SACK && segment.textBytes != 0) sackNote(tcb, segment);
    notAcceptable(tcb, segment);
    return;
  }
  if ((segment.bits & TcpBit.RST) != 0) {
    resetInput(tcb, segment);
    return;
  }
  if ((segment.bits & TcpBit.SYN) != 0) {
    // RFC 5961 4: whatever its number.
    challenge(tcb);
    return;
  }
  if ((segment.bits & TcpBit.ACK) == 0 || !ackAcceptable(tcb, segment)) return;
  // Only now: a clock far ahead from somebody who has guessed one number would make old all that the peer sends (RFC 7323 5.3 R1).
  if (timestampsUsed(tcb)) timestampTake(tcb, segment);
  if (TCP_KEEPALIVE && (tcb.flags & TcbFlag.KEEP_ALIVE) != 0) patienceHeard(tcb);
  if (TCP_ECN) ecnInput(tcb, segment);
  const plain =
    TCP_FAST_PATH &&
    tcb.state == TcpState.ESTABLISHED &&
    hasPlainOptions(tcb, segment) &&
    acknowledgePlain(tcb, segment.ack, segment.window, segment.seq);
  if (plain) readyTell(tcb, POLLOUT);
  else if (!acknowledge(tcb, segment)) return;
  if ((tcb.flags & TcbFlag.READ_SHUT) != 0 && segment.left != segment.right) {
    // Text for an application that has closed: it must not be thought delivered (RFC 9293 SHLD-3).
    tcbReset(tcb);
    return;
  }
  if (TCP_URGENT && (segment.bits & TcpBit.URG) != 0 && takesText(tcb)) urgentInput(tcb, segment);
  textAndFinInput(tcb, segment);
  orphanFinWait2(tcb);
}

/** Seventh and eighth step: text that has been placed, and FIN. */
export function textAndFinInput(tcb: Tcb, segment: Segment): void {
  textInput(tcb, segment);
  finInput(tcb, segment);
}

/** SEG-15: an orphan waits for the peer's FIN, but not with its rings, and not for ever. */
function orphanFinWait2(tcb: Tcb): void {
  if (tcb.socket != 0 || tcb.state != TcpState.FIN_WAIT_2) return;
  if (tcb.ranges == 0 && (tcb.flags & TcbFlag.FIN_SEEN) == 0) enterOrphanFinWait2(tcb);
}

/** The answer to a segment that is dropped: an ACK, but none to RST. */
function notAcceptable(tcb: Tcb, segment: Segment): void {
  count(Counter.TCP_OUT_OF_WINDOW);
  if ((segment.bits & TcpBit.RST) != 0) return;
  // Answers to segments without text are rationed, or two confused peers would keep each other busy; SYNs for RFC 5961 4.
  if (segment.textBytes != 0 && (segment.bits & TcpBit.SYN) == 0) ackNow(tcb);
  else challenge(tcb);
}

/** SEG-5, with the allowance of MUST-66: at a closed window the rest of a segment at RCV.NXT still counts. */
function acceptable(tcb: Tcb, segment: Segment): bool {
  const window = tcb.rcvAdv - tcb.rcvNxt;
  const offset = segment.seq - tcb.rcvNxt;
  const length = segmentLength(segment);
  if (window == 0) {
    if (offset == 0 && length != 0) ackNow(tcb);
    return offset == 0;
  }
  // An empty segment at the right edge counts, as in other stacks: the peer has filled our window and its first segment was
  // lost, or it has given up and its RST stands there.
  if (offset < window || (offset == window && length == 0)) return true;
  return length != 0 && offset + length - 1 < window;
}

/** RFC 5961 3: the exact number resets, any other in the window is challenged. */
function resetInput(tcb: Tcb, segment: Segment): void {
  if (segment.seq != tcb.rcvNxt) {
    challenge(tcb);
    return;
  }
  count(Counter.TCP_RESET_IN);
  const state = <u32>tcb.state;
  if (TCP_CONNECT && state == TcpState.SYN_RECEIVED) tcbAbort(tcb, ECONNREFUSED);
  // At the end of a close that lost nothing it is an end like any other; text that was not delivered is told (MUST-12).
  else if ((state == TcpState.CLOSING || state == TcpState.LAST_ACK) && tcb.queued == 0)
    tcbClose(tcb);
  else tcbAbort(tcb, ECONNRESET);
}

/** SEG-9 and RFC 5961 5. */
function ackAcceptable(tcb: Tcb, segment: Segment): bool {
  const ack = segment.ack;
  // By unsigned distances: a number from just half the sequence space away would be both old and new.
  if (TCP_CONNECT && tcb.state == TcpState.SYN_RECEIVED) {
    if (ack - tcb.sndUna - 1 < tcb.sndMax - tcb.sndUna) return true;
    refuse(segment);
    return false;
  }
  const oldest = tcb.sndUna - tcb.maxSndWnd;
  if (ack - oldest <= tcb.sndMax - oldest) return true;
  challenge(tcb);
  return false;
}

/** An ACK that lets an honest peer show itself, rationed. */
export function challenge(tcb: Tcb): void {
  const time = <u8>(now() >>> 8);
  if (<u32>(<u8>(time - tcb.challengeStart)) >= CHALLENGE_PERIOD || tcb.challenges == 0) {
    tcb.challengeStart = time;
    tcb.challenges = 0;
  }
  if (tcb.challenges >= CHALLENGES) return;
  tcb.challenges += 1;
  count(Counter.TCP_CHALLENGE_ACK);
  ackNow(tcb);
}

function textInput(tcb: Tcb, segment: Segment): void {
  if (segment.textBytes == 0) return;
  const hadHole = tcb.ranges != 0;
  const before = tcb.rcvNxt;
  if (TCP_SACK && segment.seq != before) sackNote(tcb, segment);
  if (!textAccept(tcb, segment)) {
    // Out of order, a duplicate, or no room: told at once, each segment beyond a hole by an ACK of its own (RFC 5681 4.2).
    ackNow(tcb);
    if (seqLess(tcb.rcvNxt, segment.seq) && tcb.owedAcks < OWED_ACKS_MAX) tcb.owedAcks += 1;
    return;
  }
  textCount(tcb, segment.textBytes, tcb.rcvNxt - before, hadHole, POLLIN);
}

/** Tells the application, if it has the connection already. */
export function readyTell(tcb: Tcb, news: u32): void {
  if (tcb.socket != 0) ready(<u32>tcb.socket - 1, news);
}

/**
 * RCV.NXT has moved by `bytes` with a segment of `segmentBytes` bytes of text: the application is told, and it is decided when it
 * is acknowledged. `news` are the poll(2) bits that it is told.
 */
export function textCount(tcb: Tcb, segmentBytes: u32, bytes: u32, hadHole: bool, news: u32): void {
  tcb.owedAcks = 0;
  shareNote(tcb, segmentBytes);
  readyTell(tcb, news);
  const unacked = <u32>tcb.unackedBytes + bytes;
  tcb.unackedBytes = <u16>min<u32>(unacked, 0xffff);
  const units = min<u32>(segmentBytes >>> 3, 255);
  if (units > <u32>tcb.rcvMss) tcb.rcvMss = <u8>units;
  // Every second full segment of the size that the peer sends, a filled hole, a window with no room for one more: now; with no room
  // for two more each full segment, so that the peer need not wait while one is being read. Anything else may wait a little
  // (SHLD-18, SHLD-19, RFC 5681 4.2).
  const size = receivedSize(tcb);
  const room = tcb.rcvAdv - tcb.rcvNxt;
  const quick = (tcb.flags & TcbFlag.QUICK_ACK) != 0;
  const full = unacked >= size && (room < 2 * size || unacked >= 2 * size);
  if (hadHole || quick || full || room < size) ackNow(tcb);
  else delayAck(tcb, unacked >= size && units < <u32>tcb.rcvMss ? LAST_MS : TCP_DELAYED_ACK_MS);
}

/** An acknowledgment is due in `delayMs`, or before. */
function delayAck(tcb: Tcb, delayMs: u32): void {
  // Later than that may be the repetition of a window opening (send.ts), or text before: MUST-40 holds for text all the same.
  if (
    ((<u32>tcb.armed) & TcbTimer.DELAYED_ACK) == 0 ||
    <i32>(<i16>(<u32>tcb.delackDue - now())) > <i32>delayMs
  ) {
    delackTimerStart(tcb, delayMs);
  }
}

function finInput(tcb: Tcb, segment: Segment): void {
  if ((tcb.flags & TcbFlag.FIN_RECEIVED) != 0) return;
  const finSeq = segment.seq + segment.textBytes;
  if ((segment.bits & TcpBit.FIN) != 0) {
    // In order or not, for the first time or again (RFC 5681 4.2).
    ackNow(tcb);
    if ((tcb.flags & TcbFlag.FIN_SEEN) == 0) {
      // Beyond the window, or behind text that found no place: the peer will send it again.
      if (seqLess(tcb.rcvAdv, finSeq) || seqLess(finSeq, rangesEnd(tcb))) return;
      tcb.flags |= TcbFlag.FIN_SEEN;
      tcb.finSeq = <u16>finSeq;
    }
  }
  if ((tcb.flags & TcbFlag.FIN_SEEN) == 0 || finDistance(tcb) != 0) return;
  // "queue them for processing after the ESTABLISHED state has been reached" (3.10.7.3): the FIN on the SYN of a simultaneous open.
  if (TCP_CONNECT && tcb.state == TcpState.SYN_RECEIVED) return;
  finTake(tcb, POLLIN | POLLHUP);
}

/** The peer's FIN stands at RCV.NXT: nothing more comes, which is told with `news`, poll(2) bits. */
export function finTake(tcb: Tcb, news: u32): void {
  tcb.rcvNxt += 1;
  if (seqLess(tcb.rcvAdv, tcb.rcvNxt)) tcb.rcvAdv = tcb.rcvNxt;
  tcb.flags |= TcbFlag.FIN_SEEN | TcbFlag.FIN_RECEIVED;
  ackNow(tcb);
  const state = <u32>tcb.state;
  if (state == TcpState.ESTABLISHED) {
    tcb.state = <u8>TcpState.CLOSE_WAIT;
  } else if (state == TcpState.FIN_WAIT_1) {
    tcb.state = <u8>TcpState.CLOSING;
  } else if (state == TcpState.FIN_WAIT_2) {
    enterTimeWait(tcb);
    return;
  }
  readyTell(tcb, news);
}
