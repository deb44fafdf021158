/**
 * 300 datagram sockets in one program (test/apps/crowd.test.ts), more than a byte tells apart: a datagram to one of them is told of
 * by epoll, select and the completion queue, and by that one alone. Each result is a line of the log.
 */
import { log2 } from "as-tcpip/log";
import {
  AF_INET,
  EPOLLIN,
  EPOLL_CTL_ADD,
  EpollEvent,
  FD_SETSIZE,
  FD_SET_BYTES,
  INADDR_LOOPBACK,
  MSG_DONTWAIT,
  RING_LINK,
  RING_NOP,
  RING_POLL,
  RingSqe,
  SOCK_DGRAM,
  SockAddrIn,
  bind,
  close,
  epollCreate,
  epollCtl,
  epollWait,
  fdIsSet,
  fdSet,
  fdZero,
  htonl,
  htons,
  netStart,
  recv,
  ringPeek,
  ringPrepare,
  ringSeen,
  ringSubmit,
  ringWait,
  select,
  sendto,
  socket,
} from "as-tcpip/net";

const SOCKETS: u32 = 300;
const FIRST_PORT: u32 = 3000;

const ADDRESS: usize = memory.data(8, 4);
const EVENT: usize = memory.data(12, 4);
const BUFFER: usize = memory.data(64, 4);
const FDS: usize = memory.data(SOCKETS * 4, 4);
const SET: usize = memory.data(FD_SET_BYTES, 4);

function fdOf(number: u32): i32 {
  return load<i32>(FDS + (number << 2));
}

function loopback(port: u32): SockAddrIn {
  const address = changetype<SockAddrIn>(ADDRESS);
  address.sinFamily = <u16>AF_INET;
  address.sinPort = htons(<u16>port);
  address.sinAddr = htonl(INADDR_LOOPBACK);
  return address;
}

/** Opens and binds one; a step tells what failed. */
function open(number: u32): void {
  const fd = socket(AF_INET, SOCK_DGRAM, 0);
  store<i32>(FDS + (number << 2), fd);
  const bound = bind(fd, loopback(FIRST_PORT + number));
  if (fd < 0 || bound < 0) log2("error: socket %u is %d", number, fd < 0 ? <u32>fd : <u32>bound);
}

/** One byte to a socket. */
function sayTo(number: u32): void {
  store<u8>(BUFFER, <u8>number);
  sendto(fdOf(0), BUFFER, 1, 0, loopback(FIRST_PORT + number));
}

/** Takes it; the byte, or the error. */
function hear(number: u32): i32 {
  const bytes = recv(fdOf(number), BUFFER, 64, MSG_DONTWAIT);
  return bytes == 1 ? <i32>load<u8>(BUFFER) : bytes;
}

/** The numbers that are tried: around the ends of a byte, of a word of bits, and the last. */
function tried(step: u32): u32 {
  if (step == 0) return 0;
  if (step == 1) return 31;
  if (step == 2) return 254;
  if (step == 3) return 255;
  return step == 4 ? 256 : SOCKETS - 1;
}

const TRIED: u32 = 6;

function byEpoll(): void {
  const epfd = epollCreate();
  const event = changetype<EpollEvent>(EVENT);
  for (let number: u32 = 0; number < SOCKETS; number++) {
    event.events = EPOLLIN;
    event.data = number;
    epollCtl(epfd, EPOLL_CTL_ADD, fdOf(number), event);
  }
  log2("info: epoll at first %u, %u", epollWait(epfd, EVENT, 1, 0), 0);
  for (let step: u32 = 0; step < TRIED; step++) {
    sayTo(tried(step));
    epollWait(epfd, EVENT, 1, 100);
    log2("info: epoll says %u, it has %u", event.data, hear(event.data));
  }
}

function bySelect(): void {
  for (let step: u32 = 0; step < TRIED; step++) {
    sayTo(tried(step));
    fdZero(SET);
    for (let number: u32 = 0; number < SOCKETS; number++) fdSet(fdOf(number), SET);
    const found = select(FD_SETSIZE, SET, 0, 0, 100);
    for (let number: u32 = 0; number < SOCKETS; number++) {
      if (fdIsSet(fdOf(number), SET)) log2("info: select says %u, of %u", number, found);
    }
    hear(tried(step));
  }
}

function submission(opcode: u32, number: u32): void {
  const sqe = changetype<RingSqe>(ringPrepare());
  sqe.opcode = <u8>opcode;
  sqe.userData = number;
  if (opcode == RING_POLL) {
    sqe.fd = fdOf(number);
    sqe.bytes = EPOLLIN;
  } else if (number != SOCKETS - 1) {
    sqe.flags = <u8>RING_LINK;
  }
}

function byRing(): void {
  for (let number: u32 = 0; number < SOCKETS; number++) submission(RING_POLL, number);
  ringSubmit();
  for (let number: u32 = 0; number < SOCKETS; number++) sayTo(number);
  let right: u32 = 0;
  let told: u32 = 0;
  for (; told < SOCKETS && ringWait(1, 100) != 0; told++) {
    const cqe = ringPeek();
    if (cqe == null) break;
    if (hear(cqe.userData) == <i32>(cqe.userData & 0xff)) right += 1;
    ringSeen();
  }
  log2("info: the ring has told of %u, right %u", told, right);
  // A chain, each link after the one before it.
  for (let number: u32 = 0; number < SOCKETS; number++) submission(RING_NOP, number);
  ringSubmit();
  right = 0;
  for (told = 0; told < SOCKETS && ringWait(1, 100) != 0; told++) {
    const cqe = ringPeek();
    if (cqe == null) break;
    if (cqe.userData == told && cqe.result == 0) right += 1;
    ringSeen();
  }
  log2("info: the chain has %u links, right %u", told, right);
}

/** A slot's next descriptor is another one, and the old one is none. */
function again(): void {
  const number: u32 = SOCKETS - 1;
  const before = fdOf(number);
  close(before);
  open(number);
  log2(
    "info: the old one gives %d, a new one %u",
    recv(before, BUFFER, 1, MSG_DONTWAIT),
    before != fdOf(number) ? 1 : 0,
  );
  sayTo(number);
  recv(fdOf(number), BUFFER, 64, 0);
  log2("info: the new one has %u, of %u", load<u8>(BUFFER), number & 0xff);
}

export function main(): void {
  if (netStart() < 0) return;
  for (let number: u32 = 0; number < SOCKETS; number++) open(number);
  byEpoll();
  bySelect();
  byRing();
  again();
  log2("info: the end %u %u", 0, 0);
}
