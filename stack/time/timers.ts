import { RecordNumber } from "options";
import {
  ACD,
  DHCP,
  DNS_ENTRIES,
  IGMP,
  INTERFACES,
  IP_REASSEMBLY_SLOTS,
  MDNS,
  TCP_SYN_RECORDS,
  TCP_TCBS,
  TCP_TIME_WAIT_RECORDS,
} from "../config";
import { isDue, now } from "../now";

/**
 * All timers of the stack: a binary heap of timer numbers ordered by deadline, so that the next deadline is known at once and
 * an idle device can sleep until then. Each timer exists once and is either armed or not; arming again moves it. Few timers are not
 * ordered: the first is looked for whenever one changes.
 */

export const TIMER_ARP: u32 = 0;
/** First of those of the DHCP client, where there is one, one for each interface; likewise of conflict detection. */
export const TIMER_DHCP: u32 = 1;
export const TIMER_ACD: u32 = DHCP ? TIMER_DHCP + INTERFACES : TIMER_DHCP;
/** Only where there is a DNS client. */
export const TIMER_DNS: u32 = ACD ? TIMER_ACD + INTERFACES : TIMER_ACD;
/** First of those of multicast DNS, where there is it, one for each interface. */
export const TIMER_MDNS: u32 = DNS_ENTRIES != 0 ? TIMER_DNS + 1 : TIMER_DNS;
/** Only where groups are joined. */
export const TIMER_IGMP: u32 = MDNS ? TIMER_MDNS + INTERFACES : TIMER_MDNS;
/** Only where fragments are put together. */
export const TIMER_IP: u32 = IGMP ? TIMER_IGMP + 1 : TIMER_IGMP;
/** First of the TCP timers: one for each connection record (TCBs, SYN queue, TIME-WAIT). */
export const TIMER_TCP: u32 = IP_REASSEMBLY_SLOTS != 0 ? TIMER_IP + 1 : TIMER_IP;
const TIMERS: u32 = TIMER_TCP + TCP_TCBS + TCP_SYN_RECORDS + TCP_TIME_WAIT_RECORDS;
/** So few that a look at all of them takes no longer than the heap; it is 0.3 KB of code less. */
const FEW: bool = TIMERS <= 32;
/** No timer. */
export const TIMER_NONE: u32 = 0xffff;
/** A timer's number, and its place plus one, has the width of a record's number. */
const NUMBER_BYTES: u32 = <u32>sizeof<RecordNumber>();

const DUE: usize = memory.data(TIMERS * 4, 4);
/** Of few timers it holds the first alone. */
const HEAP: usize = memory.data((FEW ? 1 : TIMERS) * NUMBER_BYTES, 2);
/** Place in the heap plus one, or any; 0 when not armed. */
const PLACE: usize = memory.data(TIMERS * NUMBER_BYTES, 2);
/** How many are armed; of few timers whether any is. */
let armed: u32 = 0;
/** Without a timer the next look at whether there is one is so far away. */
const FAR_MS: u32 = 0x3fffffff;
/** Deadline of the first timer, or any when none is armed: each turn asks for it. */
let firstDue: u32 = 0;

function due(timer: u32): u32 {
  return load<u32>(DUE + (timer << 2));
}

function get(table: usize, index: u32): u32 {
  return <u32>load<RecordNumber>(table + index * NUMBER_BYTES);
}

function set(table: usize, index: u32, value: u32): void {
  store<RecordNumber>(table + index * NUMBER_BYTES, <RecordNumber>value);
}

function put(place: u32, timer: u32): void {
  if (place == 0) firstDue = due(timer);
  set(HEAP, place, timer);
  set(PLACE, timer, place + 1);
}

/** True when deadline `a` comes before `b`; both lie within 24 days of now. */
function earlier(a: u32, b: u32): bool {
  return <i32>(a - b) < 0;
}

function siftUp(place: u32, timer: u32): void {
  const dueMs = due(timer);
  while (place > 0) {
    const parent = (place - 1) >>> 1;
    const other = get(HEAP, parent);
    if (!earlier(dueMs, due(other))) break;
    put(place, other);
    place = parent;
  }
  put(place, timer);
}

function siftDown(place: u32, timer: u32): void {
  const dueMs = due(timer);
  for (;;) {
    let child = place * 2 + 1;
    if (child >= armed) break;
    let other = get(HEAP, child);
    if (child + 1 < armed) {
      const right = get(HEAP, child + 1);
      if (earlier(due(right), due(other))) {
        child += 1;
        other = right;
      }
    }
    if (!earlier(due(other), dueMs)) break;
    put(place, other);
    place = child;
  }
  put(place, timer);
}

/** Looks for the first of few timers. */
function seekFirst(): void {
  armed = 0;
  for (let timer: u32 = 0; timer < TIMERS; timer++) {
    if (!timerArmed(timer) || (armed != 0 && !earlier(due(timer), firstDue))) continue;
    armed = 1;
    firstDue = due(timer);
    set(HEAP, 0, timer);
  }
}

/** Arms a timer, or moves it when it is armed already. `dueMs` in the time of `now()`. */
export function timerSet(timer: u32, dueMs: u32): void {
  assert(timer < TIMERS);
  if (FEW) {
    store<u32>(DUE + (timer << 2), dueMs);
    set(PLACE, timer, 1);
    seekFirst();
    return;
  }
  const place = get(PLACE, timer);
  if (place == 0) {
    store<u32>(DUE + (timer << 2), dueMs);
    armed += 1;
    siftUp(armed - 1, timer);
    return;
  }
  const before = due(timer);
  store<u32>(DUE + (timer << 2), dueMs);
  if (earlier(dueMs, before)) siftUp(place - 1, timer);
  else siftDown(place - 1, timer);
}

/** Disarms a timer; harmless when it is not armed. */
export function timerCancel(timer: u32): void {
  assert(timer < TIMERS);
  const place = get(PLACE, timer);
  if (place == 0) return;
  set(PLACE, timer, 0);
  if (FEW) {
    seekFirst();
    return;
  }
  armed -= 1;
  if (place - 1 == armed) return;
  const last = get(HEAP, armed);
  if (earlier(due(last), due(timer))) siftUp(place - 1, last);
  else siftDown(place - 1, last);
}

/** True while the timer is armed. */
export function timerArmed(timer: u32): bool {
  return get(PLACE, timer) != 0;
}

/** The earliest timer; TIMER_NONE when none is armed. */
export function timerFirst(): u32 {
  return armed == 0 ? TIMER_NONE : get(HEAP, 0);
}

/** Deadline of an armed timer. */
export function timerDue(timer: u32): u32 {
  return due(timer);
}

/** Takes the earliest timer whose deadline has come off the heap; TIMER_NONE when there is none. */
export function timerTakeDue(): u32 {
  if (!isDue(firstDue)) return TIMER_NONE;
  if (armed == 0) {
    // Nobody's; each turn asks this alone.
    firstDue = now() + FAR_MS;
    return TIMER_NONE;
  }
  const timer = get(HEAP, 0);
  timerCancel(timer);
  return timer;
}

/** Milliseconds until the earliest deadline, 0 when one has passed, at most `limitMs`. */
export function timersDeadline(limitMs: u32): u32 {
  if (armed == 0) return limitMs;
  const left = <i32>(firstDue - now());
  if (left <= 0) return 0;
  return min<u32>(<u32>left, limitMs);
}
