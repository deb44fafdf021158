import { isDue, now } from "../now";
import { keyedHash } from "../random";
import { Counter, count } from "../statistics";
import { SEND_MSS_MAX, SynOption, sendSynAck } from "./emit";
import { Segment } from "./segment";

/**
 * SYN cookies (RFC 4987 appendix A): when the SYN queue is full, a SYN is answered with a sequence number that holds all we
 * must know, and nothing is stored. The ACK that finishes the handshake brings it back.
 *
 *     31      27 26    24 23                                 0
 *     | minute  |  MSS   | keyed hash of tuple, irs, minute  |
 *
 * "Minute" is a counter of 65.5 s; a cookie is good in its own and in the next one.
 */
const PERIOD_SHIFT: u32 = 16;
const HASH_MASK: u32 = 0xffffff;
/** Cookies are looked for only this long after the last one was sent: otherwise a guessed ACK has no chance at all. */
const LIFE_MS: u32 = 131072;

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
  const inner = keyedHash(segment.source, segment.destination, ports);
  return keyedHash(inner, irs, minute | 0x434b0000) & HASH_MASK;
}

/** Answers a SYN without keeping anything; `mss` is what we may send per segment. */
export function cookieAnswer(segment: Segment, mss: u32): void {
  let index: u32 = 7;
  while (index != 0 && mssOf(index) > mss) index -= 1;
  const minute = period();
  const iss = (minute << 27) | (index << 24) | hash(segment, segment.seq, minute);
  lastSent = now();
  sentAny = true;
  count(Counter.TCP_COOKIE_SENT);
  const port = segment.destinationPort;
  // Window 0: no text can get lost while the peer waits for a TCB.
  sendSynAck(
    segment.destination,
    segment.source,
    port,
    segment.sourcePort,
    iss,
    segment.seq + 1,
    0,
    SynOption.MSS,
  );
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
