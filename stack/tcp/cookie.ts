import {
  SOCKET_MORE_OPTIONS,
  TCP,
  TCP_SACK,
  TCP_SYN_COOKIES,
  TCP_TIMESTAMPS,
  TCP_WINDOW_SCALE,
} from "../config";
import { EAGAIN } from "../errors";
import { isDue, now } from "../now";
import { keyedHash } from "../random";
import { Counter, count } from "../statistics";
import { linkOverflows } from "../link/device";
import { SynRecord, SynStamp } from "./connection";
import { pendingAddAnswers } from "./pending";
import { SEND_MSS_MAX, SynOption, TX, TxSegment, answerTo, synAckSend, txStamp } from "./emit";
import { NO_SCALE, Segment } from "./segment";
import { timestampOffset } from "./timestamps";

/**
 * SYN cookies (RFC 4987 appendix A): when the SYN queue is full, a SYN is answered with a sequence number that holds all we
 * must know, and nothing is stored. The ACK that finishes the handshake brings it back.
 *
 *     31      27 26    24 23                                 0
 *     | minute  |  MSS   | keyed hash of tuple, irs, minute  |
 *
 * A client that sends timestamps gets its window scale and SACK, too: they come back in the low bits of our clock.
 * "Minute" is a counter of 65.5 s; a cookie is good in its own and in the next one.
 */
const PERIOD_SHIFT: u32 = 16;
const HASH_MASK: u32 = 0xffffff;
/** Cookies are looked for only this long after the last one was sent: otherwise a guessed ACK has no chance at all. */
const LIFE_MS: u32 = 131072;

/** In the low bits of the clock of a cookie's timestamp: shift of the window scale, NO_SCALE = none, and SACK-permitted. */
const CLOCK_BITS: u32 = 31;
const CLOCK_SCALE: u32 = 15;
const CLOCK_SACK: u32 = 16;

let lastSent: u32 = 0;
let sentAny: bool = false;

function period(): u32 {
  return (now() >>> PERIOD_SHIFT) & 31;
}

/** MSS by its three bits: the values that real links have. */
function mssOf(index: u32): u32 {
  if (index < 4) return index == 0 ? 88 : index == 1 ? 256 : index == 2 ? 536 : 1024;
  return index == 4 ? 1220 : index == 5 ? 1360 : index == 6 ? 1440 : SEND_MSS_MAX;
}

function hash(segment: Segment, irs: u32, minute: u32): u32 {
  const ports = (segment.destinationPort << 16) | segment.sourcePort;
  const inner = keyedHash(segment.source, ports, segment.destination);
  return keyedHash(inner, irs, minute | 0x434b00) & HASH_MASK;
}

/** While the chip loses frames, or answers wait, strangers get one answer in a millisecond, and so many at once: a crowd is no flood. */
const ANSWERS_AT_ONCE: u32 = 256;
/** The chip counts as overflowing for this long after that was seen, ms: a driver may look no more than each 250. */
const OVERFLOW_MS: u32 = 600;

let overflows: u32 = 0;
let overflowMs: u32 = 0;
let overflowing: bool = false;
let answered: u32 = 0;
let answeredMs: u32 = 0;

/**
 * False when this stranger gets no answer: where the chip loses frames already, answers to a flood of SYNs take the wire from
 * those who are connected. Who is honest sends his SYN again.
 */
function mayAnswer(): bool {
  const time = now();
  if (linkOverflows() != overflows) {
    overflows = linkOverflows();
    overflowMs = time;
    overflowing = true;
  } else if (overflowing && isDue(overflowMs + OVERFLOW_MS)) overflowing = false;
  const back = time - answeredMs;
  answeredMs = time;
  answered = answered > back ? answered - back : 0;
  if (answered >= ANSWERS_AT_ONCE && (overflowing || owed != 0)) return false;
  answered = min<u32>(answered + 1, ANSWERS_AT_ONCE);
  return true;
}

/** Answers a SYN without keeping anything; `mss` is what we may send per segment, `maxSegment` (0 = none) what we say that the peer may. */
export function cookieAnswer(segment: Segment, mss: u32, maxSegment: u32): void {
  if (!mayAnswer()) {
    count(Counter.TCP_SYN_DROPPED);
    return;
  }
  let index: u32 = 7;
  while (index != 0 && mssOf(index) > mss) index -= 1;
  const minute = period();
  const iss = (minute << 27) | (index << 24) | hash(segment, segment.seq, minute);
  lastSent = now();
  sentAny = true;
  answerTo(segment);
  TX.seq = iss;
  TX.ack = segment.seq + 1;
  // Window 0: no text can get lost while the peer waits for a TCB.
  TX.window = 0;
  if (SOCKET_MORE_OPTIONS) TX.offset = maxSegment;
  TX.options = SynOption.MSS | offerOptions(segment);
  // Nobody who came later goes first.
  if (owed != 0 || !answerSend()) answerOwe();
}

/**
 * Answers that found no room in the chip. Kept here they hold up no frame behind their SYN, as one would that was put back: the
 * acknowledgment that lets a transfer go on may be the next. All of it is in `TX`: the fields between the text's length and the ECN field.
 */
const OWED: u32 = 4;
const OWED_AT: u32 = offsetof<TxSegment>("localAddress");
const OWED_END: u32 = TCP_TIMESTAMPS ? offsetof<TxSegment>("ecn") : offsetof<TxSegment>("tsVal");
const OWED_BYTES: u32 = OWED_END - OWED_AT;
const OWED_TABLE: usize = memory.data(TCP && TCP_SYN_COOKIES ? OWED * OWED_BYTES : 0, 4);
let owed: u32 = 0;
/** Place of the oldest one. */
let owedFirst: u32 = 0;

function owedAt(number: u32): usize {
  return OWED_TABLE + ((owedFirst + number) & (OWED - 1)) * OWED_BYTES;
}

/** Sends `TX`; false when there is no room now. */
function answerSend(): bool {
  const refused = synAckSend(TX.options, 0);
  if (refused == -EAGAIN) return false;
  count(refused == 0 ? Counter.TCP_COOKIE_SENT : Counter.TCP_SYN_DROPPED);
  return true;
}

function answerOwe(): void {
  if (owed == OWED) {
    count(Counter.TCP_SYN_DROPPED);
    return;
  }
  const at = owedAt(owed);
  memory.copy(at, changetype<usize>(TX) + OWED_AT, OWED_BYTES);
  owed += 1;
  pendingAddAnswers();
}

/** True while there is place for one more answer that has to wait. */
export function cookieMayOwe(): bool {
  return TCP_SYN_COOKIES && owed < OWED;
}

/** True when answers wait for room. */
export function cookiesOwed(): bool {
  return owed != 0;
}

/** Sends the answers that wait, while there is room. */
export function cookiesSend(): void {
  for (; owed != 0; owed--) {
    const at = owedAt(0);
    memory.copy(changetype<usize>(TX) + OWED_AT, at, OWED_BYTES);
    TX.window = 0;
    if (!answerSend()) return;
    owedFirst += 1;
  }
}

/** Options that a SYN with timestamps gets: its own come back with our clock, whose low bits they replace. */
function offerOptions(segment: Segment): u32 {
  if (!TCP_TIMESTAMPS || !segment.stamped) return 0;
  txStamp(segment.tsVal);
  const scale: u32 = TCP_WINDOW_SCALE ? segment.scale : NO_SCALE;
  const sack: u32 = TCP_SACK && segment.sackPermitted ? CLOCK_SACK : 0;
  // Never ahead of what the clock shows, or the connection would go back behind it.
  TX.tsVal = ((TX.tsVal - CLOCK_BITS) & ~CLOCK_BITS) | sack | scale;
  return (
    SynOption.TIMESTAMPS |
    (scale != NO_SCALE ? SynOption.SCALE : 0) |
    (sack != 0 ? SynOption.SACK_PERMITTED : 0)
  );
}

/** What our clock brings back of the options of a SYN that was answered with a cookie. */
export function cookieOptions(segment: Segment, record: SynRecord): void {
  if (!segment.stamped) return;
  const ports = (segment.destinationPort << 16) | segment.sourcePort;
  const clock = now() + timestampOffset(segment.destination, segment.source, ports);
  // An echo that cannot be of our clock says nothing.
  if (clock - segment.tsEcr >= LIFE_MS) return;
  record.mssAndStamp |= <u16>SynStamp.UNKNOWN;
  if (TCP_WINDOW_SCALE) record.shift = segment.tsEcr & CLOCK_SCALE;
  if (TCP_SACK) record.sackPermitted = (segment.tsEcr & CLOCK_SACK) != 0;
}

/**
 * MSS that an ACK brings back in a valid cookie, for the peer's initial sequence number `irs`; 0 when there is none. A window
 * probe may stand one before the first byte of text, so the caller may have to try two numbers.
 */
export function cookieCheck(segment: Segment, irs: u32): u32 {
  if (!sentAny) return 0;
  if (isDue(lastSent + LIFE_MS)) {
    sentAny = false;
    return 0;
  }
  const cookie = segment.ack - 1;
  const minute = cookie >>> 27;
  if (((period() - minute) & 31) > 1) return 0;
  if (hash(segment, irs, minute) != (cookie & HASH_MASK)) return 0;
  return mssOf((cookie >>> 24) & 7);
}
