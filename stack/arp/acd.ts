import { ACD_UNIT_MS, DHCP } from "../config";
import { now } from "../now";
import { random32 } from "../random";
import { Counter, count } from "../statistics";
import { TIMER_ACD, timerCancel, timerSet } from "../time/timers";
import { arpAnnounce, arpProbe } from "./output";

/**
 * IPv4 address conflict detection (RFC 5227). Before a leased address is used: a random wait of up to one unit, three probes
 * one to two units apart, two units of silence; the unit is a second in the RFC and ACD_UNIT_MS here. In use: two
 * announcements 2 s apart, and one more, at most each 10 s, when somebody else claims the address. We keep it then (2.4 c).
 */
const PROBES: u32 = 3;
const ANNOUNCEMENTS: u32 = 2;
const ANNOUNCE_INTERVAL_MS: u32 = 2000;
const DEFEND_INTERVAL_MS: u32 = 10_000;

/** What became of a probe. */
export const enum AcdOutcome {
  NONE = 0,
  /** Nobody uses the address. */
  FREE = 1,
  /** Somebody uses it, or is about to. */
  TAKEN = 2,
}

/** Not taken yet by `acdTakeOutcome`. */
let outcome: AcdOutcome = AcdOutcome.NONE;
/** Address being probed; 0 = none. */
let candidate: u32 = 0;
/** Probes or announcements still to be sent. */
let left: u32 = 0;
let conflicts: u32 = 0;
let defended: bool = false;
let defendedMs: u32 = 0;

/** 0 to 1 unit, at random. */
function jitterMs(): u32 {
  return ((random32() & 0xffff) * ACD_UNIT_MS) >>> 16;
}

/** Takes the outcome of the last probe, once; NONE = none yet. */
export function acdTakeOutcome(): AcdOutcome {
  const taken = outcome;
  outcome = AcdOutcome.NONE;
  return taken;
}

/** Probes an address; `acdTakeOutcome` has the outcome. */
export function acdProbe(address: u32): void {
  candidate = address;
  outcome = AcdOutcome.NONE;
  left = PROBES;
  timerSet(TIMER_ACD, now() + jitterMs());
}

/** Announces our address, now and once more. */
export function acdAnnounce(): void {
  candidate = 0;
  left = ANNOUNCEMENTS;
  announce();
}

function announce(): void {
  if (left == 0) return;
  if (arpAnnounce()) left -= 1;
  if (left != 0) timerSet(TIMER_ACD, now() + ANNOUNCE_INTERVAL_MS);
}

/** The address is given up: nothing is probed or announced any more. */
export function acdStop(): void {
  candidate = 0;
  outcome = AcdOutcome.NONE;
  left = 0;
  timerCancel(TIMER_ACD);
}

/** TIMER_ACD: the next probe or announcement. */
export function acdTimer(): void {
  if (DHCP && candidate != 0) {
    if (left == 0) {
      candidate = 0;
      outcome = AcdOutcome.FREE;
      return;
    }
    if (arpProbe(candidate)) left -= 1;
    const wait = left == 0 ? 2 * ACD_UNIT_MS : ACD_UNIT_MS + jitterMs();
    timerSet(TIMER_ACD, now() + wait);
    return;
  }
  announce();
}

/** An ARP packet of another station: does it use, or probe for, the address that we probe? */
export function acdProbed(sender: u32, target: u32): void {
  if (!DHCP || candidate == 0) return;
  if (sender != candidate && !(sender == 0 && target == candidate)) return;
  acdStop();
  conflicts += 1;
  count(Counter.ARP_CONFLICT);
  outcome = AcdOutcome.TAKEN;
}

/** Another station has sent an ARP packet from our address (RFC 5227 2.4). */
export function acdConflict(): void {
  count(Counter.ARP_CONFLICT);
  conflicts += 1;
  if (defended && now() - defendedMs < DEFEND_INTERVAL_MS) return;
  defended = true;
  defendedMs = now();
  arpAnnounce();
}

/** Conflicts seen since the start, so that firmware can warn. */
export function acdConflicts(): u32 {
  return conflicts;
}
