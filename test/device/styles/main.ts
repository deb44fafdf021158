/**
 * epoll, select and the event loop over sockets of the loopback device, one check after the other
 * (test/apps/styles.test.ts): each result is a line of the log.
 */
import { log2 } from "as-tcpip/log";
import {
  AF_INET,
  EPOLLET,
  EPOLLEXCLUSIVE,
  EPOLLHUP,
  EPOLLIN,
  EPOLLONESHOT,
  EPOLLOUT,
  EPOLLRDHUP,
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLL_CTL_MOD,
  EpollEvent,
  FD_SETSIZE,
  FIONREAD,
  FD_SET_BYTES,
  INADDR_LOOPBACK,
  IPPROTO_IP,
  IPPROTO_TCP,
  IP_PKTINFO,
  IoVec,
  MSG_CTRUNC,
  MSG_TRUNC,
  MsgHdr,
  PacketInfo,
  RING_ACCEPT,
  RING_BUFFER_SELECT,
  RING_CANCEL,
  RING_CLOSE,
  RING_CONNECT,
  RING_F_MORE,
  RING_LINK,
  RING_MULTISHOT,
  RING_NOP,
  RING_RECV,
  RING_SEND,
  RING_TIMEOUT,
  RING_ZEROCOPY,
  RingCqe,
  RingSqe,
  SHUT_WR,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_BINDTODEVICE,
  TCP_CONGESTION,
  SockAddrIn,
  accept,
  bind,
  close,
  connect,
  dup,
  epollClose,
  epollCreate,
  epollCtl,
  epollWait,
  fdIsSet,
  fdSet,
  fdZero,
  getsockopt,
  htonl,
  htons,
  ioctl,
  listen,
  loopContext,
  loopDefer,
  loopForget,
  loopNext,
  loopTimer,
  loopTimerStop,
  loopWatch,
  netStart,
  readv,
  recv,
  recvmsg,
  ringBuffers,
  ringGiveBack,
  ringOverflowed,
  ringPeek,
  ringPrepare,
  ringSeen,
  ringSubmit,
  ringWait,
  select,
  send,
  sendmsg,
  sendto,
  setsockopt,
  shutdown,
  socket,
  writev,
} from "as-tcpip/net";
import { clockMs } from "as-tcpip/time";

const ADDRESS: usize = memory.data(8, 4);
const EVENT: usize = memory.data(12, 4);
const EVENTS: usize = memory.data(8 * 12, 4);
const BUFFER: usize = memory.data(64, 4);
const BUFFERS: usize = memory.data(32, 4);
const PIECES: usize = memory.data(16, 4);
const MESSAGE: usize = memory.data(24, 4);
const CONTROL: usize = memory.data(24, 4);
const VALUE: usize = memory.data(4, 4);
const READ_SET: usize = memory.data(FD_SET_BYTES, 4);
const WRITE_SET: usize = memory.data(FD_SET_BYTES, 4);

function tell(step: u32, value: i32): void {
  log2("info: step %u gives %d", step, <u32>value);
}

function loopback(port: u16): SockAddrIn {
  const address = changetype<SockAddrIn>(ADDRESS);
  address.sinFamily = <u16>AF_INET;
  address.sinPort = htons(port);
  address.sinAddr = htonl(INADDR_LOOPBACK);
  return address;
}

function event(bits: u32, data: u32): EpollEvent {
  const it = changetype<EpollEvent>(EVENT);
  it.events = bits;
  it.data = data;
  it.dataHigh = ~data;
  return it;
}

function eventAt(index: i32): EpollEvent {
  return changetype<EpollEvent>(EVENTS + <usize>(index * 12));
}

/** The bits that were told of the entry with this user data; 0 when it was not told. */
function told(count: i32, data: u32): i32 {
  for (let i = 0; i < count; i++) {
    const it = eventAt(i);
    if (it.data == data && it.dataHigh == ~data) return <i32>it.events;
  }
  return 0;
}

let listener: i32 = -1;
let client: i32 = -1;
let server: i32 = -1;

function pair(): void {
  client = socket(AF_INET, SOCK_STREAM, 0);
  connect(client, loopback(80));
  server = accept(listener, null);
}

function levels(ep: i32): void {
  tell(1, epollCtl(ep, EPOLL_CTL_ADD, server, event(EPOLLIN | EPOLLRDHUP, 7)));
  tell(2, epollWait(ep, EVENTS, 8, 0));
  send(client, BUFFER, 10, 0);
  tell(3, told(epollWait(ep, EVENTS, 8, 1000), 7));
  // Level triggered: as long as there is something.
  recv(server, BUFFER, 4, 0);
  tell(4, told(epollWait(ep, EVENTS, 8, 1000), 7));
  recv(server, BUFFER, 64, 0);
  tell(5, epollWait(ep, EVENTS, 8, 20));
}

function edges(ep: i32): void {
  tell(6, epollCtl(ep, EPOLL_CTL_MOD, server, event(EPOLLIN | EPOLLRDHUP | EPOLLET, 8)));
  send(client, BUFFER, 10, 0);
  tell(7, told(epollWait(ep, EVENTS, 8, 1000), 8));
  // Told once, whatever is left.
  recv(server, BUFFER, 4, 0);
  tell(8, epollWait(ep, EVENTS, 8, 20));
  send(client, BUFFER, 1, 0);
  tell(9, told(epollWait(ep, EVENTS, 8, 1000), 8));
  // Both kinds of interest: room alone is no news of text.
  tell(10, epollCtl(ep, EPOLL_CTL_MOD, server, event(EPOLLIN | EPOLLOUT | EPOLLET, 9)));
  tell(11, told(epollWait(ep, EVENTS, 8, 0), 9));
  tell(12, epollWait(ep, EVENTS, 8, 20));
  recv(server, BUFFER, 64, 0);
  tell(13, epollCtl(ep, EPOLL_CTL_MOD, server, event(EPOLLIN | EPOLLONESHOT, 10)));
  send(client, BUFFER, 1, 0);
  tell(14, told(epollWait(ep, EVENTS, 8, 1000), 10));
  send(client, BUFFER, 1, 0);
  tell(15, epollWait(ep, EVENTS, 8, 20));
  tell(16, epollCtl(ep, EPOLL_CTL_MOD, server, event(EPOLLIN | EPOLLONESHOT, 11)));
  tell(17, told(epollWait(ep, EVENTS, 8, 1000), 11));
}

function misuse(ep: i32): void {
  const other = epollCreate();
  tell(20, epollCtl(ep, EPOLL_CTL_ADD, other, event(EPOLLIN, 0)));
  tell(21, epollCtl(ep, EPOLL_CTL_ADD, server, event(EPOLLIN, 0)));
  tell(22, epollCtl(ep, EPOLL_CTL_MOD, client, event(EPOLLIN, 0)));
  tell(23, epollCtl(ep, EPOLL_CTL_DEL, client, null));
  tell(24, epollCtl(ep, EPOLL_CTL_ADD, 77, event(EPOLLIN, 0)));
  tell(25, epollCtl(server, EPOLL_CTL_ADD, client, event(EPOLLIN, 0)));
  tell(26, epollWait(ep, EVENTS, 0, 0));
  tell(27, epollCtl(ep, EPOLL_CTL_ADD, client, event(EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT, 0)));
  tell(28, epollCreate());
  // Of two that watch with EPOLLEXCLUSIVE one is told.
  epollCtl(ep, EPOLL_CTL_ADD, listener, event(EPOLLIN | EPOLLEXCLUSIVE, 12));
  epollCtl(other, EPOLL_CTL_ADD, listener, event(EPOLLIN | EPOLLEXCLUSIVE, 12));
  epollWait(ep, EVENTS, 8, 0);
  epollWait(other, EVENTS, 8, 0);
  const third = socket(AF_INET, SOCK_STREAM, 0);
  connect(third, loopback(80));
  const first = told(epollWait(ep, EVENTS, 8, 20), 12);
  tell(29, first + told(epollWait(other, EVENTS, 8, 20), 12));
  close(accept(listener, null));
  close(third);
  epollCtl(ep, EPOLL_CTL_DEL, listener, null);
  tell(30, epollClose(other));
  tell(31, epollWait(other, EVENTS, 8, 0));
}

function endings(ep: i32): void {
  epollCtl(ep, EPOLL_CTL_MOD, server, event(EPOLLIN | EPOLLRDHUP, 13));
  recv(server, BUFFER, 64, 0);
  shutdown(client, SHUT_WR);
  tell(40, told(epollWait(ep, EVENTS, 8, 1000), 13));
  shutdown(server, SHUT_WR);
  tell(41, told(epollWait(ep, EVENTS, 8, 1000), 13) & (<i32>EPOLLHUP));
  // A socket that is closed leaves the set.
  close(server);
  tell(42, epollWait(ep, EVENTS, 8, 20));
  close(client);
  const reused = socket(AF_INET, SOCK_STREAM, 0);
  tell(43, epollWait(ep, EVENTS, 8, 20));
  close(reused);
}

function selects(): void {
  pair();
  fdZero(READ_SET);
  fdZero(WRITE_SET);
  fdSet(server, READ_SET);
  fdSet(server, WRITE_SET);
  fdSet(client, READ_SET);
  tell(50, select(FD_SETSIZE, READ_SET, WRITE_SET, 0, 100));
  tell(51, fdIsSet(server, WRITE_SET) && !fdIsSet(server, READ_SET) ? 1 : 0);
  fdSet(server, READ_SET);
  const before = clockMs();
  tell(52, select(FD_SETSIZE, READ_SET, 0, 0, 50));
  tell(53, clockMs() - before >= 50 ? 1 : 0);
  send(client, BUFFER, 3, 0);
  fdZero(READ_SET);
  fdSet(server, READ_SET);
  fdSet(client, READ_SET);
  tell(54, select(FD_SETSIZE, READ_SET, 0, 0, -1));
  tell(55, fdIsSet(server, READ_SET) && !fdIsSet(client, READ_SET) ? 1 : 0);
  close(client);
  close(server);
  fdSet(client, READ_SET);
  tell(56, select(FD_SETSIZE, READ_SET, 0, 0, 0));
}

function pieceAt(index: u32): IoVec {
  return changetype<IoVec>(PIECES + <usize>(index * 8));
}

/** Two pieces of these lengths, one behind the other in BUFFER. */
function pieces(first: u32, second: u32): void {
  pieceAt(0).base = BUFFER;
  pieceAt(0).bytes = first;
  pieceAt(1).base = BUFFER + <usize>first;
  pieceAt(1).bytes = second;
}

function more(): void {
  pair();
  pieces(10, 20);
  tell(70, writev(client, PIECES, 2));
  // The loopback device needs a turn.
  select(FD_SETSIZE, 0, 0, 0, 5);
  tell(71, ioctl(server, FIONREAD, VALUE));
  tell(72, load<i32>(VALUE));
  pieces(25, 25);
  tell(73, readv(server, PIECES, 2));
  tell(74, ioctl(server, 1, VALUE));
  close(client);
  close(server);
  const one = socket(AF_INET, SOCK_DGRAM, 0);
  bind(one, loopback(90));
  const two = socket(AF_INET, SOCK_DGRAM, 0);
  const message = changetype<MsgHdr>(MESSAGE);
  message.name = changetype<usize>(loopback(90));
  message.iov = PIECES;
  message.iovCount = 2;
  pieces(10, 20);
  tell(75, sendmsg(two, message, 0));
  message.name = 0;
  pieces(8, 8);
  tell(76, recvmsg(one, message, 0));
  tell(77, message.flags == MSG_TRUNC ? 1 : 0);
  sendto(two, BUFFER, 30, 0, loopback(90));
  tell(78, recv(one, BUFFER, 10, MSG_TRUNC));
  controlled(one, two, message);
  close(two);
}

/** IP_PKTINFO; a second descriptor; options with names. */
function controlled(one: i32, two: i32, message: MsgHdr): void {
  store<i32>(VALUE, 1);
  tell(170, setsockopt(one, IPPROTO_IP, IP_PKTINFO, VALUE, 4));
  message.control = CONTROL;
  message.controlBytes = 24;
  sendto(two, BUFFER, 30, 0, loopback(90));
  tell(171, recvmsg(one, message, 0));
  const info = changetype<PacketInfo>(CONTROL);
  tell(172, message.controlBytes == 24 && info.address == htonl(INADDR_LOOPBACK) ? 1 : 0);
  tell(173, info.interfaceIndex);
  message.controlBytes = 8;
  sendto(two, BUFFER, 30, 0, loopback(90));
  recvmsg(one, message, 0);
  tell(174, message.flags & MSG_CTRUNC);
  const twin = dup(one);
  tell(175, close(one));
  tell(176, sendto(two, BUFFER, 30, 0, loopback(90)));
  tell(177, recv(twin, BUFFER, 64, 0));
  tell(178, close(twin));
  store<u32>(CONTROL, 0x3f687465);
  tell(179, setsockopt(two, SOL_SOCKET, SO_BINDTODEVICE, CONTROL, 4));
  store<u32>(CONTROL, 0x30687465);
  tell(180, setsockopt(two, SOL_SOCKET, SO_BINDTODEVICE, CONTROL, 4));
  tell(181, sendto(two, BUFFER, 30, 0, loopback(90)));
  store<u64>(CONTROL, 0);
  getsockopt(two, SOL_SOCKET, SO_BINDTODEVICE, CONTROL);
  tell(182, load<u64>(CONTROL) == 0x30687465 ? 1 : 0);
  tell(183, setsockopt(two, SOL_SOCKET, SO_BINDTODEVICE, CONTROL, 0));
  tell(184, setsockopt(server, IPPROTO_TCP, TCP_CONGESTION, CONTROL, 4));
}

function sqe(opcode: u32, fd: i32, address: usize, bytes: u32, userData: u32): RingSqe {
  const it = ringPrepare()!;
  it.opcode = <u8>opcode;
  it.fd = fd;
  it.address = address;
  it.bytes = bytes;
  it.userData = userData;
  return it;
}

/** Waits for a completion and tells its user data, result and flags. */
function completion(step: u32): RingCqe {
  ringWait(1, 2000);
  const cqe = ringPeek();
  if (cqe == null) {
    tell(step, -9999);
    return changetype<RingCqe>(EVENTS);
  }
  memory.copy(EVENTS, changetype<usize>(cqe), 16);
  ringSeen();
  const it = changetype<RingCqe>(EVENTS);
  tell(step, <i32>(it.userData * 1000) + (it.result < 0 ? it.result : min<i32>(it.result, 99)));
  return it;
}

/** The completion queue: accept, connect, provided buffers, zero copy, links, cancel, timeout, overflow. */
function rings(): void {
  sqe(RING_ACCEPT, listener, 0, 0, 1).flags = <u8>RING_MULTISHOT;
  client = socket(AF_INET, SOCK_STREAM, 0);
  sqe(RING_CONNECT, client, changetype<usize>(loopback(80)), 0, 2);
  tell(80, ringSubmit());
  // The server's end is the first descriptor that accept gives.
  ringWait(2, 2000);
  for (let i = 0; i < 2; i++) {
    const cqe = ringPeek()!;
    if (cqe.userData == 1) server = cqe.result;
    tell(81, <i32>cqe.userData * 10 + <i32>(cqe.flags & RING_F_MORE));
    ringSeen();
  }
  ringBuffers(BUFFERS, 16, 2);
  sqe(RING_RECV, server, 0, 0, 3).flags = <u8>(RING_MULTISHOT | RING_BUFFER_SELECT);
  sqe(RING_SEND, client, BUFFER, 10, 4).flags = <u8>RING_ZEROCOPY;
  ringSubmit();
  // Sent, received, and the buffer is free: in the order in which it happens.
  let sum: u32 = 0;
  for (let i = 0; i < 3; i++) sum += completion(82).flags & 0xffff;
  tell(83, <i32>sum);
  // Two buffers, one is in use: one more comes, then there is none.
  send(client, BUFFER, 32, 0);
  completion(84);
  tell(85, completion(85).result);
  ringGiveBack(0);
  sqe(RING_TIMEOUT, 0, 0, 30, 5);
  sqe(RING_RECV, client, BUFFER, 8, 6);
  ringSubmit();
  completion(86);
  sqe(RING_CANCEL, 0, 0, 6, 7);
  ringSubmit();
  completion(87);
  completion(87);
  // A chain: the second waits for the first; when the first fails the second is cancelled.
  sqe(RING_SEND, server, BUFFER, 5, 8).flags = <u8>RING_LINK;
  sqe(RING_RECV, client, BUFFER, 64, 9);
  ringSubmit();
  completion(88);
  completion(88);
  sqe(RING_SEND, 77, BUFFER, 5, 10).flags = <u8>RING_LINK;
  sqe(RING_RECV, client, BUFFER, 64, 11);
  ringSubmit();
  completion(89);
  completion(89);
  sqe(RING_CANCEL, 0, 0, 1, 12);
  sqe(RING_CLOSE, client, 0, 0, 13);
  sqe(RING_CLOSE, server, 0, 0, 14);
  ringSubmit();
  for (let i = 0; i < 4; i++) completion(90);
  // More completions than there is room for: none is lost.
  let done: i32 = 0;
  for (let turn = 0; turn < 3; turn++) {
    for (let i: u32 = 0; i < 16; i++) sqe(RING_NOP, 0, 0, 0, i);
    ringSubmit();
  }
  tell(91, ringPrepare() == null ? 1 : 0);
  tell(92, ringOverflowed() ? 1 : 0);
  while (ringPeek() != null) {
    ringSeen();
    done += 1;
  }
  tell(93, done);
  tell(94, ringOverflowed() ? 1 : 0);
}

const enum On {
  ACCEPT = 1,
  TEXT = 2,
  TICK = 3,
  LATER = 4,
  STOPPED = 5,
}

/** An echo server by the event loop; the client is driven by timer and deferred work of the same loop. */
function loops(): void {
  let ticks: i32 = 0;
  let echoed: i32 = 0;
  loopWatch(listener, EPOLLIN, On.ACCEPT, <u32>listener);
  loopTimer(10, 10, On.TICK, 5);
  loopTimerStop(loopTimer(15, 0, On.STOPPED, 0));
  loopDefer(On.LATER, 6);
  client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  connect(client, loopback(80));
  const before = clockMs();
  while (ticks < 5) {
    switch (loopNext()) {
      case <u32>On.ACCEPT: {
        const fd = accept(<i32>loopContext(), null);
        if (fd >= 0) loopWatch(fd, EPOLLIN, On.TEXT, <u32>fd);
        break;
      }
      case <u32>On.TEXT: {
        const bytes = recv(<i32>loopContext(), BUFFER, 64, 0);
        if (bytes > 0) echoed += bytes;
        else {
          loopForget(<i32>loopContext());
          close(<i32>loopContext());
        }
        break;
      }
      case <u32>On.TICK:
        ticks += 1;
        tell(60, <i32>loopContext());
        if (ticks < 4) send(client, BUFFER, 10, 0);
        else close(client);
        break;
      case <u32>On.LATER:
        tell(61, <i32>loopContext());
        break;
      default:
        tell(62, -1);
    }
  }
  tell(63, echoed);
  const tookMs = clockMs() - before;
  tell(64, tookMs >= 50 && tookMs < 53 ? 1 : <i32>tookMs);
}

export function main(): void {
  if (netStart() < 0) return;
  listener = socket(AF_INET, SOCK_STREAM, 0);
  bind(listener, loopback(80));
  listen(listener, 4);
  pair();
  const ep = epollCreate();
  levels(ep);
  edges(ep);
  misuse(ep);
  endings(ep);
  epollClose(ep);
  selects();
  more();
  rings();
  loops();
  tell(99, 0);
  for (;;) loopNext();
}
