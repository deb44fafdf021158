import { acdProbe, acdStop } from "../arp/acd";
import { arpKnown, arpResolve } from "../arp/cache";
import { ACD, AUTO_IP, DHCP } from "../config";
import { EAGAIN, EINPROGRESS } from "../errors";
import {
  LeasedInterface,
  interfaceClear,
  interfaceConfigure,
  interfaceFoundMac,
  interfaceGatewayMac,
  interfaceNumber,
  isLinkLocal,
} from "../interface";
import { macEqual } from "../link/headers";
import { now } from "../now";
import { random32 } from "../random";
import { Counter, count } from "../statistics";
import { TIMER_DHCP, timerCancel, timerSet } from "../time/timers";
import {
  LEASE_FOREVER,
  leaseBegin,
  leaseExpired,
  leaseForget,
  leaseRebinds,
  leaseRenewMs,
  leaseRetryMs,
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
import { linkLocalBegin, linkLocalChecked } from "./link-local";
import { dhcpSend } from "./output";

/**
 * DHCP client (RFC 2131 4.4), driven by one timer and by messages; nothing ever waits. Its state stands in the interface's record.
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
/** So many DISCOVERs without an answer, and there is no server for now (AUTO_IP): after about 12 s. */
const SILENT_TRIES: u32 = 2;
const DECLINE_WAIT_MS: u32 = 10_000;
/** A message could not be sent (no room, or ARP is asking): tried again after this. */
const SEND_RETRY_MS: u32 = 1000;

function enter(nif: LeasedInterface, next: DhcpState): void {
  nif.dhcpState = next;
  nif.dhcpTries = 0;
  nif.dhcpChanges += 1;
}

/** Each interface has a timer of its own. */
function timerOf(nif: LeasedInterface): u32 {
  return TIMER_DHCP + interfaceNumber(nif);
}

function wait(nif: LeasedInterface, delayMs: u32): void {
  timerSet(timerOf(nif), now() + delayMs);
}

/** The wait after message number `count`: 4 s doubled each time up to 64 s, plus or minus a second. */
function backoffMs(count: u32): u32 {
  return (FIRST_RETRY_MS << min<u32>(count, 4)) - 1000 + (((random32() & 0xffff) * 2000) >>> 16);
}

/** True when there is an address, and it is no link-local one, which is used while a server is looked for. */
function hasLeased(nif: LeasedInterface): bool {
  return nif.address != 0 && !(AUTO_IP && isLinkLocal(nif.address));
}

/** Begins anew, at once or, after failures, later and later. */
function restart(nif: LeasedInterface, delayMs: u32): void {
  if (ACD) acdStop(nif);
  if (hasLeased(nif)) interfaceClear(nif);
  leaseForget(nif);
  enter(nif, DhcpState.INIT);
  wait(nif, delayMs != 0 ? delayMs : 32 + (random32() & 0xff));
}

function tell(nif: LeasedInterface, what: DhcpTrouble, about: u32): void {
  nif.dhcpTrouble = what;
  nif.dhcpTroubleAbout = about;
}

/** Takes the news of what went wrong, once; `dhcpTroubleAbout` of the record is the address that it is about. */
export function dhcpTakeTrouble(nif: LeasedInterface): DhcpTrouble {
  const taken = nif.dhcpTrouble;
  nif.dhcpTrouble = DhcpTrouble.NONE;
  return taken;
}

/** A lease that nobody has renewed is over: the address is not ours any more (RFC 2131 4.4.5). */
function expire(nif: LeasedInterface): void {
  tell(nif, DhcpTrouble.EXPIRED, nif.leaseAddress);
  restart(nif, 0);
}

function fail(nif: LeasedInterface): void {
  nif.dhcpFailures += 1;
  restart(nif, nif.dhcpFailures > 1 ? backoffMs(nif.dhcpFailures - 2) : 0);
}

/** Starts the client; without an address until a server gives one. */
export function dhcpStart(nif: LeasedInterface): void {
  nif.dhcpFailures = 0;
  restart(nif, 0);
}

/**
 * Sends a message of this exchange and says when the next one is due. What it names, and to whom it goes, hangs on the state alone (RFC
 * 2131 4.3.6, tables 4 and 5): a lease that is in use is our address, one that is asked for an option.
 */
function send(nif: LeasedInterface, type: u32, retryMs: u32): void {
  const state = nif.dhcpState;
  const renews = state == DhcpState.RENEWING;
  const holds = renews || state == DhcpState.REBINDING;
  const names = !holds && type != DHCPDISCOVER;
  const refused = dhcpSend(
    nif,
    type,
    type == DHCPDECLINE ? 0 : (now() - nif.dhcpBeganMs) / 1000,
    holds ? nif.address : 0,
    renews ? nif.leaseServer : BROADCAST,
    names ? nif.leaseAddress : 0,
    names && state != DhcpState.REBOOTING ? nif.leaseServer : 0,
  );
  if (refused == -EAGAIN || refused == -EINPROGRESS) {
    wait(nif, min(retryMs, SEND_RETRY_MS));
  } else {
    nif.dhcpTries += 1;
    wait(nif, retryMs);
  }
}

/** A new exchange, with an identifier of its own. */
function exchange(nif: LeasedInterface): void {
  nif.dhcpXid = random32();
  nif.dhcpBeganMs = now();
}

/** An address that is still in use, because the cable has come back, is given up when its lease ends. */
function discover(nif: LeasedInterface): void {
  const leased = hasLeased(nif);
  if (leased && leaseExpired(nif)) {
    expire(nif);
    return;
  }
  const retryMs = backoffMs(nif.dhcpTries);
  send(nif, DHCPDISCOVER, leased ? leaseWithin(nif, retryMs) : retryMs);
}

function request(nif: LeasedInterface): void {
  if (nif.dhcpTries == 0) nif.dhcpRequestedMs = now();
  send(nif, DHCPREQUEST, backoffMs(nif.dhcpTries));
}

/** Asks whether the lease still holds after the network was away (RFC 2131 3.2, INIT-REBOOT). */
function reboot(nif: LeasedInterface): void {
  if (nif.dhcpTries == 0) nif.dhcpRequestedMs = now();
  if (nif.gatewayKnown != 0) arpResolve(nif, nif.leaseRouter, interfaceFoundMac(nif));
  send(nif, DHCPREQUEST, leaseWithin(nif, backoffMs(nif.dhcpTries)));
}

/**
 * Nobody has said anything about the address. When the gateway that we know is still there, the network is the same and the
 * lease good (RFC 2131 3.2 step 4, RFC 4436); else it may be another one, whose server is silent about a foreign address.
 */
function rebootUnanswered(nif: LeasedInterface): void {
  if (leaseExpired(nif)) {
    expire(nif);
  } else if (
    nif.gatewayKnown != 0 &&
    arpKnown(nif, nif.leaseRouter, interfaceFoundMac(nif)) &&
    macEqual(interfaceGatewayMac(nif), interfaceFoundMac(nif))
  ) {
    enter(nif, DhcpState.BOUND);
    armRenewal(nif);
  } else {
    enter(nif, DhcpState.SELECTING);
    exchange(nif);
    discover(nif);
  }
}

function renew(nif: LeasedInterface): void {
  if (nif.dhcpState == DhcpState.RENEWING && leaseRebinds(nif)) {
    enter(nif, DhcpState.REBINDING);
  }
  if (nif.dhcpState == DhcpState.REBINDING && leaseExpired(nif)) {
    expire(nif);
    return;
  }
  if (nif.dhcpTries == 0) nif.dhcpBeganMs = now();
  // An identifier for each, so that it is known which of them is answered.
  nif.dhcpXid = random32();
  nif.dhcpRequestedMs = now();
  send(nif, DHCPREQUEST, leaseRetryMs(nif, nif.dhcpState != DhcpState.RENEWING));
}

/** TIMER_DHCP and those behind it. */
export function dhcpTimer(nif: LeasedInterface): void {
  switch (nif.dhcpState) {
    case DhcpState.INIT:
      enter(nif, DhcpState.SELECTING);
      exchange(nif);
      discover(nif);
      break;
    case DhcpState.SELECTING:
      if (AUTO_IP && nif.dhcpTries >= SILENT_TRIES) linkLocalBegin(nif);
      discover(nif);
      break;
    case DhcpState.REQUESTING:
      if (nif.dhcpTries < REQUEST_TRIES) request(nif);
      else fail(nif);
      break;
    case DhcpState.BOUND:
      enter(nif, DhcpState.RENEWING);
      renew(nif);
      break;
    case DhcpState.RENEWING:
    case DhcpState.REBINDING:
      renew(nif);
      break;
    case DhcpState.REBOOTING:
      if (nif.dhcpTries < REBOOT_TRIES && !leaseExpired(nif)) reboot(nif);
      else rebootUnanswered(nif);
      break;
    default:
      break;
  }
}

/** True when a datagram between these ports is the client's. */
export function dhcpListens(nif: LeasedInterface, sourcePort: u32, destinationPort: u32): bool {
  return (
    destinationPort == DHCP_CLIENT_PORT &&
    sourcePort == DHCP_SERVER_PORT &&
    nif.dhcpState != DhcpState.OFF
  );
}

/** Takes `message`, whose checksum has been proven. */
export function dhcpMessage(nif: LeasedInterface): void {
  const type = message.type;
  if (message.server == 0) {
    count(Counter.DHCP_BAD);
    return;
  }
  if (nif.dhcpState == DhcpState.SELECTING) {
    if (type == DHCPOFFER) offered(nif);
    else count(Counter.DHCP_BAD);
    return;
  }
  // Only states that have sent a REQUEST, and of those only the last two may be answered by another server.
  const asked =
    nif.dhcpState == DhcpState.REQUESTING ||
    (nif.dhcpState >= DhcpState.RENEWING && nif.dhcpTries != 0);
  const anyServer = nif.dhcpState >= DhcpState.REBINDING;
  if (!asked || (message.server != nif.leaseServer && !anyServer)) return;
  if (type == DHCPNAK) {
    tell(nif, DhcpTrouble.REFUSED, nif.leaseAddress);
    fail(nif);
  } else if (type == DHCPACK) {
    if (message.yiaddr == nif.leaseAddress && leaseUsable(nif)) {
      acknowledged(nif);
      return;
    }
    tell(nif, DhcpTrouble.UNUSABLE, message.yiaddr);
    count(Counter.DHCP_BAD);
    if (nif.dhcpState == DhcpState.REQUESTING) fail(nif);
  }
}

function offered(nif: LeasedInterface): void {
  if (!leaseUsable(nif)) {
    tell(nif, DhcpTrouble.UNUSABLE, message.yiaddr);
    count(Counter.DHCP_BAD);
    return;
  }
  leaseTake(nif, true);
  enter(nif, DhcpState.REQUESTING);
  request(nif);
}

/** The server has said yes: notes the lease, and checks an address that is new before it is used. */
function acknowledged(nif: LeasedInterface): void {
  leaseTake(nif, false);
  leaseBegin(nif, nif.dhcpRequestedMs);
  if (ACD && nif.dhcpState == DhcpState.REQUESTING && nif.leaseAddress != nif.address) {
    enter(nif, DhcpState.CHECKING);
    timerCancel(timerOf(nif));
    acdProbe(nif, nif.leaseAddress, 0);
  } else {
    bind(nif);
  }
}

/** BOUND: the address is ours. */
function bind(nif: LeasedInterface): void {
  nif.dhcpFailures = 0;
  enter(nif, DhcpState.BOUND);
  nif.dns2 = nif.leaseDns2;
  interfaceConfigure(nif, nif.leaseAddress, nif.leaseMask, nif.leaseRouter, nif.leaseDns);
  armRenewal(nif);
}

function armRenewal(nif: LeasedInterface): void {
  if (nif.leaseSeconds == LEASE_FOREVER) timerCancel(timerOf(nif));
  else timerSet(timerOf(nif), leaseRenewMs(nif));
}

/** Outcome of the probes for the offered address (RFC 2131 3.1 step 5): use it, or decline and begin anew after a while. */
export function dhcpAddressChecked(nif: LeasedInterface, free: bool): void {
  if (nif.dhcpState != DhcpState.CHECKING) {
    if (AUTO_IP) linkLocalChecked(nif, free);
    return;
  }
  if (free) {
    if (leaseExpired(nif)) expire(nif);
    else bind(nif);
    return;
  }
  send(nif, DHCPDECLINE, 0);
  nif.dhcpFailures += 1;
  restart(nif, DECLINE_WAIT_MS + (random32() & 0x3ff));
}

/** The cable is back, and neighbours are about to be forgotten: a lease is verified, anything unfinished begins anew. */
export function dhcpLinkChanged(nif: LeasedInterface): void {
  if (!DHCP || nif.dhcpState == DhcpState.OFF) return;
  // A link-local address is not known to be free on another link: it is probed anew when nobody answers.
  if (AUTO_IP && nif.address != 0 && !hasLeased(nif)) interfaceClear(nif);
  if (
    nif.address == 0 ||
    nif.dhcpState == DhcpState.REQUESTING ||
    nif.dhcpState == DhcpState.CHECKING
  ) {
    restart(nif, 0);
    return;
  }
  nif.gatewayKnown = arpKnown(nif, nif.leaseRouter, interfaceGatewayMac(nif)) ? 1 : 0;
  enter(nif, DhcpState.REBOOTING);
  exchange(nif);
  wait(nif, 32 + (random32() & 0xff));
}
