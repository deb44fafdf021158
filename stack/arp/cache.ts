import { ARP_ENTRIES, INTERFACES } from "../config";
import { EAGAIN, EHOSTUNREACH, EINPROGRESS } from "../errors";
import { Interface, interfaceAt, interfaceNumber, interfaceTell } from "../interface";
import { headerForget, macCopy } from "../link/headers";
import { waitingBytes, waitingDrop } from "../link/waiting";
import { isDue, now } from "../now";
import { TIMER_ARP, timerCancel, timerSet } from "../time/timers";
import { arpRequest } from "./output";

/**
 * The neighbours we know (RFC 826, RFC 1122 2.3.2). An entry that is used is asked again after a minute, first the MAC we
 * know (unicast poll), then everybody, and is usable meanwhile; one that is not used is flushed in time. What strangers send
 * never pushes out the gateway or a neighbour in use, and never changes a MAC unless the old one has stopped answering.
 *
 *            use                    answer                 60 s, unused
 *     FREE ------> INCOMPLETE  ------------> REACHABLE ------------------> STALE ---> FREE
 *                   | no answer                ^   | 60 s, used; other MAC  | use   600 s
 *                   v                          |   v                        |
 *                 FAILED ---> FREE             +- PROBE <-------------------+
 */
const FREE: u8 = 0;
/** No answer to any request; kept a moment so that senders learn of it. */
const FAILED: u8 = 1;
const INCOMPLETE: u8 = 2;
/** From here on the MAC is usable. */
const PROBE: u8 = 3;
const STALE: u8 = 4;
const REACHABLE: u8 = 5;

@unmanaged
export class ArpEntry {
  address: u32;
  mac0: u16;
  mac1: u16;
  mac2: u16;
  /** FREE to REACHABLE. */
  state: u8;
  /** Requests sent in this state. */
  tries: u8;
  /** When the state is to be looked at. */
  dueMs: u32;
  /** When a packet was last sent here. */
  usedMs: u32;
}

/** Where there are more interfaces, the same address may be another station on each. */
@unmanaged
class WiredEntry extends ArpEntry {
  /** Number of the interface that the neighbour is reached by. */
  wire: u32;
}

/** RFC 1122 2.3.2.1: no more than one request a second to one address. */
const REQUEST_MS: u32 = 1000;
/** Requests without an answer before an address counts as failed, or before polling turns from unicast to broadcast. */
const REQUESTS: u8 = 3;
const UNICAST_POLLS: u8 = 2;
const REACHABLE_MS: u32 = 60_000;
const STALE_MS: u32 = 600_000;
const FAILED_MS: u32 = 5000;
/** Nothing could be sent: the next try. */
const RETRY_MS: u32 = 10;

const ENTRY_BYTES: u32 = INTERFACES == 1 ? offsetof<ArpEntry>() : offsetof<WiredEntry>();
const ENTRIES: usize = memory.data(ENTRY_BYTES * ARP_ENTRIES, 4);
const ENTRIES_END: usize = ENTRIES + ENTRY_BYTES * ARP_ENTRIES;
/** The entry whose MAC was asked for last, and found. */
let resolved: usize = ENTRIES;
/** The entry found last: most packets go where the one before went. */
let hint: usize = ENTRIES;

/** A neighbour has been found or given up since `arpTakeNews` was asked last. */
let news: bool = false;

function tell(): void {
  news = true;
  interfaceTell();
}

/** Takes the news that those who wait for a neighbour should try again. */
export function arpTakeNews(): bool {
  const taken = news;
  news = false;
  return taken;
}

/**
 * There was no room to send to a neighbour that is known: the news comes again in each turn, and in 10 ms at the latest. By the timer
 * alone a transfer, which asks each turn, would have taken all room before.
 */
export function arpRetrySoon(): void {
  tell();
  timerSet(TIMER_ARP, now() + RETRY_MS);
}

/** One more packet goes to the neighbour that `arpResolve` has found last. */
export function arpUsedAgain(): void {
  changetype<ArpEntry>(resolved).usedMs = now();
}

/** Where the MAC of an entry stands. */
export function arpMac(entry: ArpEntry): usize {
  return changetype<usize>(entry) + offsetof<ArpEntry>("mac0");
}

/** True when the MAC of an entry is the one at `mac`, a multiple of 4. */
function isMacOf(entry: ArpEntry, mac: usize): bool {
  return load<u32>(arpMac(entry)) == load<u32>(mac) && entry.mac2 == load<u16>(mac, 4);
}

/** Number of the interface of an entry. */
function wireOf(entry: ArpEntry): u32 {
  return INTERFACES == 1 ? 0 : changetype<WiredEntry>(entry).wire;
}

/** True when an entry is one of this interface. */
function belongs(entry: ArpEntry, nif: Interface): bool {
  return INTERFACES == 1 || wireOf(entry) == interfaceNumber(nif);
}

/** The entry of an address that is reached by an interface, whatever its state; null = none. */
function find(nif: Interface, address: u32): ArpEntry | null {
  const last = changetype<ArpEntry>(hint);
  if (last.address == address && last.state != FREE && belongs(last, nif)) return last;
  for (let at = ENTRIES; at < ENTRIES_END; at += ENTRY_BYTES) {
    const entry = changetype<ArpEntry>(at);
    if (entry.address == address && entry.state != FREE && belongs(entry, nif)) {
      hint = at;
      return entry;
    }
  }
  return null;
}

/** The neighbour in a place of the table, 0..ARP_ENTRIES-1, whose MAC is known; null = none. */
export function arpAt(index: u32): ArpEntry | null {
  const entry = changetype<ArpEntry>(ENTRIES + <usize>(index * ENTRY_BYTES));
  return entry.state < PROBE ? null : entry;
}

/** Number of the interface that the neighbour in a place of the table is reached by. */
export function arpNetwork(index: u32): u32 {
  if (INTERFACES == 1) return 0;
  return changetype<WiredEntry>(ENTRIES + <usize>(index * ENTRY_BYTES)).wire;
}

/** Copies the MAC of a neighbour that is known to `mac`; false = it is not. Asks nobody. */
export function arpKnown(nif: Interface, address: u32, mac: usize): bool {
  const entry = find(nif, address);
  if (address == 0 || entry == null || entry.state < PROBE) return false;
  macCopy(mac, arpMac(entry));
  return true;
}

/** Forgets all neighbours of an interface. */
export function arpFlush(nif: Interface): void {
  headerForget();
  waitingDrop(interfaceNumber(nif), 0);
  timerCancel(TIMER_ARP);
  if (INTERFACES == 1) {
    memory.fill(ENTRIES, 0, ENTRY_BYTES * ARP_ENTRIES);
    return;
  }
  for (let at = ENTRIES; at < ENTRIES_END; at += ENTRY_BYTES) {
    const entry = changetype<ArpEntry>(at);
    if (belongs(entry, nif)) entry.state = FREE;
  }
  arpSchedule();
}

/**
 * How gladly an entry is given up, 0 = not at all. The gateway stays. Entries that nobody has used for a while go first, then
 * unanswered ones, the longest unused first; entries in use only for a packet of our own (`ours`).
 */
function evictionScore(entry: ArpEntry, ours: bool): u32 {
  if (entry.state <= FAILED) return 0xffffffff;
  if (entry.address == interfaceAt(wireOf(entry)).gateway) return 0;
  const idleMs = (now() - entry.usedMs) >>> 2;
  if (idleMs >= REACHABLE_MS >>> 2) return 0x80000000 + idleMs;
  if (!ours) return 0;
  return entry.state == INCOMPLETE ? 0x40000000 + idleMs : 1 + idleMs;
}

/** Gives an address an entry, in place of the most dispensable one; null = all others must stay. */
function arpTake(nif: Interface, address: u32, ours: bool): ArpEntry | null {
  let best: usize = 0;
  let bestScore: u32 = 0;
  for (let at = ENTRIES; at < ENTRIES_END; at += ENTRY_BYTES) {
    const score = evictionScore(changetype<ArpEntry>(at), ours);
    if (score > bestScore) {
      best = at;
      bestScore = score;
    }
  }
  if (best == 0) return null;
  headerForget();
  const entry = changetype<ArpEntry>(best);
  entry.address = address;
  if (INTERFACES > 1) changetype<WiredEntry>(entry).wire = interfaceNumber(nif);
  entry.tries = 0;
  return entry;
}

function setState(entry: ArpEntry, state: u8, delayMs: u32): void {
  headerForget();
  entry.state = state;
  entry.dueMs = now() + delayMs;
}

/** Arms the timer for the entry that is due first. */
function arpSchedule(): void {
  let wait: i32 = i32.MAX_VALUE;
  for (let at = ENTRIES; at < ENTRIES_END; at += ENTRY_BYTES) {
    const entry = changetype<ArpEntry>(at);
    if (entry.state != FREE) wait = min(wait, <i32>(entry.dueMs - now()));
  }
  if (wait != i32.MAX_VALUE) timerSet(TIMER_ARP, now() + wait);
}

/** Sends one more request for an entry; when there is no room to send it, the timer tries again soon. */
function ask(entry: ArpEntry): void {
  const unicast = entry.state == PROBE && entry.tries < UNICAST_POLLS;
  if (arpRequest(interfaceAt(wireOf(entry)), entry.address, unicast ? arpMac(entry) : 0)) {
    entry.tries += 1;
    entry.dueMs = now() + REQUEST_MS;
  } else {
    entry.dueMs = now() + RETRY_MS;
  }
}

/** Begins to poll a neighbour whose MAC is known. */
function probe(entry: ArpEntry): void {
  entry.state = PROBE;
  entry.tries = 0;
  ask(entry);
}

/**
 * Copies the MAC of a neighbour to `mac`. 0; -EINPROGRESS = asked, try again later; -EHOSTUNREACH = it does not answer;
 * -EAGAIN = the table is full of neighbours that must stay.
 */
export function arpResolve(nif: Interface, address: u32, mac: usize): i32 {
  let entry = find(nif, address);
  if (entry == null) {
    entry = arpTake(nif, address, true);
    if (entry == null) return -EAGAIN;
    entry.state = INCOMPLETE;
    entry.usedMs = now();
    ask(entry);
    arpSchedule();
    return -EINPROGRESS;
  }
  entry.usedMs = now();
  if (entry.state == INCOMPLETE) return -EINPROGRESS;
  if (entry.state == FAILED) return -EHOSTUNREACH;
  macCopy(mac, arpMac(entry));
  resolved = changetype<usize>(entry);
  if (entry.state == STALE) {
    probe(entry);
    arpSchedule();
  }
  return 0;
}

/**
 * Learns from an ARP packet that `address` is at the MAC at `mac`, a multiple of 4. `asked` = it was a request for our address: only then does an
 * unknown neighbour get an entry. Another MAC than we knew is taken only when the known one has not answered our polls.
 */
export function arpLearn(nif: Interface, address: u32, mac: usize, asked: bool): void {
  let entry = find(nif, address);
  if (entry != null && entry.state == REACHABLE && isMacOf(entry, mac)) {
    // Nothing new: it is looked at later.
    entry.dueMs = now() + REACHABLE_MS;
    return;
  }
  if (entry == null) {
    if (!asked) return;
    entry = arpTake(nif, address, false);
    if (entry == null) return;
    // Nothing of ours goes there yet: the first to be given up again.
    entry.usedMs = now() - REACHABLE_MS;
  } else if (entry.state >= PROBE && !isMacOf(entry, mac)) {
    if (entry.state != PROBE) {
      // At most one poll a second, however often somebody claims the address.
      const confirmedMs = entry.dueMs - REACHABLE_MS;
      if (entry.state == STALE || now() - confirmedMs >= REQUEST_MS) {
        probe(entry);
        arpSchedule();
      }
      return;
    }
    if (entry.tries <= UNICAST_POLLS) return;
  }
  if (entry.state <= INCOMPLETE) tell();
  macCopy(arpMac(entry), mac);
  setState(entry, REACHABLE, REACHABLE_MS);
  arpSchedule();
}

function entryDue(entry: ArpEntry): void {
  if (entry.state == REACHABLE) {
    if (now() - entry.usedMs < REACHABLE_MS) probe(entry);
    else setState(entry, STALE, STALE_MS);
  } else if (entry.state == INCOMPLETE) {
    if (entry.tries < REQUESTS) {
      ask(entry);
    } else {
      setState(entry, FAILED, FAILED_MS);
      waitingDrop(wireOf(entry), entry.address);
      tell();
    }
  } else if (entry.state == PROBE) {
    if (entry.tries < UNICAST_POLLS + REQUESTS) ask(entry);
    else setState(entry, FAILED, FAILED_MS);
  } else {
    entry.state = FREE;
  }
}

/** TIMER_ARP: polls, repeats, ages. */
export function arpTimer(): void {
  for (let at = ENTRIES; at < ENTRIES_END; at += ENTRY_BYTES) {
    const entry = changetype<ArpEntry>(at);
    if (entry.state != FREE && isDue(entry.dueMs)) entryDue(entry);
  }
  arpSchedule();
  if (waitingBytes() != 0) tell();
}
