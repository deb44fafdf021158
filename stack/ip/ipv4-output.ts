import { based, rev16 } from "cpu";
import { arpResolve, arpUsedAgain } from "../arp/cache";
import {
  ACD,
  ARP_PENDING_BYTES,
  AUTO_IP,
  INTERFACES,
  IP_ANY_ADDRESS,
  LOOPBACK_BYTES,
  ROUTES,
} from "../config";
import { EAGAIN, EINPROGRESS, EMSGSIZE, ENETUNREACH } from "../errors";
import {
  DEVICE_ANY,
  DEVICE_ETHERNET,
  DEVICE_LOOPBACK as LOOPBACK,
  IP_MTU,
  Interface,
  iface,
  interfaceAt,
  interfaceMac,
  interfaceNumber,
  interfaceOf,
  isDirect,
  isOurs,
  isUnicast,
  standsForAll,
} from "../interface";
import {
  DEVICE_LOOPBACK,
  deviceIsWire,
  linkTxBegin,
  linkTxCancel,
  linkTxEnd,
  linkTxWait,
  linkWrite,
} from "../link/device";
import {
  ETHERNET_BYTES,
  TX_ETHERNET,
  TX_NETWORK,
  TX_TRANSPORT,
  TYPE_IPV4,
  ethernetHeader,
  headerForget,
  headerHost,
  headerInterface,
  headerMade,
  macCopy,
} from "../link/headers";
import { Counter, count } from "../statistics";
import { Be } from "../wire/bytes";
import { halves, sumFold } from "../wire/checksum";
import { IP_HEADER_BYTES, isLoopback } from "./packet";
import { routeGateway, routeInterface } from "./routes";

/** Version 4, 5 words, as the low byte of a plain 16-bit store. */
const VERSION_AND_LENGTH: u32 = 0x45;
/** Identification 0, DF set, as a plain word store: an atomic packet, which needs no identification (RFC 6864 4.1). */
const ID_AND_FLAGS: u32 = 0x00400000;
const LOOPBACK_ADDRESS: u32 = 0x7f000001;

/** True for an address that the loopback device takes: 127.0.0.0/8 and our own. */
function isSelf(address: u32): bool {
  return isLoopback(address) || (isOurs(address) && address != 0);
}

/** Number of the interface that packets from address 0 go by. */
let sender: u32 = 0;

/** Says by which interface packets from address 0 go. */
export function ipSendBy(nif: Interface): void {
  if (INTERFACES > 1) sender = interfaceNumber(nif);
}

/**
 * The interface that a packet goes by: the one that its source is an address of, whatever the destination (RFC 1122 3.3.4.2, the
 * strong model). Only a source that is none of ours, where we stand for others, goes by the route.
 */
function interfaceFor(source: u32, destination: u32): Interface {
  if (source == 0) return interfaceAt(sender);
  const own = interfaceOf(source);
  return own != null ? own : routeInterface(destination);
}

/** Address that a packet to `destination` is sent from; 0 = no route there. */
export function routeSource(destination: u32): u32 {
  if (isLoopback(destination)) return LOOPBACK_BYTES != 0 ? LOOPBACK_ADDRESS : 0;
  return routeSourceBy(routeInterface(destination), destination);
}

/** As `routeSource`, by a device alone (SO_BINDTODEVICE); 0 = no route there by it. */
export function routeSourceOn(device: u32, destination: u32): u32 {
  if (device == DEVICE_ANY) return routeSource(destination);
  if (isSelf(destination) != (device == LOOPBACK)) return 0;
  if (device == LOOPBACK) return routeSource(destination);
  return routeSourceBy(interfaceAt(device - DEVICE_ETHERNET), destination);
}

/** Address that a packet to `destination` is sent from by this interface; 0 = it has no route there. */
function routeSourceBy(nif: Interface, destination: u32): u32 {
  if (AUTO_IP && isDirect(nif, destination)) return nif.address;
  if (((destination ^ nif.address) & nif.mask) != 0 && nif.gateway == 0) {
    if (ROUTES != 0 && routeGateway(nif, destination, 0) != 0) return nif.address;
    // Broadcast and multicast need no gateway.
    return destination >= 0xe0000000 ? nif.address : 0;
  }
  return nif.address;
}

/**
 * MAC of the next hop (RFC 1122 3.3.1.1) into the header to be sent. 0, or an error of `arpResolve`, or -ENETUNREACH.
 */
function resolve(nif: Interface, source: u32, destination: u32): i32 {
  // Nothing leaves from an address that is being probed; the outcome is news as an ARP answer is.
  if (ACD && nif.tentative && source != 0) return -EINPROGRESS;
  if (destination == 0xffffffff || destination == nif.broadcast) {
    store<u16>(TX_ETHERNET, 0xffff);
    store<u32>(TX_ETHERNET, 0xffffffff, 2);
    return 0;
  }
  if (destination >= 0xe0000000) {
    // RFC 1112 6.4: the low 23 bits of the group.
    Be.store16(TX_ETHERNET, 0x0100);
    store<u32>(TX_ETHERNET, bswap<u32>(0x5e000000 | (destination & 0x7fffff)), 2);
    return 0;
  }
  const hop = nextHop(nif, destination);
  return hop == 0 ? -ENETUNREACH : arpResolve(nif, hop, TX_ETHERNET);
}

/** The neighbour that a packet to `destination` goes to, by the route with the longest prefix; 0 = none. */
function nextHop(nif: Interface, destination: u32): u32 {
  if (nif.address == 0) return 0;
  if (AUTO_IP && isDirect(nif, destination)) return destination;
  const near = ((destination ^ nif.address) & nif.mask) == 0;
  if (ROUTES != 0) {
    const gateway = routeGateway(nif, destination, near ? nif.mask : 0);
    if (gateway != 0) return gateway;
  }
  return near ? destination : nif.gateway;
}

/** Where the bytes of the open frame begin: the packet that waits for ARP has no Ethernet header. */
let frameAt: usize = TX_ETHERNET;

/** Sum of both addresses in the IP header to be sent, in memory order. */
let addressesSum: u32 = 0;
/** Sum of what else of that header `addressesWrite` has made. */
const FLAGS_SUM: u32 = ID_AND_FLAGS >>> 16;

/** What of the IP header is the same in each packet from `source` to `destination`. */
function addressesWrite(source: u32, destination: u32): void {
  const header = based(TX_NETWORK);
  const from = bswap<u32>(source);
  const to = bswap<u32>(destination);
  // What `ipHeader` has made before is of no use now.
  store<u32>(header, 0);
  store<u32>(header, ID_AND_FLAGS, 4);
  store<u32>(header, from, 12);
  store<u32>(header, to, 16);
  addressesSum = halves(from) + halves(to);
}

/**
 * Opens a packet of exactly `totalBytes`, its IP header included and IP_MTU at most, and says where it goes; `ipHeader` has to follow. With `mayWait`
 * it may be the one that waits for ARP. Returns as `ipBegin` does. To the host that the packet before went to the way is known, and
 * the headers stand there yet.
 */
export function ipRoute(source: u32, destination: u32, totalBytes: u32, mayWait: bool): i32 {
  const last = INTERFACES == 1 ? iface : interfaceAt(headerInterface());
  const me = changetype<Interface>(based(changetype<usize>(last)));
  if (destination == headerHost() && source == me.address && !(ACD && me.tentative)) {
    arpUsedAgain();
    return linkTxBegin(headerInterface(), totalBytes + ETHERNET_BYTES) ? 0 : -EAGAIN;
  }
  return routeAnew(source, destination, totalBytes, mayWait);
}

/** True when a packet from our own address to this host may go by `ipRouteAgain`. */
export function ipRouteStands(destination: u32): bool {
  return INTERFACES == 1 && destination == headerHost() && !(ACD && iface.tentative);
}

/** `ipRoute` where nothing has to be looked for. */
export function ipRouteAgain(totalBytes: u32): i32 {
  arpUsedAgain();
  return linkTxBegin(0, totalBytes + ETHERNET_BYTES) ? 0 : -EAGAIN;
}

function routeAnew(source: u32, destination: u32, totalBytes: u32, mayWait: bool): i32 {
  const me: Interface = INTERFACES == 1 ? interfaceAt(0) : interfaceFor(source, destination);
  let device = interfaceNumber(me);
  frameAt = TX_ETHERNET;
  headerForget();
  if (LOOPBACK_BYTES != 0 && isSelf(destination)) {
    device = DEVICE_LOOPBACK;
    macCopy(TX_ETHERNET, interfaceMac(iface));
  } else {
    // 127/8 never goes on a wire (RFC 1122 3.2.1.3), nor an address that we have given up. 0 is for DHCP.
    const any = IP_ANY_ADDRESS && standsForAll;
    const ours = source == me.address || source == 0 || any;
    const stays = LOOPBACK_BYTES == 0 && isLoopback(destination);
    const result = ours && !stays ? resolve(me, source, destination) : -ENETUNREACH;
    if (result == -EINPROGRESS && mayWait) {
      frameAt = TX_NETWORK;
      addressesWrite(source, destination);
      return linkTxWait(device, nextHop(me, destination), totalBytes) ? 0 : result;
    }
    if (result != 0) {
      count(Counter.IP_NO_ROUTE);
      return result;
    }
  }
  if (!linkTxBegin(device, totalBytes + ETHERNET_BYTES)) return -EAGAIN;
  ethernetHeader(me, TYPE_IPV4);
  addressesWrite(source, destination);
  // Of groups and broadcasts no neighbour was asked for. Whom the header is made for is one host (ipPlainHost in ipv4-plain.ts).
  const asked = deviceIsWire(device) && isUnicast(destination) && !isLoopback(destination);
  if (asked && source == me.address) headerMade(destination, device);
  return 0;
}

/**
 * Writes the IP header of the packet that `ipRoute` has opened to its place before TX_TRANSPORT; `ipHeadersWrite` has to follow.
 * `life` is the time to live with the protocol above it. Returns the sum of both addresses in memory order, for a pseudo-header.
 */
export function ipHeader(totalBytes: u32, tos: u32, life: u32): u32 {
  const header = based(TX_NETWORK);
  const addresses = addressesSum;
  const first = ((tos << 8) + VERSION_AND_LENGTH) | (rev16(totalBytes) << 16);
  // Of the packet before, as long as this one, it stands there yet.
  if (load<u32>(header) == first && <u32>load<u16>(header, 8) == life) return addresses;
  store<u32>(header, first);
  const sum = sumFold(halves(first) + FLAGS_SUM + life + addresses);
  store<u32>(header, life | (~sum << 16), 8);
  return addresses;
}

/** Sum of both addresses of the open packet in memory order, for a pseudo-header. */
export function ipAddressesSum(): u32 {
  return addressesSum;
}

/** Writes the headers that are ready to the device: what `ipHeader` has made, and `transportBytes` at TX_TRANSPORT. */
export function ipHeadersWrite(transportBytes: u32): void {
  linkWrite(frameAt, <u32>(TX_TRANSPORT - frameAt) + transportBytes);
}

/** `ipHeadersWrite` for a packet that was not allowed to wait: it has an Ethernet header for sure. */
export function ipFrameHeadersWrite(transportBytes: u32): void {
  linkWrite(TX_ETHERNET, ETHERNET_BYTES + IP_HEADER_BYTES + transportBytes);
}

/**
 * Opens an IPv4 packet of exactly `payloadBytes` and writes its header; the payload follows with `ipWrite`, then `ipEnd` or
 * `ipCancel`. DF set, identification 0. Returns 0, or nothing is open and it is -EMSGSIZE, -ENETUNREACH (no route, or not a
 * source address of ours), -EHOSTUNREACH (the neighbour does not answer ARP), -EAGAIN (no room to send now), -EINPROGRESS
 * (ARP has asked, and will leave news). Where the packet fits the slot for the latest one that waits for ARP (RFC 1122
 * 2.3.2.2), it goes there and 0 is returned.
 */
export function ipBegin(
  protocol: u32,
  source: u32,
  destination: u32,
  payloadBytes: u32,
  tos: u32,
  ttl: u32,
): i32 {
  const refused = ipOpen(protocol, source, destination, payloadBytes, tos, ttl);
  if (refused == 0) ipHeadersWrite(0);
  return refused;
}

/** `ipBegin` for a caller that writes the first bytes of the payload with the IP header: `ipHeadersWrite` has to follow. */
export function ipOpen(
  protocol: u32,
  source: u32,
  destination: u32,
  payloadBytes: u32,
  tos: u32,
  ttl: u32,
): i32 {
  const totalBytes = payloadBytes + IP_HEADER_BYTES;
  if (totalBytes > IP_MTU) return -EMSGSIZE;
  const refused = ipRoute(source, destination, totalBytes, ARP_PENDING_BYTES != 0);
  if (refused == 0) ipHeader(totalBytes, tos, ttl | (protocol << 8));
  return refused;
}

/** `ipBegin` to ourselves, whatever the destination: for a packet to a group that we are a member of. */
export function ipBeginLoopback(
  protocol: u32,
  source: u32,
  destination: u32,
  payloadBytes: u32,
  tos: u32,
  ttl: u32,
): i32 {
  const totalBytes = payloadBytes + IP_HEADER_BYTES;
  headerForget();
  macCopy(TX_ETHERNET, interfaceMac(iface));
  if (LOOPBACK_BYTES == 0 || !linkTxBegin(DEVICE_LOOPBACK, totalBytes + ETHERNET_BYTES))
    return -EAGAIN;
  ethernetHeader(iface, TYPE_IPV4);
  addressesWrite(source, destination);
  ipHeader(totalBytes, tos, ttl | (protocol << 8));
  linkWrite(TX_ETHERNET, ETHERNET_BYTES + IP_HEADER_BYTES);
  return 0;
}

/**
 * Opens a packet of exactly `totalBytes` for a caller that writes the IP header by itself, with a source of its choice. Returns as
 * `ipBegin` does.
 */
export function ipBeginBare(destination: u32, totalBytes: u32): i32 {
  if (totalBytes > IP_MTU) return -EMSGSIZE;
  const source = INTERFACES == 1 ? iface.address : routeInterface(destination).address;
  const refused = ipRoute(source, destination, totalBytes, ARP_PENDING_BYTES != 0);
  // The packet that waits for ARP has no Ethernet header.
  if (refused == 0 && frameAt == TX_ETHERNET) linkWrite(TX_ETHERNET, ETHERNET_BYTES);
  return refused;
}

/** Appends to the open packet. */
export function ipWrite(from: usize, bytes: u32): void {
  linkWrite(from, bytes);
}

/** The packet is whole: sends it. */
export function ipEnd(): void {
  count(Counter.IP_OUT);
  linkTxEnd();
}

/** Forgets the open packet. */
export function ipCancel(): void {
  linkTxCancel();
}
