import { based, checksumOf } from "cpu";
import {
  ACD,
  DHCP,
  IGMP,
  INTERFACES,
  IP_ANY_ADDRESS,
  IP_REASSEMBLY_SLOTS,
  MULTICAST_GROUPS,
  TCP_ALONE,
} from "../config";
import { isOurs, isUnicast, standsForAll } from "../interface";
import { deviceIsWire, linkInterface, linkRead, linkRxDevice } from "../link/device";
import { RX_NETWORK } from "../link/headers";
import { MESSAGE_SCRATCH } from "../scratch";
import { Counter, count } from "../statistics";
import { Be } from "../wire/bytes";
import { sumFold } from "../wire/checksum";
import { igmpMember } from "./igmp";
import { IPPROTO_UDP, IP_HEADER_BYTES, RxPacket, ipHeaderSum, isLoopback } from "./packet";
import { reassemble } from "./reassembly";

const OWN: usize = memory.data(TCP_ALONE ? 0 : offsetof<RxPacket>(), 4);
/**
 * Where the packet being received is described. Nobody but TCP asks for it, and not once the segment is being read: then it lies where the
 * segment comes to lie, and the options behind it.
 */
export const RX_PACKET: usize = TCP_ALONE ? MESSAGE_SCRATCH : OWN;

/** Flags and fragment offset as a plain 16-bit load sees them, DF left out: reserved bit, MF, offset. */
const FRAGMENT_MASK: u16 = 0xffbf;
/** The reserved bit, which is zero (RFC 791 3.1), likewise. */
const RESERVED_FLAG: u16 = 0x0080;

const OPTION_END: u32 = 0;
const OPTION_NO_OPERATION: u32 = 1;
const OPTION_LOOSE_SOURCE_ROUTE: u32 = 131;
const OPTION_STRICT_SOURCE_ROUTE: u32 = 137;

/** Walks the options (RFC 791 3.1): counter of the reason to drop the packet, or COUNT when all is well. */
function optionsFault(at: usize, bytes: u32): Counter {
  while (bytes > 0) {
    const kind = <u32>load<u8>(at);
    if (kind == OPTION_END) break;
    let length: u32 = 1;
    if (kind != OPTION_NO_OPERATION) {
      // RFC 7126 4.3, 4.4: source routes are a tool of attackers only.
      if (kind == OPTION_LOOSE_SOURCE_ROUTE || kind == OPTION_STRICT_SOURCE_ROUTE) {
        return Counter.IP_SOURCE_ROUTE;
      }
      length = bytes >= 2 ? <u32>load<u8>(at, 1) : 0;
      if (length < 2 || length > bytes) return Counter.IP_BAD_HEADER;
    }
    at += length;
    bytes -= length;
  }
  return Counter.COUNT;
}

/**
 * Counter of the reason why the addresses may not stand in a packet that came from this device (RFC 1122 3.2.1.3), or COUNT when they
 * may; sets `linkBroadcast`.
 */
function addressesFault(packet: RxPacket): Counter {
  const nif = linkInterface();
  const ours = ACD && nif.tentative ? 0 : nif.address;
  const source = packet.source;
  const destination = packet.destination;
  if (!deviceIsWire(<u32>packet.device)) {
    if (isLoopback(destination) || isSelf(destination, ours)) return Counter.COUNT;
    if (MULTICAST_GROUPS != 0 && igmpMember(destination)) {
      packet.linkBroadcast = true;
      return Counter.COUNT;
    }
    return Counter.IP_NOT_OURS;
  }
  // One host, not us and not ourselves' own network, may be a source: no 0/8, 127/8, class D or E, no broadcast.
  if (!isUnicast(source) || isLoopback(source) || source == ours) {
    return Counter.IP_BAD_SOURCE;
  }
  if (destination == 0xffffffff || (destination == nif.broadcast && ours != 0)) {
    packet.linkBroadcast = true;
    return Counter.COUNT;
  }
  if (IGMP && ours != 0 && igmpMember(destination)) {
    packet.linkBroadcast = true;
    return Counter.COUNT;
  }
  if (IP_ANY_ADDRESS && standsForAll && isUnicast(destination) && !isLoopback(destination)) {
    return packet.linkBroadcast ? Counter.IP_NOT_OURS : Counter.COUNT;
  }
  if (ours != 0) {
    // RFC 1122 3.3.6: a link broadcast that is no IP broadcast is discarded.
    return destination == ours && !packet.linkBroadcast ? Counter.COUNT : Counter.IP_NOT_OURS;
  }
  // RFC 2131 4.1: an offer may come to the address that is being offered.
  if (DHCP && packet.protocol == <u8>IPPROTO_UDP && isUnicast(destination)) {
    packet.linkBroadcast = true;
    return Counter.COUNT;
  }
  return Counter.IP_NOT_OURS;
}

/** What we have sent to ourselves may be for another interface than the one that it comes by. */
function isSelf(destination: u32, ours: u32): bool {
  return INTERFACES == 1
    ? destination == ours && ours != 0
    : isOurs(destination) && destination != 0;
}

/** Reads and checks the header; counter of the reason to drop the packet, or COUNT when it is good. */
function headerFault(packet: RxPacket, bytes: u32): Counter {
  const ip = based(RX_NETWORK);
  const first = <u32>load<u8>(ip);
  const headerBytes = (first & 15) << 2;
  const totalBytes = Be.load16(ip + 2);
  if (first >>> 4 != 4 || headerBytes < IP_HEADER_BYTES) return Counter.IP_BAD_HEADER;
  if (totalBytes < headerBytes || totalBytes > bytes) return Counter.IP_BAD_LENGTH;
  const optionBytes = headerBytes - IP_HEADER_BYTES;
  const options = TCP_ALONE ? RX_PACKET + offsetof<RxPacket>() : ip + IP_HEADER_BYTES;
  let sum = ipHeaderSum(ip);
  if (optionBytes != 0) {
    linkRead(options, optionBytes);
    sum = sumFold(sum + checksumOf(options, optionBytes));
  }
  if (sum != 0xffff) return Counter.IP_BAD_CHECKSUM;
  const fragment = load<u16>(ip, 6) & FRAGMENT_MASK;
  if (fragment != 0 && (IP_REASSEMBLY_SLOTS == 0 || (fragment & RESERVED_FLAG) != 0)) {
    return Counter.IP_FRAGMENT;
  }
  packet.source = bswap<u32>(load<u32>(ip, 12));
  packet.destination = bswap<u32>(load<u32>(ip, 16));
  packet.payloadBytes = totalBytes - headerBytes;
  packet.header = ip;
  if (IP_REASSEMBLY_SLOTS != 0) packet.payload = 0;
  packet.headerBytes = headerBytes;
  packet.tos = load<u8>(ip, 1);
  packet.protocol = load<u8>(ip, 9);
  packet.device = <u8>linkRxDevice();
  return optionBytes == 0 ? Counter.COUNT : optionsFault(options, optionBytes);
}

/**
 * Reads the headers of an IPv4 packet (RFC 791, RFC 1122 3.2.1) of at most `bytes`, of which the fixed header lies in the
 * receive header bytes. Null = it is not good, or not for us, and is dropped without an answer, or a fragment that others of
 * its datagram are missing for.
 */
export function ipv4Input(bytes: u32, linkBroadcast: bool): RxPacket | null {
  const packet = changetype<RxPacket>(based(RX_PACKET));
  count(Counter.IP_IN);
  packet.linkBroadcast = linkBroadcast;
  let fault = headerFault(packet, bytes);
  if (fault == Counter.COUNT) fault = addressesFault(packet);
  if (fault == Counter.COUNT) {
    if (IP_REASSEMBLY_SLOTS == 0 || (load<u16>(RX_NETWORK, 6) & FRAGMENT_MASK) == 0) return packet;
    return reassemble(packet) ? packet : null;
  }
  count(fault);
  return null;
}
