import { based } from "cpu";
import { ACD, AUTO_IP, DHCP, INTERFACES } from "./config";
import { Be } from "./wire/bytes";

/**
 * A network interface: who we are. Addresses are host-order numbers, 0 = none. Everything reads this record in place;
 * only the functions of this file change it. It runs no protocol: `stackPoll` takes the news of a change to those whom it
 * concerns.
 */
@unmanaged
export class Interface {
  /** Keeps the MAC two bytes off a word, as it stands in a frame (stack/link/ethernet.ts). */
  reserved: u8;
  /** There is a link. */
  up: bool;
  /** First two bytes of the MAC as they stand in memory. */
  macHigh: u16;
  /** Last four bytes of the MAC as they stand in memory. */
  macLow: u32;
  address: u32;
  /** The address is being probed (RFC 5227 2.1.1): nothing is sent from it or taken for it yet. */
  tentative: bool;
  /** Address conflict detection (stack/arp/acd.ts): probes or announcements still to be sent. */
  acdLeft: u8;
  /** AcdOutcome that nobody has taken yet. */
  acdOutcome: u8;
  acdDefended: bool;
  mask: u32;
  gateway: u32;
  dns: u32;
  /** Second server for names. */
  dns2: u32;
  /** Broadcast address of our subnet; 0 when it has none (no address, or a prefix of 31 or 32 bits: RFC 3021). */
  broadcast: u32;
  /** Host name, not terminated; owned by whoever set it, and stays. */
  hostName: usize;
  hostNameBytes: u32;

  /** From here on only conflict detection uses the fields. */
  acdDefendedMs: u32;
  /** Address being probed; 0 = none. */
  acdCandidate: u32;
  /** The address that another station claimed last, and that station's MAC in wire order. */
  acdConflictAddress: u32;
  /** News of a claim that nobody has taken yet. */
  acdConflict: bool;
  reserved1: u8;
  acdConflictHigh: u16;
  acdConflictLow: u32;
}

/** What the DHCP client keeps of an interface (stack/dhcp/): the state of its exchange, and the lease. */
@unmanaged
export class LeasedInterface extends Interface {
  /** DhcpState. */
  dhcpState: i32;
  dhcpXid: u32;
  /** Messages sent in this state. */
  dhcpTries: u32;
  /** Exchanges that came to nothing since the last lease: spaces the next one. */
  dhcpFailures: u32;
  /** When this exchange began, for `secs`. */
  dhcpBeganMs: u32;
  /** When the REQUEST was sent: the first with its identifier, as nobody can tell which of them is answered. */
  dhcpRequestedMs: u32;
  /** Counts the changes of state, so that firmware sees that something is new. */
  dhcpChanges: u32;
  /** DhcpTrouble that nobody has taken yet, and the address that it is about. */
  dhcpTrouble: i32;
  dhcpTroubleAbout: u32;
  leaseAddress: u32;
  leaseServer: u32;
  leaseMask: u32;
  leaseRouter: u32;
  leaseDns: u32;
  leaseDns2: u32;
  /** As the server said; 0 = no lease. */
  leaseSeconds: u32;
  /** When the lease began: with the REQUEST that was answered. Its times from then on, milliseconds. */
  leaseBeganMs: u32;
  leaseT1Ms: u32;
  leaseT2Ms: u32;
  leaseEndMs: u32;
  /** MAC of the gateway before the cable was pulled, and the one that answers now. */
  gatewayMacHigh: u16;
  gatewayMacMiddle: u16;
  gatewayMacLow: u16;
  foundMacHigh: u16;
  foundMacMiddle: u16;
  foundMacLow: u16;
  gatewayKnown: u32;
}

const UNLEASED_BYTES: u32 = ACD ? offsetof<Interface>() : offsetof<Interface>("acdDefendedMs");
const INTERFACE_BYTES: u32 = DHCP ? offsetof<LeasedInterface>() : UNLEASED_BYTES;
if ((INTERFACE_BYTES & 3) != 0) ERROR("the record must be whole words");

export { IP_MTU } from "./config";

const TABLE: usize = memory.data(INTERFACES * INTERFACE_BYTES, 4);

/** The first Ethernet interface, and the only one unless INTERFACES says otherwise. */
export const iface: LeasedInterface = changetype<LeasedInterface>(TABLE);

/** An Ethernet interface by number, below INTERFACES. Where there is one, its record's address is a constant. */
export function interfaceAt(number: u32): LeasedInterface {
  return changetype<LeasedInterface>(
    based(TABLE) + (INTERFACES == 1 ? 0 : number * INTERFACE_BYTES),
  );
}

/** Number of an interface. */
export function interfaceNumber(nif: Interface): u32 {
  return INTERFACES == 1 ? 0 : <u32>(changetype<usize>(nif) - TABLE) / INTERFACE_BYTES;
}

/** Numbers of the devices, as SO_BINDTODEVICE and IP_PKTINFO have them: any, the loopback device, Ethernet interface 0; 1 follows. */
export const DEVICE_ANY: u32 = 0;
export const DEVICE_LOOPBACK: u32 = 1;
export const DEVICE_ETHERNET: u32 = 2;

/** The interface that has this address; null = it is none of ours. */
export function interfaceOf(address: u32): LeasedInterface | null {
  for (let number: u32 = 0; number < INTERFACES; number++) {
    const nif = interfaceAt(number);
    if (nif.address == address && address != 0) return nif;
  }
  return null;
}

/** True for an address of one of our interfaces. */
export function isOurs(address: u32): bool {
  if (INTERFACES == 1) return address == iface.address;
  return interfaceOf(address) != null;
}

/** True for the broadcast address of a subnet of ours. */
export function isSubnetBroadcast(address: u32): bool {
  if (address == 0) return false;
  return address == iface.broadcast || (INTERFACES > 1 && address == interfaceAt(1).broadcast);
}

/** True for a host of a subnet of ours, which is reached without a router. */
export function isOnLink(address: u32): bool {
  if (((address ^ iface.address) & iface.mask) == 0) return true;
  if (INTERFACES == 1) return false;
  const other = interfaceAt(1);
  return other.address != 0 && ((address ^ other.address) & other.mask) == 0;
}

/** True for an address of 169.254/16 (RFC 3927), which no router forwards. */
export function isLinkLocal(address: u32): bool {
  return address >>> 16 == 0xa9fe;
}

/**
 * With AUTO_IP: true when an interface reaches a host without a router whatever its subnet is, because one of them has an address of
 * 169.254/16 (RFC 3927 2.6.2).
 */
export function isDirect(nif: Interface, host: u32): bool {
  return AUTO_IP && (isLinkLocal(host) || isLinkLocal(nif.address));
}

/** Where the MAC of an interface stands: 6 bytes in wire order. */
export function interfaceMac(nif: Interface): usize {
  return changetype<usize>(nif) + offsetof<Interface>("macHigh");
}

/** Where the MAC of the station stands that has claimed our address: 6 bytes in wire order. */
export function interfaceConflictMac(nif: Interface): usize {
  return changetype<usize>(nif) + offsetof<Interface>("acdConflictHigh");
}

/** Where the MAC of the gateway stands, as it was before the cable was pulled: 6 bytes. */
export function interfaceGatewayMac(nif: LeasedInterface): usize {
  return changetype<usize>(nif) + offsetof<LeasedInterface>("gatewayMacHigh");
}

/** The same of the one that answers now. */
export function interfaceFoundMac(nif: LeasedInterface): usize {
  return changetype<usize>(nif) + offsetof<LeasedInterface>("foundMacHigh");
}

/** Names the interface: MAC as its high 16 and low 32 bits, host name of `hostNameBytes` bytes (0 = none). No address yet. */
export function interfaceInit(
  nif: LeasedInterface,
  macHigh: u32,
  macLow: u32,
  hostName: usize,
  hostNameBytes: u32,
): void {
  Be.store16(interfaceMac(nif), macHigh);
  Be.store32(interfaceMac(nif) + 2, macLow);
  nif.hostName = hostName;
  nif.hostNameBytes = hostNameBytes;
}

/** True for an address that one host can have: not 0/8, no group, no broadcast. 127/8 is one. */
export function isUnicast(address: u32): bool {
  if ((address >>> 24) - 1 >= 223 || address == iface.broadcast) return false;
  return INTERFACES == 1 || address != interfaceAt(1).broadcast;
}

/** With IP_ANY_ADDRESS: packets to any host are ours, and are answered in its name. */
export let standsForAll: bool = false;

/** We stand for all hosts, as the gateway does for those behind it. */
export function interfaceStandForAll(): void {
  standsForAll = true;
}

/** Something is new that `stackPoll` takes to those whom it concerns: most turns have nothing, and need not ask for each. */
let told: bool = false;

/** There is news of a neighbour, a probe or an address. */
export function interfaceTell(): void {
  told = true;
}

/** True when there was any since this was asked last. */
export function interfaceTold(): bool {
  if (!told) return false;
  told = false;
  return true;
}

/** Bit n: the addresses of interface n have changed since `interfaceTakeChange` was asked last. */
let changed: u32 = 0;

/** True when news of an address waits to be taken. */
export function interfaceChanged(): bool {
  return changed != 0;
}

/** Takes the news that the addresses of an interface have changed. */
export function interfaceTakeChange(nif: Interface): bool {
  // Where there is one interface, it is what has changed.
  const rest = INTERFACES == 1 ? 0 : changed & ~(1 << interfaceNumber(nif));
  const news = changed != rest;
  changed = rest;
  return news;
}

/** Takes an address into use. */
export function interfaceConfigure(
  nif: Interface,
  address: u32,
  mask: u32,
  gateway: u32,
  dns: u32,
): void {
  nif.dns = dns;
  if (address == nif.address && mask == nif.mask && gateway == nif.gateway) return;
  nif.address = address;
  nif.mask = mask;
  nif.gateway = gateway;
  nif.broadcast = address != 0 && mask < 0xfffffffe ? address | ~mask : 0;
  changed = INTERFACES == 1 ? 1 : changed | (1 << interfaceNumber(nif));
  told = true;
}

/** As `interfaceConfigure`, for an address that has to be probed before it is used. */
export function interfaceTentative(
  nif: Interface,
  address: u32,
  mask: u32,
  gateway: u32,
  dns: u32,
): void {
  if (ACD) nif.tentative = address != 0;
  interfaceConfigure(nif, address, mask, gateway, dns);
}

/** Gives the address up at once: nothing is sent from it or taken for it any more. */
export function interfaceClear(nif: Interface): void {
  interfaceConfigure(nif, 0, 0, 0, 0);
}
