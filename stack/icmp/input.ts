import { based, checksumOf, checksumRead } from "cpu";
import { ICMP, ICMP_ERRORS, IP_REASSEMBLY_SLOTS } from "../config";
import { IP_MTU } from "../interface";
import { ipBegin, ipCancel, ipEnd, ipHeadersWrite, ipOpen, ipWrite } from "../ip/ipv4-output";
import { DEFAULT_TTL, IPPROTO_ICMP, IP_HEADER_BYTES, RxPacket } from "../ip/packet";
import { deviceIsWire, linkInterface, linkRead, linkSpare } from "../link/device";
import { RateLimit, rateLimitTake } from "../rate-limit";
import { MESSAGE_SCRATCH, MESSAGE_SCRATCH_BYTES, SCRATCH, SCRATCH_BYTES } from "../scratch";
import { Counter, count } from "../statistics";
import { Be } from "../wire/bytes";
import { halves, sumAdd, sumField, sumIntact } from "../wire/checksum";
import {
  ICMP_ECHO,
  ICMP_HEADER_BYTES,
  ICMP_PARAMETER_PROBLEM,
  ICMP_TIME_EXCEEDED,
  ICMP_UNREACHABLE,
  QUOTED_BYTES,
} from "./output";

/** Echo replies: bursts of 1024, sixteen more each millisecond: a flood only, no ping of one host, comes to it. */
const ECHO_PRICE: u32 = 1;
const ECHO_BURST: u32 = 1024 * ECHO_PRICE;
const echoes: RateLimit = changetype<RateLimit>(memory.data(ICMP ? offsetof<RateLimit>() : 0, 4));

/** What an ICMP error says about a packet of ours, as quoted; addresses and ports in host order. */
@unmanaged
export class IcmpError {
  type: u32;
  code: u32;
  /** Second word of the message: next-hop MTU, or pointer. */
  info: u32;
  source: u32;
  destination: u32;
  sourcePort: u32;
  destinationPort: u32;
  /** Second word of the quoted transport header: TCP's sequence number. */
  sequence: u32;
}

/** The error received last. */
export const icmpError: IcmpError = changetype<IcmpError>(MESSAGE_SCRATCH);
if (ICMP_ERRORS && <u32>offsetof<IcmpError>() > MESSAGE_SCRATCH_BYTES)
  ERROR("an ICMP error does not fit the scratch");

/** The longest quotation that is looked into: an IP header with options and 8 bytes. */
const QUOTATION_BYTES: u32 = 60 + QUOTED_BYTES;

/**
 * Takes an ICMP message (RFC 792, RFC 1122 3.2.2). Answered: echo. For a transport: destination unreachable, time exceeded,
 * parameter problem; then `icmpError` is filled and the transport's protocol number returned, else 0. All else is ignored,
 * redirects, timestamps, address masks and source quench on purpose.
 */
export function icmpInput(packet: RxPacket): u32 {
  count(Counter.ICMP_IN);
  if (packet.payloadBytes < ICMP_HEADER_BYTES) {
    count(Counter.ICMP_BAD);
    return 0;
  }
  const header = packet.header + packet.headerBytes;
  linkRead(header, ICMP_HEADER_BYTES);
  const type = <u32>load<u8>(header);
  if (type == ICMP_ECHO) echo(packet, header);
  else if (
    ICMP_ERRORS &&
    (type == ICMP_UNREACHABLE || type == ICMP_TIME_EXCEEDED || type == ICMP_PARAMETER_PROBLEM)
  ) {
    return errorInput(packet, type, header);
  }
  return 0;
}

/**
 * Echo reply: the data goes from the device's receive memory to its send memory by way of a few bytes of ours, and the reply is
 * sent only if the request's checksum holds. Not to broadcasts (RFC 1122 3.2.2.6).
 */
function echo(packet: RxPacket, header: usize): void {
  if (packet.linkBroadcast) return;
  if (!rateLimitTake(echoes, ECHO_BURST, ECHO_PRICE)) {
    count(Counter.ICMP_RATE_LIMITED);
    return;
  }
  let left = packet.payloadBytes;
  if (IP_REASSEMBLY_SLOTS != 0 && left > IP_MTU - IP_HEADER_BYTES) {
    echoCut(packet);
    return;
  }
  // Without the ECN bits: they speak of the request's way.
  const tos = (<u32>packet.tos) & 0xfc;
  if (ipOpen(IPPROTO_ICMP, packet.destination, packet.source, left, tos, DEFAULT_TTL) != 0) return;
  const out = based(SCRATCH);
  const first = load<u32>(header);
  const second = load<u32>(header, 4);
  // Type 8 becomes 0, so the checksum grows by 8 in its first byte's place (RFC 1624).
  const field = (first >>> 16) + ICMP_ECHO;
  store<u32>(out, (first & 0xff00) | ((field + (field >>> 16)) << 16));
  store<u32>(out, second, 4);
  left -= ICMP_HEADER_BYTES;
  // What fits goes with the headers; more goes in one piece, if there is memory for it.
  const some = min<u32>(left, SCRATCH_BYTES - ICMP_HEADER_BYTES);
  linkRead(out + ICMP_HEADER_BYTES, some);
  let sum = halves(first) + halves(second) + checksumOf(out + ICMP_HEADER_BYTES, some);
  ipHeadersWrite(ICMP_HEADER_BYTES + some);
  left -= some;
  if (left != 0) sum = echoRest(sum, left);
  if (!sumIntact(sum)) {
    ipCancel();
    count(Counter.ICMP_BAD_CHECKSUM);
    return;
  }
  ipEnd();
  count(Counter.ICMP_ECHO);
}

/** Passes the rest of the data on; returns the sum with it. */
function echoRest(sum: u32, left: u32): u32 {
  const spare = linkSpare();
  const room: u32 = spare != 0 ? IP_MTU : SCRATCH_BYTES;
  const by = spare != 0 ? spare : SCRATCH;
  while (left > 0) {
    const bytes = min(left, room);
    linkRead(by, bytes);
    sum += checksumRead(by, bytes);
    ipWrite(by, bytes);
    left -= bytes;
  }
  return sum;
}

/**
 * Echo reply to a request that was put together and is longer than a packet may be: "if sending the Echo Reply requires
 * intentional fragmentation that is not implemented, the datagram MUST be truncated to maximum transmission size" (RFC 1122
 * 3.2.2.6).
 */
function echoCut(packet: RxPacket): void {
  const message = packet.payload;
  if (checksumOf(message, packet.payloadBytes) != 0xffff) {
    count(Counter.ICMP_BAD_CHECKSUM);
    return;
  }
  const bytes: u32 = IP_MTU - IP_HEADER_BYTES;
  const tos = (<u32>packet.tos) & 0xfc;
  if (ipBegin(IPPROTO_ICMP, packet.destination, packet.source, bytes, tos, DEFAULT_TTL) != 0)
    return;
  store<u8>(message, 0);
  store<u16>(message, 0, 2);
  store<u16>(message, sumField(checksumOf(message, bytes)), 2);
  ipWrite(message, bytes);
  ipEnd();
  count(Counter.ICMP_ECHO);
}

/** An error about a packet that we are said to have sent (RFC 1122 3.2.2.1, RFC 5927): protocol of the transport that knows. */
function errorInput(packet: RxPacket, type: u32, header: usize): u32 {
  const code = <u32>load<u8>(header, 1);
  const info = Be.load32(header + 4);
  let sum = checksumOf(header, ICMP_HEADER_BYTES);
  let left = packet.payloadBytes - ICMP_HEADER_BYTES;
  const quoted = min(left, QUOTATION_BYTES);
  linkRead(SCRATCH, quoted);
  sum = sumAdd(sum, SCRATCH, quoted, 0);
  left -= quoted;
  while (left > 0) {
    const bytes = min(left, SCRATCH_BYTES - QUOTATION_BYTES);
    linkRead(SCRATCH + QUOTATION_BYTES, bytes);
    sum = sumAdd(sum, SCRATCH + QUOTATION_BYTES, bytes, 0);
    left -= bytes;
  }
  if (!sumIntact(sum)) {
    count(Counter.ICMP_BAD_CHECKSUM);
    return 0;
  }
  if (packet.linkBroadcast || quoted < IP_HEADER_BYTES + QUOTED_BYTES) {
    count(Counter.ICMP_BAD);
    return 0;
  }
  const first = <u32>load<u8>(SCRATCH);
  const headerBytes = (first & 15) << 2;
  const source = bswap<u32>(load<u32>(SCRATCH, 12));
  if (
    first >>> 4 != 4 ||
    headerBytes < IP_HEADER_BYTES ||
    headerBytes + QUOTED_BYTES > quoted ||
    (source != linkInterface().address && deviceIsWire(<u32>packet.device)) ||
    // Fragment offset: only a first fragment shows its ports.
    (Be.load16(SCRATCH + 6) & 0x1fff) != 0
  ) {
    count(Counter.ICMP_BAD);
    return 0;
  }
  const at = SCRATCH + headerBytes;
  icmpError.type = type;
  icmpError.code = code;
  icmpError.info = info;
  icmpError.source = source;
  icmpError.destination = bswap<u32>(load<u32>(SCRATCH, 16));
  icmpError.sourcePort = Be.load16(at);
  icmpError.destinationPort = Be.load16(at + 2);
  icmpError.sequence = Be.load32(at + 4);
  return <u32>load<u8>(SCRATCH, 9);
}
