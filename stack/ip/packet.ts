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
  /** Bits as in the header: DSCP and ECN. */
  tos: u8;
  protocol: u8;
  /** Came to more than one host: by a group address of the link or a broadcast address of IP. Never answered with an error. */
  linkBroadcast: bool;
  /** DEVICE_NIC or DEVICE_LOOPBACK. */
  device: u8;
}

/** Protocol numbers. */
export const IPPROTO_ICMP: u32 = 1;
export const IPPROTO_TCP: u32 = 6;
export const IPPROTO_UDP: u32 = 17;

/** Bytes of an IPv4 header without options. */
export const IP_HEADER_BYTES: u32 = 20;
export const DEFAULT_TTL: u32 = 64;

/** Sum of an IPv4 header without options, folded: 0xFFFF for an intact one. Spelled out: this runs for every packet. */
export function ipHeaderSum(at: usize): u32 {
  const sum =
    <u32>load<u16>(at) +
    <u32>load<u16>(at, 2) +
    <u32>load<u16>(at, 4) +
    <u32>load<u16>(at, 6) +
    <u32>load<u16>(at, 8) +
    <u32>load<u16>(at, 10) +
    <u32>load<u16>(at, 12) +
    <u32>load<u16>(at, 14) +
    <u32>load<u16>(at, 16) +
    <u32>load<u16>(at, 18);
  return sumFold(sum);
}

/** An address of 127.0.0.0/8, which never leaves the host. */
export function isLoopback(address: u32): bool {
  return address >>> 24 == 127;
}
