import { clockMs } from "board";
import { EAGAIN, EALREADY, EBADF, EINPROGRESS, ENOTCONN } from "../../stack/errors";
import { LOCAL_SOCKETS } from "../../stack/config";
import {
  SockAddrIn,
  SockAddrUn,
  addressOf,
  portOf,
  setSockAddrIn,
  setSockAddrUn,
} from "../../stack/socket/address";
import { AF_INET, AF_UNSPEC, MSG_PEEK, MSG_WAITALL } from "../../stack/posix";
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
  sockUndelivered,
} from "../../stack/socket/socket";
import { sockFamilyFault, sockHasPeer, sockIsLocal } from "../../stack/socket/names";
import { SHUT_WR } from "../../stack/posix";
import { NO_SOCKET, socketAt, socketIndex, socketShared } from "../../stack/socket/table";
import { netPoll } from "./runtime";
import {
  broken,
  mayWait,
  readShut,
  receiveLow,
  receiveTimeout,
  sendTimeout,
  timeLeft,
  turnedInstead,
} from "./socket-wait";

/**
 * POSIX sockets for applications. The calls, constants and their meaning are those of the man pages; a result below 0 is the
 * negative errno. A blocking call turns the network loop until it is done or its timeout has passed, so everything else (other
 * connections, DHCP, ping) goes on meanwhile. A call that does not wait and finds nothing turns the loop once and looks again,
 * so that a loop of such calls makes progress, too.
 */
export {
  AF_INET,
  AF_UNIX,
  F_GETFL,
  F_SETFL,
  ICMP_FILTER,
  IPPROTO_ICMP,
  IPPROTO_IP,
  IPPROTO_RAW,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IP_ADD_MEMBERSHIP,
  IP_DROP_MEMBERSHIP,
  IP_HDRINCL,
  IP_MULTICAST_IF,
  IP_MULTICAST_LOOP,
  IP_MULTICAST_TTL,
  IP_PKTINFO,
  IP_RECVERR,
  IP_TOS,
  IP_TTL,
  MSG_CTRUNC,
  MSG_DONTWAIT,
  MSG_ERRQUEUE,
  MSG_MORE,
  MSG_NOSIGNAL,
  MSG_OOB,
  MSG_PEEK,
  MSG_TRUNC,
  MSG_WAITALL,
  MSG_ZEROCOPY,
  O_NONBLOCK,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLNVAL,
  POLLOUT,
  POLLPRI,
  SHUT_RD,
  SHUT_RDWR,
  SHUT_WR,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOCK_STREAM,
  SOL_RAW,
  SOL_SOCKET,
  SO_ACCEPTCONN,
  SO_BINDTODEVICE,
  SO_BROADCAST,
  SO_DOMAIN,
  SO_ERROR,
  SO_KEEPALIVE,
  SO_LINGER,
  SO_PROTOCOL,
  SO_RCVBUF,
  SO_RCVLOWAT,
  SO_RCVTIMEO,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SO_SNDBUF,
  SO_SNDTIMEO,
  SO_TYPE,
  TCP_CONGESTION,
  TCP_CORK,
  TCP_DEFER_ACCEPT,
  TCP_KEEPCNT,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
  TCP_MAXSEG,
  TCP_NODELAY,
  TCP_QUICKACK,
  TCP_USER_TIMEOUT,
} from "../../stack/posix";
export { PollFd, poll } from "./socket-poll";
export { fcntl, getsockopt, setsockopt } from "./socket-options";
export {
  INADDR_ANY,
  INADDR_BROADCAST,
  INADDR_LOOPBACK,
  SockAddrIn,
  SockAddrUn,
  setSockAddrUn,
  htonl,
  htons,
  ntohl,
  ntohs,
} from "../../stack/socket/address";
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
  ENODEV,
  ENOENT,
  ENETUNREACH,
  ENOBUFS,
  ENOPROTOOPT,
  ENOTCONN,
  EOPNOTSUPP,
  EPERM,
  EPIPE,
  EPROTONOSUPPORT,
  ESOCKTNOSUPPORT,
  ETIMEDOUT,
  EWOULDBLOCK,
} from "../../stack/errors";

const PEER: usize = memory.data(8, 4);

/** socket(2): AF_UNIX with SOCK_STREAM or SOCK_DGRAM; AF_INET with SOCK_STREAM (TCP) or SOCK_DGRAM (UDP) or SOCK_RAW with a protocol, with SOCK_NONBLOCK if wanted. */
export function socket(domain: i32, type: i32, protocol: i32): i32 {
  return sockOpen(domain, type, protocol);
}

/** Tells an address in the way of the socket's family. */
function tellAddress(fd: i32, record: SockAddrIn, address: u32, port: u32): void {
  if (LOCAL_SOCKETS != 0 && sockIsLocal(fd)) {
    setSockAddrUn(changetype<SockAddrUn>(record), address, port);
  } else setSockAddrIn(record, <u16>AF_INET, address, port);
}

/** bind(2). */
export function bind(fd: i32, address: SockAddrIn): i32 {
  const wrong = sockFamilyFault(fd, <i32>address.sinFamily);
  return wrong != 0 ? wrong : sockBind(fd, addressOf(address), portOf(address));
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
  if (result == -EAGAIN && !mayWait(fd, 0) && turnedInstead(fd)) result = sockAccept(fd);
  // Of a connection that was reset meanwhile, too.
  if (result >= 0 && address != null) tellPeer(result, socketIndex(result), address);
  return result;
}

/** connect(2). Waits until the connection is open or refused; with O_NONBLOCK -EINPROGRESS, then poll for POLLOUT. */
export function connect(fd: i32, address: SockAddrIn): i32 {
  if (address.sinFamily == <u16>AF_UNSPEC) return sockConnect(fd, 0, 0);
  const wrong = sockFamilyFault(fd, <i32>address.sinFamily);
  if (wrong != 0) return wrong;
  const to = addressOf(address);
  const port = portOf(address);
  const startMs = clockMs();
  let result = sockConnect(fd, to, port);
  if (result == -EALREADY && turnedInstead(fd)) result = sockConnect(fd, to, port);
  // The backlog of a listener in the same firmware is full.
  while (LOCAL_SOCKETS != 0 && result == -EAGAIN && mayWait(fd, 0)) {
    const left = timeLeft(startMs, sendTimeout(fd));
    if (left == 0) break;
    netPoll(left);
    result = sockConnect(fd, to, port);
  }
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
  return sendUntil(fd, from, bytes, flags, null);
}

/** sendto(2). */
export function sendto(
  fd: i32,
  from: usize,
  bytes: u32,
  flags: i32,
  address: SockAddrIn | null,
): i32 {
  const wrong = address != null ? sockFamilyFault(fd, <i32>address.sinFamily) : 0;
  return wrong != 0 ? wrong : sendUntil(fd, from, bytes, flags, address);
}

function sendOnce(fd: i32, from: usize, bytes: u32, flags: i32, to: SockAddrIn | null): i32 {
  if (to == null) return sockSend(fd, from, bytes, flags);
  return sockSendTo(fd, from, bytes, flags, addressOf(to), portOf(to));
}

function sendUntil(fd: i32, from: usize, bytes: u32, flags: i32, to: SockAddrIn | null): i32 {
  const startMs = clockMs();
  let done: u32 = 0;
  let result: i32;
  do {
    result = sendOnce(fd, from + done, bytes - done, flags, to);
    if (result >= 0) {
      done += <u32>result;
    } else {
      if (result != -EAGAIN && result != -EINPROGRESS) break;
      if (!mayWait(fd, flags)) {
        if (turnedInstead(fd)) result = sendOnce(fd, from, bytes, flags, to);
        if (result > 0) done = <u32>result;
        break;
      }
      const left = timeLeft(startMs, sendTimeout(fd));
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
  const gathers = (flags & MSG_PEEK) == 0 && sockIsStream(fd);
  const all = gathers && (flags & MSG_WAITALL) != 0;
  const enough = all ? capacity : gathers ? min<u32>(capacity, receiveLow(fd)) : 0;
  let done: u32 = 0;
  let result: i32;
  for (;;) {
    result = sockReceiveFrom(fd, to + done, capacity - done, flags, PEER);
    if (result > 0) done += <u32>result;
    if (result == 0 || (result < 0 && result != -EAGAIN)) break;
    if (!mayWait(fd, flags)) {
      if (result >= 0) break;
      if (turnedInstead(fd)) result = sockReceiveFrom(fd, to, capacity, flags, PEER);
      if (result > 0) done = <u32>result;
      break;
    }
    if (result > 0 && (done >= enough || broken(fd))) break;
    const left = timeLeft(startMs, receiveTimeout(fd));
    if (left == 0) break;
    if (result < 0) {
      // Nothing more will come: the end, for a call that would wait for it.
      if (readShut(fd)) {
        result = 0;
        break;
      }
      netPoll(left);
    }
  }
  // What came before an error or the end is told first.
  if (done != 0) result = <i32>done;
  if (result >= 0 && address != null) {
    tellAddress(fd, address, load<u32>(PEER), load<u32>(PEER, 4));
  }
  return result;
}

/** shutdown(2): SHUT_RD, SHUT_WR, SHUT_RDWR. */
export function shutdown(fd: i32, how: i32): i32 {
  return sockShutdown(fd, how);
}

/**
 * close(2). Returns at once, and what was sent is delivered in the background; with SO_LINGER and a time a socket that may wait
 * first waits that long for the delivery.
 */
export function close(fd: i32): i32 {
  const index = socketIndex(fd);
  if (index != NO_SOCKET && lingers(index) && mayWait(fd, 0)) {
    const startMs = clockMs();
    const timeoutMs = <u32>socketAt(index).lingerS * 1000;
    sockShutdown(fd, SHUT_WR);
    while (sockUndelivered(fd)) {
      const left = timeLeft(startMs, timeoutMs);
      if (left == 0) break;
      netPoll(left);
    }
  }
  return sockClose(fd);
}

function lingers(index: u32): bool {
  return socketAt(index).lingerS != 0 && !socketShared(index);
}

/** getsockname(2). */
export function getsockname(fd: i32, address: SockAddrIn): i32 {
  const index = socketIndex(fd);
  if (index == NO_SOCKET) return -EBADF;
  tellAddress(fd, address, sockLocalAddress(index), sockLocalPort(index));
  return 0;
}

/** getpeername(2). */
export function getpeername(fd: i32, address: SockAddrIn): i32 {
  const index = socketIndex(fd);
  if (index == NO_SOCKET) return -EBADF;
  if (!sockHasPeer(index)) return -ENOTCONN;
  tellPeer(fd, index, address);
  return 0;
}

function tellPeer(fd: i32, index: u32, address: SockAddrIn): void {
  tellAddress(fd, address, sockPeerAddress(index), sockPeerPort(index));
}
