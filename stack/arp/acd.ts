import { ACD_UNIT_MS, DHCP } from "../config";
import { dhcpAddressChecked } from "../dhcp/client";
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

/** Probes an address; `dhcpAddressChecked` is told the outcome. */
export function acdProbe(address: u32): void {
  candidate = address;
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
  left = 0;
  timerCancel(TIMER_ACD);
}

/** TIMER_ACD: the next probe or announcement. */
export function acdTimer(): void {
  if (DHCP && candidate != 0) {
    if (left == 0) {
      candidate = 0;
      dhcpAddressChecked(true);
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
  dhcpAddressChecked(false);
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
