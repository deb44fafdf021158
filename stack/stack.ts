import { AcdOutcome, acdAnnounce, acdProbe, acdStop, acdTakeOutcome, acdTimer } from "./arp/acd";
import { arpFlush, arpTakeNews, arpTimer } from "./arp/cache";
import { arpAnnounce } from "./arp/output";
import { arpSendWaiting } from "./arp/waiting";
import {
  ACD,
  AUTO_IP,
  DHCP,
  DNS_ENTRIES,
  IGMP,
  INTERFACES,
  IP_REASSEMBLY_SLOTS,
  MDNS,
  MULTICAST_GROUPS,
  TCP,
} from "./config";
import { frameInput } from "./demux";
import { dhcpAddressChecked, dhcpLinkChanged, dhcpTimer } from "./dhcp/client";
import { linkLocalAgain, linkLocalLost } from "./dhcp/link-local";
import { dnsNetworkChanged, dnsTimer } from "./dns/client";
import { ICMP_TIME_EXCEEDED, TIME_EXCEEDED_REASSEMBLY, icmpSendError } from "./icmp/output";
import {
  LeasedInterface,
  interfaceAt,
  interfaceChanged,
  interfaceTakeChange,
  interfaceTold,
} from "./interface";
import { igmpRestart, igmpTimer } from "./ip/igmp";
import { reassemblyExpired } from "./ip/reassembly";
import { linkBegin, linkEnd, linkLoopbackWaiting } from "./link/device";
import { mdnsRestart, mdnsTimer } from "./mdns/responder";
import { setNow } from "./now";
import { randomSeed } from "./random";
import { readyChanges } from "./readiness";
import { tcpTimer } from "./tcp/expiry";
import { tcbsStart } from "./tcp/lifecycle";
import { socketsNeighboursChanged } from "./socket/news";
import { timersSettle } from "./tcp/timers";
import { pendingAny } from "./tcp/pending";
import { tcpAddressChanged, tcpLinkUp, tcpNeighboursChanged, tcpTurn } from "./tcp/turn";
import {
  TIMER_ACD,
  TIMER_ARP,
  TIMER_DHCP,
  TIMER_DNS,
  TIMER_IGMP,
  TIMER_IP,
  TIMER_MDNS,
  TIMER_NONE,
  TIMER_TCP,
  timerTakeDue,
  timersDeadline,
} from "./time/timers";

/**
 * Frames taken in one turn, so that timers and output have theirs: fewer than a window holds, or a peer whose segments have all come
 * would have to wait for the acknowledgment while nothing is on its way.
 */
const FRAMES_PER_TURN: u32 = 4;
/** Timers run in one turn. */
const TIMERS_PER_TURN: u32 = 32;
/** A static address that is in use elsewhere is probed again after this. RFC 5227 2.1.1 asks for no more than one in 60 s. */
const PROBE_AGAIN_MS: u32 = 60_000;
/** Longest sleep that `stackDeadline` proposes. */
const DEADLINE_MAX_MS: u32 = 3600000;

/** Sets time and seed; before anything else of the stack. The seed is secret and fresh at each start. */
export function stackStart(nowMs: u32, seed0: u32, seed1: u32): void {
  setNow(nowMs);
  randomSeed(seed0, seed1);
  if (TCP) tcbsStart();
}

/** News of sockets that a caller of `stackPoll` has been told of; `asked`: the turn before ended with them. */
let told: u32 = 0;
let asked: bool = false;

/**
 * One turn: timers that are due, frames that have come (at most four), the news that they left, then what has to be sent; a
 * turn with news of sockets ends before that, so that the application's answer goes with it, first thing in the next turn.
 * Returns true when there is more to do at once. It never waits.
 */
export function stackPoll(nowMs: u32): bool {
  setNow(nowMs);
  // The application has been asked: now it goes out, before more comes in.
  answersLeave();
  for (let turns: u32 = 0; turns < TIMERS_PER_TURN; turns++) {
    const timer = timerTakeDue();
    if (timer == TIMER_NONE) break;
    runTimer(timer);
  }
  const more = framesInput();
  takeNews();
  // What an application is about to answer goes out with the answer: it is asked first, and the next turn begins with it.
  if (readyChanges() != told) {
    told = readyChanges();
    asked = true;
    return true;
  }
  if (TCP) {
    tcpTurn();
    if (pendingAny()) return true;
  }
  return more || linkLoopbackWaiting();
}

/**
 * Half a turn, for a loop that serves its sockets at once when a turn has ended with news of them: what they answer leaves, and neither clock
 * nor chip is asked again. Returns true when there is more to do: a whole turn.
 */
export function stackAnswer(): bool {
  answersLeave();
  if (framesLeft == 0 || readyChanges() != told) return true;
  return (TCP && pendingAny()) || linkLoopbackWaiting();
}

function answersLeave(): void {
  if (!asked) return;
  asked = false;
  if (TCP) tcpTurn();
}

/** Frames that may still be taken in this turn: kept here, as a register that lives through all of a frame costs more. */
let framesLeft: u32 = 0;

/** Takes the frames that have come; true = there may be more. */
function framesInput(): bool {
  framesLeft = FRAMES_PER_TURN;
  do {
    if (linkBegin() == 0) return false;
    frameInput();
    linkEnd();
    framesLeft -= 1;
  } while (framesLeft != 0);
  return true;
}

/**
 * What each layer has found out and those above it must know, once a turn and in this order: neighbours, the outcome of a
 * probe, addresses. So no layer calls one above it, and nothing changes under the feet of a caller.
 */
function takeNews(): void {
  if (!interfaceTold()) return;
  if (arpTakeNews()) neighboursChanged();
  for (let number: u32 = 0; number < INTERFACES; number++) interfaceNews(interfaceAt(number));
}

function interfaceNews(nif: LeasedInterface): void {
  const outcome = ACD ? acdTakeOutcome(nif) : AcdOutcome.NONE;
  if (AUTO_IP && outcome == AcdOutcome.LOST) linkLocalLost(nif);
  else if (ACD && outcome != AcdOutcome.NONE) addressChecked(nif, outcome == AcdOutcome.FREE);
  if (interfaceTakeChange(nif)) addressChanged(nif);
}

/** Whoever waits for a neighbour tries again. */
function neighboursChanged(): void {
  arpSendWaiting();
  if (TCP) tcpNeighboursChanged();
  socketsNeighboursChanged();
}

/** Outcome of the probes for an address: a static one is used, or probed again later; a leased one is DHCP's. */
function addressChecked(nif: LeasedInterface, free: bool): void {
  if (!nif.tentative) {
    if (DHCP) dhcpAddressChecked(nif, free);
  } else if (free) {
    nif.tentative = false;
    acdAnnounce(nif);
    neighboursChanged();
    if (MULTICAST_GROUPS != 0) igmpRestart();
    if (MDNS) mdnsRestart(nif);
  } else {
    acdProbe(nif, nif.address, PROBE_AGAIN_MS);
  }
}

/** Another address, or none: forgets the neighbours of the old one and announces the new one (RFC 5227 2.3). */
function addressChanged(nif: LeasedInterface): void {
  arpFlush(nif);
  if (nif.address == 0) {
    if (ACD) acdStop(nif);
    if (AUTO_IP) linkLocalAgain(nif);
  } else if (!ACD || !nif.tentative) announce(nif);
  else if (nif.up) acdProbe(nif, nif.address, 0);
  if (TCP) tcpAddressChanged();
  if (DNS_ENTRIES != 0) dnsNetworkChanged();
  if (MULTICAST_GROUPS != 0) igmpRestart();
  if (MDNS) mdnsRestart(nif);
}

/** Tells the link that our address is here. */
function announce(nif: LeasedInterface): void {
  if (ACD) acdAnnounce(nif);
  else arpAnnounce(nif);
}

/** The cable of an interface was plugged in or pulled. After a return the network may be another one: neighbours and lease are asked again. */
export function stackLinkChanged(nif: LeasedInterface, up: bool): void {
  nif.up = up;
  if (!up) {
    // A probe that nobody can hear proves nothing.
    if (ACD && nif.tentative) acdStop(nif);
    return;
  }
  if (DHCP) dhcpLinkChanged(nif);
  arpFlush(nif);
  if (ACD && nif.tentative) acdProbe(nif, nif.address, 0);
  else if (nif.address != 0) announce(nif);
  if (TCP) tcpLinkUp();
  if (MULTICAST_GROUPS != 0) igmpRestart();
  if (MDNS) mdnsRestart(nif);
}

function runTimer(timer: u32): void {
  if (TCP && timer >= TIMER_TCP) tcpTimer(timer - TIMER_TCP);
  else if (timer == TIMER_ARP) arpTimer();
  else if (ACD && timer - TIMER_ACD < INTERFACES) acdTimer(interfaceAt(timer - TIMER_ACD));
  else if (DHCP && timer - TIMER_DHCP < INTERFACES) dhcpTimer(interfaceAt(timer - TIMER_DHCP));
  else if (DNS_ENTRIES != 0 && timer == TIMER_DNS) dnsTimer();
  else if (MDNS && timer - TIMER_MDNS < INTERFACES) mdnsTimer(interfaceAt(timer - TIMER_MDNS));
  else if (IGMP && timer == TIMER_IGMP) igmpTimer();
  else if (IP_REASSEMBLY_SLOTS != 0 && timer == TIMER_IP) fragmentsExpired();
}

/** RFC 1122 3.3.2: who has sent a datagram that did not come as a whole is told. */
function fragmentsExpired(): void {
  for (let i: u32 = 0; i <= IP_REASSEMBLY_SLOTS; i++) {
    const packet = reassemblyExpired();
    if (packet == null) return;
    icmpSendError(ICMP_TIME_EXCEEDED, TIME_EXCEEDED_REASSEMBLY, packet);
  }
}

/** Milliseconds until the stack wants its next turn if no frame comes before. */
export function stackDeadline(nowMs: u32): u32 {
  setNow(nowMs);
  if ((TCP && pendingAny()) || interfaceChanged() || linkLoopbackWaiting()) return 0;
  if (TCP) timersSettle();
  return timersDeadline(DEADLINE_MAX_MS);
}
