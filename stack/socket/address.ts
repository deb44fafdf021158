import { LOCAL_SOCKETS } from "../config";
import { AF_UNIX } from "../posix";

/** Addresses with a meaning, in host order (in.h). */
export const INADDR_ANY: u32 = 0;
export const INADDR_LOOPBACK: u32 = 0x7f000001;
export const INADDR_BROADCAST: u32 = 0xffffffff;

/**
 * `sockaddr_in` as in POSIX: family in host order, port and address in network order. 8 bytes; the padding that POSIX has
 * behind it is left out.
 */
@unmanaged
export class SockAddrIn {
  sinFamily: u16;
  sinPort: u16;
  sinAddr: u32;
}

/** Host to network order, 16 bits. */
export function htons(value: u16): u16 {
  return bswap<u16>(value);
}

/** Network to host order, 16 bits. */
export function ntohs(value: u16): u16 {
  return bswap<u16>(value);
}

/** Host to network order, 32 bits. */
export function htonl(value: u32): u32 {
  return bswap<u32>(value);
}

/** Network to host order, 32 bits. */
export function ntohl(value: u32): u32 {
  return bswap<u32>(value);
}

/** Fills a record from host-order values. */
export function setSockAddrIn(record: SockAddrIn, family: u16, address: u32, port: u32): void {
  record.sinFamily = family;
  record.sinPort = bswap<u16>(<u16>port);
  record.sinAddr = bswap<u32>(address);
}

/**
 * `sockaddr_un` of a firmware: a name that stays where it is, such as a text in flash, by its place and length. As big as a
 * `SockAddrIn`, and passed in its place with `changetype<SockAddrIn>()`, as C casts to `struct sockaddr`.
 */
@unmanaged
export class SockAddrUn {
  sunFamily: u16;
  sunBytes: u16;
  sunName: usize;
}

/** Fills a record with a name. */
export function setSockAddrUn(record: SockAddrUn, name: usize, bytes: u32): void {
  record.sunFamily = <u16>AF_UNIX;
  record.sunBytes = <u16>bytes;
  record.sunName = name;
}

/** What a record says, as the calls of `socket.ts` take it: an address in host order, or the place of a name. */
export function addressOf(record: SockAddrIn): u32 {
  if (LOCAL_SOCKETS != 0 && record.sinFamily == <u16>AF_UNIX) return record.sinAddr;
  return bswap<u32>(record.sinAddr);
}

/** The same for the port, or the length of a name. */
export function portOf(record: SockAddrIn): u32 {
  if (LOCAL_SOCKETS != 0 && record.sinFamily == <u16>AF_UNIX) return <u32>record.sinPort;
  return <u32>bswap<u16>(record.sinPort);
}
