import { isUnicast } from "../interface";
import { isLoopback } from "../ip/packet";
import { isDue, now } from "../now";
import { random32 } from "../random";
import { Field, message } from "./message";

/**
 * What a server offers or has leased. A message changes only what it speaks of: a renewal that names no router keeps the old
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

export let leaseAddress: u32 = 0;
export let leaseServer: u32 = 0;
export let leaseMask: u32 = 0;
export let leaseRouter: u32 = 0;
export let leaseDns: u32 = 0;
export let leaseDns2: u32 = 0;
/** As the server said; 0 = no lease. */
export let leaseSeconds: u32 = 0;
/** When the lease began: with the REQUEST that was answered. Its times from then on, milliseconds. */
let beganMs: u32 = 0;
let t1Ms: u32 = 0;
let t2Ms: u32 = 0;
let endMs: u32 = 0;

function given(field: Field): bool {
  return ((message.given >>> field) & 1) != 0;
}

/** Nothing is offered or leased any more. */
export function leaseForget(): void {
  leaseAddress = 0;
  leaseSeconds = 0;
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
function messageMask(): u32 {
  if (given(Field.MASK)) return message.mask;
  return message.yiaddr == leaseAddress && leaseMask != 0 ? leaseMask : classMask(message.yiaddr);
}

/** True when the address of the message can be used, for some time. */
export function leaseUsable(): bool {
  if (given(Field.LEASE) && message.lease == 0) return false;
  return isHost(message.yiaddr, messageMask());
}

/** The router, if it can be one: outside the subnet only for a /32, where it stands at the other end of the line. */
function usableRouter(router: u32): u32 {
  if (router == leaseAddress) return 0;
  if (leaseMask == 0xffffffff) return isUnicast(router) && !isLoopback(router) ? router : 0;
  return ((router ^ leaseAddress) & leaseMask) == 0 && isHost(router, leaseMask) ? router : 0;
}

/** Takes over what the message says; its address is usable. `anew`: it is an offer, and nothing of an older lease counts. */
export function leaseTake(anew: bool): void {
  if (anew) {
    leaseMask = 0;
    leaseRouter = 0;
    leaseDns = 0;
    leaseDns2 = 0;
    leaseSeconds = SECONDS_DEFAULT;
  }
  leaseMask = messageMask();
  leaseAddress = message.yiaddr;
  leaseServer = message.server;
  if (given(Field.ROUTER)) leaseRouter = message.router;
  leaseRouter = usableRouter(leaseRouter);
  if (given(Field.DNS)) {
    leaseDns = message.dns;
    leaseDns2 = message.dns2;
  }
  if (given(Field.LEASE)) leaseSeconds = message.lease;
}

/** The server has said yes to a REQUEST of `requestedMs`. */
export function leaseBegin(requestedMs: u32): void {
  const seconds = min(leaseSeconds, SECONDS_MAX);
  beganMs = requestedMs;
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
}

/** True when the lease is over. */
export function leaseExpired(): bool {
  return leaseSeconds != LEASE_FOREVER && isDue(beganMs + endMs);
}

/** True from T2 on. */
export function leaseRebinds(): bool {
  return isDue(beganMs + t2Ms);
}

/** When to renew first. */
export function leaseRenewMs(): u32 {
  return beganMs + t1Ms;
}

/** `delayMs`, but no longer than the lease lasts. */
export function leaseWithin(delayMs: u32): u32 {
  if (leaseSeconds == LEASE_FOREVER) return delayMs;
  const leftMs = beganMs + endMs - now();
  return <i32>leftMs < 0 ? 0 : min(delayMs, leftMs);
}

/**
 * Wait before the next try to renew: half the time that is left until T2, or, when `rebinding`, until the end; at least a
 * minute, or a sixteenth of a lease that is short.
 */
export function leaseRetryMs(rebinding: bool): u32 {
  const leftMs = beganMs + (rebinding ? endMs : t2Ms) - now();
  const least = max(min(RETRY_MS, endMs >>> 4), RETRY_MS_MIN);
  return min(leftMs, max(leftMs >>> 1, least));
}
