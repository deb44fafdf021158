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
