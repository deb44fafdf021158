export { Be } from "../../stack/wire/bytes";
import { EAFNOSUPPORT } from "../../stack/errors";
import { AF_INET } from "../../stack/posix";
import { SockAddrIn } from "../../stack/socket/address";
import { EAI_NONAME } from "../../stack/dns/client";

/** Addresses and ports as text, and back. Texts are not terminated: their lengths go with them. */

/** Longest dotted address; POSIX counts the end of the text, too. */
export const INET_ADDRSTRLEN: u32 = 16;

export const NI_NUMERICHOST: u32 = 1;
export const NI_NUMERICSERV: u32 = 2;
/** A name or nothing. */
export const NI_NAMEREQD: u32 = 8;
/** getnameinfo(3): no room for the text. */
export const EAI_OVERFLOW: i32 = 12;
/** getnameinfo(3): the address is of a family that it does not know. */
export const EAI_FAMILY: i32 = 6;

/**
 * inet_pton(3): `bytes` characters at `text`, four numbers up to 255 with dots, no leading zeros, become four bytes in network
 * order at `to`. 1, 0 when it is no address, -EAFNOSUPPORT.
 */
export function inet_pton(family: i32, text: usize, bytes: u32, to: usize): i32 {
  if (family != AF_INET) return -EAFNOSUPPORT;
  let address: u32 = 0;
  let dots: u32 = 0;
  let number: u32 = 0;
  let digits: u32 = 0;
  for (let i: u32 = 0; i < bytes; i++) {
    const character = <u32>load<u8>(text + i);
    if (character == 0x2e) {
      if (digits == 0 || dots == 3) return 0;
      address = (address << 8) | number;
      dots += 1;
      number = 0;
      digits = 0;
      continue;
    }
    const digit = character - 0x30;
    if (digit > 9 || (digits != 0 && number == 0)) return 0;
    number = number * 10 + digit;
    digits += 1;
    if (number > 255) return 0;
  }
  if (dots != 3 || digits == 0) return 0;
  store<u32>(to, bswap<u32>((address << 8) | number));
  return 1;
}

/** Writes a number; where the next character goes. */
function putNumber(to: usize, number: u32): usize {
  let divisor: u32 = 1;
  while (number / divisor >= 10) divisor *= 10;
  for (; divisor != 0; divisor /= 10) {
    store<u8>(to, <u8>(0x30 + ((number / divisor) % 10)));
    to += 1;
  }
  return to;
}

/** inet_ntop(3): the four bytes at `from` as text to `to`, at most 15 characters: how many, or -EAFNOSUPPORT. */
export function inet_ntop(family: i32, from: usize, to: usize): i32 {
  if (family != AF_INET) return -EAFNOSUPPORT;
  let at = to;
  for (let i: u32 = 0; i < 4; i++) {
    if (i != 0) {
      store<u8>(at, 0x2e);
      at += 1;
    }
    at = putNumber(at, <u32>load<u8>(from + i));
  }
  return <i32>(at - to);
}

/**
 * getnameinfo(3) without names of services, and without asking anybody: host and port as numbers to `host` and `service` (0 =
 * not wanted) of these many bytes; a byte 0 ends each. 0, -EAI_FAMILY, -EAI_OVERFLOW, or -EAI_NONAME with NI_NAMEREQD.
 */
export function getnameinfo(
  address: SockAddrIn,
  host: usize,
  hostBytes: u32,
  service: usize,
  serviceBytes: u32,
  flags: u32,
): i32 {
  if (address.sinFamily != <u16>AF_INET) return -EAI_FAMILY;
  if ((flags & NI_NAMEREQD) != 0 || (host == 0 && service == 0)) return -EAI_NONAME;
  if (host != 0) {
    if (hostBytes < INET_ADDRSTRLEN) return -EAI_OVERFLOW;
    const from = changetype<usize>(address) + offsetof<SockAddrIn>("sinAddr");
    store<u8>(host + <usize>inet_ntop(AF_INET, from, host), 0);
  }
  if (service != 0) {
    if (serviceBytes < 6) return -EAI_OVERFLOW;
    store<u8>(putNumber(service, <u32>bswap<u16>(address.sinPort)), 0);
  }
  return 0;
}
