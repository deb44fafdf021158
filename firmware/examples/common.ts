/** What the examples share: sockets of servers and clients, where a server is, and echo without a buffer for each client. */
import {
  AF_INET,
  EAGAIN,
  IPPROTO_TCP,
  MSG_DONTWAIT,
  MSG_PEEK,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_KEEPALIVE,
  SO_RCVTIMEO,
  SO_SNDTIMEO,
  SockAddrIn,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
  bind,
  connect,
  htonl,
  htons,
  listen,
  netAddress,
  netGateway,
  netPoll,
  recv,
  send,
  setsockopt,
  socket,
} from "as-tcpip/net";
import { settingsHost } from "as-tcpip/settings";
import { Text, textAddress, textBytes } from "as-tcpip/text";
import { clockMs } from "as-tcpip/time";

export const ECHO_PORT: u16 = 7;

const ADDRESS: usize = memory.data(8, 4);
const VALUE: usize = memory.data(8, 4);
const CHUNK_BYTES: u32 = 512;
const CHUNK: usize = memory.data(CHUNK_BYTES, 4);

/** Sets an option that is a number. */
export function setNumber(fd: i32, level: i32, option: i32, value: i32): void {
  store<i32>(VALUE, value);
  setsockopt(fd, level, option, VALUE, 4);
}

/** Lets the listener's clients that vanish without a word give their places back; accepted sockets inherit it. */
export function keepAlive(fd: i32): void {
  setNumber(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  setNumber(fd, IPPROTO_TCP, TCP_KEEPIDLE, 60);
  setNumber(fd, IPPROTO_TCP, TCP_KEEPINTVL, 10);
}

/** Binds a socket to a port of ours: 0 or a negative errno. */
export function bindTo(fd: i32, port: u16): i32 {
  const address = changetype<SockAddrIn>(ADDRESS);
  address.sinFamily = <u16>AF_INET;
  address.sinPort = htons(port);
  address.sinAddr = 0;
  return bind(fd, address);
}

/** A listening socket, or a negative errno; `flags` 0 or SOCK_NONBLOCK. */
export function listenOn(port: u16, flags: i32): i32 {
  const fd = socket(AF_INET, SOCK_STREAM | flags, 0);
  if (fd < 0) return fd;
  bindTo(fd, port);
  keepAlive(fd);
  const result = listen(fd, 4);
  return result < 0 ? result : fd;
}

/** Lets time pass, while the network goes on. */
export function pause(ms: u32): void {
  const start = clockMs();
  for (let passed: u32 = 0; passed < ms; passed = clockMs() - start) netPoll(ms - passed);
}

/**
 * Where a server is: the host of that name in the settings block (`--host NAME=ADDRESS`), or else the router. Waits until we have an
 * address, and know the router if it is the one: a network without a router has servers, too.
 */
export function serverOf(name: Text): u32 {
  const host = settingsHost(textAddress(name), textBytes(name));
  while (netAddress() == 0 || (host == 0 && netGateway() == 0)) netPoll(1000);
  return host != 0 ? host : netGateway();
}

/** Connects a socket to a server. 0 or a negative errno. */
export function connectTo(fd: i32, address: u32, port: u16): i32 {
  const record = changetype<SockAddrIn>(ADDRESS);
  record.sinFamily = <u16>AF_INET;
  record.sinPort = htons(port);
  record.sinAddr = htonl(address);
  return connect(fd, record);
}

/** Sets how long the calls of a socket wait, ms. */
export function setPatience(fd: i32, ms: u32): void {
  store<i32>(VALUE, <i32>(ms / 1000));
  store<i32>(VALUE, <i32>(ms % 1000) * 1000, 4);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, VALUE, 8);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, VALUE, 8);
}

/** What `echoOnce` has found. */
export const enum Echo {
  /** Nothing to read now. */
  WAIT_IN,
  /** No room for the answer now. */
  WAIT_OUT,
  /** Something was echoed, there may be more. */
  AGAIN,
  /** The client has finished, or is gone: close. */
  END,
}

/**
 * Sends back what has come, without waiting. What finds no room in the send ring stays in the receive ring: the client is
 * slowed down by its own window, and no client needs a buffer.
 */
export function echoOnce(fd: i32): Echo {
  const bytes = recv(fd, CHUNK, CHUNK_BYTES, MSG_PEEK | MSG_DONTWAIT);
  if (bytes == -EAGAIN) return Echo.WAIT_IN;
  if (bytes <= 0) return Echo.END;
  const sent = send(fd, CHUNK, <u32>bytes, MSG_DONTWAIT);
  if (sent == -EAGAIN) return Echo.WAIT_OUT;
  if (sent < 0) return Echo.END;
  recv(fd, CHUNK, <u32>sent, MSG_DONTWAIT);
  return Echo.AGAIN;
}
