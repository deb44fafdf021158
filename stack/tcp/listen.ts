import { RecordNumber } from "options";
import { SOCKET_MORE_OPTIONS, TCP_SYN_COOKIES, TCP_SYN_RECORDS, TCP_TIMESTAMPS } from "../config";
import { isDue, now } from "../now";
import { Counter, count } from "../statistics";
import { noteWindow } from "./acknowledge";
import {
  FIRST_SYN_RECORD,
  FIRST_TIME_WAIT,
  NO_CONNECTION,
  SynRecord,
  SynStamp,
  Tcb,
  TcpState,
  synRecordAt,
  tcbAt,
} from "./connection";
import { cookieAnswer, cookieCheck, cookieOptions } from "./cookie";
import { SEND_MSS_MAX, sendAnswer, sendOfRecord, synAckOutput } from "./emit";
import { initialNumberKeep, initialSequenceNumber } from "./isn";
import { NO_LISTENER, listenerAt, listenerFind, listenerMaxSegment } from "./listener";
import { pendingAddRecord, pendingAny } from "./pending";
import {
  promote,
  promoteCommit,
  promoteLater,
  promoteNews,
  roomFor,
  roomToPromise,
} from "./promote";
import { DEFAULT_MSS, MINIMUM_MSS, Segment, TcpBit, segmentLength } from "./segment";
import { seqLess } from "./sequence";
import { synRecordAllocate, synRecordFill, synRecordFree } from "./syn-records";
import { SYN_ACK_RTO_MS, synRecordSettle, synRecordTimer, synRecordWaits } from "./timers";
import { timestampTake, timestampsUsed } from "./timestamps";

/**
 * The passive side (RFC 9293 3.10.7.2): a SYN makes a record of the SYN queue, the ACK that finishes the handshake turns it
 * into a TCB in the accept queue. When no TCB or no place in the accept queue can be promised, the SYN-ACK
 * announces window 0 and the record waits with its handshake finished: the peer believes itself connected but sends nothing
 * that could get lost, until an ACK opens the window; it is refused with RST when that takes too long.
 */

/** SYN-ACKs sent again: at 1, 3, 7, 15 and 31 s. */
const SYN_ACK_RETRIES: u32 = 5;
/** Answers to segments that are not acceptable, for the life of a record (RFC 5961 7). */
const CHALLENGES: u32 = 10;

/** A segment that belongs to no record: for a listener, or for nobody. */
export function listenInput(segment: Segment): void {
  const index = listenerFind(
    segment.destination,
    segment.destinationPort,
    segment.source,
    segment.sourcePort,
  );
  const bits = segment.bits & (TcpBit.SYN | TcpBit.ACK | TcpBit.RST | TcpBit.FIN);
  // SYN+FIN is nobody's honest opening; it is dropped like the scans that use it.
  if (index != NO_LISTENER && bits == TcpBit.SYN) {
    synReceived(segment, index);
    return;
  }
  if (index == NO_LISTENER) count(Counter.TCP_NO_CONNECTION);
  if ((bits & TcpBit.RST) != 0) return;
  if ((bits & TcpBit.ACK) == 0 && index != NO_LISTENER) return;
  if (TCP_SYN_COOKIES && index != NO_LISTENER && (bits & TcpBit.SYN) == 0) {
    if (cookieReceived(segment, index, segment.seq - 1)) return;
    if (cookieReceived(segment, index, segment.seq)) return;
  }
  refuse(segment);
}

/** Somebody with a right cookie has found no record, and when that was last. */
let turnedAway: bool = false;
let turnedAwayMs: u32 = 0;
/** So long he is thought to come back, ms: his probes double their distance, and three seconds are enough for a page. */
const COMES_BACK_MS: u32 = 4000;

/** True while those whom a cookie brought in wait outside: the records are theirs, and who comes new gets a cookie, too. */
function othersFirst(): bool {
  if (turnedAway && isDue(turnedAwayMs + COMES_BACK_MS)) turnedAway = false;
  return turnedAway;
}

/**
 * A handshake that was begun with a cookie is finished, if the cookie is right. Without a free record nothing is done: the
 * peer believes itself connected, has no window to send in, and its probes bring the cookie again.
 */
function cookieReceived(segment: Segment, listener: u32, irs: u32): bool {
  const mss = cookieCheck(segment, irs);
  if (mss == 0) return false;
  let recordId = synRecordAllocate(FIRST_TIME_WAIT);
  if (recordId == NO_CONNECTION && roomFor(listener)) recordId = takeFromOthers(listener);
  if (recordId == NO_CONNECTION) {
    count(Counter.TCP_SYN_DROPPED);
    turnedAway = true;
    turnedAwayMs = now();
    return true;
  }
  const record = synRecordFill(recordId, segment, listener, irs, mss);
  record.iss = segment.ack - 1;
  record.ambiguous = true;
  if (TCP_TIMESTAMPS) cookieOptions(segment, record);
  const id = promote(recordId, true);
  if (id == NO_CONNECTION) {
    promoteLater(recordId);
    return true;
  }
  promoteCommit(recordId, id);
  bareAck(tcbAt(id), segment);
  return true;
}

/** The ACK that has finished a handshake brings nothing but what every segment has: a window, and the peer's clock. */
export function bareAck(tcb: Tcb, segment: Segment): void {
  segment.window <<= tcb.sndShift;
  noteWindow(tcb, segment.window, segment.seq);
  if (timestampsUsed(tcb)) timestampTake(tcb, segment);
}

/**
 * Where most of the SYN queue waits at listeners that have no room, because nobody serves them, the one that has waited there the
 * shortest time is refused, and its record free for a listener that has room. NO_CONNECTION when they hold no more than half.
 */
function takeFromOthers(listener: u32): u32 {
  let held: u32 = 0;
  let last = NO_CONNECTION;
  for (let id = FIRST_SYN_RECORD; id < FIRST_TIME_WAIT; id++) {
    const record = synRecordAt(id);
    if (!record.waiting || <u32>record.listener == listener + 1) continue;
    held += 1;
    if (last == NO_CONNECTION || record.age < synRecordAt(last).age) last = id;
  }
  if (held <= TCP_SYN_RECORDS >>> 1) return NO_CONNECTION;
  resetRecord(synRecordAt(last));
  synRecordFree(last);
  return last;
}

/** RST as an answer to a segment without a connection (RFC 9293 3.10.7.1). */
export function refuse(segment: Segment): void {
  if ((segment.bits & TcpBit.ACK) != 0) sendAnswer(segment, segment.ack, 0, TcpBit.RST);
  else sendAnswer(segment, 0, segment.seq + segmentLength(segment), TcpBit.RST | TcpBit.ACK);
}

function synReceived(segment: Segment, listener: u32): void {
  const limit: u32 = SOCKET_MORE_OPTIONS ? listenerMaxSegment(listener) : 0;
  let mss = sendMss(segment.mss);
  if (SOCKET_MORE_OPTIONS && limit != 0) mss = min<u32>(mss, limit);
  // The last record is kept for those who prove themselves with a cookie.
  const id =
    TCP_SYN_COOKIES && othersFirst()
      ? NO_CONNECTION
      : synRecordAllocate(TCP_SYN_COOKIES ? FIRST_TIME_WAIT - 1 : FIRST_TIME_WAIT);
  if (id == NO_CONNECTION) {
    if (TCP_SYN_COOKIES) cookieAnswer(segment, mss, limit);
    else count(Counter.TCP_SYN_DROPPED);
    return;
  }
  const promised = roomToPromise(listener);
  const record = synRecordFill(id, segment, listener, segment.seq, mss);
  const ports = (segment.destinationPort << 16) | segment.sourcePort;
  const iss = initialSequenceNumber(segment.destination, segment.source, ports, now());
  // A connection that is opened again goes on above what it sent before (RFC 9293 MAY-2).
  if (segment.floor != 0 && seqLess(iss, segment.floor)) record.iss = segment.floor;
  else if (TCP_TIMESTAMPS && segment.stamped) {
    record.stamp = segment.tsVal;
    initialNumberKeep(changetype<usize>(record), iss);
  } else record.iss = iss;
  record.promise(promised);
  // At once where nobody else waits: it may take no text with it, nor answer more than this segment.
  if (!pendingAny() && synAckOutput(record) == 0) return;
  record.due = true;
  pendingAddRecord(id);
}

/** What we may send per segment (RFC 9293 3.7.1): the peer's MSS, with a floor and our MTU and send ring as the ceiling. */
export function sendMss(option: u32): u32 {
  return min<u32>(option == 0 ? DEFAULT_MSS : max<u32>(option, MINIMUM_MSS), SEND_MSS_MAX);
}

/** The SYN-ACK is sent again, or the record given up. */
export function synRecordExpired(id: u32): void {
  const record = synRecordAt(id);
  if (record.state == TcpState.CLOSED) return;
  if (synRecordWaits(record) != 0) {
    synRecordSettle(id);
    return;
  }
  if (record.retries >= SYN_ACK_RETRIES) {
    if (record.waiting) resetRecord(record);
    synRecordFree(id);
    return;
  }
  record.retries += 1;
  synRecordTimer(id, SYN_ACK_RTO_MS << record.retries);
  if (record.retries == 1) promoteNews();
  const acked = ((<u32>record.mssAndStamp) & SynStamp.ACKED) != 0;
  if (SOCKET_MORE_OPTIONS && acked && defers(record)) return;
  record.due = true;
  pendingAddRecord(id);
}

function resetRecord(record: SynRecord): void {
  answerHalfOpen(record, TcpBit.RST | TcpBit.ACK);
}

/** <SEQ=SND.NXT><ACK=RCV.NXT> of a half-open connection. */
function answerHalfOpen(record: SynRecord, bits: u32): void {
  const stamp: u32 = record.stamped ? record.stamp : 0;
  sendOfRecord(record, record.iss + 1, record.irs + 1, bits, stamp);
}

/** A segment for a half-open connection that does not finish its handshake. */
export function synRecordInput(id: u32, segment: Segment): void {
  const record = synRecordAt(id);
  const offset = segment.seq - (record.irs + 1);
  const inWindow = offset == 0 || offset < record.promised;
  if ((segment.bits & TcpBit.RST) != 0) {
    // RFC 5961 3.2: only the exact number ends it; any other in the window is challenged.
    if (offset == 0) synRecordFree(id);
    else if (inWindow) challengeHalfOpen(record);
    return;
  }
  if ((segment.bits & TcpBit.SYN) != 0) {
    // A duplicate of the SYN gets the SYN-ACK again; any other SYN is challenged (RFC 5961 4).
    if (segment.seq == record.irs && (segment.bits & TcpBit.ACK) == 0) repeatSynAck(id, record);
    else challengeHalfOpen(record);
    return;
  }
  if (TCP_TIMESTAMPS && record.stamped) {
    // RFC 7323 3.2: SHOULD silently drop; 5.3 R1: an acknowledgment in reply, whatever its own.
    if (!segment.stamped) return;
    if (<i32>(segment.tsVal - record.stamp) < 0) {
      challengeHalfOpen(record);
      return;
    }
  }
  if (SOCKET_MORE_OPTIONS && answersSynAck(record, segment)) {
    record.mssAndStamp |= <u16>SynStamp.ACKED;
    return;
  }
  if (!inWindow) {
    // RFC 9293 3.10.7.4: not acceptable, so an ACK tells where we are. One who has finished and waits knows it.
    if (!record.waiting) challengeHalfOpen(record);
  } else if ((segment.bits & TcpBit.ACK) != 0 && segment.ack != record.iss + 1) refuse(segment);
}

/** <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>, rationed (RFC 5961 3.2, 7). */
function challengeHalfOpen(record: SynRecord): void {
  if (record.challenges >= CHALLENGES) return;
  record.challenges += 1;
  count(Counter.TCP_CHALLENGE_ACK);
  answerHalfOpen(record, TcpBit.ACK);
}

function repeatSynAck(id: u32, record: SynRecord): void {
  record.ambiguous = true;
  record.due = true;
  pendingAddRecord(id);
}

/** True when this segment finishes the handshake of the record. */
export function finishesHandshake(record: SynRecord, segment: Segment): bool {
  if (!answersSynAck(record, segment)) return false;
  if (!SOCKET_MORE_OPTIONS || segment.textBytes != 0) return true;
  return (segment.bits & TcpBit.FIN) != 0 || !defers(record);
}

/** True when this segment answers the SYN-ACK of the record as it should. */
function answersSynAck(record: SynRecord, segment: Segment): bool {
  const bits = segment.bits & (TcpBit.SYN | TcpBit.ACK | TcpBit.RST);
  if (bits != TcpBit.ACK || segment.ack != record.iss + 1) return false;
  // RFC 7323 3.2, 5.3: without the option, or older than the SYN, it is not of this connection.
  if (TCP_TIMESTAMPS && record.stamped) {
    if (!segment.stamped || <i32>(segment.tsVal - record.stamp) < 0) return false;
  }
  // A window probe may stand one before the first byte of text.
  return segment.seq - record.irs <= record.promised + 1;
}

/**
 * TCP_DEFER_ACCEPT: a handshake without text does not count yet. When the time is over the SYN-ACK goes once more, and its answer
 * counts, as Linux has it.
 */
export function defers(record: SynRecord): bool {
  const deferrals = listenerAt(<u32>record.listener - 1).deferrals;
  return record.retries < min<u32>(deferrals, SYN_ACK_RETRIES);
}

/** The listener is closing: its half-open connections are refused, or go to `heir`, who shares its place. */
export function listenAbandon(listener: u32, heir: u32): void {
  for (let id = FIRST_SYN_RECORD; id < FIRST_TIME_WAIT; id++) {
    const record = synRecordAt(id);
    if (record.state == TcpState.CLOSED || <u32>record.listener != listener + 1) continue;
    if (heir != NO_LISTENER) {
      record.listener = <RecordNumber>(heir + 1);
      continue;
    }
    resetRecord(record);
    synRecordFree(id);
  }
}
