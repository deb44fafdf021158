import { LeasedInterface, isUnicast } from "../interface";
import { isLoopback } from "../ip/packet";
import { isDue, now } from "../now";
import { random32 } from "../random";
import { Field, message } from "./message";

/**
 * What a server offers or has leased, in the interface's record. A message changes only what it speaks of: a renewal that names no router keeps the old
 * one. Addresses in host order, 0 = none.
 */

/** Leases of more than 20 days are taken as that, which the clock can still tell apart; -1 = for ever. */
const SECONDS_MAX: u32 = 1_728_000;
export const LEASE_FOREVER: u32 = 0xffffffff;
/** Lease of a server that names none, seconds. */
const SECONDS_DEFAULT: u32 = 3600;
/** RFC 2131 4.4.5: no renewal more often, for leases of a quarter of an hour and more. */
const RETRY_MS: u32 = 60_000;
const RETRY_MS_MIN: u32 = 1000;

function given(field: Field): bool {
  return ((message.given >>> field) & 1) != 0;
}

/** Nothing is offered or leased any more. */
export function leaseForget(nif: LeasedInterface): void {
  nif.leaseAddress = 0;
  nif.leaseSeconds = 0;
}

/** Mask of a server that gives none: by class (RFC 950). */
function classMask(host: u32): u32 {
  if (host >>> 31 == 0) return 0xff000000;
  return host >>> 30 == 2 ? 0xffff0000 : 0xffffff00;
}

/** True for an address that a host of this subnet can have. */
function isHost(host: u32, mask: u32): bool {
  if (!isUnicast(host) || isLoopback(host)) return false;
  const hostBits = ~mask;
  // The ones of a mask stand together, at the top.
  if (mask == 0 || (hostBits & (hostBits + 1)) != 0) return false;
  // Prefixes of 31 and 32 bits have no network and no broadcast address (RFC 3021).
  const number = host & hostBits;
  return hostBits <= 1 || (number != 0 && number != hostBits);
}

/** Mask that the message gives to the address it speaks of. */
function messageMask(nif: LeasedInterface): u32 {
  if (given(Field.MASK)) return message.mask;
  return message.yiaddr == nif.leaseAddress && nif.leaseMask != 0
    ? nif.leaseMask
    : classMask(message.yiaddr);
}

/** True when the address of the message can be used, for some time. */
export function leaseUsable(nif: LeasedInterface): bool {
  if (given(Field.LEASE) && message.lease == 0) return false;
  return isHost(message.yiaddr, messageMask(nif));
}

/** The router, if it can be one: outside the subnet only for a /32, where it stands at the other end of the line. */
function usableRouter(nif: LeasedInterface, router: u32): u32 {
  if (router == nif.leaseAddress) return 0;
  if (nif.leaseMask == 0xffffffff) return isUnicast(router) && !isLoopback(router) ? router : 0;
  return ((router ^ nif.leaseAddress) & nif.leaseMask) == 0 && isHost(router, nif.leaseMask)
    ? router
    : 0;
}

/** Takes over what the message says; its address is usable. `anew`: it is an offer, and nothing of an older lease counts. */
export function leaseTake(nif: LeasedInterface, anew: bool): void {
  if (anew) {
    nif.leaseMask = 0;
    nif.leaseRouter = 0;
    nif.leaseDns = 0;
    nif.leaseDns2 = 0;
    nif.leaseSeconds = SECONDS_DEFAULT;
  }
  nif.leaseMask = messageMask(nif);
  nif.leaseAddress = message.yiaddr;
  nif.leaseServer = message.server;
  if (given(Field.ROUTER)) nif.leaseRouter = message.router;
  nif.leaseRouter = usableRouter(nif, nif.leaseRouter);
  if (given(Field.DNS)) {
    nif.leaseDns = message.dns;
    nif.leaseDns2 = message.dns2;
  }
  if (given(Field.LEASE)) nif.leaseSeconds = message.lease;
}

/** The server has said yes to a REQUEST of `requestedMs`. */
export function leaseBegin(nif: LeasedInterface, requestedMs: u32): void {
  const seconds = min(nif.leaseSeconds, SECONDS_MAX);
  nif.leaseBeganMs = requestedMs;
  nif.leaseEndMs = seconds * 1000;
  // RFC 2131 4.4.5: half and seven eighths, where the server does not say otherwise in good order.
  nif.leaseT1Ms = nif.leaseEndMs >>> 1;
  nif.leaseT2Ms = nif.leaseEndMs - (nif.leaseEndMs >>> 3);
  // A server that wants to be asked more often than once a minute is asked so often only if its leases are that short.
  const least = max<u32>(min<u32>(RETRY_MS / 1000, seconds >>> 1), 1);
  if (message.t1 >= least && message.t1 < message.t2 && message.t2 < seconds) {
    nif.leaseT1Ms = message.t1 * 1000;
    nif.leaseT2Ms = message.t2 * 1000;
  }
  // Up to a sixteenth earlier, so that devices that started together do not renew together.
  nif.leaseT1Ms -= (nif.leaseT1Ms >>> 8) * (random32() & 15);
}

/** True when the lease is over. */
export function leaseExpired(nif: LeasedInterface): bool {
  return nif.leaseSeconds != LEASE_FOREVER && isDue(nif.leaseBeganMs + nif.leaseEndMs);
}

/** True from T2 on. */
export function leaseRebinds(nif: LeasedInterface): bool {
  return isDue(nif.leaseBeganMs + nif.leaseT2Ms);
}

/** When to renew first. */
export function leaseRenewMs(nif: LeasedInterface): u32 {
  return nif.leaseBeganMs + nif.leaseT1Ms;
}

/** `delayMs`, but no longer than the lease lasts. */
export function leaseWithin(nif: LeasedInterface, delayMs: u32): u32 {
  if (nif.leaseSeconds == LEASE_FOREVER) return delayMs;
  const leftMs = nif.leaseBeganMs + nif.leaseEndMs - now();
  return <i32>leftMs < 0 ? 0 : min(delayMs, leftMs);
}

/**
 * Wait before the next try to renew: half the time that is left until T2, or, when `rebinding`, until the end; at least a
 * minute, or a sixteenth of a lease that is short.
 */
export function leaseRetryMs(nif: LeasedInterface, rebinding: bool): u32 {
  const leftMs = nif.leaseBeganMs + (rebinding ? nif.leaseEndMs : nif.leaseT2Ms) - now();
  const least = max(min(RETRY_MS, nif.leaseEndMs >>> 4), RETRY_MS_MIN);
  return min(leftMs, max(leftMs >>> 1, least));
}
