import { INTERFACES, SOCKET_MORE_OPTIONS } from "../../stack/config";
import { EAGAIN, EBADF, EINVAL, EMSGSIZE, ENOTTY } from "../../stack/errors";
import {
  DEVICE_ETHERNET,
  DEVICE_LOOPBACK,
  iface,
  interfaceAt,
  interfaceNumber,
  interfaceOf,
  isSubnetBroadcast,
} from "../../stack/interface";
import { deviceTowards } from "../../stack/ip/routes";
import {
  AF_INET,
  IPPROTO_IP,
  IP_PKTINFO,
  IP_RECVERR,
  MSG_CTRUNC,
  MSG_DONTWAIT,
  MSG_ERRQUEUE,
  MSG_PEEK,
  MSG_TRUNC,
  MSG_WAITALL,
  SOCK_NONBLOCK,
} from "../../stack/posix";
import { sockGetOption } from "../../stack/socket/options";
import { udpSentFrom, udpSentTo } from "../../stack/udp/transfer";
import { moreTakeError } from "../../stack/socket/more-options";
import { SockAddrIn, htonl, setSockAddrIn } from "../../stack/socket/address";
import { sockAtMark, sockIsStream, sockQueuedIn, sockQueuedOut } from "../../stack/socket/names";
import { NO_SOCKET, SocketFlag, socketAt, socketIndex } from "../../stack/socket/table";
import { sockDup } from "../../stack/socket/socket";
import { sockPair } from "../../stack/socket/local-calls";
import { accept, recv, recvfrom, send, sendto } from "./sockets";

export { AF_UNSPEC, POLLRDHUP, SO_OOBINLINE } from "../../stack/posix";
export {
  EACCES,
  EBUSY,
  ECANCELED,
  ECONNABORTED,
  EEXIST,
  ENETDOWN,
  ENOTTY,
  EPROTO,
  ESRCH,
  ETIME,
} from "../../stack/errors";

/** Calls that are short ways to those of `sockets.ts`, for programs that come with them. */

/** ioctl(2): bytes that recv() would give (of a datagram socket: of the next datagram). */
export const FIONREAD: u32 = 0x541b;
/** ioctl(2): bytes that were sent and are not acknowledged yet. */
export const SIOCOUTQ: u32 = 0x5411;

/** ioctl(2): 1 when the next byte is the last urgent one. */
export const SIOCATMARK: u32 = 0x8905;

/** struct iovec, 8 bytes. */
@unmanaged
export class IoVec {
  base: usize;
  bytes: u32;
}

/** struct msghdr: 24 bytes. */
@unmanaged
export class MsgHdr {
  /** Where from or where to; 0 = nowhere. */
  name: usize;
  /** IoVec records, and how many there are. */
  iov: usize;
  iovCount: u32;
  /** Set by recvmsg: MSG_TRUNC when a datagram was longer than the pieces, MSG_CTRUNC when the control data was. */
  flags: i32;
  /** Room for control data; its length is set by recvmsg. */
  control: usize;
  controlBytes: u32;
}

/** struct cmsghdr with a struct in_pktinfo behind it, 24 bytes: what recvmsg tells with IP_PKTINFO. Addresses in network order. */
@unmanaged
export class PacketInfo {
  bytes: u32;
  level: i32;
  type: i32;
  /** The device: 1 = lo, 2 = eth0. */
  interfaceIndex: i32;
  /** Our address on it, and the one that the datagram was sent to. */
  local: u32;
  address: u32;
}

/**
 * struct cmsghdr with a struct sock_extended_err and the address of who told the error behind it, 36 bytes: what recvmsg with
 * MSG_ERRQUEUE gives of a datagram socket with IP_RECVERR.
 */
@unmanaged
export class ExtendedError {
  bytes: u32;
  level: i32;
  type: i32;
  errno: u32;
  /** SO_EE_ORIGIN_ICMP. */
  origin: u8;
  icmpType: u8;
  icmpCode: u8;
  padding: u8;
  /** The MTU, of EMSGSIZE. */
  info: u32;
  data: u32;
  offenderFamily: u16;
  offenderPort: u16;
  offenderAddress: u32;
}

/** `ExtendedError.origin`: an ICMP message told it. */
export const SO_EE_ORIGIN_ICMP: u8 = 2;

/** The last datagram was longer than the pieces. */
let cut: bool = false;

/** Pieces that one call takes. */
const PIECES_MAX: u32 = 16;
/** A datagram is put together here: it must leave in one call. */
const DATAGRAM_BYTES: u32 = 1472;

/** socketpair(2), of AF_UNIX: two descriptors to the two words at `fds`. */
export function socketpair(domain: i32, type: i32, protocol: i32, fds: usize): i32 {
  return sockPair(domain, type, protocol, fds);
}

/**
 * dup(2): a second descriptor of the same socket, with the same options and O_NONBLOCK; the socket is closed with the last of
 * them. It takes a place in the table of sockets. -EBADF, -EMFILE.
 */
export function dup(fd: i32): i32 {
  return sockDup(fd);
}

/** read(2). */
export function read(fd: i32, to: usize, bytes: u32): i32 {
  return recv(fd, to, bytes, 0);
}

/** write(2). */
export function write(fd: i32, from: usize, bytes: u32): i32 {
  return send(fd, from, bytes, 0);
}

/** accept4(2): with SOCK_NONBLOCK the new descriptor does not wait. */
export function accept4(fd: i32, address: SockAddrIn | null, flags: i32): i32 {
  if ((flags & ~SOCK_NONBLOCK) != 0) return socketIndex(fd) == NO_SOCKET ? -EBADF : -EINVAL;
  const client = accept(fd, address);
  if (client >= 0 && (flags & SOCK_NONBLOCK) != 0)
    socketAt(socketIndex(client)).flags |= SocketFlag.NONBLOCK;
  return client;
}

function pieceAt(iov: usize, index: u32): IoVec {
  return changetype<IoVec>(iov + <usize>(index * offsetof<IoVec>()));
}

/** readv(2). */
export function readv(fd: i32, iov: usize, count: u32): i32 {
  return receivePieces(fd, iov, count, 0, null);
}

/** writev(2). */
export function writev(fd: i32, iov: usize, count: u32): i32 {
  return sendPieces(fd, iov, count, 0, null);
}

/** sendmsg(2). */
export function sendmsg(fd: i32, message: MsgHdr, flags: i32): i32 {
  const to = changetype<SockAddrIn | null>(message.name);
  return sendPieces(fd, message.iov, message.iovCount, flags, to);
}

/** recvmsg(2). */
export function recvmsg(fd: i32, message: MsgHdr, flags: i32): i32 {
  const from = changetype<SockAddrIn | null>(message.name);
  cut = false;
  if (SOCKET_MORE_OPTIONS && (flags & MSG_ERRQUEUE) != 0) return receiveError(fd, message, from);
  const got = receivePieces(fd, message.iov, message.iovCount, flags, from);
  message.flags = cut ? MSG_TRUNC : 0;
  tellPacketInfo(fd, message, got >= 0);
  return got;
}

/** An error of the queue: no bytes, its receiver as the address. It never waits. */
function receiveError(fd: i32, message: MsgHdr, to: SockAddrIn | null): i32 {
  const room = message.controlBytes;
  message.controlBytes = 0;
  message.flags = MSG_ERRQUEUE;
  const index = socketIndex(fd);
  if (index == NO_SOCKET) return -EBADF;
  const error = moreTakeError(socketAt(index));
  if (error == null) return -EAGAIN;
  if (to != null) setSockAddrIn(to, <u16>AF_INET, error.destination, <u32>error.port);
  if (room < offsetof<ExtendedError>()) {
    message.flags |= MSG_CTRUNC;
    return 0;
  }
  const told = changetype<ExtendedError>(message.control);
  memory.fill(message.control, 0, offsetof<ExtendedError>());
  told.bytes = offsetof<ExtendedError>();
  told.level = IPPROTO_IP;
  told.type = IP_RECVERR;
  told.errno = <u32>error.errno;
  told.origin = SO_EE_ORIGIN_ICMP;
  told.icmpType = error.type;
  told.icmpCode = error.code;
  told.info = error.info;
  told.offenderFamily = <u16>AF_INET;
  told.offenderAddress = htonl(error.offender);
  message.controlBytes = offsetof<ExtendedError>();
  return 0;
}

/** Control data of the datagram that was received, for a socket that asks for it. */
function tellPacketInfo(fd: i32, message: MsgHdr, received: bool): void {
  const room = message.controlBytes;
  message.controlBytes = 0;
  if (!SOCKET_MORE_OPTIONS || !received || sockGetOption(fd, IPPROTO_IP, IP_PKTINFO) <= 0) return;
  if (room < offsetof<PacketInfo>()) {
    message.flags |= MSG_CTRUNC;
    return;
  }
  const to = udpSentTo();
  const info = changetype<PacketInfo>(message.control);
  const many = to >= 0xe0000000 || isSubnetBroadcast(to);
  info.bytes = offsetof<PacketInfo>();
  info.level = IPPROTO_IP;
  info.type = IP_PKTINFO;
  const device = sentTowards(to);
  info.interfaceIndex = <i32>device;
  info.local = htonl(many ? addressOfDevice(device) : to);
  info.address = htonl(to);
  message.controlBytes = offsetof<PacketInfo>();
}

/** Device by which the datagram has come that was received last, and was sent to `to`. */
function sentTowards(to: u32): u32 {
  const back = deviceTowards(udpSentFrom());
  const own = INTERFACES > 1 && back != DEVICE_LOOPBACK ? interfaceOf(to) : null;
  return own == null ? back : DEVICE_ETHERNET + interfaceNumber(own);
}

function addressOfDevice(device: u32): u32 {
  if (INTERFACES == 1 || device < DEVICE_ETHERNET) return iface.address;
  return interfaceAt(device - DEVICE_ETHERNET).address;
}

/** A datagram's pieces leave as one; a stream's one after the other, as far as they are taken. */
function sendPieces(fd: i32, iov: usize, count: u32, flags: i32, to: SockAddrIn | null): i32 {
  if (socketIndex(fd) == NO_SOCKET) return -EBADF;
  if (count > PIECES_MAX) return -EINVAL;
  if (!sockIsStream(fd)) return sendJoined(fd, iov, count, flags, to);
  let done: i32 = 0;
  for (let index: u32 = 0; index < count; index++) {
    const piece = pieceAt(iov, index);
    if (piece.bytes == 0) continue;
    const taken = send(fd, piece.base, piece.bytes, flags);
    if (taken < 0) return done != 0 ? done : taken;
    done += taken;
    if (<u32>taken < piece.bytes) break;
  }
  return done;
}

function sendJoined(fd: i32, iov: usize, count: u32, flags: i32, to: SockAddrIn | null): i32 {
  const JOINED: usize = memory.data(DATAGRAM_BYTES, 4);
  if (count == 1) return sendto(fd, pieceAt(iov, 0).base, pieceAt(iov, 0).bytes, flags, to);
  let bytes: u32 = 0;
  for (let index: u32 = 0; index < count; index++) {
    const piece = pieceAt(iov, index);
    if (piece.bytes > DATAGRAM_BYTES - bytes) return -EMSGSIZE;
    memory.copy(JOINED + <usize>bytes, piece.base, piece.bytes);
    bytes += piece.bytes;
  }
  return sendto(fd, JOINED, bytes, flags, to);
}

/**
 * Fills the pieces in order; only the first one waits, unless all bytes are wanted. A datagram fills as many as it is long. MSG_PEEK of
 * a stream fills the first one, for what is left in the ring would come again.
 */
function receivePieces(fd: i32, iov: usize, count: u32, flags: i32, from: SockAddrIn | null): i32 {
  if (socketIndex(fd) == NO_SOCKET) return -EBADF;
  if (count > PIECES_MAX) return -EINVAL;
  const all = (flags & MSG_WAITALL) != 0;
  if (!sockIsStream(fd)) return receiveSplit(fd, iov, count, flags, from);
  let done: i32 = 0;
  for (let index: u32 = 0; index < count; index++) {
    const piece = pieceAt(iov, index);
    if (piece.bytes == 0) continue;
    if (done != 0 && !all && sockQueuedIn(fd) == 0) break;
    const how = done == 0 || all ? flags : flags | MSG_DONTWAIT;
    const got = recvfrom(fd, piece.base, piece.bytes, how, from);
    if (got <= 0) return done != 0 ? done : got;
    done += got;
    if (<u32>got < piece.bytes || (flags & MSG_PEEK) != 0) break;
  }
  return done;
}

function receiveSplit(fd: i32, iov: usize, count: u32, flags: i32, from: SockAddrIn | null): i32 {
  const WHOLE: usize = memory.data(DATAGRAM_BYTES, 4);
  const single = count == 1;
  const to = single ? pieceAt(iov, 0).base : WHOLE;
  const room = single ? pieceAt(iov, 0).bytes : DATAGRAM_BYTES;
  const whole = recvfrom(fd, to, room, flags | MSG_TRUNC, from);
  if (whole <= 0) return whole;
  const there = min<u32>(<u32>whole, room);
  let done: u32 = single ? there : 0;
  for (let index: u32 = 0; index < count && done < there; index++) {
    const piece = pieceAt(iov, index);
    const part = min<u32>(piece.bytes, there - done);
    memory.copy(piece.base, WHOLE + <usize>done, part);
    done += part;
  }
  cut = done < <u32>whole;
  return (flags & MSG_TRUNC) != 0 ? whole : <i32>done;
}

/** sockatmark(3): 1 when the next byte of a connection is the last urgent one, 0 when not. */
export function sockatmark(fd: i32): i32 {
  return sockAtMark(fd);
}

/** ioctl(2): FIONREAD, SIOCOUTQ and SIOCATMARK write an i32 to `value`; -ENOTTY for others. */
export function ioctl(fd: i32, request: u32, value: usize): i32 {
  if (socketIndex(fd) == NO_SOCKET) return -EBADF;
  if (request == FIONREAD) store<u32>(value, sockQueuedIn(fd));
  else if (request == SIOCOUTQ) store<u32>(value, sockQueuedOut(fd));
  else if (request == SIOCATMARK) {
    const mark = sockAtMark(fd);
    if (mark < 0) return mark;
    store<i32>(value, mark);
  } else return -ENOTTY;
  return 0;
}
