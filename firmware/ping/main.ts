/** ping by a raw socket (raw(7), RFC 792): asks the router once a second and tells how long each answer took. */
import { log2, log3, log4 } from "as-tcpip/log";
import {
  AF_INET,
  IPPROTO_ICMP,
  PollFd,
  POLLIN,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SockAddrIn,
  connect,
  htonl,
  htons,
  netGateway,
  netPoll,
  netStart,
  poll,
  recv,
  send,
  socket,
} from "as-tcpip/net";
import { clockMs } from "as-tcpip/time";

const ECHO: u8 = 8;
const IDENTIFIER: u16 = 0x7069;
const PERIOD_MS: u32 = 1000;
const TEXT_BYTES: u32 = 56;
const MESSAGE_BYTES: u32 = 8 + TEXT_BYTES;
/** Longest IP header. */
const HEADER_BYTES: u32 = 60;

const ADDRESS: usize = memory.data(8, 4);
const MESSAGE: usize = memory.data(MESSAGE_BYTES, 4);
const ANSWER: usize = memory.data(HEADER_BYTES + MESSAGE_BYTES, 4);
const WATCH: usize = memory.data(8, 4);

/** RFC 1071, of an even number of bytes. */
function checksum(at: usize, bytes: u32): u16 {
  let sum: u32 = 0;
  for (let i: u32 = 0; i < bytes; i += 2) sum += <u32>load<u16>(at + i);
  sum = (sum & 0xffff) + (sum >>> 16);
  return <u16>~(sum + (sum >>> 16));
}

/** An echo request; its text begins with the time at which it was sent. */
function ask(fd: i32, sequence: u32): void {
  store<u8>(MESSAGE, ECHO);
  store<u16>(MESSAGE, 0, 2);
  store<u16>(MESSAGE, htons(IDENTIFIER), 4);
  store<u16>(MESSAGE, htons(<u16>sequence), 6);
  store<u32>(MESSAGE, clockMs(), 8);
  for (let i: u32 = 12; i < MESSAGE_BYTES; i++) store<u8>(MESSAGE + i, <u8>i);
  store<u16>(MESSAGE, checksum(MESSAGE, MESSAGE_BYTES), 2);
  send(fd, MESSAGE, MESSAGE_BYTES, 0);
}

/** Takes what has come: 1 for an answer to one of our requests, which is told. */
function hear(fd: i32): u32 {
  const bytes = recv(fd, ANSWER, HEADER_BYTES + MESSAGE_BYTES, 0);
  if (bytes < 0) return 0;
  const headerBytes = ((<u32>load<u8>(ANSWER)) & 15) << 2;
  const message = ANSWER + <usize>headerBytes;
  if (<u32>bytes < headerBytes + MESSAGE_BYTES || load<u8>(message) != 0) return 0;
  if (load<u16>(message, 4) != htons(IDENTIFIER)) return 0;
  log4(
    "info: answer from %i: sequence %u, time to live %u, %u ms",
    bswap<u32>(load<u32>(ANSWER, 12)),
    <u32>htons(load<u16>(message, 6)),
    <u32>load<u8>(ANSWER, 8),
    clockMs() - load<u32>(message, 8),
  );
  return 1;
}

export function main(): void {
  if (netStart() < 0) return;
  // The lease tells who the router is.
  while (netGateway() == 0) netPoll(PERIOD_MS);
  const fd = socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK, IPPROTO_ICMP);
  const address = changetype<SockAddrIn>(ADDRESS);
  address.sinFamily = <u16>AF_INET;
  address.sinPort = 0;
  address.sinAddr = htonl(netGateway());
  log2("info: ping %i with %u bytes", netGateway(), TEXT_BYTES);
  connect(fd, address);
  const watch = changetype<PollFd>(WATCH);
  watch.fd = fd;
  watch.events = <u16>POLLIN;
  let answers: u32 = 0;
  for (let sequence: u32 = 1; ; sequence++) {
    const start = clockMs();
    ask(fd, sequence);
    for (let passed: u32 = 0; passed < PERIOD_MS; passed = clockMs() - start) {
      if (poll(WATCH, 1, <i32>(PERIOD_MS - passed)) > 0) answers += hear(fd);
    }
    log3("info: %u sent, %u answered, %u lost", sequence, answers, sequence - answers);
  }
}
