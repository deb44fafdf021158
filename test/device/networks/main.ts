/**
 * Two networks, as docs/sockets.md tells of them: an echo on port 7 for both, one on port 23 for the second alone, and what each interface reaches.
 */
import {
  AF_INET,
  POLLIN,
  PollFd,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_BINDTODEVICE,
  SockAddrIn,
  accept,
  bind,
  close,
  connect,
  getaddrinfo,
  htonl,
  htons,
  listen,
  netPoll,
  netStart,
  poll,
  recv,
  routeAdd,
  send,
  setsockopt,
  socket,
} from "as-tcpip/net";
import { log1, log2, log3 } from "as-tcpip/log";
import {
  NETWORKS,
  networkAddress,
  networkDns,
  networkGateway,
  poolSize,
  socketIsOpen,
  socketLocalPort,
  socketNetwork,
} from "as-tcpip/netstat";
import { text, textAddress, textBytes } from "as-tcpip/text";

const ADDRESS: usize = memory.data(8, 4);
const BUFFER: usize = memory.data(256, 4);
const FDS: usize = memory.data(16, 4);

function place(host: u32, port: u16): SockAddrIn {
  const address = changetype<SockAddrIn>(ADDRESS);
  address.sinFamily = <u16>AF_INET;
  address.sinPort = htons(port);
  address.sinAddr = htonl(host);
  return address;
}

/** A stream socket that is held to the interface of this number. */
function heldTo(number: u32): i32 {
  const fd = socket(AF_INET, SOCK_STREAM, 0);
  const name = number == 0 ? text("eth0") : text("eth1");
  setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, textAddress(name), textBytes(name));
  return fd;
}

function serve(fd: i32, port: u16): i32 {
  if (bind(fd, place(0, port)) < 0 || listen(fd, 2) < 0) log1("error: port %u", <u32>port);
  return fd;
}

/** Tells what a connection to port 99 of a host by an interface comes to. */
function dial(number: u32, host: u32): void {
  const fd = heldTo(number);
  log3("info: eth%u to %i: %u", number, host, <u32>-connect(fd, place(host, 99)));
  close(fd);
}

function settled(): bool {
  for (let number: u32 = 0; number < NETWORKS; number++) {
    if (networkAddress(number) == 0) return false;
  }
  return true;
}

export function main(): void {
  if (netStart() < 0) return;
  while (!settled()) netPoll(1000);
  for (let number: u32 = 0; number < NETWORKS; number++) {
    log3("info: eth%u by %i, names of %i", number, networkGateway(number), networkDns(number));
  }
  // 10/8 lies behind the router of the second network.
  routeAdd(htonl(0x0a000000), htonl(0xff000000), htonl(networkGateway(1)));
  const any = serve(socket(AF_INET, SOCK_STREAM, 0), 7);
  const inner = serve(heldTo(1), 23);
  for (let i: u32 = 0; i < poolSize(0); i++) {
    if (socketIsOpen(i)) log2("info: port %u of %d", socketLocalPort(i), <u32>socketNetwork(i));
  }
  dial(0, networkGateway(0));
  dial(1, networkGateway(1));
  const own = text("as-tcpip.local");
  const found = changetype<SockAddrIn>(ADDRESS);
  log1("info: own name %u", <u32>getaddrinfo(textAddress(own), textBytes(own), 80, found, 1));
  for (;;) {
    const first = changetype<PollFd>(FDS);
    const second = changetype<PollFd>(FDS + offsetof<PollFd>());
    first.fd = any;
    second.fd = inner;
    first.events = <u16>POLLIN;
    second.events = <u16>POLLIN;
    poll(FDS, 2, -1);
    const client = accept(first.revents != 0 ? any : inner, null);
    if (client < 0) continue;
    const bytes = recv(client, BUFFER, 256, 0);
    if (bytes > 0) send(client, BUFFER, bytes, 0);
    close(client);
  }
}
