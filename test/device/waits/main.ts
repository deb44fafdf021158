/**
 * One waiting call at a time, for the table of readiness (test/readiness/): an order comes by UDP, the socket that it needs is
 * made ready, the order is answered with one byte when the call is about to begin, and a log line tells when it has returned.
 */
import { log2 } from "as-tcpip/log";
import {
  AF_INET,
  F_SETFL,
  MSG_DONTWAIT,
  O_NONBLOCK,
  POLLIN,
  POLLOUT,
  PollFd,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_RCVTIMEO,
  SO_SNDTIMEO,
  SockAddrIn,
  accept,
  bind,
  close,
  connect,
  fcntl,
  htons,
  listen,
  netStart,
  poll,
  recv,
  recvfrom,
  send,
  sendto,
  setsockopt,
  socket,
} from "as-tcpip/net";

const CONTROL_PORT: u16 = 5000;
const STREAM_PORT: u16 = 80;
const DATAGRAM_PORT: u16 = 9;
const PEER_PORT: u16 = 4000;
const TIMEOUT_S: i32 = 30;

/** Calls by their number in an order. */
const enum Call {
  ACCEPT = 0,
  CONNECT = 1,
  RECV = 2,
  SEND = 3,
  RECVFROM = 4,
  RECV_CONNECTED = 5,
  SENDTO = 6,
}

/** Order: call, 1 = poll first, 1 = with a timeout; then the address of the peer, network order. */
const ORDER: usize = memory.data(16, 4);
const ADDRESS: usize = memory.data(8, 4);
const FROM: usize = memory.data(8, 4);
const TIMEOUT: usize = memory.data(8, 4);
const POLL: usize = memory.data(8, 4);
const BUFFER_BYTES: u32 = 32768;
const BUFFER: usize = memory.data(BUFFER_BYTES, 4);

function address(port: u16, host: u32): SockAddrIn {
  const it = changetype<SockAddrIn>(ADDRESS);
  it.sinFamily = <u16>AF_INET;
  it.sinPort = htons(port);
  it.sinAddr = host;
  return it;
}

function datagramSocket(port: u16): i32 {
  const fd = socket(AF_INET, SOCK_DGRAM, 0);
  bind(fd, address(port, 0));
  return fd;
}

function withTimeout(fd: i32): void {
  if (load<u8>(ORDER, 2) == 0) return;
  store<i32>(TIMEOUT, TIMEOUT_S);
  store<i32>(TIMEOUT, 0, 4);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, TIMEOUT, 8);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, TIMEOUT, 8);
}

function wait(fd: i32, events: u32): i32 {
  const it = changetype<PollFd>(POLL);
  it.fd = fd;
  it.events = <u16>events;
  poll(POLL, 1, load<u8>(ORDER, 2) != 0 ? TIMEOUT_S * 1000 : -1);
  return it.revents;
}

/** The order is answered: from here on the peer may act. */
function begin(control: i32): void {
  sendto(control, ORDER, 1, 0, changetype<SockAddrIn>(FROM));
}

function end(result: i32): void {
  log2("info: call %u gives %d", load<u8>(ORDER), <u32>result);
}

function call(control: i32, fd: i32, which: u32): i32 {
  const host = load<u32>(ORDER, 4);
  withTimeout(fd);
  begin(control);
  const polled = load<u8>(ORDER, 1) != 0;
  switch (which) {
    case <u32>Call.ACCEPT:
      if (polled) return wait(fd, POLLIN);
      return min<i32>(accept(fd, null), 0);
    case <u32>Call.CONNECT:
      if (!polled) return connect(fd, address(PEER_PORT, host));
      return wait(fd, POLLOUT);
    case <u32>Call.SEND:
      if (polled) return wait(fd, POLLOUT);
      return send(fd, BUFFER, 1, 0);
    case <u32>Call.SENDTO:
      if (polled) {
        sendto(fd, BUFFER, 4, MSG_DONTWAIT, address(PEER_PORT, host));
        return wait(fd, POLLOUT);
      }
      return sendto(fd, BUFFER, 4, 0, address(PEER_PORT, host));
    case <u32>Call.RECVFROM:
      if (polled) return wait(fd, POLLIN);
      return recvfrom(fd, BUFFER, BUFFER_BYTES, 0, address(0, 0));
    default:
      if (polled) return wait(fd, POLLIN);
      return recv(fd, BUFFER, BUFFER_BYTES, 0);
  }
}

/** A socket in the state in which the call waits. */
function prepared(which: u32, listener: i32): i32 {
  const host = load<u32>(ORDER, 4);
  if (which == Call.CONNECT) {
    const fd = socket(AF_INET, SOCK_STREAM, 0);
    if (load<u8>(ORDER, 1) == 0) return fd;
    fcntl(fd, F_SETFL, O_NONBLOCK);
    connect(fd, address(PEER_PORT, host));
    return fd;
  }
  if (which == Call.RECVFROM || which == Call.SENDTO) return datagramSocket(DATAGRAM_PORT);
  if (which == Call.RECV_CONNECTED) {
    const fd = datagramSocket(DATAGRAM_PORT);
    connect(fd, address(PEER_PORT, host));
    return fd;
  }
  const fd = accept(listener, null);
  if (which != Call.SEND) return fd;
  while (send(fd, BUFFER, BUFFER_BYTES, MSG_DONTWAIT) > 0);
  return fd;
}

export function main(): void {
  if (netStart() < 0) return;
  const listener = socket(AF_INET, SOCK_STREAM, 0);
  bind(listener, address(STREAM_PORT, 0));
  listen(listener, 4);
  const control = datagramSocket(CONTROL_PORT);
  for (;;) {
    recvfrom(control, ORDER, 16, 0, changetype<SockAddrIn>(FROM));
    const which = <u32>load<u8>(ORDER);
    if (which == Call.ACCEPT) {
      end(call(control, listener, which));
      continue;
    }
    const fd = prepared(which, listener);
    end(call(control, fd, which));
    close(fd);
  }
}
