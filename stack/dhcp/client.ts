import { acdProbe, acdStop } from "../arp/acd";
import { arpKnown, arpResolve } from "../arp/cache";
import { DHCP } from "../config";
import { EAGAIN, EINPROGRESS } from "../errors";
import { iface, interfaceClear, interfaceConfigure } from "../interface";
import { macEqual } from "../link/headers";
import { now } from "../now";
import { random32 } from "../random";
import { Counter, count } from "../statistics";
import { TIMER_DHCP, timerCancel, timerSet } from "../time/timers";
import {
  LEASE_FOREVER,
  leaseAddress,
  leaseBegin,
  leaseDns,
  leaseDns2,
  leaseExpired,
  leaseForget,
  leaseMask,
  leaseRebinds,
  leaseRenewMs,
  leaseRetryMs,
  leaseRouter,
  leaseSeconds,
  leaseServer,
  leaseTake,
  leaseUsable,
  leaseWithin,
} from "./lease";
import {
  DHCPACK,
  DHCPDECLINE,
  DHCPDISCOVER,
  DHCPNAK,
  DHCPOFFER,
  DHCPREQUEST,
  DHCP_CLIENT_PORT,
  DHCP_SERVER_PORT,
  message,
} from "./message";
import { dhcpSend } from "./output";

/**
 * DHCP client (RFC 2131 4.4), driven by one timer and by messages; nothing ever waits.
 *
 *     INIT -> SELECTING -> REQUESTING -> CHECKING -> BOUND -> RENEWING -> REBINDING -> INIT
 *                 offer         ACK    ACD clear      T1          T2        lease ends
 *     BOUND, RENEWING, REBINDING -> REBOOTING when the cable comes back (the address stays in use meanwhile)
 *     REBOOTING -> BOUND when the gateway that we know answers, else SELECTING (the address stays in use too)
 *
 * The wait before the first DISCOVER is 32 to 288 ms, not the 1 to 10 s of RFC 2131 4.4.1: devices that boot together are
 * spread well enough, and people wait for the address.
 */
export const enum DhcpState {
  OFF = 0,
  INIT = 1,
  SELECTING = 2,
  REQUESTING = 3,
  CHECKING = 4,
  BOUND = 5,
  RENEWING = 6,
  REBINDING = 7,
  REBOOTING = 8,
}

/** Why there is no lease, or none any more. */
export const enum DhcpTrouble {
  NONE = 0,
  /** The server offers an address, a mask or a time that no host can use. */
  UNUSABLE = 1,
  /** The server says no (DHCPNAK). */
  REFUSED = 2,
  /** The lease has run out and nobody has renewed it. */
  EXPIRED = 3,
}

const BROADCAST: u32 = 0xffffffff;
/** RFC 2131 4.1: 4, 8, 16, 32, 64 s, each plus or minus a second. */
const FIRST_RETRY_MS: u32 = 4000;
const REQUEST_TRIES: u32 = 4;
const REBOOT_TRIES: u32 = 2;
const DECLINE_WAIT_MS: u32 = 10_000;
/** A message could not be sent (no room, or ARP is asking): tried again after this. */
const SEND_RETRY_MS: u32 = 1000;

let state: DhcpState = DhcpState.OFF;
let xid: u32 = 0;
/** Messages sent in this state. */
let tries: u32 = 0;
/** Exchanges that came to nothing since the last lease: spaces the next one. */
let failures: u32 = 0;
/** When this exchange began, for `secs`. */
let beganMs: u32 = 0;
/** When the REQUEST was sent: the first with its identifier, as nobody can tell which of them is answered. */
let requestedMs: u32 = 0;
/** MAC of the gateway before the cable was pulled, and the one that answers now. */
const GATEWAY_MAC: usize = memory.data(6, 2);
const FOUND_MAC: usize = memory.data(6, 2);
let gatewayKnown: bool = false;
/** Trouble that nobody has taken yet, and the address that it is about. */
let trouble: DhcpTrouble = DhcpTrouble.NONE;
let troubleAddress: u32 = 0;
let changes: u32 = 0;

function enter(next: DhcpState): void {
  state = next;
  tries = 0;
  changes += 1;
}

function wait(delayMs: u32): void {
  timerSet(TIMER_DHCP, now() + delayMs);
}

/** The wait after message number `count`: 4 s doubled each time up to 64 s, plus or minus a second. */
function backoffMs(count: u32): u32 {
  return (FIRST_RETRY_MS << min<u32>(count, 4)) - 1000 + (((random32() & 0xffff) * 2000) >>> 16);
}

/** Begins anew, at once or, after failures, later and later. */
function restart(delayMs: u32): void {
  acdStop(iface);
  if (iface.address != 0) interfaceClear();
  leaseForget();
  enter(DhcpState.INIT);
  wait(delayMs != 0 ? delayMs : 32 + (random32() & 0xff));
}

function tell(what: DhcpTrouble, about: u32): void {
  trouble = what;
  troubleAddress = about;
}

/** Takes the news of what went wrong, once; `dhcpTroubleAddress` is the address that it is about. */
export function dhcpTakeTrouble(): DhcpTrouble {
  const taken = trouble;
  trouble = DhcpTrouble.NONE;
  return taken;
}

export function dhcpTroubleAddress(): u32 {
  return troubleAddress;
}

/** A lease that nobody has renewed is over: the address is not ours any more (RFC 2131 4.4.5). */
function expire(): void {
  tell(DhcpTrouble.EXPIRED, leaseAddress);
  restart(0);
}

function fail(): void {
  failures += 1;
  restart(failures > 1 ? backoffMs(failures - 2) : 0);
}

/** Starts the client; without an address until a server gives one. */
export function dhcpStart(): void {
  failures = 0;
  restart(0);
}

/** Sends a message of this exchange and says when the next one is due. */
function send(
  type: u32,
  ciaddr: u32,
  destination: u32,
  requested: u32,
  from: u32,
  retryMs: u32,
): void {
  const secs = (now() - beganMs) / 1000;
  const refused = dhcpSend(type, xid, secs, ciaddr, destination, requested, from);
  if (refused == -EAGAIN || refused == -EINPROGRESS) {
    wait(min(retryMs, SEND_RETRY_MS));
  } else {
    tries += 1;
    wait(retryMs);
  }
}

/** A new exchange, with an identifier of its own. */
function exchange(): void {
  xid = random32();
  beganMs = now();
}

/** An address that is still in use, because the cable has come back, is given up when its lease ends. */
function discover(): void {
  if (iface.address != 0 && leaseExpired()) {
    expire();
    return;
  }
  const retryMs = backoffMs(tries);
  send(DHCPDISCOVER, 0, BROADCAST, 0, 0, iface.address != 0 ? leaseWithin(retryMs) : retryMs);
}

function request(): void {
  if (tries == 0) requestedMs = now();
  send(DHCPREQUEST, 0, BROADCAST, leaseAddress, leaseServer, backoffMs(tries));
}

/** Asks whether the lease still holds after the network was away (RFC 2131 3.2, INIT-REBOOT). */
function reboot(): void {
  if (tries == 0) requestedMs = now();
  if (gatewayKnown) arpResolve(leaseRouter, FOUND_MAC);
  send(DHCPREQUEST, 0, BROADCAST, leaseAddress, 0, leaseWithin(backoffMs(tries)));
}

/**
 * Nobody has said anything about the address. When the gateway that we know is still there, the network is the same and the
 * lease good (RFC 2131 3.2 step 4, RFC 4436); else it may be another one, whose server is silent about a foreign address.
 */
function rebootUnanswered(): void {
  if (leaseExpired()) {
    expire();
  } else if (gatewayKnown && arpKnown(leaseRouter, FOUND_MAC) && macEqual(GATEWAY_MAC, FOUND_MAC)) {
    enter(DhcpState.BOUND);
    armRenewal();
  } else {
    enter(DhcpState.SELECTING);
    exchange();
    discover();
  }
}

function renew(): void {
  if (state == DhcpState.RENEWING && leaseRebinds()) {
    enter(DhcpState.REBINDING);
  }
  if (state == DhcpState.REBINDING && leaseExpired()) {
    expire();
    return;
  }
  if (tries == 0) beganMs = now();
  // An identifier for each, so that it is known which of them is answered.
  xid = random32();
  requestedMs = now();
  const unicast = state == DhcpState.RENEWING;
  const retryMs = leaseRetryMs(!unicast);
  send(DHCPREQUEST, iface.address, unicast ? leaseServer : BROADCAST, 0, 0, retryMs);
}

/** TIMER_DHCP. */
export function dhcpTimer(): void {
  switch (state) {
    case DhcpState.INIT:
      enter(DhcpState.SELECTING);
      exchange();
      discover();
      break;
    case DhcpState.SELECTING:
      discover();
      break;
    case DhcpState.REQUESTING:
      if (tries < REQUEST_TRIES) request();
      else fail();
      break;
    case DhcpState.BOUND:
      enter(DhcpState.RENEWING);
      renew();
      break;
    case DhcpState.RENEWING:
    case DhcpState.REBINDING:
      renew();
      break;
    case DhcpState.REBOOTING:
      if (tries < REBOOT_TRIES && !leaseExpired()) reboot();
      else rebootUnanswered();
      break;
    default:
      break;
  }
}

/** True when a datagram between these ports is the client's. */
export function dhcpListens(sourcePort: u32, destinationPort: u32): bool {
  return (
    destinationPort == DHCP_CLIENT_PORT && sourcePort == DHCP_SERVER_PORT && state != DhcpState.OFF
  );
}

/** Transaction identifier that a reply must have. */
export function dhcpTransaction(): u32 {
  return xid;
}

/** Takes `message`, whose checksum has been proven. */
export function dhcpMessage(): void {
  const type = message.type;
  if (message.server == 0) {
    count(Counter.DHCP_BAD);
    return;
  }
  if (state == DhcpState.SELECTING) {
    if (type == DHCPOFFER) offered();
    else count(Counter.DHCP_BAD);
    return;
  }
  // Only states that have sent a REQUEST, and of those only the last two may be answered by another server.
  const asked = state == DhcpState.REQUESTING || (state >= DhcpState.RENEWING && tries != 0);
  const anyServer = state >= DhcpState.REBINDING;
  if (!asked || (message.server != leaseServer && !anyServer)) return;
  if (type == DHCPNAK) {
    tell(DhcpTrouble.REFUSED, leaseAddress);
    fail();
  } else if (type == DHCPACK) {
    if (message.yiaddr == leaseAddress && leaseUsable()) {
      acknowledged();
      return;
    }
    tell(DhcpTrouble.UNUSABLE, message.yiaddr);
    count(Counter.DHCP_BAD);
    if (state == DhcpState.REQUESTING) fail();
  }
}

function offered(): void {
  if (!leaseUsable()) {
    tell(DhcpTrouble.UNUSABLE, message.yiaddr);
    count(Counter.DHCP_BAD);
    return;
  }
  leaseTake(true);
  enter(DhcpState.REQUESTING);
  request();
}

/** The server has said yes: notes the lease, and checks an address that is new before it is used. */
function acknowledged(): void {
  leaseTake(false);
  leaseBegin(requestedMs);
  if (state == DhcpState.REQUESTING && leaseAddress != iface.address) {
    enter(DhcpState.CHECKING);
    timerCancel(TIMER_DHCP);
    acdProbe(iface, leaseAddress, 0);
  } else {
    bind();
  }
}

/** BOUND: the address is ours. */
function bind(): void {
  failures = 0;
  enter(DhcpState.BOUND);
  iface.dns2 = leaseDns2;
  interfaceConfigure(leaseAddress, leaseMask, leaseRouter, leaseDns);
  armRenewal();
}

function armRenewal(): void {
  if (leaseSeconds == LEASE_FOREVER) timerCancel(TIMER_DHCP);
  else timerSet(TIMER_DHCP, leaseRenewMs());
}

/** Outcome of the probes for the offered address (RFC 2131 3.1 step 5): use it, or decline and begin anew after a while. */
export function dhcpAddressChecked(free: bool): void {
  if (state != DhcpState.CHECKING) return;
  if (free) {
    if (leaseExpired()) expire();
    else bind();
    return;
  }
  dhcpSend(DHCPDECLINE, xid, 0, 0, BROADCAST, leaseAddress, leaseServer);
  failures += 1;
  restart(DECLINE_WAIT_MS + (random32() & 0x3ff));
}

/** The cable is back, and neighbours are about to be forgotten: a lease is verified, anything unfinished begins anew. */
export function dhcpLinkChanged(): void {
  if (!DHCP || state == DhcpState.OFF) return;
  if (iface.address == 0 || state == DhcpState.REQUESTING || state == DhcpState.CHECKING) {
    restart(0);
    return;
  }
  gatewayKnown = arpKnown(leaseRouter, GATEWAY_MAC);
  enter(DhcpState.REBOOTING);
  exchange();
  wait(32 + (random32() & 0xff));
}

/** Lease time that the server gave, seconds; 0 = no lease, 0xFFFFFFFF = for ever. */
export function dhcpLeaseSeconds(): u32 {
  return leaseSeconds;
}

/** Server of the lease; 0 = none. */
export function dhcpServer(): u32 {
  return leaseSeconds != 0 ? leaseServer : 0;
}

/** Counts the changes of state, so that firmware sees that something is new. */
export function dhcpChanges(): u32 {
  return changes;
}
