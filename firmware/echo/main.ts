/**
 * Echo server (RFC 862) on TCP port 7, for a few clients at a time: the smallest program around one
 * poll().
 */
import { close, htons, poll, recv, send, socket, bind, listen, accept } from "as-tcpip/net";
import { AF_INET, PollFd, POLLIN, SOCK_STREAM, SockAddrIn, netStart } from "as-tcpip/net";
import { IPPROTO_TCP, SOL_SOCKET, SO_KEEPALIVE, setsockopt } from "as-tcpip/net";
import { TCP_KEEPIDLE, TCP_KEEPINTVL } from "as-tcpip/net";

const WATCHED: u32 = 5; // a listener and four clients
const FDS: usize = memory.data(WATCHED * 8, 4);
const ADDRESS: usize = memory.data(8, 4);
const VALUE: usize = memory.data(4, 4);
const BUFFER: usize = memory.data(512, 4);

function watched(index: u32): PollFd {
  return changetype<PollFd>(FDS + <usize>(index * 8));
}

function listenOn(port: u16): i32 {
  const fd = socket(AF_INET, SOCK_STREAM, 0);
  const address = changetype<SockAddrIn>(ADDRESS);
  address.sinFamily = <u16>AF_INET;
  address.sinPort = htons(port);
  bind(fd, address);
  // A client that has vanished without a word gives its place back; accepted sockets inherit this.
  store<i32>(VALUE, 1);
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, VALUE, 4);
  store<i32>(VALUE, 60);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, VALUE, 4);
  store<i32>(VALUE, 10);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, VALUE, 4);
  listen(fd, 4);
  return fd;
}

function welcome(client: i32): void {
  for (let i: u32 = 1; i < WATCHED; i++) {
    if (watched(i).fd >= 0) continue;
    watched(i).fd = client;
    return;
  }
  close(client);
}

function echo(client: PollFd): void {
  const bytes = recv(client.fd, BUFFER, 512, 0);
  if (bytes > 0 && send(client.fd, BUFFER, <u32>bytes, 0) == bytes) return;
  close(client.fd);
  client.fd = -1;
}

export function main(): void {
  if (netStart() < 0) return;
  for (let i: u32 = 0; i < WATCHED; i++) {
    watched(i).fd = i == 0 ? listenOn(7) : -1;
    watched(i).events = <u16>POLLIN;
  }
  for (;;) {
    poll(FDS, WATCHED, -1);
    if (watched(0).revents != 0) welcome(accept(watched(0).fd, null));
    for (let i: u32 = 1; i < WATCHED; i++) if (watched(i).revents != 0) echo(watched(i));
  }
}
