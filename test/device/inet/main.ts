/** Addresses as text and back (test/apps/inet.test.ts): each result is a line of the log. */
import { log2, log3 } from "as-tcpip/log";
import {
  AF_INET,
  EAI_FAMILY,
  EAI_NONAME,
  EAI_OVERFLOW,
  NI_NAMEREQD,
  SockAddrIn,
  getaddrinfo,
  getnameinfo,
  htonl,
  htons,
  inet_ntop,
  inet_pton,
  netPoll,
  netStart,
} from "as-tcpip/net";
import { Text, text, textAddress, textBytes } from "as-tcpip/text";

const BYTES: usize = memory.data(4, 4);
const TEXT: usize = memory.data(16, 4);
const SERVICE: usize = memory.data(8, 4);
const ADDRESS: usize = memory.data(8, 4);

function read(step: u32, what: Text): void {
  store<u32>(BYTES, 0);
  const result = inet_pton(AF_INET, textAddress(what), textBytes(what), BYTES);
  log3("info: %u reads %d as %i", step, <u32>result, bswap<u32>(load<u32>(BYTES)));
}

/** Writes an address and says whether it is this text. */
function write(step: u32, address: u32, wanted: Text): void {
  store<u32>(BYTES, htonl(address));
  const bytes = <u32>inet_ntop(AF_INET, BYTES, TEXT);
  const same = bytes == textBytes(wanted) && memory.compare(TEXT, textAddress(wanted), bytes) == 0;
  log2("info: %u writes %u", step, same ? 1 : 0);
}

function tell(step: u32, value: i32): void {
  log2("info: %u gives %d", step, <u32>value);
}

function names(): void {
  const address = changetype<SockAddrIn>(ADDRESS);
  address.sinFamily = <u16>AF_INET;
  address.sinPort = htons(8080);
  address.sinAddr = htonl(0xc0a84d32);
  tell(30, getnameinfo(address, TEXT, 16, SERVICE, 8, 0));
  tell(
    31,
    memory.compare(TEXT, textAddress(text("192.168.77.50")), 13) | (<i32>load<u8>(TEXT, 13)),
  );
  tell(32, memory.compare(SERVICE, textAddress(text("8080")), 4) | (<i32>load<u8>(SERVICE, 4)));
  tell(33, getnameinfo(address, TEXT, 15, SERVICE, 8, 0) == -EAI_OVERFLOW ? 1 : 0);
  tell(34, getnameinfo(address, TEXT, 16, SERVICE, 5, 0) == -EAI_OVERFLOW ? 1 : 0);
  tell(35, getnameinfo(address, TEXT, 16, 0, 0, NI_NAMEREQD) == -EAI_NONAME ? 1 : 0);
  address.sinFamily = 10;
  tell(36, getnameinfo(address, TEXT, 16, SERVICE, 8, 0) == -EAI_FAMILY ? 1 : 0);
}

/** What the settings' hosts say of a name, as the address or the error. */
function host(step: u32, what: Text): void {
  const address = changetype<SockAddrIn>(ADDRESS);
  const result = getaddrinfo(textAddress(what), textBytes(what), 80, address, 1);
  const found = result == 1 ? bswap<u32>(address.sinAddr) : 0;
  log3("info: %u reads %d as %i", step, <u32>result, found);
}

export function main(): void {
  if (netStart() < 0) return;
  read(1, text("192.168.7.1"));
  read(2, text("255.255.255.255"));
  read(3, text("0.0.0.0"));
  read(4, text("1.2.3"));
  read(5, text("1.2.3.4.5"));
  read(6, text("1.2.3.256"));
  read(7, text("01.2.3.4"));
  read(8, text("1..3.4"));
  read(9, text("1.2.3.4 "));
  read(10, text(".1.2.3"));
  read(11, text("1.2.3."));
  tell(12, inet_pton(10, TEXT, 1, BYTES));
  write(20, 0xc0a80701, text("192.168.7.1"));
  write(21, 0xffffffff, text("255.255.255.255"));
  write(22, 0, text("0.0.0.0"));
  write(23, 0x0a640901, text("10.100.9.1"));
  tell(24, inet_ntop(10, BYTES, TEXT));
  names();
  host(40, text("printer"));
  host(41, text("Lamp.Attic"));
  host(42, text("10.1.2.3"));
  host(43, text("print"));
  tell(99, 0);
  for (;;) netPoll(1000);
}
