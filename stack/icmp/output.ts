import { ICMP } from "../config";
import { ipBegin, ipEnd, ipWrite } from "../ip/ipv4-output";
import { DEFAULT_TTL, IPPROTO_ICMP, RxPacket } from "../ip/packet";
import { RateLimit, rateLimitTake } from "../rate-limit";
import { SCRATCH } from "../scratch";
import { Counter, count } from "../statistics";
import { sumAdd, sumField } from "../wire/checksum";

/** Types and codes (RFC 792). */
export const ICMP_UNREACHABLE: u32 = 3;
export const ICMP_ECHO: u32 = 8;
export const ICMP_TIME_EXCEEDED: u32 = 11;
export const ICMP_PARAMETER_PROBLEM: u32 = 12;
export const UNREACHABLE_PROTOCOL: u32 = 2;
export const UNREACHABLE_PORT: u32 = 3;
export const TIME_EXCEEDED_REASSEMBLY: u32 = 1;

/** Bytes of an ICMP header, and of the payload quoted behind an IP header. */
export const ICMP_HEADER_BYTES: u32 = 8;
export const QUOTED_BYTES: u32 = 8;

/** Errors: bursts of 32, one more each 16 ms (RFC 1812 4.3.2.8). */
const ERROR_PRICE: u32 = 256;
const ERROR_BURST: u32 = 32 * ERROR_PRICE;
const errors: RateLimit = changetype<RateLimit>(memory.data(ICMP ? offsetof<RateLimit>() : 0, 4));

/**
 * Sends an ICMP error about a packet, quoting its IP header and the first 8 bytes of its payload as they came; the caller
 * has read those in behind the header. Never about a packet that came to more than one host (RFC 1122 3.2.2); errors about
 * errors, later fragments and sources that are no host cannot be asked for, as IP and ICMP drop those. Rate limited.
 */
export function icmpSendError(type: u32, code: u32, packet: RxPacket): void {
  if (packet.linkBroadcast) return;
  if (!rateLimitTake(errors, ERROR_BURST, ERROR_PRICE)) {
    count(Counter.ICMP_RATE_LIMITED);
    return;
  }
  const quoted = packet.headerBytes + min(packet.payloadBytes, QUOTED_BYTES);
  const total = ICMP_HEADER_BYTES + quoted;
  if (ipBegin(IPPROTO_ICMP, packet.destination, packet.source, total, 0, DEFAULT_TTL) != 0) return;
  store<u32>(SCRATCH, type | (code << 8));
  store<u32>(SCRATCH, 0, 4);
  const sum = sumAdd(type | (code << 8), packet.header, quoted, 0);
  store<u16>(SCRATCH, sumField(sum), 2);
  ipWrite(SCRATCH, ICMP_HEADER_BYTES);
  ipWrite(packet.header, quoted);
  ipEnd();
  count(Counter.ICMP_ERROR_OUT);
}
