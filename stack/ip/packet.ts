import { sumHeader } from "cpu";
import { sumFold } from "../wire/checksum";

/**
 * The IPv4 packet being received, as the upper layers see it. One record, valid while its frame is open; the stream stands at
 * the first byte of the payload. Addresses in host order.
 */
@unmanaged
export class RxPacket {
  source: u32;
  destination: u32;
  /** Payload by the IP total length: all that may be read. Frame padding is not in it. */
  payloadBytes: u32;
  /** The header as received, options included, word-aligned; eight bytes of payload may be read in behind it. */
  header: usize;
  headerBytes: u32;
  /** Where all of the payload lies, if this was put together from fragments; 0 = it is still in the device. */
  payload: usize;
  /** Bits as in the header: DSCP and ECN. */
  tos: u8;
  protocol: u8;
  /** Came to more than one host: by a group address of the link or a broadcast address of IP. Never answered with an error. */
  linkBroadcast: bool;
  /** Number of the interface, or DEVICE_LOOPBACK. */
  device: u8;
}

/** Protocol numbers. */
export const IPPROTO_ICMP: u32 = 1;
export const IPPROTO_TCP: u32 = 6;
export const IPPROTO_UDP: u32 = 17;

/** Bytes of an IPv4 header without options. */
export const IP_HEADER_BYTES: u32 = 20;
export const DEFAULT_TTL: u32 = 64;

/** Sum of an IPv4 header without options at a multiple of 4, folded: 0xFFFF for an intact one. */
export function ipHeaderSum(at: usize): u32 {
  return sumFold(sumHeader(at));
}

/** An address of 127.0.0.0/8, which never leaves the host. */
export function isLoopback(address: u32): bool {
  return address >>> 24 == 127;
}
