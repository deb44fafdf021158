import { checksumOf } from "cpu";
import { EAGAIN } from "../errors";
import { MDNS } from "../config";
import { MDNS_GROUP, MDNS_PORT } from "../dns/message";
import { DNS_HEADER_BYTES, nameSkip } from "../dns/name";
import { iface } from "../interface";
import { igmpKeep } from "../ip/igmp";
import { ipEnd, ipHeadersWrite, ipOpen, ipWrite } from "../ip/ipv4-output";
import { IPPROTO_UDP } from "../ip/packet";
import { isDue, now } from "../now";
import { random32 } from "../random";
import { RateLimit, rateLimitTake } from "../rate-limit";
import { Counter, count } from "../statistics";
import { TIMER_MDNS, timerCancel, timerSet } from "../time/timers";
import { UDP_HEADER_BYTES, datagram } from "../udp/input";
import { udpHeader } from "../udp/transfer";
import {
  IN,
  IN_BYTES,
  beyond,
  fadedOf,
  forOne,
  isClaim,
  load16,
  messageTake,
  questions,
  recordRead,
  suppress,
  wanted,
  wantedBefore,
  weigh,
  weighBegin,
  weighLost,
} from "./incoming";
import {
  Name,
  RECORDS,
  Rr,
  isHostName,
  labelMake,
  putQuestion,
  putRecord,
  recordsLeaving,
  recordsOwned,
  serviceSet,
} from "./records";

/**
 * Multicast DNS responder (RFC 6762) for the host name and one service (RFC 6763).
 *
 *     OFF -> PROBING (three questions) -> ANNOUNCING (twice) -> RUNNING
 *                ^  another has the name: the next name              | another claims it
 *                +----------------------------------------------------+
 */
const enum State {
  OFF = 0,
  PROBING = 1,
  ANNOUNCING = 2,
  RUNNING = 3,
}

const PROBES: u32 = 3;
const PROBE_MS: u32 = 250;
const ANNOUNCEMENTS: u32 = 2;
const ANNOUNCE_MS: u32 = 1000;
/** The loser of two that probe at the same time (8.2), and everybody after many conflicts (8.1). */
const DEFER_MS: u32 = 1000;
const CONFLICTS_MAX: u32 = 15;
const CONFLICTS_WAIT_MS: u32 = 5000;
/** No record is multicast more often (6). */
const AGAIN_MS: u32 = 1000;
/** A record that was multicast longer ago than this is multicast to one who asks for himself too (5.4): a quarter of its TTL. */
const FRESH_MS: u32 = 30_000;
const RETRY_MS: u32 = 20;
/** Answers to one host: bursts of 32, one more each 32 ms. */
const UNICAST_PRICE: u32 = 512;
const UNICAST_BURST: u32 = 32 * UNICAST_PRICE;
const unicasts: RateLimit = changetype<RateLimit>(memory.data(MDNS ? offsetof<RateLimit>() : 0, 4));

/** With the longest names all records have 607 bytes behind the header, one question and what answers it 524. */
const OUT_BYTES: u32 = 640;
const OUT: usize = memory.data(MDNS ? OUT_BYTES : 0, 4);
/** When each record was multicast last. */
const LAST: usize = memory.data(MDNS ? 4 * RECORDS : 0, 4);

let state: State = State.OFF;
let sent: u32 = 0;
let stateDueMs: u32 = 0;
/** Number of our name: 1 is the host name itself. */
let number: u32 = 1;
let conflicts: u32 = 0;
/** Records to be multicast, and when. */
let pending: u32 = 0;
let pendingDueMs: u32 = 0;
/** Who alone has asked for them, and is to tell more of what he knows (7.2); 0 = nobody. */
let pendingFor: u32 = 0;

/** The address is in use now, or not any more, or the network may be another one: begins anew, or ends. */
export function mdnsRestart(): void {
  pending = 0;
  if (iface.address == 0 || iface.tentative || !labelMake(number)) {
    state = State.OFF;
    timerCancel(TIMER_MDNS);
    return;
  }
  igmpKeep(MDNS_GROUP);
  conflicts = 0;
  probeIn((random32() & 0xffff) % PROBE_MS);
}

/**
 * Announces a service (one): its labels in wire form without an end, such as those of `_http._tcp`, at a port. False = the name
 * is too long.
 */
export function mdnsService(labels: usize, bytes: u32, port: u32): bool {
  if (!serviceSet(labels, bytes, port)) return false;
  if (state != State.OFF) mdnsRestart();
  return true;
}

/** Our address when a text of so many bytes is the name that we have on the link, in host order; 0 = it is none of ours. */
export function mdnsOwn(text: usize, bytes: u32): u32 {
  const named = state == State.ANNOUNCING || state == State.RUNNING;
  return named && isHostName(text, bytes) ? iface.address : 0;
}

/**
 * Goodbye (RFC 6762 10.1): what was announced is taken back, and nothing is answered any more. False = there was no room to send; it
 * may be tried again.
 */
export function mdnsGoodbye(): bool {
  if (state == State.ANNOUNCING || state == State.RUNNING) {
    const records = recordsOwned();
    recordsLeaving(true);
    const at = putRecords(head(0, 0x8400, 0, <u32>popcnt(records), 0, 0), records, false);
    recordsLeaving(false);
    if (transmit(MDNS_GROUP, MDNS_PORT, at) != 0) return false;
  }
  state = State.OFF;
  pending = 0;
  timerCancel(TIMER_MDNS);
  return true;
}

function probeIn(delayMs: u32): void {
  state = State.PROBING;
  sent = 0;
  stateDueMs = now() + delayMs;
  pending = 0;
  schedule();
}

function schedule(): void {
  if (state == State.OFF) return;
  let wait: i32 = i32.MAX_VALUE;
  if (state != State.RUNNING) wait = <i32>(stateDueMs - now());
  if (pending != 0) wait = min(wait, <i32>(pendingDueMs - now()));
  if (wait != i32.MAX_VALUE) timerSet(TIMER_MDNS, now() + wait);
}

/** TIMER_MDNS: the next probe or announcement, or answers that had to wait. */
export function mdnsTimer(): void {
  if (state == State.OFF) return;
  if (pending != 0 && isDue(pendingDueMs)) {
    const due = pending;
    pending = 0;
    multicast(due, AGAIN_MS);
  }
  if (state != State.RUNNING && isDue(stateDueMs)) advance();
  schedule();
}

function advance(): void {
  if (state == State.PROBING) {
    if (sent < PROBES) {
      stateDueMs = now() + (probe() ? PROBE_MS : RETRY_MS);
      return;
    }
    state = State.ANNOUNCING;
    sent = 0;
  }
  if (!multicast(recordsOwned(), 0)) {
    stateDueMs = now() + RETRY_MS;
    return;
  }
  sent += 1;
  stateDueMs = now() + ANNOUNCE_MS;
  if (sent == ANNOUNCEMENTS) state = State.RUNNING;
}

/** Begins a message with these counts; where its questions go. */
function head(id: u32, flags: u32, questions: u32, answers: u32, authority: u32, more: u32): usize {
  store<u32>(OUT, bswap<u32>((id << 16) | flags));
  store<u32>(OUT, bswap<u32>((questions << 16) | answers), 4);
  store<u32>(OUT, bswap<u32>((authority << 16) | more), 8);
  return OUT + DNS_HEADER_BYTES;
}

/** Asks whether anybody has our names, and says what we would say of them (RFC 6762 8.1, 8.2). */
function probe(): bool {
  const service = (recordsOwned() & Rr.SRV) != 0;
  const names: u32 = service ? 2 : 1;
  let at = head(0, 0, names, 0, names, 0);
  at = putQuestion(at, Name.HOST);
  if (service) at = putQuestion(at, Name.INSTANCE);
  at = putRecord(at, Rr.A, true, false);
  if (service) at = putRecord(at, Rr.SRV, true, false);
  const went = transmit(MDNS_GROUP, MDNS_PORT, at) == 0;
  if (went) sent += 1;
  return went;
}

/** Sends the message in OUT that ends before `end`; 0, or what `ipBegin` says. */
function transmit(address: u32, port: u32, end: usize): i32 {
  const bytes = <u32>(end - OUT);
  assert(bytes <= OUT_BYTES);
  const source = iface.address;
  if (source == 0 || iface.tentative) return -EAGAIN;
  const refused = ipOpen(IPPROTO_UDP, source, address, UDP_HEADER_BYTES + bytes, 0, 255);
  if (refused != 0) return refused;
  udpHeader(MDNS_PORT, port, bytes, checksumOf(OUT, bytes));
  ipHeadersWrite(UDP_HEADER_BYTES);
  ipWrite(OUT, bytes);
  ipEnd();
  return 0;
}

/** What goes with an answer so that nobody has to ask for it next (RFC 6763 12). */
function additional(answers: u32): u32 {
  let more: u32 = 0;
  if ((answers & Rr.PTR) != 0) more |= Rr.SRV | Rr.TXT | Rr.A;
  if ((answers & Rr.SRV) != 0) more |= Rr.A;
  return more & ~answers;
}

/** Writes the records of a set; where the next byte goes. */
function putRecords(at: usize, records: u32, legacy: bool): usize {
  for (let i: u32 = 0; i < RECORDS; i++) {
    const record = 1 << i;
    if ((records & record) != 0) at = putRecord(at, record, false, legacy);
  }
  return at;
}

/** Multicasts those of `records` that have not been within `againMs`; false = there was no room to send. */
function multicast(records: u32, againMs: u32): bool {
  let again: u32 = 0;
  for (let i: u32 = 0; i < RECORDS; i++) {
    const last = load<u32>(LAST + (i << 2));
    if (last != 0 && now() - last < againMs) again |= 1 << i;
  }
  records &= ~again;
  if (records == 0) return true;
  const more = additional(records) & ~again;
  let at = head(0, 0x8400, 0, <u32>popcnt(records), 0, <u32>popcnt(more));
  at = putRecords(putRecords(at, records, false), more, false);
  if (transmit(MDNS_GROUP, MDNS_PORT, at) != 0) return false;
  for (let i: u32 = 0; i < RECORDS; i++) {
    // 0 would say that it never was.
    if (((records | more) & (1 << i)) != 0) store<u32>(LAST + (i << 2), max<u32>(now(), 1));
  }
  return true;
}

/** True when one of the records was not multicast for a while. */
function stale(records: u32): bool {
  for (let i: u32 = 0; i < RECORDS; i++) {
    const last = load<u32>(LAST + (i << 2));
    if ((records & (1 << i)) != 0 && (last == 0 || now() - last > FRESH_MS)) return true;
  }
  return false;
}

/** Takes the open datagram to port 5353, from a station of the link (RFC 6762 11). */
export function mdnsInput(source: u32): void {
  if (state == State.OFF || ((source ^ iface.address) & iface.mask) != 0) return;
  const bytes = messageTake();
  if (bytes == 0) return;
  const flags = load16(IN + 2);
  // Another opcode, or a response code (18.3, 18.11).
  if ((flags & 0x780f) != 0) return;
  if ((flags & 0x8000) == 0) queryInput(bytes, source, (flags & 0x0200) != 0);
  else if (datagram.sourcePort == MDNS_PORT) responseInput(bytes);
}

function queryInput(bytes: u32, source: u32, truncated: bool): void {
  const legacy = datagram.sourcePort != MDNS_PORT;
  // One who does not speak multicast DNS gets one question back, and its answer.
  let at = questions(bytes, legacy ? 1 : u32.MAX_VALUE);
  if (at == 0 && beyond == 0) return;
  const more = load16(IN + 4) == 0 && pending != 0 && source == pendingFor;
  if (more) wantedBefore(pending);
  const known = load16(IN + 6);
  for (let i: u32 = 0; i < known && at != 0; i++) {
    const end = recordRead(bytes, at);
    if (end == 0 && beyond == 0) return;
    if (end != 0) suppress(bytes, at);
    at = end;
  }
  if (more) {
    pending = wanted;
    if (truncated) pendingDueMs = now() + moreMs();
    schedule();
    return;
  }
  const claims = load16(IN + 8);
  if (state == State.PROBING) return weighed(bytes, at, claims);
  if (wanted != 0) answer(source, truncated, claims != 0);
}

/** Of two that probe for a name at the same time one has it; the other asks again after a second (8.2). */
function weighed(bytes: u32, at: u32, claims: u32): void {
  weighBegin();
  for (let i: u32 = 0; i < claims && at != 0; i++) {
    const end = recordRead(bytes, at);
    if (end == 0) return;
    weigh(bytes, at);
    at = end;
  }
  if (weighLost()) probeIn(DEFER_MS);
}

/** How long is waited for more known answers (7.2). */
function moreMs(): u32 {
  return 400 + (((random32() & 0xffff) * 100) >>> 16);
}

/** Answers a question: to the asker alone, or to all, at once or after the wait that shared records have (RFC 6762 6). */
function answer(source: u32, truncated: bool, probed: bool): void {
  const legacy = datagram.sourcePort != MDNS_PORT;
  if (legacy || (forOne && !stale(wanted))) {
    unicast(source, legacy);
    return;
  }
  const shared = (wanted & (Rr.PTR | Rr.TYPES)) != 0;
  if (!truncated && !shared) {
    multicast(wanted, probed ? PROBE_MS : AGAIN_MS);
    return;
  }
  const waitMs = truncated ? moreMs() : moreMs() - 380;
  if (pending == 0) {
    pendingDueMs = now() + waitMs;
    pendingFor = truncated ? source : 0;
  } else if (pendingFor != source) pendingFor = 0;
  pending |= wanted;
  schedule();
}

/** To the asker alone. One who does not speak multicast DNS gets his question and identifier back (RFC 6762 6.7). */
function unicast(source: u32, legacy: bool): void {
  if (!rateLimitTake(unicasts, UNICAST_BURST, UNICAST_PRICE)) return;
  const question = legacy
    ? nameSkip(IN, min(datagram.bytes, IN_BYTES), DNS_HEADER_BYTES) + 4 - DNS_HEADER_BYTES
    : 0;
  const more = additional(wanted);
  const id = legacy ? load16(IN) : 0;
  const answers = <u32>popcnt(wanted);
  let at = head(id, 0x8400, legacy ? 1 : 0, answers, 0, <u32>popcnt(more));
  memory.copy(at, IN + DNS_HEADER_BYTES, question);
  at += question;
  at = putRecords(putRecords(at, wanted, legacy), more, legacy);
  transmit(source, datagram.sourcePort, at);
}

/** Somebody else's answers: one under our name with other data is a conflict (RFC 6762 8.1, 9). */
function responseInput(bytes: u32): void {
  let at = questions(bytes, 0);
  const records = load16(IN + 6) + load16(IN + 8) + load16(IN + 10);
  let faded: u32 = 0;
  for (let i: u32 = 0; at != 0 && i < records; i++) {
    const end = recordRead(bytes, at);
    if (end == 0) break;
    if (isClaim(bytes, at, state == State.PROBING)) return conflict();
    faded |= fadedOf(bytes, at);
    at = end;
  }
  if (faded != 0 && state != State.PROBING) rescue(faded);
}

/** Others have told all to forget these records: they are multicast as soon as they may be (RFC 6762 6.6), within a second, in time (10.1). */
function rescue(records: u32): void {
  if (pending == 0) pendingDueMs = now();
  for (let i: u32 = 0; i < RECORDS; i++) {
    const again = load<u32>(LAST + (i << 2)) + AGAIN_MS;
    if ((records & (1 << i)) != 0 && <i32>(again - pendingDueMs) > 0) pendingDueMs = again;
  }
  pending |= records;
  pendingFor = 0;
  schedule();
}

function conflict(): void {
  conflicts += 1;
  count(Counter.MDNS_CONFLICT);
  if (state == State.PROBING) {
    number += 1;
    labelMake(number);
  }
  probeIn(conflicts >= CONFLICTS_MAX ? CONFLICTS_WAIT_MS : 0);
}
