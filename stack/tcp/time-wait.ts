import { TCP_MSL_MS, TCP_RX_BYTES, TCP_TIMESTAMPS } from "../config";
import { now } from "../now";
import { Counter, count } from "../statistics";
import { TIMER_TCP, timerSet } from "../time/timers";
import { TcpState, TimeWait, timeWaitAt } from "./connection";
import { BORN_SHIFT, timeWaitAcknowledge, timeWaitFree } from "./lifecycle";
import { listenInput, refuse } from "./listen";
import { NO_LISTENER, listenerFind } from "./listener";
import { Segment, TcpBit, segmentLength } from "./segment";
import { seqLess } from "./sequence";

/** Answers to segments that change nothing, in a period of 4.1 s (RFC 5961 7). */
const CHALLENGES: u32 = 10;
const PERIOD_SHIFT: u32 = 12;
/** What a peer may lag behind with its acknowledgment: a window. Who lags more sends again. */
const WINDOW_MAX: u32 = 0xffff;

/**
 * A segment for a record without rings: TIME-WAIT, or FIN-WAIT-2 of a closed socket. RST in TIME-WAIT is ignored (RFC 1337);
 * a SYN beyond everything that was received opens the connection anew (RFC 9293 MAY-2).
 */
export function timeWaitInput(id: u32, segment: Segment): void {
  const record = timeWaitAt(id);
  const timeWait = record.state == TcpState.TIME_WAIT;
  const bits = segment.bits;
  if ((bits & TcpBit.RST) != 0) {
    count(Counter.TCP_RESET_IN);
    // RFC 5961 3: what is in the window, but not exact, is challenged. RFC 1337: TIME-WAIT is not ended so.
    const offset = segment.seq - record.rcvNxt;
    if (timeWait || offset >= TCP_RX_BYTES) return;
    if (offset == 0) timeWaitFree(id);
    else challengeRecord(record);
    return;
  }
  const opening =
    (bits & (TcpBit.SYN | TcpBit.ACK | TcpBit.FIN)) == TcpBit.SYN &&
    listenerFind(
      segment.destination,
      segment.destinationPort,
      segment.source,
      segment.sourcePort,
    ) != NO_LISTENER;
  if (timeWait && opening && mayReopen(record, segment)) {
    // With clocks before and after, what is still on the way is known by its age, whatever its number.
    const clocks = TCP_TIMESTAMPS && segment.stamped && record.tsRecent != 0;
    segment.floor = clocks ? 0 : (record.sndNxt + 0x10000) | 1;
    timeWaitFree(id);
    listenInput(segment);
    return;
  }
  if ((bits & TcpBit.SYN) != 0) {
    // RFC 5961 4: whatever its number.
    challengeRecord(record);
    return;
  }
  const stamps = TCP_TIMESTAMPS && record.tsRecent != 0;
  // RFC 7323 3.2: SHOULD silently drop. 5.3 R1: an old duplicate neither ends nor prolongs the wait.
  if (stamps && !segment.stamped) return;
  if (stamps && <i32>(segment.tsVal - record.tsRecent) < 0) {
    challengeRecord(record);
    return;
  }
  const nextSeq = segment.seq + segmentLength(segment);
  // RFC 9293 3.10.7.4: what is not acceptable is answered (first), in the window nothing is looked at without ACK (fifth); one of what was
  // never sent, or long ago (RFC 5961 5), is answered and dropped.
  const acks = (bits & TcpBit.ACK) != 0;
  if (!acks && inWindow(record, segment.seq, nextSeq)) return;
  if (!acks || record.sndNxt - segment.ack > WINDOW_MAX) {
    challengeRecord(record);
    return;
  }
  const expected = segment.seq == record.rcvNxt;
  if (!timeWait && expected) {
    if (segment.textBytes != 0) {
      // Nobody will read it.
      refuse(segment);
      timeWaitFree(id);
      return;
    }
    // As if it had come before: the answer is the same.
    if ((bits & TcpBit.FIN) != 0) beginTimeWait(record);
  }
  const again = (bits & TcpBit.FIN) != 0 && nextSeq == record.rcvNxt;
  // RFC 7323 4.3 (2), and the repeated FIN, for its echo: whoever sends anything else does not know the numbers.
  if (stamps && (expected || again)) record.tsRecent = max<u32>(segment.tsVal, 1);
  // A repeated FIN restarts the wait; old duplicates are answered but change nothing; an empty ACK in order needs no answer.
  if (again) {
    timerSet(TIMER_TCP + id, now() + 2 * TCP_MSL_MS);
    timeWaitAcknowledge(record);
  } else if (!expected || nextSeq != segment.seq) challengeRecord(record);
}

/** SEG-5: something of the segment lies in the window; of an empty one its number. */
function inWindow(record: TimeWait, seq: u32, nextSeq: u32): bool {
  if (seq - record.rcvNxt < TCP_RX_BYTES) return true;
  return nextSeq != seq && nextSeq - 1 - record.rcvNxt < TCP_RX_BYTES;
}

/**
 * RFC 6191 2: by the peer's clock if the connection had timestamps and the SYN has them, or has them only now; else by the
 * sequence number, which must lie beyond everything that was received.
 */
function mayReopen(record: TimeWait, segment: Segment): bool {
  if (TCP_TIMESTAMPS && segment.stamped) {
    if (record.tsRecent == 0) return true;
    if (segment.tsVal != record.tsRecent) return <i32>(segment.tsVal - record.tsRecent) > 0;
  }
  return seqLess(record.rcvNxt, segment.seq);
}

/** An ACK that shows where we are, rationed: two such ends would answer each other for ever (RFC 5961 7). */
function challengeRecord(record: TimeWait): void {
  const period = <u8>(now() >>> PERIOD_SHIFT);
  if (record.challenges == 0 || record.period != period) {
    record.period = period;
    record.challenges = 0;
  }
  if (<u32>record.challenges >= CHALLENGES) return;
  record.challenges += 1;
  count(Counter.TCP_CHALLENGE_ACK);
  timeWaitAcknowledge(record);
}

/** FIN-WAIT-2 ends: the peer's FIN has come. */
function beginTimeWait(record: TimeWait): void {
  record.state = <u8>TcpState.TIME_WAIT;
  record.rcvNxt += 1;
  record.born = <u16>(now() >>> BORN_SHIFT);
}
