import { acdProbe, acdStop } from "../arp/acd";
import { DHCP } from "../config";
import { EAGAIN, EINPROGRESS } from "../errors";
import { iface, interfaceClear, interfaceConfigure, isUnicast } from "../interface";
import { isLoopback } from "../ip/packet";
import { isDue, now } from "../now";
import { random32 } from "../random";
import { Counter, count } from "../statistics";
import { TIMER_DHCP, timerCancel, timerSet } from "../time/timers";
import {
  DHCPACK,
  DHCPDECLINE,
  DHCPDISCOVER,
  DHCPNAK,
  DHCPOFFER,
  DHCPREQUEST,
  DHCP_CLIENT_PORT,
  DHCP_SERVER_PORT,
  MASK_ABSENT,
  message,
} from "./message";
import { dhcpSend } from "./output";

/**
 * DHCP client (RFC 2131 4.4), driven by one timer and by messages; nothing ever waits.
 *
 *     INIT -> SELECTING -> REQUESTING -> CHECKING -> BOUND -> RENEWING -> REBINDING -> INIT
 *                 offer         ACK    ACD clear      T1          T2        lease ends
 *     BOUND, RENEWING, REBINDING -> REBOOTING when the cable comes back (the address stays in use meanwhile)
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

const BROADCAST: u32 = 0xffffffff;
/** RFC 2131 4.1: 4, 8, 16, 32, 64 s, each plus or minus a second. */
const FIRST_RETRY_MS: u32 = 4000;
const REQUEST_TRIES: u32 = 4;
const REBOOT_TRIES: u32 = 2;
const DECLINE_WAIT_MS: u32 = 10_000;
/** RFC 2131 4.4.5: no renewal more often. */
const RENEW_RETRY_MS: u32 = 60_000;
/** Leases are taken as at least a minute, and at most 20 days, which the clock can still tell apart; -1 = for ever. */
const LEASE_SECONDS_MIN: u32 = 60;
const LEASE_SECONDS_MAX: u32 = 1_728_000;
const LEASE_FOREVER: u32 = 0xffffffff;
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
let requestedMs: u32 = 0;
/** Address offered or leased, and who leases it. */
let address: u32 = 0;
let server: u32 = 0;
let mask: u32 = 0;
let router: u32 = 0;
let dns: u32 = 0;
/** As the server said, seconds. */
let lease: u32 = 0;
/** When the lease was asked for, and its times from then on, milliseconds. */
let leaseMs: u32 = 0;
let t1Ms: u32 = 0;
let t2Ms: u32 = 0;
let endMs: u32 = 0;
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
  acdStop();
  if (iface.address != 0) interfaceClear();
  address = 0;
  lease = 0;
  enter(DhcpState.INIT);
  wait(delayMs != 0 ? delayMs : 32 + (random32() & 0xff));
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

/** Stops the client and gives the address up. */
export function dhcpStop(): void {
  timerCancel(TIMER_DHCP);
  restart(0);
  timerCancel(TIMER_DHCP);
  enter(DhcpState.OFF);
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

function discover(): void {
  send(DHCPDISCOVER, 0, BROADCAST, 0, 0, backoffMs(tries));
}

function request(): void {
  requestedMs = now();
  send(DHCPREQUEST, 0, BROADCAST, address, server, backoffMs(tries));
}

/** Asks whether the lease still holds after the network was away (RFC 2131 3.2, INIT-REBOOT). */
function reboot(): void {
  requestedMs = now();
  let retryMs = backoffMs(tries);
  if (lease != LEASE_FOREVER) retryMs = min(retryMs, leaseMs + endMs - now());
  send(DHCPREQUEST, 0, BROADCAST, address, 0, retryMs);
}

function expired(): bool {
  return lease != LEASE_FOREVER && isDue(leaseMs + endMs);
}

/** Half the time that is left until `endsMs` after the lease began, at least a minute, never beyond the end. */
function renewRetryMs(endsMs: u32): u32 {
  const leftMs = leaseMs + endsMs - now();
  return min(leftMs, max(leftMs >>> 1, RENEW_RETRY_MS));
}

function renew(): void {
  if (state == DhcpState.RENEWING && isDue(leaseMs + t2Ms)) {
    enter(DhcpState.REBINDING);
  }
  if (state == DhcpState.REBINDING && isDue(leaseMs + endMs)) {
    // RFC 2131 4.4.5: the lease is over, the address is not ours any more.
    restart(0);
    return;
  }
  if (tries == 0) exchange();
  requestedMs = now();
  const unicast = state == DhcpState.RENEWING;
  const retryMs = renewRetryMs(unicast ? t2Ms : endMs);
  send(DHCPREQUEST, address, unicast ? server : BROADCAST, 0, 0, retryMs);
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
      if (tries < REBOOT_TRIES && !expired()) {
        reboot();
      } else {
        // Nobody answers: the lease is still good (RFC 2131 3.2 step 4).
        enter(DhcpState.BOUND);
        armRenewal();
      }
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

/** True for an address that a host of this subnet can have, with a gateway that it can reach (0 = none). */
function isUsable(host: u32, subnetMask: u32, gateway: u32): bool {
  if (!isUnicast(host) || isLoopback(host)) return false;
  const hostBits = ~subnetMask;
  // The ones of a mask stand together, at the top.
  if (subnetMask == 0 || (hostBits & (hostBits + 1)) != 0) return false;
  const number = host & hostBits;
  if (hostBits > 1 && (number == 0 || number == hostBits)) return false;
  if (gateway == 0) return true;
  return ((gateway ^ host) & subnetMask) == 0 && gateway != host;
}

/** Mask of a server that gives none: by class (RFC 950). */
function classMask(host: u32): u32 {
  if (host >>> 31 == 0) return 0xff000000;
  return host >>> 30 == 2 ? 0xffff0000 : 0xffffff00;
}

/** Takes `message`, whose checksum has been proven. */
export function dhcpMessage(): void {
  if (message.mask == MASK_ABSENT) message.mask = classMask(message.yiaddr);
  const type = message.type;
  const good =
    message.server != 0 &&
    (type == DHCPNAK || isUsable(message.yiaddr, message.mask, message.router));
  if (state == DhcpState.SELECTING) {
    if (type != DHCPOFFER || !good) {
      count(Counter.DHCP_BAD);
      return;
    }
    address = message.yiaddr;
    server = message.server;
    enter(DhcpState.REQUESTING);
    request();
    return;
  }
  // Only states that have sent a REQUEST, and of those only the last two may be answered by another server.
  const asked = state == DhcpState.REQUESTING || (state >= DhcpState.RENEWING && tries != 0);
  const anyServer = state >= DhcpState.REBINDING;
  if (!asked || (message.server != server && !anyServer)) return;
  if (type == DHCPNAK) {
    fail();
  } else if (type == DHCPACK) {
    if (message.yiaddr == address && message.lease != 0 && good) acknowledged();
    else if (state == DhcpState.REQUESTING) fail();
    else count(Counter.DHCP_BAD);
  }
}

/** The server has said yes: notes the lease, and checks an address that is new before it is used. */
function acknowledged(): void {
  server = message.server;
  mask = message.mask;
  router = message.router;
  dns = message.dns;
  lease = message.lease;
  leaseMs = requestedMs;
  const seconds = min(max(lease, LEASE_SECONDS_MIN), LEASE_SECONDS_MAX);
  endMs = seconds * 1000;
  // RFC 2131 4.4.5: half and seven eighths, where the server does not say otherwise in good order.
  t1Ms = endMs >>> 1;
  t2Ms = endMs - (endMs >>> 3);
  if (message.t1 != 0 && message.t1 < message.t2 && message.t2 < seconds) {
    t1Ms = message.t1 * 1000;
    t2Ms = message.t2 * 1000;
  }
  // Up to a sixteenth earlier, so that devices that started together do not renew together.
  t1Ms -= (t1Ms >>> 8) * (random32() & 15);
  if (state == DhcpState.REQUESTING) {
    enter(DhcpState.CHECKING);
    timerCancel(TIMER_DHCP);
    acdProbe(address);
  } else {
    bind();
  }
}

/** BOUND: the address is ours. */
function bind(): void {
  failures = 0;
  enter(DhcpState.BOUND);
  interfaceConfigure(address, mask, router, dns);
  armRenewal();
}

function armRenewal(): void {
  if (lease == LEASE_FOREVER) timerCancel(TIMER_DHCP);
  else timerSet(TIMER_DHCP, leaseMs + t1Ms);
}

/** Outcome of the probes for the offered address (RFC 2131 3.1 step 5): use it, or decline and begin anew after a while. */
export function dhcpAddressChecked(free: bool): void {
  if (state != DhcpState.CHECKING) return;
  if (free) {
    bind();
    return;
  }
  dhcpSend(DHCPDECLINE, xid, 0, 0, BROADCAST, address, server);
  failures += 1;
  restart(DECLINE_WAIT_MS + (random32() & 0x3ff));
}

/** The cable is back: a lease is verified, anything unfinished begins anew. */
export function dhcpLinkChanged(): void {
  if (!DHCP || state == DhcpState.OFF) return;
  if (state < DhcpState.BOUND) {
    restart(0);
    return;
  }
  enter(DhcpState.REBOOTING);
  exchange();
  wait(32 + (random32() & 0xff));
}

export function dhcpState(): u32 {
  return state;
}

/** Lease time that the server gave, seconds; 0 = no lease, 0xFFFFFFFF = for ever. */
export function dhcpLeaseSeconds(): u32 {
  return lease;
}

/** Server of the lease; 0 = none. */
export function dhcpServer(): u32 {
  return lease != 0 ? server : 0;
}

/** Counts the changes of state, so that firmware sees that something is new. */
export function dhcpChanges(): u32 {
  return changes;
}
