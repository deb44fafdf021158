import { based, checksumOf, rev16 } from "cpu";
import { ARP_PENDING_BYTES, MULTICAST_GROUPS, SOCKET_MORE_OPTIONS, UDP_RX_BYTES } from "../config";
import { EACCES, EAGAIN, EDESTADDRREQ, EINPROGRESS, EMSGSIZE, ENETUNREACH } from "../errors";
import { IP_MTU } from "../interface";
import {
  ipAddressesSum,
  ipCancel,
  ipEnd,
  ipHeader,
  ipHeadersWrite,
  ipRoute,
  ipRouteAgain,
  ipRouteStands,
  ipWrite,
} from "../ip/ipv4-output";
import { IPPROTO_UDP, IP_HEADER_BYTES } from "../ip/packet";
import { linkTxReady } from "../link/device";
import { headerHost } from "../link/headers";
import { SCRATCH } from "../scratch";
import { Counter, count } from "../statistics";
import { halves, sumField } from "../wire/checksum";
import { UDP_HEADER_BYTES } from "./input";
import { groupLoop, groupTtl, isGroup } from "./multicast";
import {
  DATAGRAM_HEADER_BYTES,
  UdpSlot,
  udpBind,
  udpBarred,
  udpByDevice,
  udpMayReach,
  udpRing,
  udpSlot,
  udpSource,
  udpTakeError,
} from "./slots";

const RING_MASK: u32 = UDP_RX_BYTES - 1;
/** Ends of the datagram that was received last. The compiler leaves them out of an image in which nobody reads them. */
let sentFrom: u32 = 0;
let sentTo: u32 = 0;
const DATAGRAM_BYTES_MAX: u32 = IP_MTU - IP_HEADER_BYTES - UDP_HEADER_BYTES;

/**
 * Makes the header of a datagram, checksum included, over a text whose sum is `textSum` (RFC 768): at the begin of the scratch bytes,
 * for the packet that `ipOpen` has opened.
 */
export function udpHeader(
  sourcePort: u32,
  destinationPort: u32,
  textBytes: u32,
  textSum: u32,
): void {
  const header = based(SCRATCH);
  const ports = bswap<u32>((sourcePort << 16) | destinationPort);
  const length = rev16(UDP_HEADER_BYTES + textBytes);
  const sum = ipAddressesSum() + (IPPROTO_UDP << 8) + 2 * length + halves(ports) + textSum;
  let field = <u32>sumField(sum);
  // 0 would say that there is no checksum.
  if (field == 0) field = 0xffff;
  store<u32>(header, ports);
  store<u32>(header, length | (field << 16), 4);
}

/**
 * Sends `bytes` bytes at `from` as one datagram; address and port 0 = to the connected peer. Returns `bytes`, or -EDESTADDRREQ,
 * -EMSGSIZE, -EACCES (broadcast without SO_BROADCAST), the pending error of a connected socket (RFC 1122 4.1.3.3; told once),
 * -ENETUNREACH, -EHOSTUNREACH, -EAGAIN (no room now, or the neighbour's address is being asked for and the
 * datagram does not fit the slot for waiting packets), or what `udpBind` says.
 */
export function udpSend(slot: u32, from: usize, bytes: u32, address: u32, port: u32): i32 {
  const sending = udpSlot(slot);
  if (port == 0) {
    address = sending.peerAddress;
    port = <u32>sending.peerPort;
  }
  if (address == 0) return -EDESTADDRREQ;
  if (port == 0) return -EDESTADDRREQ;
  if (sending.error != 0) return -udpTakeError(slot);
  const total = IP_HEADER_BYTES + UDP_HEADER_BYTES + bytes;
  let refused: i32;
  // Who was sent to just before is one host, and the way there is known.
  if (ipRouteStands(address) && isPlain(sending, bytes)) refused = ipRouteAgain(total);
  else refused = route(slot, address, bytes);
  if (refused != 0) return refused;
  let ttl = <u32>sending.ttl;
  if (MULTICAST_GROUPS != 0 && isGroup(address)) ttl = groupTtl(slot);
  ipHeader(total, sending.tos, ttl | (IPPROTO_UDP << 8));
  udpHeader(sending.localPort, port, bytes, checksumOf(from, bytes));
  ipHeadersWrite(UDP_HEADER_BYTES);
  ipWrite(from, bytes);
  // Time to live 0: ourselves only.
  if (MULTICAST_GROUPS != 0 && ttl == 0) ipCancel();
  else ipEnd();
  if (MULTICAST_GROUPS != 0 && isGroup(address))
    groupLoop(slot, sourceTo(sending, address), address, from, bytes, UDP_HEADER_BYTES);
  count(Counter.UDP_OUT);
  return <i32>bytes;
}

/** True for a socket that has a port and sends as ourselves, by any device. */
function isPlain(sending: UdpSlot, bytes: u32): bool {
  if (sending.localAddress != 0 || sending.localPort == 0) return false;
  return bytes <= DATAGRAM_BYTES_MAX && !udpByDevice(sending);
}

/** Address that a socket sends from to `address`; 0 = it has no route there. */
function sourceTo(sending: UdpSlot, address: u32): u32 {
  const bound = sending.localAddress;
  // A socket that is bound to a broadcast address or a group listens there and sends as ourselves.
  const listens = bound == 0xffffffff || (MULTICAST_GROUPS != 0 && isGroup(bound));
  return bound == 0 || listens ? udpSource(sending, address) : bound;
}

/** Opens the packet for a datagram of `bytes`, whatever has to be found out first: 0, or what `udpSend` says. */
function route(slot: u32, address: u32, bytes: u32): i32 {
  const sending = udpSlot(slot);
  if (address != headerHost() && !udpMayReach(sending, address)) return -EACCES;
  if (bytes > DATAGRAM_BYTES_MAX) return -EMSGSIZE;
  if (udpBarred(sending, address)) return -ENETUNREACH;
  if (sending.localPort == 0) {
    const bound = udpBind(slot, 0, 0);
    if (bound < 0) return bound;
  }
  const source = sourceTo(sending, address);
  if (source == 0) return -ENETUNREACH;
  const total = IP_HEADER_BYTES + UDP_HEADER_BYTES + bytes;
  const refused = ipRoute(source, address, total, ARP_PENDING_BYTES != 0);
  return refused == -EINPROGRESS ? -EAGAIN : refused;
}

/**
 * Takes the oldest datagram: up to `capacity` bytes to `to`, the rest of it is lost (left there when `peek`). The sender's address and
 * port go to the two words at `peer`, if that is not 0. Returns the bytes copied (with `whole` the datagram's), or -EAGAIN when there
 * is none, or the error that ICMP told of a connected socket's peer (RFC 1122 4.1.3.3), once.
 */
export function udpReceive(
  slot: u32,
  to: usize,
  capacity: u32,
  peer: usize,
  peek: bool,
  whole: bool,
): i32 {
  const receiving = udpSlot(slot);
  if (receiving.error != 0) return -udpTakeError(slot);
  if (receiving.used == 0) return -EAGAIN;
  const ring = udpRing(slot);
  const head = <u32>receiving.head;
  const portAndBytes = load<u32>(ring + ((head + 8) & RING_MASK));
  const bytes = portAndBytes & 0xffff;
  if (peer != 0) {
    store<u32>(peer, load<u32>(ring + head));
    store<u32>(peer, portAndBytes >>> 16, 4);
  }
  if (SOCKET_MORE_OPTIONS) {
    sentFrom = load<u32>(ring + head);
    sentTo = load<u32>(ring + ((head + 4) & RING_MASK));
  }
  if (!peek) {
    // Its bytes stay until the next one comes, which is no sooner than we are done here.
    const total = DATAGRAM_HEADER_BYTES + ((bytes + 3) & ~3);
    receiving.head = <u16>((head + total) & RING_MASK);
    receiving.used = <u16>(<u32>receiving.used - total);
  }
  const copied = min(bytes, capacity);
  const textAt = (head + DATAGRAM_HEADER_BYTES) & RING_MASK;
  if (textAt + copied > UDP_RX_BYTES) copyAround(to, ring, textAt, copied);
  else memory.copy(to, ring + textAt, copied);
  return <i32>(whole ? bytes : copied);
}

/** Copies text that goes on at the begin of the ring. */
function copyAround(to: usize, ring: usize, at: u32, bytes: u32): void {
  const first = UDP_RX_BYTES - at;
  memory.copy(to, ring + at, first);
  memory.copy(to + first, ring, bytes - first);
}

/**
 * The oldest datagram in place: its bytes, in one or two spans (address and length each) written to `spans`, its sender to the
 * two words at `peer` unless that is 0. -EAGAIN, or the error that ICMP told.
 */
export function udpBorrow(slot: u32, spans: usize, peer: usize): i32 {
  const receiving = udpSlot(slot);
  if (receiving.error != 0) return -udpTakeError(slot);
  if (receiving.used == 0) return -EAGAIN;
  const ring = udpRing(slot);
  const head = <u32>receiving.head;
  const portAndBytes = load<u32>(ring + ((head + 8) & RING_MASK));
  const bytes = portAndBytes & 0xffff;
  if (peer != 0) {
    store<u32>(peer, load<u32>(ring + head));
    store<u32>(peer, portAndBytes >>> 16, 4);
  }
  const textAt = (head + DATAGRAM_HEADER_BYTES) & RING_MASK;
  const first = min(bytes, UDP_RX_BYTES - textAt);
  store<usize>(spans, ring + textAt);
  store<u32>(spans, first, 4);
  store<usize>(spans, ring, 8);
  store<u32>(spans, bytes - first, 12);
  return <i32>bytes;
}

/** The oldest datagram was read in place: its room is free. */
export function udpRelease(slot: u32): void {
  const receiving = udpSlot(slot);
  if (receiving.used == 0) return;
  const total = DATAGRAM_HEADER_BYTES + ((udpNextBytes(slot) + 3) & ~3);
  receiving.head = <u16>((<u32>receiving.head + total) & RING_MASK);
  receiving.used = <u16>(<u32>receiving.used - total);
}

/** Where the datagram came from that was received last. */
export function udpSentFrom(): u32 {
  return sentFrom;
}

/** Where it was sent to (IP_PKTINFO). */
export function udpSentTo(): u32 {
  return sentTo;
}

/** True when a datagram waits. */
export function udpReadable(slot: u32): bool {
  return udpSlot(slot).used != 0;
}

/** Bytes of the oldest datagram; 0 when there is none. */
export function udpNextBytes(slot: u32): u32 {
  const receiving = udpSlot(slot);
  if (receiving.used == 0) return 0;
  return load<u32>(udpRing(slot) + ((<u32>receiving.head + 8) & RING_MASK)) & 0xffff;
}

/** True when a datagram could be sent now, by whichever socket. */
export function udpWritable(): bool {
  return linkTxReady();
}
