/**
 * Blocking calls, one after the other, against a peer that knows the order (test/stack/socket-blocking.test.ts). Each result
 * is logged with the milliseconds that the call took.
 */
import { clockMs, log0, log3 } from "board";
import { netStart } from "../../../firmware/net/runtime";
import {
  AF_INET,
  F_SETFL,
  IPPROTO_TCP,
  MSG_DONTWAIT,
  MSG_WAITALL,
  O_NONBLOCK,
  POLLIN,
  PollFd,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_LINGER,
  SO_RCVTIMEO,
  SO_SNDTIMEO,
  SockAddrIn,
  TCP_NODELAY,
  accept,
  bind,
  close,
  connect,
  fcntl,
  getpeername,
  getsockname,
  getsockopt,
  htonl,
  htons,
  listen,
  ntohl,
  ntohs,
  poll,
  recv,
  recvfrom,
  send,
  setsockopt,
  socket,
} from "../../../firmware/net/sockets";

const ADDRESS: usize = memory.data(8, 4);
const VALUE: usize = memory.data(8, 4);
const POLL: usize = memory.data(16, 4);
const BUFFER_BYTES: u32 = 8192;
const BUFFER: usize = memory.data(BUFFER_BYTES, 4);
const PEER: u32 = 0xc0a84d03;
const NOBODY: u32 = 0xc0a84d63;

let since: u32 = 0;

function begin(): void {
  since = clockMs();
}

function end(step: u32, result: i32): void {
  log3("info: step %u gives %d after %u", step, <u32>result, clockMs() - since);
}

function addressOf(host: u32, port: u16): SockAddrIn {
  const address = changetype<SockAddrIn>(ADDRESS);
  address.sinFamily = <u16>AF_INET;
  address.sinPort = htons(port);
  address.sinAddr = htonl(host);
  return address;
}

function setTimeout(fd: i32, option: i32, ms: i32): void {
  store<i32>(VALUE, ms / 1000);
  store<i32>(VALUE, (ms % 1000) * 1000, 4);
  setsockopt(fd, SOL_SOCKET, option, VALUE, 8);
}

function accepting(listener: i32): i32 {
  setTimeout(listener, SO_RCVTIMEO, 300);
  begin();
  end(1, accept(listener, null));
  setTimeout(listener, SO_RCVTIMEO, 0);
  begin();
  const client = accept(listener, addressOf(0, 0));
  end(2, client >= 0 ? 0 : client);
  const from = changetype<SockAddrIn>(ADDRESS);
  log3("info: peer %i port %u family %u", ntohl(from.sinAddr), ntohs(from.sinPort), from.sinFamily);
  return client;
}

function receiving(client: i32): void {
  begin();
  end(3, recv(client, BUFFER, BUFFER_BYTES, 0));
  begin();
  end(4, recv(client, BUFFER, BUFFER_BYTES, MSG_DONTWAIT));
  setTimeout(client, SO_RCVTIMEO, 200);
  begin();
  end(5, recv(client, BUFFER, BUFFER_BYTES, 0));
  setTimeout(client, SO_RCVTIMEO, 0);
  send(client, BUFFER, 1, 0);
  begin();
  end(6, recv(client, BUFFER, 3000, MSG_WAITALL));
  fcntl(client, F_SETFL, O_NONBLOCK);
  begin();
  end(7, recv(client, BUFFER, BUFFER_BYTES, 0));
  fcntl(client, F_SETFL, 0);
}

function sending(client: i32): void {
  begin();
  let total: i32 = 0;
  for (let i = 0; i < 5; i++) total += send(client, BUFFER, BUFFER_BYTES, 0);
  end(8, total);
  setTimeout(client, SO_SNDTIMEO, 400);
  begin();
  let result: i32 = 0;
  // The peer does not read now; its window and our ring fill up.
  for (let i = 0; i < 100 && result >= 0; i++) result = send(client, BUFFER, BUFFER_BYTES, 0);
  end(9, result);
  begin();
  end(10, recv(client, BUFFER, BUFFER_BYTES, 0));
  close(client);
}

function connecting(): void {
  const open = socket(AF_INET, SOCK_STREAM, 0);
  begin();
  end(11, connect(open, addressOf(PEER, 4000)));
  end(12, connect(open, addressOf(PEER, 4000)));
  end(13, getpeername(open, addressOf(0, 0)));
  log3(
    "info: peer %i port %u family %u",
    ntohl(load<u32>(ADDRESS, 4)),
    ntohs(load<u16>(ADDRESS, 2)),
    2,
  );
  end(14, getsockname(open, addressOf(0, 0)));
  let result: i32 = 0;
  begin();
  for (let i = 0; i < 100 && result >= 0; i++) result = send(open, BUFFER, BUFFER_BYTES, 0);
  end(32, result);
  end(33, send(open, BUFFER, 1, 0));
  close(open);
  const refused = socket(AF_INET, SOCK_STREAM, 0);
  begin();
  end(15, connect(refused, addressOf(PEER, 4001)));
  close(refused);
  const lost = socket(AF_INET, SOCK_STREAM, 0);
  setTimeout(lost, SO_SNDTIMEO, 500);
  begin();
  end(16, connect(lost, addressOf(NOBODY, 80)));
  close(lost);
  const unreachable = socket(AF_INET, SOCK_STREAM, 0);
  begin();
  end(17, connect(unreachable, addressOf(NOBODY, 80)));
  close(unreachable);
}

function polling(listener: i32): void {
  const entry = changetype<PollFd>(POLL);
  entry.fd = listener;
  entry.events = <u16>POLLIN;
  const ignored = changetype<PollFd>(POLL + 8);
  ignored.fd = -1;
  ignored.events = <u16>POLLIN;
  begin();
  end(18, poll(POLL, 2, 250));
  begin();
  end(19, poll(POLL, 2, 0));
  ignored.fd = 12345;
  end(20, poll(POLL, 2, 250));
  end(21, ignored.revents);
}

function datagrams(): void {
  const udp = socket(AF_INET, SOCK_DGRAM, 0);
  bind(udp, addressOf(0, 9));
  setTimeout(udp, SO_RCVTIMEO, 150);
  begin();
  end(22, recvfrom(udp, BUFFER, BUFFER_BYTES, 0, addressOf(0, 0)));
  close(udp);
}

function options(): void {
  const fd = socket(AF_INET, SOCK_STREAM, 0);
  begin();
  store<i32>(VALUE, 1);
  end(23, setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, VALUE, 2));
  end(24, setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, VALUE, 4));
  store<i32>(VALUE, 0);
  getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, VALUE);
  end(25, load<i32>(VALUE));
  setTimeout(fd, SO_RCVTIMEO, 1250);
  getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, VALUE);
  end(26, load<i32>(VALUE) * 1000 + load<i32>(VALUE, 4) / 1000);
  getsockopt(fd, SOL_SOCKET, SO_LINGER, VALUE);
  end(27, load<i32>(VALUE));
  store<i32>(VALUE, 0, 4);
  store<i32>(VALUE, 1);
  end(28, setsockopt(fd, SOL_SOCKET, SO_LINGER, VALUE, 8));
  getsockopt(fd, SOL_SOCKET, SO_LINGER, VALUE);
  end(29, load<i32>(VALUE));
  end(30, getsockopt(fd, SOL_SOCKET, 999, VALUE));
  end(31, getsockopt(-1, SOL_SOCKET, SO_LINGER, VALUE));
  close(fd);
}

export function main(): void {
  if (netStart() < 0) return;
  const listener = socket(AF_INET, SOCK_STREAM, 0);
  bind(listener, addressOf(0, 7));
  listen(listener, 2);
  const client = accepting(listener);
  receiving(client);
  sending(client);
  connecting();
  polling(listener);
  datagrams();
  options();
  log0("info: done");
}
