import { ACD_UNIT_MS, AUTO_IP } from "../config";
import {
  Interface,
  interfaceConflictMac,
  interfaceNumber,
  interfaceTell,
  isLinkLocal,
} from "../interface";
import { macCopy } from "../link/headers";
import { now } from "../now";
import { random32 } from "../random";
import { Counter, count } from "../statistics";
import { TIMER_ACD, timerCancel, timerSet } from "../time/timers";
import { arpAnnounce, arpProbe } from "./output";

/**
 * IPv4 address conflict detection (RFC 5227); its state stands in the interface's record. Before an address is used: a random
 * wait of up to one unit, three probes one to two units apart, two units of silence; the unit is a second in the RFC and
 * ACD_UNIT_MS here. In use: two announcements 2 s apart, and one more, at most each 10 s, when somebody else claims the
 * address. We keep it then (2.4 c).
 */
const PROBES: u8 = 3;
const ANNOUNCEMENTS: u8 = 2;
const ANNOUNCE_INTERVAL_MS: u32 = 2000;
const DEFEND_INTERVAL_MS: u32 = 10_000;

/** What became of a probe. */
export const enum AcdOutcome {
  NONE = 0,
  /** Nobody uses the address. */
  FREE = 1,
  /** Somebody uses it, or is about to. */
  TAKEN = 2,
  /** Our address of 169.254/16 has to be given up (RFC 3927 2.5 b). */
  LOST = 3,
}

/** Takes the outcome of the last probe, once; NONE = none yet. */
export function acdTakeOutcome(nif: Interface): AcdOutcome {
  const taken = nif.acdOutcome;
  nif.acdOutcome = <u8>AcdOutcome.NONE;
  return taken;
}

/** Takes the news that another station claims our address, or the one that is probed: `acdConflict…` of the record. */
export function acdTakeConflict(nif: Interface): bool {
  const news = nif.acdConflict;
  nif.acdConflict = false;
  return news;
}

/** Each interface has a timer of its own. */
function timerOf(nif: Interface): u32 {
  return TIMER_ACD + interfaceNumber(nif);
}

/** 0 to 1 unit, at random. */
function jitterMs(): u32 {
  return ((random32() & 0xffff) * ACD_UNIT_MS) >>> 16;
}

/** Probes an address, `delayMs` from now at the earliest; `acdTakeOutcome` has the outcome. */
export function acdProbe(nif: Interface, address: u32, delayMs: u32): void {
  nif.acdCandidate = address;
  nif.acdOutcome = <u8>AcdOutcome.NONE;
  nif.acdLeft = PROBES;
  timerSet(timerOf(nif), now() + delayMs + jitterMs());
}

/** Announces our address, now and once more. */
export function acdAnnounce(nif: Interface): void {
  nif.acdCandidate = 0;
  nif.acdLeft = ANNOUNCEMENTS;
  announce(nif);
}

function announce(nif: Interface): void {
  if (nif.acdLeft == 0) return;
  if (arpAnnounce(nif)) nif.acdLeft -= 1;
  if (nif.acdLeft != 0) timerSet(timerOf(nif), now() + ANNOUNCE_INTERVAL_MS);
}

/** The address is given up: nothing is probed or announced any more. */
export function acdStop(nif: Interface): void {
  nif.acdCandidate = 0;
  nif.acdOutcome = <u8>AcdOutcome.NONE;
  nif.acdLeft = 0;
  timerCancel(timerOf(nif));
}

/** TIMER_ACD and those behind it: the next probe or announcement. */
export function acdTimer(nif: Interface): void {
  if (nif.acdCandidate == 0) {
    announce(nif);
    return;
  }
  if (nif.acdLeft == 0) {
    nif.acdCandidate = 0;
    nif.acdOutcome = <u8>AcdOutcome.FREE;
    interfaceTell();
    return;
  }
  if (arpProbe(nif, nif.acdCandidate)) nif.acdLeft -= 1;
  const wait = nif.acdLeft == 0 ? 2 * ACD_UNIT_MS : ACD_UNIT_MS + jitterMs();
  timerSet(timerOf(nif), now() + wait);
}

/** An ARP packet of another station, at `mac`: does it use, or probe for, the address that we probe? */
export function acdProbed(nif: Interface, sender: u32, target: u32, mac: usize): void {
  const candidate = nif.acdCandidate;
  if (candidate == 0) return;
  if (sender != candidate && !(sender == 0 && target == candidate)) return;
  acdStop(nif);
  noteConflict(nif, candidate, mac);
  nif.acdOutcome = <u8>AcdOutcome.TAKEN;
  interfaceTell();
}

/** The station at `mac` has sent an ARP packet from our address (RFC 5227 2.4). */
export function acdConflict(nif: Interface, mac: usize): void {
  noteConflict(nif, nif.address, mac);
  if (nif.acdDefended && now() - nif.acdDefendedMs < DEFEND_INTERVAL_MS) {
    if (!AUTO_IP || !isLinkLocal(nif.address)) return;
    nif.acdDefended = false;
    nif.acdOutcome = <u8>AcdOutcome.LOST;
    interfaceTell();
    return;
  }
  nif.acdDefended = true;
  nif.acdDefendedMs = now();
  arpAnnounce(nif);
}

function noteConflict(nif: Interface, address: u32, mac: usize): void {
  count(Counter.ARP_CONFLICT);
  nif.acdConflict = true;
  nif.acdConflictAddress = address;
  macCopy(interfaceConflictMac(nif), mac);
}
