import { based, checksumOf } from "cpu";
import { IP_REASSEMBLY_BYTES, IP_REASSEMBLY_SLOTS } from "../config";
import { linkRead, linkReplay } from "../link/device";
import { isDue, now } from "../now";
import { Counter, count } from "../statistics";
import { TIMER_IP, timerArmed, timerSet } from "../time/timers";
import { Be } from "../wire/bytes";
import { IPPROTO_TCP, IP_HEADER_BYTES, RxPacket } from "./packet";

/**
 * Fragments become the datagram again (RFC 791 3.2, RFC 1122 3.3.2) in a fixed number of places. Each keeps a list of the
 * fragments it has, so that one that overlaps another, which no honest sender makes, spoils the datagram (RFC 5722), while an
 * exact duplicate is passed over. Nothing is written twice.
 */

/** RFC 1122 3.3.2: between 60 and 120 s from the first fragment on, whatever comes after it. */
const LIFE_MS: u32 = 60_000;
/** Fragments of a datagram at most: one that is cut smaller is no use to anybody but an attacker. */
const FRAGMENTS: u32 = 16;
/** The longest IP header, and eight bytes of payload behind it: what an ICMP error quotes. */
const HEADER_BYTES: u32 = 68;
/** RFC 791 3.1: a datagram has 65535 bytes at most, and its header 20 at least. */
const PAYLOAD_MAX: u32 = 65535 - IP_HEADER_BYTES;
/** Fragment offsets count in these. */
const UNIT_SHIFT: u32 = 3;
const MORE_FRAGMENTS: u32 = 0x2000;
const OFFSET_MASK: u32 = 0x1fff;
/** ECN field (RFC 3168 5): congestion experienced. */
const ECN_MASK: u32 = 3;

@unmanaged
class Fragment {
  left: u16;
  right: u16;
}

/** A datagram that is being put together. */
@unmanaged
class Assembly {
  source: u32;
  destination: u32;
  /** When its first fragment came. */
  born: u32;
  identification: u16;
  protocol: u8;
  /** Fragments in its list; 0 = the place is free, unless it is spoiled. */
  fragments: u8;
  /** Bytes of payload: as known from the last fragment, 0 = not yet; and here already. */
  total: u16;
  received: u16;
  /** Bytes of the header of the fragment at offset 0; 0 = it is missing. */
  headerBytes: u8;
  /** A fragment came to more than one host. */
  toMany: bool;
  /** Nothing will become of it; what still comes of it is dropped. */
  spoiled: bool;
  /** ECN field of all fragments, ored. */
  ecn: u8;
}

if ((offsetof<Assembly>() & 3) != 0) ERROR("the table's records must stay word-aligned");

// The tables are constants of functions, so that an image without reassembly has none of them.

function assemblyAt(slot: u32): Assembly {
  const ASSEMBLIES: usize = memory.data(IP_REASSEMBLY_SLOTS * offsetof<Assembly>(), 4);
  assert(slot < IP_REASSEMBLY_SLOTS);
  return changetype<Assembly>(based(ASSEMBLIES) + slot * offsetof<Assembly>());
}

function fragmentAt(slot: u32, index: u32): Fragment {
  const LISTS: usize = memory.data(IP_REASSEMBLY_SLOTS * FRAGMENTS * offsetof<Fragment>(), 4);
  assert(index < FRAGMENTS);
  return changetype<Fragment>(based(LISTS) + (slot * FRAGMENTS + index) * offsetof<Fragment>());
}

function headerOf(slot: u32): usize {
  const HEADERS: usize = memory.data(IP_REASSEMBLY_SLOTS * HEADER_BYTES, 4);
  return HEADERS + slot * HEADER_BYTES;
}

function payloadOf(slot: u32): usize {
  const PAYLOADS: usize = memory.data(IP_REASSEMBLY_SLOTS * IP_REASSEMBLY_BYTES, 4);
  return PAYLOADS + slot * IP_REASSEMBLY_BYTES;
}

function inUse(assembly: Assembly): bool {
  return assembly.fragments != 0 || assembly.spoiled;
}

function free(assembly: Assembly): void {
  assembly.fragments = 0;
  assembly.spoiled = false;
}

/** Place of the datagram that a fragment belongs to (RFC 791 3.2: source, destination, protocol, identification), or SLOTS. */
function find(packet: RxPacket, identification: u32): u32 {
  for (let slot: u32 = 0; slot < IP_REASSEMBLY_SLOTS; slot++) {
    const assembly = assemblyAt(slot);
    if (
      inUse(assembly) &&
      assembly.source == packet.source &&
      assembly.destination == packet.destination &&
      <u32>assembly.identification == identification &&
      assembly.protocol == packet.protocol
    ) {
      return slot;
    }
  }
  return IP_REASSEMBLY_SLOTS;
}

/** The older of two places for the victim of a full table; a spoiled one is older than any other. */
function older(slot: u32, than: u32): bool {
  if (than == IP_REASSEMBLY_SLOTS) return true;
  const a = assemblyAt(slot);
  const b = assemblyAt(than);
  if (a.spoiled != b.spoiled) return a.spoiled;
  return <i32>(a.born - b.born) < 0;
}

/**
 * A place for a new datagram. One source has half of them at most, its own oldest gives way for it; when all are in use the
 * oldest of all does, so that lost fragments never keep new datagrams out.
 */
function allocate(source: u32): u32 {
  let unused = IP_REASSEMBLY_SLOTS;
  let oldest = IP_REASSEMBLY_SLOTS;
  let oldestOfSource = IP_REASSEMBLY_SLOTS;
  let ofSource: u32 = 0;
  for (let slot: u32 = 0; slot < IP_REASSEMBLY_SLOTS; slot++) {
    const assembly = assemblyAt(slot);
    if (!inUse(assembly)) {
      unused = slot;
      continue;
    }
    if (older(slot, oldest)) oldest = slot;
    if (assembly.source != source) continue;
    ofSource += 1;
    if (older(slot, oldestOfSource)) oldestOfSource = slot;
  }
  const share = max<u32>(IP_REASSEMBLY_SLOTS >>> 1, 1);
  if (ofSource >= share) unused = IP_REASSEMBLY_SLOTS;
  if (unused != IP_REASSEMBLY_SLOTS) return unused;
  count(Counter.IP_REASSEMBLY_FAILED);
  return ofSource >= share ? oldestOfSource : oldest;
}

function begin(packet: RxPacket, identification: u32): u32 {
  const slot = allocate(packet.source);
  const assembly = assemblyAt(slot);
  memory.fill(changetype<usize>(assembly), 0, offsetof<Assembly>());
  assembly.source = packet.source;
  assembly.destination = packet.destination;
  assembly.identification = <u16>identification;
  assembly.protocol = packet.protocol;
  assembly.born = now();
  if (!timerArmed(TIMER_IP)) timerSet(TIMER_IP, now() + LIFE_MS);
  return slot;
}

function spoil(slot: u32): void {
  if (slot == IP_REASSEMBLY_SLOTS) return;
  count(Counter.IP_REASSEMBLY_FAILED);
  assemblyAt(slot).spoiled = true;
}

/** True when a fragment cannot be part of any datagram that we take, or is a known attack (RFC 1858 3, RFC 3128). */
function unfit(packet: RxPacket, left: u32, more: bool): bool {
  const bytes = packet.payloadBytes;
  if (bytes == 0 || (more && (bytes & 7) != 0)) return true;
  if (left + bytes > min<u32>(PAYLOAD_MAX, IP_REASSEMBLY_BYTES)) return true;
  if (packet.protocol != <u8>IPPROTO_TCP) return false;
  // A TCP header is not cut in pieces, and nobody writes over one.
  return left == 8 || (left == 0 && bytes < 20);
}

const enum Fit {
  NEW,
  DUPLICATE,
  CONTRADICTION,
}

/** How the bytes [left, right) fit with what is here of their datagram. */
function fitOf(slot: u32, left: u32, right: u32, more: bool): Fit {
  const assembly = assemblyAt(slot);
  const total = <u32>assembly.total;
  const fragments = <u32>assembly.fragments;
  for (let index: u32 = 0; index < fragments; index++) {
    const other = fragmentAt(slot, index);
    const otherLeft = <u32>other.left;
    const otherRight = <u32>other.right;
    if (otherLeft == left && otherRight == right && more == (right != total)) return Fit.DUPLICATE;
    if (left < otherRight && otherLeft < right) return Fit.CONTRADICTION;
    // Beyond what this one says is the end.
    if (!more && otherRight > right) return Fit.CONTRADICTION;
  }
  if (total != 0 && (more ? right >= total : right != total)) return Fit.CONTRADICTION;
  return fragments == FRAGMENTS ? Fit.CONTRADICTION : Fit.NEW;
}

/**
 * Takes a fragment, whose header and addresses are good. True when it completes its datagram: then `packet` describes that
 * one, its payload is read from memory as if it came from the device, and its header stands as if it had never been cut.
 */
export function reassemble(packet: RxPacket): bool {
  count(Counter.IP_FRAGMENT);
  const field = Be.load16(packet.header + 6);
  const more = (field & MORE_FRAGMENTS) != 0;
  const left = (field & OFFSET_MASK) << UNIT_SHIFT;
  const right = left + packet.payloadBytes;
  const identification = Be.load16(packet.header + 4);
  let slot = find(packet, identification);
  if (slot != IP_REASSEMBLY_SLOTS && assemblyAt(slot).spoiled) return false;
  if (unfit(packet, left, more)) {
    spoil(slot);
    return false;
  }
  if (slot == IP_REASSEMBLY_SLOTS) slot = begin(packet, identification);
  const fit = fitOf(slot, left, right, more);
  if (fit != Fit.NEW) {
    if (fit == Fit.CONTRADICTION) spoil(slot);
    return false;
  }
  const assembly = assemblyAt(slot);
  const fragment = fragmentAt(slot, <u32>assembly.fragments);
  fragment.left = <u16>left;
  fragment.right = <u16>right;
  assembly.fragments += 1;
  assembly.received = <u16>(<u32>assembly.received + packet.payloadBytes);
  if (!more) assembly.total = <u16>right;
  if (packet.linkBroadcast) assembly.toMany = true;
  assembly.ecn |= <u8>((<u32>packet.tos) & ECN_MASK);
  if (left == 0) {
    assembly.headerBytes = <u8>packet.headerBytes;
    memory.copy(headerOf(slot), packet.header, packet.headerBytes);
  }
  linkRead(payloadOf(slot) + left, packet.payloadBytes);
  if (assembly.total == 0 || assembly.received != assembly.total) return false;
  finish(slot, packet);
  return true;
}

/** All is here. The place is free from now on: nothing takes it before the datagram has been read. */
function finish(slot: u32, packet: RxPacket): void {
  const assembly = assemblyAt(slot);
  const header = headerOf(slot);
  const total = <u32>assembly.total;
  describe(slot, packet);
  packet.payloadBytes = total;
  // RFC 3168 5.3: congestion that one fragment met was met by the datagram.
  packet.tos = <u8>(((<u32>load<u8>(header, 1)) & ~ECN_MASK) | (<u32>assembly.ecn));
  store<u8>(header, packet.tos, 1);
  Be.store16(header + 2, packet.headerBytes + total);
  store<u16>(header, 0, 6);
  store<u16>(header, 0, 10);
  store<u16>(header, <u16>~checksumOf(header, packet.headerBytes), 10);
  packet.payload = payloadOf(slot);
  linkReplay(payloadOf(slot), 0xffff, 0, total);
  free(assembly);
  count(Counter.IP_REASSEMBLED);
}

/** What an upper layer, or an ICMP error, must know of the datagram. */
function describe(slot: u32, packet: RxPacket): void {
  const assembly = assemblyAt(slot);
  packet.source = assembly.source;
  packet.destination = assembly.destination;
  packet.linkBroadcast = assembly.toMany;
  packet.header = headerOf(slot);
  packet.headerBytes = <u32>assembly.headerBytes;
}

/**
 * Called until it returns null when the timer has come: a datagram whose time is over and whose first fragment is here, with
 * the eight bytes behind its header, so that its sender can be told (RFC 1122 3.3.2). The others go without a word.
 */
export function reassemblyExpired(): RxPacket | null {
  const packet: RxPacket = changetype<RxPacket>(memory.data(offsetof<RxPacket>(), 4));
  let next: u32 = 0;
  for (let slot: u32 = 0; slot < IP_REASSEMBLY_SLOTS; slot++) {
    const assembly = assemblyAt(slot);
    if (!inUse(assembly)) continue;
    const due = assembly.born + LIFE_MS;
    if (!isDue(due)) {
      if (next == 0 || <i32>(due - next) < 0) next = max<u32>(due, 1);
      continue;
    }
    const silent = assembly.spoiled || assembly.headerBytes == 0;
    if (!assembly.spoiled) count(Counter.IP_REASSEMBLY_FAILED);
    free(assembly);
    if (silent) continue;
    describe(slot, packet);
    packet.payloadBytes = 8;
    memory.copy(packet.header + packet.headerBytes, payloadOf(slot), 8);
    // The others have their turn in the next call.
    return packet;
  }
  if (next != 0) timerSet(TIMER_IP, next);
  return null;
}
