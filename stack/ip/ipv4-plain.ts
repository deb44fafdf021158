import { based, rev16, sumHeader } from "cpu";
import { ACD, INTERFACES, IP_REASSEMBLY_SLOTS, LOOPBACK_BYTES } from "../config";
import { isUnicast } from "../interface";
import { DEVICE_NIC, deviceIsWire, linkInterface, linkLeft, linkRxDevice } from "../link/device";
import { RX_NETWORK, headerHost } from "../link/headers";
import { Counter, count } from "../statistics";
import { sumIntact } from "../wire/checksum";
import { RX_PACKET } from "./ipv4-input";
import { IP_HEADER_BYTES, RxPacket, isLoopback } from "./packet";

/**
 * The packet that nearly all are: without options, no fragment, to our address, from the wire and to us alone. All of its header is
 * looked at at once. What is not so goes the general way (ipv4-input.ts), which remains the truth and counts what is wrong with it.
 * `TCP_FAST_PATH` 0 leaves it out.
 */

/** Version 4 and five words of header. */
const PLAIN: u32 = 0x45;
/** IP flags and fragment offset as a plain 16-bit load sees them, DF left out. */
const FRAGMENT_MASK: u32 = 0xffbf;

/**
 * Payload of the packet in the open frame if it is a plain one, 0 if it is not. Its Ethernet header, which is to us
 * alone, and the fixed IP header have been read. Whether its source may be one is left to the caller.
 */
export function ipPlain(): u32 {
  const ip = based(RX_NETWORK);
  const me = linkInterface();
  const first = load<u32>(ip);
  if ((first & 0xff) != PLAIN || ((<u32>load<u16>(ip, 6)) & FRAGMENT_MASK) != 0) return 0;
  const payloadBytes = rev16(first >>> 16) - IP_HEADER_BYTES;
  // None at all is more than there is, too.
  if (payloadBytes - 1 >= linkLeft()) return 0;
  if (bswap<u32>(load<u32>(ip, 16)) != me.address || (ACD && me.tentative)) return 0;
  if (LOOPBACK_BYTES != 0 && !deviceIsWire(linkRxDevice())) return 0;
  return sumIntact(sumHeader(ip)) ? payloadBytes : 0;
}

/**
 * True for the source of a plain packet that may be one (RFC 1122 3.2.1.3), our own left aside: the host that was sent to just before
 * is, and need not be looked at.
 */
export function ipPlainHost(source: u32): bool {
  if (INTERFACES == 1 && source != 0 && source == headerHost()) return true;
  return isUnicast(source) && !isLoopback(source);
}

/** Counts the plain packet, which nobody has taken yet; its source, 0 = that is none (RFC 1122 3.2.1.3), and it is dropped. */
export function ipPlainSource(): u32 {
  const source = bswap<u32>(load<u32>(based(RX_NETWORK), 12));
  const ours = linkInterface().address;
  count(Counter.IP_IN);
  if (source == ours || !ipPlainHost(source)) {
    count(Counter.IP_BAD_SOURCE);
    return 0;
  }
  if (ours != 0) return source;
  count(Counter.IP_NOT_OURS);
  return 0;
}

/** The plain packet from `source`, with `payloadBytes`, as upper layers see it. */
export function ipPlainPacket(source: u32, payloadBytes: u32): RxPacket {
  const ip = based(RX_NETWORK);
  const packet = changetype<RxPacket>(based(RX_PACKET));
  packet.source = source;
  packet.destination = linkInterface().address;
  packet.payloadBytes = payloadBytes;
  packet.header = ip;
  packet.headerBytes = IP_HEADER_BYTES;
  if (IP_REASSEMBLY_SLOTS != 0) packet.payload = 0;
  packet.tos = load<u8>(ip, 1);
  packet.protocol = load<u8>(ip, 9);
  packet.linkBroadcast = false;
  packet.device = <u8>(INTERFACES == 1 ? DEVICE_NIC : linkRxDevice());
  return packet;
}

/** Its protocol. */
export function ipPlainProtocol(): u32 {
  return <u32>load<u8>(based(RX_NETWORK), 9);
}
