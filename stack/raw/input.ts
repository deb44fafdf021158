import { RAW_RX_BYTES, RAW_SOCKETS } from "../config";
import { ECONNREFUSED, EMSGSIZE, ENOPROTOOPT } from "../errors";
import { ICMP_UNREACHABLE } from "../icmp/output";
import { IPPROTO_ICMP, RxPacket } from "../ip/packet";
import { linkRead, linkReplay } from "../link/device";
import { POLLERR, POLLIN, POLLOUT } from "../posix";
import { ready } from "../readiness";
import { Counter, count } from "../statistics";
import { RAW_ENTRY_BYTES, RawFlag, RawSlot, rawHas, rawRing, rawSlot } from "./slots";

const MASK: u32 = RAW_RX_BYTES - 1;
const NO_RING: u32 = 0xffffffff;

/** True when a socket wants packets like this one, as far as the IP header tells. */
function wants(slot: RawSlot, packet: RxPacket): bool {
  return (
    slot.open &&
    slot.protocol == packet.protocol &&
    (slot.peerAddress == 0 || slot.peerAddress == packet.source) &&
    (slot.localAddress == 0 || slot.localAddress == packet.destination)
  );
}

/**
 * Gives a copy of the open packet, IP header and all, to every raw socket of its protocol. It comes off the wire once: into the
 * first ring with room, and from there into the others and to the stack, which reads it after this as if nothing had been.
 * True = there was a socket for it.
 */
export function rawInput(packet: RxPacket): bool {
  let heard = false;
  let first = NO_RING;
  let textAt: u32 = 0;
  for (let number: u32 = 0; number < RAW_SOCKETS; number++) {
    const slot = rawSlot(number);
    if (!wants(slot, packet)) continue;
    heard = true;
    const bytes = packet.headerBytes + packet.payloadBytes;
    const total = RAW_ENTRY_BYTES + ((bytes + 3) & ~3);
    if (total > RAW_RX_BYTES - <u32>slot.used) {
      count(Counter.RAW_RING_FULL);
      continue;
    }
    const entry = <u32>slot.head + <u32>slot.used;
    store<u32>(rawRing(number) + (entry & MASK), bytes);
    const at = entry + RAW_ENTRY_BYTES;
    if (first == NO_RING) {
      first = number;
      textAt = at + packet.headerBytes;
      headerIn(rawRing(number), at, packet);
      payloadIn(rawRing(number), textAt, packet.payloadBytes);
    } else {
      copyAcross(rawRing(first), textAt - packet.headerBytes, rawRing(number), at, bytes);
    }
    // What stays out of the account is overwritten by the next packet.
    if (filtered(slot, packet, rawRing(first) + (textAt & MASK))) continue;
    slot.used = <u16>(<u32>slot.used + total);
    ready(<u32>slot.socket, POLLIN);
  }
  if (first != NO_RING) linkReplay(rawRing(first), MASK, textAt, packet.payloadBytes);
  return heard;
}

/** ICMP_FILTER: the type stands first in the message. */
function filtered(slot: RawSlot, packet: RxPacket, message: usize): bool {
  if (slot.icmpFilter == 0 || packet.protocol != <u8>IPPROTO_ICMP) return false;
  const type = <u32>load<u8>(message);
  return packet.payloadBytes != 0 && type < 32 && ((slot.icmpFilter >>> type) & 1) != 0;
}

function headerIn(ring: usize, at: u32, packet: RxPacket): void {
  for (let i: u32 = 0; i < packet.headerBytes; i += 4) {
    store<u32>(ring + ((at + i) & MASK), load<u32>(packet.header + i));
  }
}

function payloadIn(ring: usize, at: u32, bytes: u32): void {
  const start = at & MASK;
  const first = min(bytes, RAW_RX_BYTES - start);
  linkRead(ring + start, first);
  if (first != bytes) linkRead(ring, bytes - first);
}

/** From ring to ring; both places are word-aligned. */
function copyAcross(from: usize, fromAt: u32, to: usize, toAt: u32, bytes: u32): void {
  for (let i: u32 = 0; i < bytes; i += 4) {
    store<u32>(to + ((toAt + i) & MASK), load<u32>(from + ((fromAt + i) & MASK)));
  }
}

/**
 * An ICMP error about a packet of this protocol that we have sent: a connected socket is told at its next call, of those that
 * Linux takes for lasting (raw(7)): protocol or port unreachable, packet too long.
 */
export function rawIcmpError(
  protocol: u32,
  type: u32,
  code: u32,
  source: u32,
  destination: u32,
): void {
  if (type != ICMP_UNREACHABLE || code < 2 || code > 4) return;
  for (let number: u32 = 0; number < RAW_SOCKETS; number++) {
    const slot = rawSlot(number);
    if (!slot.open || slot.protocol != <u8>protocol || !rawHas(slot, RawFlag.CONNECTED)) continue;
    if (slot.peerAddress != destination) continue;
    if (slot.localAddress != 0 && slot.localAddress != source) continue;
    if (code == 4) slot.error = <u16>EMSGSIZE;
    else slot.error = <u16>(code == 2 ? ENOPROTOOPT : ECONNREFUSED);
    ready(<u32>slot.socket, POLLIN | POLLOUT | POLLERR);
  }
}
