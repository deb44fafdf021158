import { clockMs } from "board";
import {
  EAFNOSUPPORT,
  EAGAIN,
  EBADF,
  EINPROGRESS,
  EINVAL,
  ENOTCONN,
  ENOPROTOOPT,
} from "../../stack/errors";
import { SockAddrIn, setSockAddrIn } from "../../stack/socket/address";
import {
  AF_INET,
  AF_UNSPEC,
  F_GETFL,
  F_SETFL,
  MSG_DONTWAIT,
  MSG_PEEK,
  MSG_WAITALL,
  O_NONBLOCK,
  POLLERR,
  POLLHUP,
  POLLNVAL,
  SOL_SOCKET,
  SO_LINGER,
  SO_RCVTIMEO,
  SO_SNDTIMEO,
} from "../../stack/socket/constants";
import { sockGetOption, sockSetOption } from "../../stack/socket/options";
import {
  sockAccept,
  sockBind,
  sockClose,
  sockConnect,
  sockEvents,
  sockIsStream,
  sockListen,
  sockLocalAddress,
  sockLocalPort,
  sockOpen,
  sockPeerAddress,
  sockPeerPort,
  sockReceiveFrom,
  sockSend,
  sockSendTo,
  sockShutdown,
} from "../../stack/socket/socket";
import { NO_SOCKET, SocketFlag, socketAt, socketIndex } from "../../stack/socket/table";
import { netPoll } from "./runtime";

/**
 * POSIX sockets for applications. The calls, constants and their meaning are those of the man pages; a result below 0 is the
 * negative errno. A blocking call turns the network loop until it is done or its timeout has passed, so everything else (other
 * connections, DHCP, ping) goes on meanwhile.
 */
export {
  AF_INET,
  F_GETFL,
  F_SETFL,
  INADDR_ANY,
  INADDR_BROADCAST,
  INADDR_LOOPBACK,
  IPPROTO_IP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IP_TOS,
  IP_TTL,
  MSG_DONTWAIT,
  MSG_PEEK,
  MSG_WAITALL,
  MSG_ZEROCOPY,
  O_NONBLOCK,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLNVAL,
  POLLOUT,
  SHUT_RD,
  SHUT_RDWR,
  SHUT_WR,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_ACCEPTCONN,
  SO_BROADCAST,
  SO_ERROR,
  SO_LINGER,
  SO_RCVBUF,
  SO_RCVTIMEO,
  SO_REUSEADDR,
  SO_SNDBUF,
  SO_SNDTIMEO,
  SO_TYPE,
  TCP_MAXSEG,
  TCP_NODELAY,
} from "../../stack/socket/constants";
export { SockAddrIn, htonl, htons, ntohl, ntohs } from "../../stack/socket/address";
export {
  EADDRINUSE,
  EADDRNOTAVAIL,
  EAFNOSUPPORT,
  EAGAIN,
  EALREADY,
  EBADF,
  ECONNREFUSED,
  ECONNRESET,
  EDESTADDRREQ,
  EHOSTUNREACH,
  EINPROGRESS,
  EINVAL,
  EISCONN,
  EMFILE,
  EMSGSIZE,
  ENETUNREACH,
  ENOBUFS,
  ENOPROTOOPT,
  ENOTCONN,
  EOPNOTSUPP,
  EPIPE,
  EPROTONOSUPPORT,
  ESOCKTNOSUPPORT,
  ETIMEDOUT,
  EWOULDBLOCK,
} from "../../stack/errors";

/** One entry of poll(2): 8 bytes. */
@unmanaged
export class PollFd {
  fd: i32;
  events: u16;
  revents: u16;
}

/** Longest single wait inside a blocking call; it loops anyway. */
const TURN_MS: u32 = 60000;
const PEER: usize = memory.data(8, 4);

/** True when a call on this descriptor with these flags may wait. */
function mayWait(fd: i32, flags: i32): bool {
  if ((flags & MSG_DONTWAIT) != 0) return false;
  const index = socketIndex(fd);
  return index != NO_SOCKET && (socketAt(index).flags & SocketFlag.NONBLOCK) == 0;
}

/** Time left of `timeoutMs` (0 = for ever) since `startMs`; 0 when it has passed. */
function timeLeft(startMs: u32, timeoutMs: u32): u32 {
  if (timeoutMs == 0) return TURN_MS;
  const passed = clockMs() - startMs;
  return passed >= timeoutMs ? 0 : min<u32>(timeoutMs - passed, TURN_MS);
}

function receiveTimeout(fd: i32): u32 {
  return socketAt(socketIndex(fd)).receiveTimeoutMs;
}

function sendTimeout(fd: i32): u32 {
  return socketAt(socketIndex(fd)).sendTimeoutMs;
}

/** socket(2): AF_INET; SOCK_STREAM (TCP) or SOCK_DGRAM (UDP), with SOCK_NONBLOCK if wanted. */
export function socket(domain: i32, type: i32, protocol: i32): i32 {
  return sockOpen(domain, type, protocol);
}

/** bind(2). */
export function bind(fd: i32, address: SockAddrIn): i32 {
  if (address.sinFamily != <u16>AF_INET) return -EAFNOSUPPORT;
  return sockBind(fd, bswap<u32>(address.sinAddr), <u32>bswap<u16>(address.sinPort));
}

/** listen(2). */
export function listen(fd: i32, backlog: i32): i32 {
  return sockListen(fd, backlog);
}

/** accept(2). Waits for a connection; `address` (or null) is told the peer's. */
export function accept(fd: i32, address: SockAddrIn | null): i32 {
  const startMs = clockMs();
  let result = sockAccept(fd);
  while (result == -EAGAIN && mayWait(fd, 0)) {
    const left = timeLeft(startMs, receiveTimeout(fd));
    if (left == 0) break;
    netPoll(left);
    result = sockAccept(fd);
  }
  if (result >= 0 && address != null) getpeername(result, address);
  return result;
}

/** connect(2). Waits until the connection is open or refused; with O_NONBLOCK -EINPROGRESS, then poll for POLLOUT. */
export function connect(fd: i32, address: SockAddrIn): i32 {
  if (address.sinFamily == <u16>AF_UNSPEC) return sockConnect(fd, 0, 0);
  if (address.sinFamily != <u16>AF_INET) return -EAFNOSUPPORT;
  const to = bswap<u32>(address.sinAddr);
  const port = <u32>bswap<u16>(address.sinPort);
  const startMs = clockMs();
  let result = sockConnect(fd, to, port);
  if (result != -EINPROGRESS || !mayWait(fd, 0)) return result;
  while (sockEvents(fd) == 0) {
    const left = timeLeft(startMs, sendTimeout(fd));
    if (left == 0) return -EINPROGRESS;
    netPoll(left);
  }
  result = sockConnect(fd, to, port);
  return result;
}

/**
 * send(2). A stream socket that may wait takes all bytes before it returns; otherwise as many as there is room for. With
 * MSG_ZEROCOPY the bytes are not copied but read in place, again for each retransmission: they must stay as they are until the
 * peer has acknowledged them (assets in flash always do).
 */
export function send(fd: i32, from: usize, bytes: u32, flags: i32): i32 {
  return sendUntil(fd, from, bytes, flags, 0, 0);
}

/** sendto(2). */
export function sendto(
  fd: i32,
  from: usize,
  bytes: u32,
  flags: i32,
  address: SockAddrIn | null,
): i32 {
  if (address == null) return sendUntil(fd, from, bytes, flags, 0, 0);
  if (address.sinFamily != <u16>AF_INET) return -EAFNOSUPPORT;
  const port = <u32>bswap<u16>(address.sinPort);
  if (port == 0) return -EINVAL;
  return sendUntil(fd, from, bytes, flags, bswap<u32>(address.sinAddr), port);
}

/** True when an error waits to be told: the next call shall have it, not one that has done part of its work. */
function broken(fd: i32): bool {
  return (sockEvents(fd) & POLLERR) != 0;
}

function sendOnce(fd: i32, from: usize, bytes: u32, flags: i32, address: u32, port: u32): i32 {
  if (port == 0) return sockSend(fd, from, bytes, flags);
  return sockSendTo(fd, from, bytes, flags, address, port);
}

function sendUntil(fd: i32, from: usize, bytes: u32, flags: i32, address: u32, port: u32): i32 {
  const startMs = clockMs();
  let done: u32 = 0;
  let result: i32;
  do {
    result = sendOnce(fd, from + done, bytes - done, flags, address, port);
    if (result >= 0) {
      done += <u32>result;
    } else {
      if (result != -EAGAIN && result != -EINPROGRESS) break;
      const left = mayWait(fd, flags) ? timeLeft(startMs, sendTimeout(fd)) : 0;
      if (left == 0) break;
      netPoll(left);
    }
  } while (done < bytes && mayWait(fd, flags) && (done == 0 || !broken(fd)));
  return done != 0 || result >= 0 ? <i32>done : result;
}

/** recv(2). 0 at the end of the stream. MSG_WAITALL: a stream socket that may wait returns with all bytes, or at the end. */
export function recv(fd: i32, to: usize, capacity: u32, flags: i32): i32 {
  return recvfrom(fd, to, capacity, flags, null);
}

/** recvfrom(2). A datagram that is longer than `capacity` is cut off. */
export function recvfrom(
  fd: i32,
  to: usize,
  capacity: u32,
  flags: i32,
  address: SockAddrIn | null,
): i32 {
  const startMs = clockMs();
  const all = (flags & MSG_WAITALL) != 0 && (flags & MSG_PEEK) == 0 && sockIsStream(fd);
  let done: u32 = 0;
  let result: i32;
  for (;;) {
    result = sockReceiveFrom(fd, to + done, capacity - done, flags, PEER);
    if (result > 0) done += <u32>result;
    if (result == 0 || (result < 0 && result != -EAGAIN) || !mayWait(fd, flags)) break;
    if (result > 0 && (!all || done == capacity || broken(fd))) break;
    const left = timeLeft(startMs, receiveTimeout(fd));
    if (left == 0) break;
    if (result < 0) netPoll(left);
  }
  // What came before an error or the end is told first.
  if (done != 0) result = <i32>done;
  if (result >= 0 && address != null) {
    setSockAddrIn(address, <u16>AF_INET, load<u32>(PEER), load<u32>(PEER, 4));
  }
  return result;
}

/** shutdown(2): SHUT_RD, SHUT_WR, SHUT_RDWR. */
export function shutdown(fd: i32, how: i32): i32 {
  return sockShutdown(fd, how);
}

/** close(2). Returns at once; what was sent is delivered in the background. */
export function close(fd: i32): i32 {
  return sockClose(fd);
}

/** getsockname(2). */
export function getsockname(fd: i32, address: SockAddrIn): i32 {
  const index = socketIndex(fd);
  if (index == NO_SOCKET) return -EBADF;
  setSockAddrIn(address, <u16>AF_INET, sockLocalAddress(index), sockLocalPort(index));
  return 0;
}

/** getpeername(2). */
export function getpeername(fd: i32, address: SockAddrIn): i32 {
  const index = socketIndex(fd);
  if (index == NO_SOCKET) return -EBADF;
  const port = sockPeerPort(index);
  if (port == 0) return -ENOTCONN;
  setSockAddrIn(address, <u16>AF_INET, sockPeerAddress(index), port);
  return 0;
}

/**
 * setsockopt(2). `value` points to an i32; SO_LINGER to two of them (on, seconds), SO_RCVTIMEO and SO_SNDTIMEO to two of them
 * (seconds, microseconds).
 */
export function setsockopt(fd: i32, level: i32, option: i32, value: usize, bytes: u32): i32 {
  if (bytes < 4) return -EINVAL;
  let number = load<i32>(value);
  if (level == SOL_SOCKET) {
    const pair = option == SO_LINGER || option == SO_RCVTIMEO || option == SO_SNDTIMEO;
    if (pair && bytes < 8) return -EINVAL;
    if (option == SO_LINGER) number = number == 0 ? -1 : load<i32>(value, 4);
    else if (pair) {
      const micro = load<i32>(value, 4);
      if (number < 0 || number > 1000000 || micro < 0 || micro >= 1000000) return -EINVAL;
      // Rounded up, so that a short wait is not taken for none.
      number = number * 1000 + (micro + 999) / 1000;
    }
  }
  return sockSetOption(fd, level, option, number);
}

/** getsockopt(2): writes the option, an i32 or a pair as for setsockopt, to `value`. */
export function getsockopt(fd: i32, level: i32, option: i32, value: usize): i32 {
  const number = sockGetOption(fd, level, option);
  if (number == -EBADF || number == -ENOPROTOOPT) return number;
  if (level == SOL_SOCKET && option == SO_LINGER) {
    store<i32>(value, number < 0 ? 0 : 1);
    store<i32>(value, number < 0 ? 0 : number, 4);
  } else if (level == SOL_SOCKET && (option == SO_RCVTIMEO || option == SO_SNDTIMEO)) {
    store<i32>(value, number / 1000);
    store<i32>(value, (number % 1000) * 1000, 4);
  } else {
    store<i32>(value, number);
  }
  return 0;
}

/** fcntl(2): F_GETFL and F_SETFL with O_NONBLOCK. */
export function fcntl(fd: i32, command: i32, argument: i32): i32 {
  const index = socketIndex(fd);
  if (index == NO_SOCKET) return -EBADF;
  const record = socketAt(index);
  if (command == F_GETFL) {
    return (record.flags & SocketFlag.NONBLOCK) != 0 ? O_NONBLOCK : 0;
  }
  if (command != F_SETFL) return -EINVAL;
  if ((argument & O_NONBLOCK) != 0) record.flags |= SocketFlag.NONBLOCK;
  else record.flags &= ~SocketFlag.NONBLOCK;
  return 0;
}

/**
 * poll(2) over `count` PollFd records at `fds`. Waits at most `timeoutMs`, for ever when it is below 0. Returns how many have
 * something in `revents`. Each call gives the network one turn at least.
 */
export function poll(fds: usize, count: u32, timeoutMs: i32): i32 {
  const startMs = clockMs();
  netPoll(0);
  let ready = pollScan(fds, count);
  while (ready == 0 && timeoutMs != 0) {
    const left = timeLeft(startMs, timeoutMs < 0 ? 0 : <u32>timeoutMs);
    if (left == 0) break;
    netPoll(left);
    ready = pollScan(fds, count);
  }
  return ready;
}

function pollScan(fds: usize, count: u32): i32 {
  let ready: i32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const entry = changetype<PollFd>(fds + i * offsetof<PollFd>());
    // A negative descriptor is passed over, as POSIX says.
    const events = entry.fd < 0 ? 0 : sockEvents(entry.fd);
    const asked = (<u32>entry.events) | POLLERR | POLLHUP | POLLNVAL;
    entry.revents = <u16>(events & asked);
    if (entry.revents != 0) ready += 1;
  }
  return ready;
}
