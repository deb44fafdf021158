import { based } from "cpu";
import { DHCP } from "./config";
import { Be } from "./wire/bytes";

/**
 * A network interface: who we are. Addresses are host-order numbers, 0 = none. Everything reads this record in place;
 * only the functions of this file change it. It runs no protocol: `stackPoll` takes the news of a change to those whom it
 * concerns.
 */
@unmanaged
export class Interface {
  /** Keeps the MAC two bytes off a word, as it stands in a frame (stack/link/ethernet.ts). */
  reserved: u16;
  /** First two bytes of the MAC as they stand in memory. */
  macHigh: u16;
  /** Last four bytes of the MAC as they stand in memory. */
  macLow: u32;
  address: u32;
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

  /** The address is being probed (RFC 5227 2.1.1): nothing is sent from it or taken for it yet. */
  tentative: bool;
  /** Address conflict detection (stack/arp/acd.ts): probes or announcements still to be sent. */
  acdLeft: u8;
  /** AcdOutcome that nobody has taken yet. */
  acdOutcome: u8;
  acdDefended: bool;
  acdDefendedMs: u32;
  /** Address being probed; 0 = none. */
  acdCandidate: u32;
  /** The address that another station claimed last, and that station's MAC in wire order. */
  acdConflictAddress: u32;
  /** News of a claim that nobody has taken yet. */
  acdConflict: bool;
  /** There is a link. */
  up: bool;
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

const INTERFACE_BYTES: u32 = DHCP ? offsetof<LeasedInterface>() : offsetof<Interface>();
if ((INTERFACE_BYTES & 3) != 0) ERROR("the record must be whole words");

export { IP_MTU } from "./config";

/** The Ethernet interface. */
export const iface: LeasedInterface = changetype<LeasedInterface>(memory.data(INTERFACE_BYTES, 4));

/** An interface by number: 0 is Ethernet. */
export function interfaceAt(_number: u32): LeasedInterface {
  return changetype<LeasedInterface>(based(changetype<usize>(iface)));
}

/** Numbers of the devices, as SO_BINDTODEVICE and IP_PKTINFO have them: any, the loopback device, Ethernet. */
export const DEVICE_ANY: u32 = 0;
export const DEVICE_LOOPBACK: u32 = 1;
export const DEVICE_ETHERNET: u32 = 2;

/** Device by which packets go to an address, and by which they come from it. */
export function deviceTowards(address: u32): u32 {
  return address >>> 24 == 127 || address == iface.address ? DEVICE_LOOPBACK : DEVICE_ETHERNET;
}

/** Where our MAC stands: 6 bytes in wire order. */
export function interfaceMac(): usize {
  return changetype<usize>(iface) + offsetof<Interface>("macHigh");
}

/** Where the MAC of the station stands that has claimed our address: 6 bytes in wire order. */
export function interfaceConflictMac(): usize {
  return changetype<usize>(iface) + offsetof<Interface>("acdConflictHigh");
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
  macHigh: u32,
  macLow: u32,
  hostName: usize,
  hostNameBytes: u32,
): void {
  Be.store16(interfaceMac(), macHigh);
  Be.store32(interfaceMac() + 2, macLow);
  iface.hostName = hostName;
  iface.hostNameBytes = hostNameBytes;
}

/** True for an address that one host can have: not 0/8, no group, no broadcast. 127/8 is one. */
export function isUnicast(address: u32): bool {
  return (address >>> 24) - 1 < 223 && address != iface.broadcast;
}

/** With IP_ANY_ADDRESS: packets to any host are ours, and are answered in its name. */
export let standsForAll: bool = false;

/** We stand for all hosts, as the gateway does for those behind it. */
export function interfaceStandForAll(): void {
  standsForAll = true;
}

/** The addresses have changed since `interfaceTakeChange` was asked last. */
let changed: bool = false;

/** True when news of an address waits to be taken. */
export function interfaceChanged(): bool {
  return changed;
}

/** Takes the news that the addresses have changed. */
export function interfaceTakeChange(): bool {
  const news = changed;
  changed = false;
  return news;
}

/** Takes an address into use. */
export function interfaceConfigure(address: u32, mask: u32, gateway: u32, dns: u32): void {
  iface.dns = dns;
  if (address == iface.address && mask == iface.mask && gateway == iface.gateway) return;
  iface.address = address;
  iface.mask = mask;
  iface.gateway = gateway;
  iface.broadcast = address != 0 && mask < 0xfffffffe ? address | ~mask : 0;
  changed = true;
}

/** As `interfaceConfigure`, for an address that has to be probed before it is used. */
export function interfaceTentative(address: u32, mask: u32, gateway: u32, dns: u32): void {
  iface.tentative = address != 0;
  interfaceConfigure(address, mask, gateway, dns);
}

/** Gives the address up at once: nothing is sent from it or taken for it any more. */
export function interfaceClear(): void {
  interfaceConfigure(0, 0, 0, 0);
}
