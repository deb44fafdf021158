import { acdProbe } from "../arp/acd";
import { INTERFACES } from "../config";
import {
  Interface,
  LeasedInterface,
  interfaceClear,
  interfaceConfigure,
  interfaceMac,
  interfaceNumber,
  isLinkLocal,
} from "../interface";

/**
 * An address of 169.254/16 while no DHCP server answers (RFC 3927; AUTO_IP): chosen by the MAC, probed, announced and defended by
 * address conflict detection (stack/arp/acd.ts). DHCP goes on asking, and its lease takes the place of the address (1.9).
 */

/** The first and the last 256 addresses are reserved (2.1). */
const FIRST: u32 = 0xa9fe0100;
const COUNT: u32 = 65024;
const MASK: u32 = 0xffff0000;
/** MAX_CONFLICTS and RATE_LIMIT_INTERVAL (9). */
const CONFLICTS_MAX: u32 = 10;
const RATE_LIMIT_MS: u32 = 60_000;

/** What is kept of an interface. */
@unmanaged
class LinkLocal {
  /** Place in the sequence of addresses that its MAC gives. */
  place: u32;
  conflicts: u32;
  /** The address was lost to another station: another one is wanted as soon as that is known everywhere. */
  wanted: u32;
}

/** In a function, so that an image without AUTO_IP has no table. */
function recordOf(nif: Interface): LinkLocal {
  const TABLE: usize = memory.data(INTERFACES * offsetof<LinkLocal>(), 4);
  return changetype<LinkLocal>(TABLE + interfaceNumber(nif) * offsetof<LinkLocal>());
}

/**
 * The address at a place of the sequence: the same for a MAC at each start, another for each MAC, and evenly spread (2.1). Not
 * secret, so that a host keeps its address without memory.
 */
function addressAt(nif: Interface, place: u32): u32 {
  const mac = interfaceMac(nif);
  let value = load<u16>(mac) * 0x9e3779b1 + <u32>load<u16>(mac, 2) * 0x85ebca6b;
  value += (<u32>load<u16>(mac, 4) + (place << 16)) * 0xc2b2ae35;
  value = (value ^ (value >>> 16)) * 0x45d9f3b;
  value = (value ^ (value >>> 16)) * 0x45d9f3b;
  value ^= value >>> 16;
  return FIRST + (((value >>> 16) * COUNT) >>> 16);
}

function probe(nif: Interface): void {
  const record = recordOf(nif);
  const delayMs = record.conflicts >= CONFLICTS_MAX ? RATE_LIMIT_MS : 0;
  acdProbe(nif, addressAt(nif, record.place), delayMs);
}

/** No server has answered: an address of our own, unless there is one, or one is being probed. */
export function linkLocalBegin(nif: LeasedInterface): void {
  if (nif.address == 0 && nif.acdCandidate == 0) probe(nif);
}

/** Outcome of the probes: it is used, or the next of the sequence is probed (2.2.1). */
export function linkLocalChecked(nif: LeasedInterface, free: bool): void {
  if (nif.address != 0) return;
  const record = recordOf(nif);
  if (free) {
    record.conflicts = 0;
    nif.dhcpChanges += 1;
    interfaceConfigure(nif, addressAt(nif, record.place), MASK, 0, 0);
    return;
  }
  record.place += 1;
  record.conflicts += 1;
  probe(nif);
}

/** Another station claims the address a second time within ten seconds: it is given up at once (2.5 b). */
export function linkLocalLost(nif: LeasedInterface): void {
  if (!isLinkLocal(nif.address)) return;
  const record = recordOf(nif);
  record.place += 1;
  record.conflicts += 1;
  record.wanted = 1;
  nif.dhcpChanges += 1;
  interfaceClear(nif);
}

/** The loss is known everywhere: the next address is probed. */
export function linkLocalAgain(nif: LeasedInterface): void {
  const record = recordOf(nif);
  if (record.wanted == 0) return;
  record.wanted = 0;
  linkLocalBegin(nif);
}
