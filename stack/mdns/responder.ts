import { based } from "cpu";
import { INTERFACES, MDNS } from "../config";
import { MDNS_GROUP, MDNS_PORT } from "../dns/message";
import { LeasedInterface, interfaceAt, interfaceNumber, isOurs } from "../interface";
import { igmpKeep } from "../ip/igmp";
import { deviceIsWire, linkRxDevice } from "../link/device";
import { isDue, now } from "../now";
import { random32 } from "../random";
import { Counter, count } from "../statistics";
import { TIMER_MDNS, timerCancel, timerSet } from "../time/timers";
import { datagram } from "../udp/input";
import {
  IN,
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
import { goodbye, multicast, probe, stale, toldMs, unicast } from "./messages";
import {
  RECORDS,
  Rr,
  isHostName,
  labelMake,
  recordsOwned,
  serviceSet,
  speakOn,
  speaking,
} from "./records";

/**
 * Multicast DNS responder (RFC 6762) for the host name and one service (RFC 6763), on each interface by itself (14): another one's
 * claim to the name on one link says nothing of the name on the other.
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
const RETRY_MS: u32 = 20;

/** The sender of the open message has an address of our network. */
let near: bool = false;

/** How it stands on a link. */
@unmanaged
class Responder {
  state: State;
  /** Probes, or announcements, in this state. */
  sent: u32;
  stateDueMs: u32;
  /** Names that others had: with 0 ours is the host name itself. */
  given: u32;
  conflicts: u32;
  /** Records to be multicast, and when. */
  pending: u32;
  pendingDueMs: u32;
  /** Who alone has asked for them, and is to tell more of what he knows (7.2); 0 = nobody. */
  pendingFor: u32;
}

const TABLE: usize = memory.data(MDNS ? INTERFACES * offsetof<Responder>() : 0, 4);

/** The one of the interface that is spoken on. */
function responder(): Responder {
  const number: u32 = INTERFACES == 1 ? 0 : interfaceNumber(speaking());
  return changetype<Responder>(based(TABLE) + number * offsetof<Responder>());
}

/** The address of an interface is in use now, or not any more, or its network may be another one: begins anew, or ends. */
export function mdnsRestart(nif: LeasedInterface): void {
  speakOn(nif);
  const me = responder();
  me.pending = 0;
  if (nif.address == 0 || nif.tentative || !labelMake(me.given + 1)) {
    me.state = State.OFF;
    timerCancel(TIMER_MDNS + interfaceNumber(nif));
    return;
  }
  igmpKeep(MDNS_GROUP);
  me.conflicts = 0;
  probeIn(me, (random32() & 0xffff) % PROBE_MS);
}

/**
 * Announces a service (one): its labels in wire form without an end, such as those of `_http._tcp`, at a port. False = the name
 * is too long.
 */
export function mdnsService(labels: usize, bytes: u32, port: u32): bool {
  if (!serviceSet(labels, bytes, port)) return false;
  for (let number: u32 = 0; number < INTERFACES; number++) {
    const nif = interfaceAt(number);
    speakOn(nif);
    if (responder().state != State.OFF) mdnsRestart(nif);
  }
  return true;
}

/** Our address when a text of so many bytes is the name that we have on a link, there, in host order; 0 = it is none of ours. */
export function mdnsOwn(text: usize, bytes: u32): u32 {
  for (let number: u32 = 0; number < INTERFACES; number++) {
    speakOn(interfaceAt(number));
    if (named(responder()) && isHostName(text, bytes)) return speaking().address;
  }
  return 0;
}

/** True when the name is ours, and others know it. */
function named(me: Responder): bool {
  return me.state >= State.ANNOUNCING;
}

/**
 * Goodbye (RFC 6762 10.1): what was announced is taken back, and nothing is answered any more. False = there was no room to send; it
 * may be tried again.
 */
export function mdnsGoodbye(): bool {
  let all = true;
  for (let number: u32 = 0; number < INTERFACES; number++) {
    speakOn(interfaceAt(number));
    const me = responder();
    if (named(me) && !goodbye()) {
      all = false;
      continue;
    }
    me.state = State.OFF;
    me.pending = 0;
    timerCancel(TIMER_MDNS + number);
  }
  return all;
}

function probeIn(me: Responder, delayMs: u32): void {
  me.state = State.PROBING;
  me.sent = 0;
  me.stateDueMs = now() + delayMs;
  me.pending = 0;
  schedule(me);
}

function schedule(me: Responder): void {
  if (me.state == State.OFF) return;
  let wait: i32 = i32.MAX_VALUE;
  if (me.state != State.RUNNING) wait = <i32>(me.stateDueMs - now());
  if (me.pending != 0) wait = min(wait, <i32>(me.pendingDueMs - now()));
  if (wait != i32.MAX_VALUE) timerSet(TIMER_MDNS + interfaceNumber(speaking()), now() + wait);
}

/** TIMER_MDNS of an interface: the next probe or announcement, or answers that had to wait. */
export function mdnsTimer(nif: LeasedInterface): void {
  speakOn(nif);
  const me = responder();
  if (me.state == State.OFF) return;
  if (me.pending != 0 && isDue(me.pendingDueMs)) {
    const due = me.pending;
    me.pending = 0;
    multicast(due, AGAIN_MS);
  }
  if (me.state != State.RUNNING && isDue(me.stateDueMs)) advance(me);
  schedule(me);
}

function advance(me: Responder): void {
  if (me.state == State.PROBING) {
    if (me.sent < PROBES) {
      const went = probe();
      if (went) me.sent += 1;
      me.stateDueMs = now() + (went ? PROBE_MS : RETRY_MS);
      return;
    }
    me.state = State.ANNOUNCING;
    me.sent = 0;
  }
  if (!multicast(recordsOwned(), 0)) {
    me.stateDueMs = now() + RETRY_MS;
    return;
  }
  me.sent += 1;
  me.stateDueMs = now() + ANNOUNCE_MS;
  if (me.sent == ANNOUNCEMENTS) me.state = State.RUNNING;
}

/**
 * Takes the open datagram to port 5353 that has come by an interface. What was sent to the group is from the link, whatever the source's address
 * says; what was sent to us is so when that is of our network (RFC 6762 11).
 */
export function mdnsInput(nif: LeasedInterface, source: u32, destination: u32): void {
  speakOn(nif);
  const me = responder();
  near = ((source ^ nif.address) & nif.mask) == 0;
  if (me.state == State.OFF || (!near && destination != MDNS_GROUP)) return;
  const bytes = messageTake();
  if (bytes == 0) return;
  const flags = load16(IN + 2);
  // Another opcode, or a response code (18.3, 18.11).
  if ((flags & 0x780f) != 0) return;
  const response = (flags & 0x8000) != 0;
  if (INTERFACES > 1 && isOurs(source) && deviceIsWire(linkRxDevice())) ourselves(me, response);
  else if (!response) queryInput(me, bytes, source, (flags & 0x0200) != 0);
  else if (datagram.sourcePort == MDNS_PORT) responseInput(me, bytes);
}

/**
 * What our other interface has said, as both are on one link: no claim of anybody, but our address here is forgotten for it unless it
 * is told within a second (14).
 */
function ourselves(me: Responder, response: bool): void {
  if (response && named(me)) multicast(Rr.A, AGAIN_MS);
}

function queryInput(me: Responder, bytes: u32, source: u32, truncated: bool): void {
  const legacy = datagram.sourcePort != MDNS_PORT;
  // One who does not speak multicast DNS gets one question back, and its answer.
  let at = questions(bytes, legacy ? 1 : u32.MAX_VALUE);
  if (at == 0 && beyond == 0) return;
  const more = load16(IN + 4) == 0 && me.pending != 0 && source == me.pendingFor;
  if (more) wantedBefore(me.pending);
  const known = load16(IN + 6);
  for (let i: u32 = 0; i < known && at != 0; i++) {
    const end = recordRead(bytes, at);
    if (end == 0 && beyond == 0) return;
    if (end != 0) suppress(bytes, at);
    at = end;
  }
  if (more) {
    me.pending = wanted;
    if (truncated) me.pendingDueMs = now() + moreMs();
    schedule(me);
    return;
  }
  const claims = load16(IN + 8);
  if (me.state == State.PROBING) return weighed(me, bytes, at, claims);
  if (wanted != 0) answer(me, source, truncated, claims != 0);
}

/** Of two that probe for a name at the same time one has it; the other asks again after a second (8.2). */
function weighed(me: Responder, bytes: u32, at: u32, claims: u32): void {
  weighBegin();
  for (let i: u32 = 0; i < claims && at != 0; i++) {
    const end = recordRead(bytes, at);
    if (end == 0) return;
    weigh(bytes, at);
    at = end;
  }
  if (weighLost()) probeIn(me, DEFER_MS);
}

/** How long is waited for more known answers (7.2). */
function moreMs(): u32 {
  return 400 + (((random32() & 0xffff) * 100) >>> 16);
}

/** Answers a question: to the asker alone, or to all, at once or after the wait that shared records have (RFC 6762 6). */
function answer(me: Responder, source: u32, truncated: bool, probed: bool): void {
  const legacy = datagram.sourcePort != MDNS_PORT;
  if (near && (legacy || (forOne && !stale(wanted)))) {
    unicast(source, legacy);
    return;
  }
  // An answer to one who may be far away would leave the link.
  if (legacy) return;
  const shared = (wanted & (Rr.PTR | Rr.TYPES)) != 0;
  if (!truncated && !shared) {
    multicast(wanted, probed ? PROBE_MS : AGAIN_MS);
    return;
  }
  const waitMs = truncated ? moreMs() : moreMs() - 380;
  if (me.pending == 0) {
    me.pendingDueMs = now() + waitMs;
    me.pendingFor = truncated ? source : 0;
  } else if (me.pendingFor != source) me.pendingFor = 0;
  me.pending |= wanted;
  schedule(me);
}

/** Somebody else's answers: one under our name with other data is a conflict (RFC 6762 8.1, 9). */
function responseInput(me: Responder, bytes: u32): void {
  let at = questions(bytes, 0);
  const records = load16(IN + 6) + load16(IN + 8) + load16(IN + 10);
  let faded: u32 = 0;
  for (let i: u32 = 0; at != 0 && i < records; i++) {
    const end = recordRead(bytes, at);
    if (end == 0) break;
    if (isClaim(bytes, at, me.state == State.PROBING)) return conflict(me);
    faded |= fadedOf(bytes, at);
    at = end;
  }
  if (faded != 0 && me.state != State.PROBING) rescue(me, faded);
}

/** Others have told all to forget these records: they are multicast as soon as they may be (RFC 6762 6.6), within a second, in time (10.1). */
function rescue(me: Responder, records: u32): void {
  if (me.pending == 0) me.pendingDueMs = now();
  for (let i: u32 = 0; i < RECORDS; i++) {
    const again = toldMs(i) + AGAIN_MS;
    if ((records & (1 << i)) != 0 && <i32>(again - me.pendingDueMs) > 0) me.pendingDueMs = again;
  }
  me.pending |= records;
  me.pendingFor = 0;
  schedule(me);
}

function conflict(me: Responder): void {
  me.conflicts += 1;
  count(Counter.MDNS_CONFLICT);
  if (me.state == State.PROBING) {
    me.given += 1;
    labelMake(me.given + 1);
  }
  probeIn(me, me.conflicts >= CONFLICTS_MAX ? CONFLICTS_WAIT_MS : 0);
}
