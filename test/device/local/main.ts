/**
 * AF_UNIX sockets in every style of waiting, one check after the other (test/apps/local.test.ts): each result is a line of the
 * log.
 */
import { log2 } from "as-tcpip/log";
import {
  AF_UNIX,
  EPOLLIN,
  EPOLLOUT,
  EPOLL_CTL_ADD,
  EpollEvent,
  FD_SETSIZE,
  FD_SET_BYTES,
  FIONREAD,
  POLLIN,
  PollFd,
  RING_ACCEPT,
  RING_CONNECT,
  RING_RECV,
  RING_SEND,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_RCVTIMEO,
  SockAddrIn,
  SockAddrUn,
  accept,
  bind,
  close,
  connect,
  epollClose,
  epollCreate,
  epollCtl,
  epollWait,
  fdIsSet,
  fdSet,
  getpeername,
  ioctl,
  listen,
  loopNext,
  loopTimer,
  loopWatch,
  netStart,
  poll,
  recv,
  recvfrom,
  ringPeek,
  ringPrepare,
  ringSeen,
  ringSubmit,
  ringWait,
  select,
  send,
  sendto,
  setSockAddrUn,
  setsockopt,
  socket,
  socketpair,
} from "as-tcpip/net";
import { Text, text, textAddress, textBytes } from "as-tcpip/text";
import { clockMs } from "as-tcpip/time";

const NAME: usize = memory.data(8, 4);
const PEER: usize = memory.data(8, 4);
const FDS: usize = memory.data(8, 4);
const SETS: usize = memory.data(FD_SET_BYTES, 4);
const EVENT: usize = memory.data(12, 4);
const WATCH: usize = memory.data(8, 4);
const BUFFER: usize = memory.data(512, 4);

function tell(step: u32, value: i32): void {
  log2("info: step %u gives %d", step, <u32>value);
}

function named(name: Text): SockAddrIn {
  setSockAddrUn(changetype<SockAddrUn>(NAME), textAddress(name), textBytes(name));
  return changetype<SockAddrIn>(NAME);
}

function end(index: u32): i32 {
  return load<i32>(FDS + <usize>(index << 2));
}

/** Connect, accept, names; blocking calls with a time-out. */
function streams(): void {
  const listener = socket(AF_UNIX, SOCK_STREAM, 0);
  tell(1, bind(listener, named(text("service"))));
  tell(2, listen(listener, 2));
  const client = socket(AF_UNIX, SOCK_STREAM, 0);
  tell(3, connect(client, named(text("service"))));
  const server = accept(listener, changetype<SockAddrIn>(PEER));
  const peer = changetype<SockAddrUn>(PEER);
  tell(4, <i32>(peer.sunFamily * 100 + peer.sunBytes));
  tell(5, getpeername(client, changetype<SockAddrIn>(PEER)));
  tell(6, <i32>peer.sunBytes);
  tell(7, load<u8>(peer.sunName));
  // 300 bytes do not fit: the call that may wait gives up after its time.
  tell(8, send(client, BUFFER, 200, 0));
  store<i32>(BUFFER, 0);
  store<i32>(BUFFER, 50_000, 4);
  setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, BUFFER, 8);
  const before = clockMs();
  tell(9, recv(client, BUFFER, 100, 0));
  tell(10, clockMs() - before >= 50 ? 1 : 0);
  ioctl(server, FIONREAD, BUFFER);
  tell(11, load<i32>(BUFFER));
  tell(12, recv(server, BUFFER, 512, 0));
  close(server);
  tell(13, recv(client, BUFFER, 512, 0));
  close(client);
  close(listener);
}

function datagrams(): void {
  const sink = socket(AF_UNIX, SOCK_DGRAM, 0);
  bind(sink, named(text("sink")));
  const source = socket(AF_UNIX, SOCK_DGRAM, 0);
  bind(source, named(text("a")));
  tell(20, sendto(source, BUFFER, 30, 0, named(text("sink"))));
  tell(21, recvfrom(sink, BUFFER, 512, 0, changetype<SockAddrIn>(PEER)));
  tell(22, load<u8>(changetype<SockAddrUn>(PEER).sunName));
  // And back to where it came from.
  tell(23, sendto(sink, BUFFER, 10, 0, changetype<SockAddrIn>(PEER)));
  tell(24, recv(source, BUFFER, 512, 0));
  close(sink);
  close(source);
}

/** poll, select, epoll. */
function waits(): void {
  tell(30, socketpair(AF_UNIX, SOCK_STREAM, 0, FDS));
  const watch = changetype<PollFd>(WATCH);
  watch.fd = end(1);
  watch.events = <u16>POLLIN;
  tell(31, poll(WATCH, 1, 20));
  send(end(0), BUFFER, 10, 0);
  tell(32, poll(WATCH, 1, -1));
  fdSet(end(1), SETS);
  tell(33, select(FD_SETSIZE, SETS, 0, 0, -1));
  tell(34, fdIsSet(end(1), SETS) ? 1 : 0);
  const ep = epollCreate();
  const event = changetype<EpollEvent>(EVENT);
  event.events = EPOLLIN;
  event.data = 7;
  epollCtl(ep, EPOLL_CTL_ADD, end(1), event);
  tell(35, epollWait(ep, EVENT, 1, -1));
  recv(end(1), BUFFER, 512, 0);
  tell(36, epollWait(ep, EVENT, 1, 20));
  // News of what happens later: text, and room.
  event.events = EPOLLOUT;
  event.data = 8;
  epollCtl(ep, EPOLL_CTL_ADD, end(0), event);
  tell(37, epollWait(ep, EVENT, 1, -1));
  tell(38, send(end(0), BUFFER, 256, 0));
  tell(39, epollWait(ep, EVENT, 1, -1));
  tell(40, <i32>event.data);
  recv(end(1), BUFFER, 512, 0);
  tell(41, epollWait(ep, EVENT, 1, -1));
  tell(42, <i32>event.data);
  epollClose(ep);
  close(end(0));
  close(end(1));
}

function submit(opcode: u32, fd: i32, address: usize, bytes: u32, userData: u32): void {
  const sqe = ringPrepare()!;
  sqe.opcode = <u8>opcode;
  sqe.fd = fd;
  sqe.address = address;
  sqe.bytes = bytes;
  sqe.userData = userData;
  ringSubmit();
}

function completion(step: u32): i32 {
  ringWait(1, 1000);
  const cqe = ringPeek()!;
  const result = cqe.result;
  tell(step, <i32>cqe.userData);
  ringSeen();
  return result;
}

/** The completion queue. */
function rings(): void {
  const listener = socket(AF_UNIX, SOCK_STREAM, 0);
  bind(listener, named(text("ring")));
  listen(listener, 2);
  const client = socket(AF_UNIX, SOCK_STREAM, 0);
  submit(RING_ACCEPT, listener, 0, 0, 1);
  submit(RING_CONNECT, client, changetype<usize>(named(text("ring"))), 0, 2);
  const first = completion(50);
  const second = completion(50);
  const server = max<i32>(first, second);
  submit(RING_RECV, server, BUFFER, 100, 3);
  submit(RING_SEND, client, BUFFER, 40, 4);
  completion(51);
  completion(51);
  close(client);
  close(server);
  close(listener);
}

const enum On {
  TEXT = 1,
  TICK = 2,
}

/** The event loop: a part of the firmware sends each 10 ms, another one hears it. */
function loops(): void {
  socketpair(AF_UNIX, SOCK_DGRAM, 0, FDS);
  loopWatch(end(1), EPOLLIN, On.TEXT, 0);
  loopTimer(10, 10, On.TICK, 0);
  let heard: i32 = 0;
  while (heard < 3) {
    switch (loopNext()) {
      case <u32>On.TEXT:
        heard += recv(end(1), BUFFER, 512, 0) == 5 ? 1 : 0;
        break;
      case <u32>On.TICK:
        send(end(0), BUFFER, 5, 0);
        break;
    }
  }
  tell(60, heard);
}

export function main(): void {
  if (netStart() < 0) return;
  streams();
  datagrams();
  waits();
  rings();
  loops();
  tell(99, 0);
  for (;;) loopNext();
}
