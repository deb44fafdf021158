import { based } from "cpu";
import { RecordNumber } from "options";
import {
  INTERFACES,
  MULTICAST_GROUPS,
  SOCKET_MORE_OPTIONS,
  UDP,
  UDP_RX_BYTES,
  UDP_SOCKETS,
} from "../config";
import { EACCES, EADDRINUSE, EADDRNOTAVAIL, EINVAL, ENETUNREACH, ENOBUFS } from "../errors";
import { isOurs, isSubnetBroadcast } from "../interface";
import { routeSource, routeSourceOn } from "../ip/ipv4-output";
import { deviceHeard } from "../ip/routes";
import { DEFAULT_TTL, isLoopback } from "../ip/packet";
import { keyedHash, random32 } from "../random";

/**
 * UDP sockets: one record and one receive ring each, found by local port through a small hash table. Addresses and ports in
 * host order; local address 0 = any, remote port 0 = not connected, local port 0 = not bound.
 */
@unmanaged
export class UdpSlot {
  localAddress: u32;
  peerAddress: u32;
  localPort: u16;
  peerPort: u16;
  /** Offset of the oldest datagram in the ring. */
  head: u16;
  /** Bytes of the ring in use. */
  used: u16;
  /** errno to be told at the next call; 0 = none. */
  error: u16;
  /** Next slot of the same bucket, number plus one. */
  next: RecordNumber;
  open: bool;
  /** Socket that owns it. */
  socket: RecordNumber;
  /** Type of service and time to live of datagrams. */
  tos: u8;
  ttl: u8;
  /** UdpFlag bits. */
  flags: u8;
}

export const enum UdpFlag {
  /** SO_BROADCAST: may send to broadcast addresses. */
  BROADCAST = 1,
  /** SO_REUSEADDR: shares its port with others that have it too. */
  REUSE = 2,
  /** SO_REUSEPORT: the same, and datagrams are spread over them. */
  REUSE_PORT = 4,
  /** IP_PKTINFO: where a datagram was sent to is kept for recvmsg(). */
  PACKET_INFO = 8,
  /** SO_BINDTODEVICE; both: the second Ethernet interface. */
  LOOPBACK_ONLY = 16,
  ETHERNET_ONLY = 32,
  /** IP_RECVERR: errors are kept, and told to sockets without a peer, too. */
  ERRORS = 64,
}

/** Flags by which a socket uses one device alone; together they are the device's number. */
const DEVICES: u32 = UdpFlag.LOOPBACK_ONLY | UdpFlag.ETHERNET_ONLY;
const DEVICE_SHIFT: u32 = 4;

/** Flags by which sockets share a port. */
const SHARING: u32 = UdpFlag.REUSE | UdpFlag.REUSE_PORT;

/**
 * In the ring each datagram stands behind 12 bytes: source address, destination address, source port, length, and is filled
 * up to a multiple of four.
 */
export const DATAGRAM_HEADER_BYTES: u32 = 12;

const BUCKETS: u32 = 8;
const LINK_BYTES: u32 = <u32>sizeof<RecordNumber>();
const TABLE: usize = memory.data(UDP ? BUCKETS * LINK_BYTES : 0, LINK_BYTES);
/** Whole words, whatever the width of a record's number is. */
const SLOT_BYTES: u32 = (offsetof<UdpSlot>() + 3) & ~3;
const SLOTS: usize = memory.data(SLOT_BYTES * UDP_SOCKETS, 4);
const RINGS: usize = memory.data(UDP_RX_BYTES * UDP_SOCKETS, 4);

/** RFC 6056 3.2: all ports that need no privilege. */
const EPHEMERAL_FIRST: u32 = 1024;
const EPHEMERAL_COUNT: u32 = 65536 - EPHEMERAL_FIRST;
const DHCP_CLIENT_PORT: u32 = 68;

export function udpSlot(slot: u32): UdpSlot {
  // Where there is none, nothing that asks for one is left in the image.
  if (UDP_SOCKETS == 0) unreachable();
  assert(slot < UDP_SOCKETS);
  return changetype<UdpSlot>(based(SLOTS) + slot * SLOT_BYTES);
}

/** Ring of a slot, UDP_RX_BYTES long. */
export function udpRing(slot: u32): usize {
  return RINGS + slot * UDP_RX_BYTES;
}

function bucket(port: u32): usize {
  return TABLE + (port & (BUCKETS - 1)) * LINK_BYTES;
}

/** A free slot, unbound, for `socket`; -ENOBUFS when there is none. */
export function udpOpen(socket: u32): i32 {
  for (let i: u32 = 0; i < UDP_SOCKETS; i++) {
    const slot = udpSlot(i);
    if (slot.open) continue;
    memory.fill(changetype<usize>(slot), 0, SLOT_BYTES);
    slot.open = true;
    slot.socket = <RecordNumber>socket;
    slot.ttl = <u8>DEFAULT_TTL;
    return <i32>i;
  }
  return -ENOBUFS;
}

/** Frees a slot and what waits in it. */
export function udpClose(slot: u32): void {
  const closing = udpSlot(slot);
  if (closing.localPort != 0) {
    let link = bucket(<u32>closing.localPort);
    for (let steps: u32 = 0; steps < UDP_SOCKETS; steps++) {
      const number = <u32>load<RecordNumber>(link);
      if (number == slot + 1) {
        store<RecordNumber>(link, closing.next);
        break;
      }
      link = changetype<usize>(udpSlot(number - 1)) + offsetof<UdpSlot>("next");
    }
  }
  closing.open = false;
}

/** True when a socket is bound to this port at an address that overlaps, and they do not both ask to share it. */
function inUse(address: u32, port: u32, sharing: u32): bool {
  if (port == DHCP_CLIENT_PORT) return true;
  let link = <u32>load<RecordNumber>(bucket(port));
  for (let steps: u32 = 0; link != 0 && steps < UDP_SOCKETS; steps++) {
    const other = udpSlot(link - 1);
    const overlap = address == 0 || other.localAddress == 0 || other.localAddress == address;
    const shared = ((<u32>other.flags) & sharing) != 0;
    if (overlap && !shared && other.localPort == <u16>port) return true;
    link = <u32>other.next;
  }
  return false;
}

/** True when no socket has this port. */
export function udpPortFree(port: u32): bool {
  return !inUse(0, port, 0);
}

/** A free port by random choice (RFC 6056 3.3.1), then the next free ones; 0 = none. */
function ephemeralPort(address: u32): u32 {
  let offset = ((random32() >>> 16) * EPHEMERAL_COUNT) >>> 16;
  // No more ports than sockets can be taken.
  for (let i: u32 = 0; i <= UDP_SOCKETS + 1; i++) {
    if (!inUse(address, EPHEMERAL_FIRST + offset, 0)) return EPHEMERAL_FIRST + offset;
    offset = offset + 1 == EPHEMERAL_COUNT ? 0 : offset + 1;
  }
  return 0;
}

/**
 * Binds a slot; address 0 = any, port 0 = a free one. -EADDRINUSE, -EADDRNOTAVAIL (not ours), -EINVAL when it is bound
 * already, by bind() or because it has sent or connected: nothing is changed then.
 */
export function udpBind(slot: u32, address: u32, port: u32): i32 {
  const binding = udpSlot(slot);
  const ours =
    address == 0 ||
    address == 0xffffffff ||
    isOurs(address) ||
    isSubnetBroadcast(address) ||
    isLoopback(address) ||
    (MULTICAST_GROUPS != 0 && address >>> 28 == 14);
  if (!ours) return -EADDRNOTAVAIL;
  if (binding.localPort != 0) return -EINVAL;
  if (port == 0) port = ephemeralPort(address);
  else if (inUse(address, port, (<u32>binding.flags) & SHARING)) return -EADDRINUSE;
  if (port == 0) return -EADDRINUSE;
  binding.localAddress = address;
  binding.localPort = <u16>port;
  const head = bucket(port);
  binding.next = load<RecordNumber>(head);
  store<RecordNumber>(head, <RecordNumber>(slot + 1));
  return 0;
}

/** False for a broadcast address without SO_BROADCAST: sending there has to be asked for (send(2): EACCES). */
export function udpMayReach(slot: UdpSlot, address: u32): bool {
  if (((<u32>slot.flags) & UdpFlag.BROADCAST) != 0) return true;
  return address != 0xffffffff && !isSubnetBroadcast(address);
}

/**
 * Connects a slot: only this peer is heard, and it is where `udpSend` sends. Address and port 0 dissolve it. -ENETUNREACH,
 * -EACCES (a broadcast address without SO_BROADCAST), or what `udpBind` says.
 */
export function udpConnect(slot: u32, address: u32, port: u32): i32 {
  const connecting = udpSlot(slot);
  if (address != 0 && udpSource(connecting, address) == 0) return -ENETUNREACH;
  if (!udpMayReach(connecting, address)) return -EACCES;
  if (connecting.localPort == 0) {
    const bound = udpBind(slot, 0, 0);
    if (bound < 0) return bound;
  }
  connecting.peerAddress = address;
  connecting.peerPort = <u16>port;
  return 0;
}

/** True when a slot is bound to a device. */
export function udpByDevice(slot: UdpSlot): bool {
  return SOCKET_MORE_OPTIONS && ((<u32>slot.flags) & DEVICES) != 0;
}

/** True when a slot may not send to this address by the device that it is bound to. */
export function udpBarred(slot: UdpSlot, address: u32): bool {
  if (INTERFACES > 1) return false;
  return SOCKET_MORE_OPTIONS && ((<u32>slot.flags) & DEVICES) != 0 && elsewhere(slot, address);
}

function elsewhere(slot: UdpSlot, address: u32): bool {
  return deviceHeard(address) != ((<u32>slot.flags) & DEVICES) >>> DEVICE_SHIFT;
}

/** True when a slot may not hear the open packet from this address by the device that it is bound to. */
function deaf(slot: UdpSlot, source: u32): bool {
  return SOCKET_MORE_OPTIONS && ((<u32>slot.flags) & DEVICES) != 0 && elsewhere(slot, source);
}

/** Address that the slot sends from to `address` if it is bound to none; 0 = it has no route there, by its device if it has one. */
export function udpSource(slot: UdpSlot, address: u32): u32 {
  if (INTERFACES == 1 || !SOCKET_MORE_OPTIONS) return routeSource(address);
  return routeSourceOn(((<u32>slot.flags) & DEVICES) >>> DEVICE_SHIFT, address);
}

/**
 * Slot that takes a datagram from `source` to `destination`, plus one; 0 = none. Of several that share the port
 * (SO_REUSEADDR) the most exact one: connected to the sender, then bound to the address, then the newest; of equals that
 * share it to divide the work (SO_REUSEPORT) a keyed hash of the sender chooses.
 */
export function udpFind(destination: u32, destinationPort: u32, source: u32, sourcePort: u32): u32 {
  let link = <u32>load<RecordNumber>(bucket(destinationPort));
  let found: u32 = 0;
  let best: u32 = 0;
  let equals: u32 = 0;
  for (let steps: u32 = 0; link != 0 && steps < UDP_SOCKETS; steps++) {
    const slot = udpSlot(link - 1);
    if (udpHears(slot, destination, destinationPort, source, sourcePort)) {
      const score: u32 = 1 + (slot.peerPort != 0 ? 2 : 0) + (slot.localAddress != 0 ? 1 : 0);
      if (score > best) {
        best = score;
        found = link;
        equals = 0;
      } else if (score == best && ((<u32>slot.flags) & UdpFlag.REUSE_PORT) != 0) {
        // Each further one takes its share: a half, a third …
        equals += 1;
        if (keyedHash(source, sourcePort, destinationPort + (equals << 16)) % (equals + 1) == 0)
          found = link;
      }
    }
    link = <u32>slot.next;
  }
  return found;
}

/**
 * True when this slot, the first of its chain, takes the datagram to `address` and `port`, and no other has a say in it: it has no peer, or
 * `source` and `sourcePort` are its peer.
 */
export function udpIsPlain(
  slot: UdpSlot,
  address: u32,
  port: u32,
  source: u32,
  sourcePort: u32,
): bool {
  if (<u32>slot.localPort != port) return false;
  if (slot.next != 0) return false;
  if (slot.peerPort != 0) {
    if (<u32>slot.peerPort != sourcePort || slot.peerAddress != source) return false;
  }
  if (SOCKET_MORE_OPTIONS && ((<u32>slot.flags) & DEVICES) != 0) return false;
  // Without an address nothing is for us.
  return slot.localAddress == address ? address != 0 : slot.localAddress == 0;
}

/** First slot of the chain of a port, plus one; 0 = none. */
export function udpBucket(port: u32): u32 {
  return <u32>load<RecordNumber>(bucket(port));
}

/** True when a slot hears the open datagram, which has these ends. */
export function udpHears(
  slot: UdpSlot,
  destination: u32,
  destinationPort: u32,
  source: u32,
  sourcePort: u32,
): bool {
  return (
    slot.localPort == <u16>destinationPort &&
    (slot.localAddress == 0 || slot.localAddress == destination) &&
    (slot.peerPort == 0 || (slot.peerPort == <u16>sourcePort && slot.peerAddress == source)) &&
    !deaf(slot, source)
  );
}

/** Takes the pending error of a slot: errno, 0 = none. */
export function udpTakeError(slot: u32): i32 {
  const taking = udpSlot(slot);
  const error = <i32>taking.error;
  taking.error = 0;
  return error;
}

/** True when an error waits to be told. */
export function udpHasError(slot: u32): bool {
  return udpSlot(slot).error != 0;
}

/** Address that the slot is bound to, or sends from when it is connected; 0 = any. */
export function udpLocalAddress(slot: u32): u32 {
  const at = udpSlot(slot);
  if (at.localAddress != 0 || at.peerPort == 0) return at.localAddress;
  return udpSource(at, at.peerAddress);
}

export function udpLocalPort(slot: u32): u32 {
  return <u32>udpSlot(slot).localPort;
}

/** Peer of a connected slot; port 0 = not connected. */
export function udpPeerAddress(slot: u32): u32 {
  return udpSlot(slot).peerAddress;
}

export function udpPeerPort(slot: u32): u32 {
  return <u32>udpSlot(slot).peerPort;
}
