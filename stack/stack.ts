import { acdTimer } from "./arp/acd";
import { arpTimer } from "./arp/cache";
import { DHCP } from "./config";
import { dhcpTimer } from "./dhcp/client";
import { linkBegin, linkEnd, linkLoopbackWaiting } from "./link/device";
import { ethernetInput } from "./link/ethernet";
import { setNow } from "./now";
import { randomSeed } from "./random";
import { tcpTimer } from "./tcp/expiry";
import { pendingAny, pendingRun } from "./tcp/pending";
import {
  TIMER_ACD,
  TIMER_ARP,
  TIMER_DHCP,
  TIMER_NONE,
  TIMER_TCP,
  timerTakeDue,
  timersDeadline,
} from "./time/timers";

/** Frames taken in one turn, so that timers and output have theirs. */
const FRAMES_PER_TURN: u32 = 8;
/** Timers run in one turn. */
const TIMERS_PER_TURN: u32 = 32;
/** Longest sleep that `stackDeadline` proposes. */
const DEADLINE_MAX_MS: u32 = 3600000;

/** Sets time and seed; before anything else of the stack. The seed is secret and fresh at each start. */
export function stackStart(nowMs: u32, seed0: u32, seed1: u32): void {
  setNow(nowMs);
  randomSeed(seed0, seed1);
}

/**
 * One turn: timers that are due, frames that have come (at most eight), then what has to be sent. Returns true when there is
 * more to do at once. It never waits.
 */
export function stackPoll(nowMs: u32): bool {
  setNow(nowMs);
  for (let turns: u32 = 0; turns < TIMERS_PER_TURN; turns++) {
    const timer = timerTakeDue();
    if (timer == TIMER_NONE) break;
    runTimer(timer);
  }
  let frames: u32 = 0;
  while (frames < FRAMES_PER_TURN && linkBegin() != 0) {
    ethernetInput();
    linkEnd();
    frames += 1;
  }
  pendingRun();
  return frames == FRAMES_PER_TURN || pendingAny() || linkLoopbackWaiting();
}

function runTimer(timer: u32): void {
  if (timer >= TIMER_TCP) tcpTimer(timer - TIMER_TCP);
  else if (timer == TIMER_ARP) arpTimer();
  else if (timer == TIMER_ACD) acdTimer();
  else if (DHCP && timer == TIMER_DHCP) dhcpTimer();
}

/** Milliseconds until the stack wants its next turn if no frame comes before. */
export function stackDeadline(nowMs: u32): u32 {
  setNow(nowMs);
  return pendingAny() || linkLoopbackWaiting() ? 0 : timersDeadline(DEADLINE_MAX_MS);
}
