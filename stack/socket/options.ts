import {
  LOCAL_SOCKETS,
  MULTICAST_GROUPS,
  RAW_SOCKETS,
  SOCKET_MORE_OPTIONS,
  TCP,
  TCP_KEEPALIVE,
  TCP_RX_BYTES,
  TCP_TX_BYTES,
  UDP_RX_BYTES,
} from "../config";
import { EBADF, EINVAL, ENOPROTOOPT, EOPNOTSUPP } from "../errors";
import { TcbFlag, tcbAt } from "../tcp/connection";
import { DEFAULT_MSS } from "../tcp/segment";
import { tcpSetFlag, tcpSetNoDelay } from "../tcp/user";
import { UdpFlag, udpSlot } from "../udp/slots";
import {
  AF_INET,
  IPPROTO_IP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IP_TOS,
  IP_TTL,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_ACCEPTCONN,
  SO_BROADCAST,
  SO_DOMAIN,
  SO_ERROR,
  SO_KEEPALIVE,
  SO_LINGER,
  SO_OOBINLINE,
  SO_PROTOCOL,
  SO_RCVBUF,
  SO_RCVLOWAT,
  SO_RCVTIMEO,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SO_SNDBUF,
  SO_SNDTIMEO,
  SO_TYPE,
  TCP_CORK,
  TCP_MAXSEG,
  TCP_NODELAY,
  TCP_QUICKACK,
} from "../posix";
import { DEFAULT_TTL } from "../ip/packet";
import { sockTakeError } from "./names";
import { groupGetOption, groupOption, groupSetOption } from "./group-options";
import { localGetOption, localSetOption } from "./local-calls";
import { moreGetOption, moreSetOption } from "./more-options";
import { getPatience, setKeepAlive, setPatience } from "./patience";
import { GENERAL_OPTION, rawGetOption, rawNoteOption, rawSetOption } from "./raw-options";
import { NO_SOCKET, Socket, SocketFlag, SocketKind, socketAt, socketIndex } from "./table";

/**
 * setsockopt(2) and getsockopt(2) with plain numbers: booleans 0 and 1; SO_LINGER -1 = off, otherwise the seconds (0 = close
 * by RST; with others a blocking close() waits for delivery); the timeouts in milliseconds, 0 = none.
 */

/** Sets an option. -EBADF, -ENOPROTOOPT for one that does not exist or cannot be set, -EINVAL for a value out of range. */
export function sockSetOption(fd: i32, level: i32, option: i32, value: i32): i32 {
  const index = socketIndex(fd);
  if (index == NO_SOCKET) return -EBADF;
  const socket = socketAt(index);
  if (RAW_SOCKETS != 0 && socket.kind == SocketKind.RAW) {
    const own = rawSetOption(socket, level, option, value);
    if (own != GENERAL_OPTION) return own;
    const result = setGeneral(socket, level, option, value);
    if (result == 0) rawNoteOption(socket, level, option, value);
    return result;
  }
  if (LOCAL_SOCKETS != 0 && socket.kind == SocketKind.LOCAL) {
    const own = localSetOption(level, option, value);
    if (own != GENERAL_OPTION) return own;
  }
  return setGeneral(socket, level, option, value);
}

function setGeneral(socket: Socket, level: i32, option: i32, value: i32): i32 {
  if (SOCKET_MORE_OPTIONS) {
    const own = moreSetOption(socket, level, option, value);
    if (own != GENERAL_OPTION) return own;
  }
  if (level == SOL_SOCKET) return setSocketOption(socket, option, value);
  if (
    level == IPPROTO_TCP &&
    option == TCP_NODELAY &&
    <u32>socket.kind < <u32>SocketKind.DATAGRAM
  ) {
    setFlag(socket, SocketFlag.NO_DELAY, value != 0);
    if (TCP && socket.kind == SocketKind.CONNECTION)
      tcpSetNoDelay(tcbAt(<u32>socket.index), value != 0);
    return 0;
  }
  const stream = level == IPPROTO_TCP && <u32>socket.kind < <u32>SocketKind.DATAGRAM;
  if (stream && (option == TCP_CORK || option == TCP_QUICKACK)) {
    const cork = option == TCP_CORK;
    setFlag(socket, cork ? SocketFlag.CORK : SocketFlag.QUICK_ACK, value != 0);
    if (TCP && socket.kind == SocketKind.CONNECTION) {
      const flag: TcbFlag = cork ? TcbFlag.CORK : TcbFlag.QUICK_ACK;
      tcpSetFlag(tcbAt(<u32>socket.index), flag, value != 0);
    }
    return 0;
  }
  if (TCP_KEEPALIVE && level == IPPROTO_TCP && <u32>socket.kind < <u32>SocketKind.DATAGRAM) {
    return setPatience(socket, option, value);
  }
  if (level != IPPROTO_IP) return -ENOPROTOOPT;
  return setIpOption(socket, option, value);
}

function setIpOption(socket: Socket, option: i32, value: i32): i32 {
  if (MULTICAST_GROUPS != 0 && groupOption(option)) return groupSetOption(socket, option, value);
  if (option != IP_TOS && option != IP_TTL) return -ENOPROTOOPT;
  if (option == IP_TTL && value == -1) value = <i32>DEFAULT_TTL;
  if (option == IP_TTL && (value < 1 || value > 255)) return -EINVAL;
  const open = socket.kind == SocketKind.CONNECTION;
  const datagram = socket.kind == SocketKind.DATAGRAM;
  if (option == IP_TOS) {
    // The two low bits belong to ECN, not to the application.
    socket.tos = <u8>(value & 0xfc);
    if (TCP && open) tcbAt(<u32>socket.index).tos = socket.tos;
    else if (datagram) udpSlot(<u32>socket.index).tos = socket.tos;
  } else {
    socket.ttl = <u8>value;
    if (TCP && open) tcbAt(<u32>socket.index).ttl = socket.ttl;
    else if (datagram) udpSlot(<u32>socket.index).ttl = socket.ttl;
  }
  return 0;
}

function setSocketOption(socket: Socket, option: i32, value: i32): i32 {
  if (option == SO_REUSEADDR) {
    setFlag(socket, SocketFlag.REUSE_ADDRESS, value != 0);
    setUdpFlag(socket, UdpFlag.REUSE, value != 0);
  } else if (option == SO_REUSEPORT) {
    setFlag(socket, SocketFlag.REUSE_PORT, value != 0);
    setUdpFlag(socket, UdpFlag.REUSE_PORT, value != 0);
  } else if (option == SO_BROADCAST) {
    setFlag(socket, SocketFlag.BROADCAST, value != 0);
    setUdpFlag(socket, UdpFlag.BROADCAST, value != 0);
  } else if (option == SO_LINGER) {
    setFlag(socket, SocketFlag.LINGER_RESET, value == 0);
    socket.lingerS = <u16>min<i32>(max<i32>(value, 0), 0xffff);
  } else if (TCP_KEEPALIVE && option == SO_KEEPALIVE) setKeepAlive(socket, value != 0);
  else if (option == SO_RCVTIMEO || option == SO_SNDTIMEO) {
    if (value < 0) return -EINVAL;
    if (option == SO_RCVTIMEO) socket.receiveTimeoutMs = <u32>value;
    else socket.sendTimeoutMs = <u32>value;
  } else if (option == SO_OOBINLINE) return value != 0 ? 0 : -EINVAL;
  else return -ENOPROTOOPT;
  return 0;
}

function setUdpFlag(socket: Socket, flag: UdpFlag, on: bool): void {
  if (socket.kind != SocketKind.DATAGRAM) return;
  const slot = udpSlot(<u32>socket.index);
  slot.flags = <u8>(on ? (<u32>slot.flags) | flag : (<u32>slot.flags) & ~flag);
}

function setFlag(socket: Socket, flag: SocketFlag, on: bool): void {
  if (on) socket.flags |= flag;
  else socket.flags &= ~flag;
}

/** Reads an option as a plain number; -EBADF, -ENOPROTOOPT for one that does not exist, -EOPNOTSUPP: of TCP, on a datagram socket. */
export function sockGetOption(fd: i32, level: i32, option: i32): i32 {
  const index = socketIndex(fd);
  if (index == NO_SOCKET) return -EBADF;
  const socket = socketAt(index);
  if (RAW_SOCKETS != 0 && socket.kind == SocketKind.RAW) {
    const own = rawGetOption(socket, level, option);
    if (own != GENERAL_OPTION) return own;
  }
  if (LOCAL_SOCKETS != 0 && socket.kind == SocketKind.LOCAL) {
    const own = localGetOption(socket, level, option);
    if (own != GENERAL_OPTION) return own;
  }
  if (SOCKET_MORE_OPTIONS) {
    const own = moreGetOption(socket, level, option);
    if (own != GENERAL_OPTION) return own;
  }
  const stream = <u32>socket.kind < <u32>SocketKind.DATAGRAM;
  if (level == IPPROTO_TCP && stream) {
    if (option == TCP_NODELAY) return flag(socket, SocketFlag.NO_DELAY);
    if (option == TCP_CORK) return flag(socket, SocketFlag.CORK);
    if (option == TCP_QUICKACK) return flag(socket, SocketFlag.QUICK_ACK);
    if (option != TCP_MAXSEG) return TCP_KEEPALIVE ? getPatience(socket, option) : -ENOPROTOOPT;
    const open = socket.kind == SocketKind.CONNECTION;
    return TCP && open ? <i32>tcbAt(<u32>socket.index).sndMss : <i32>DEFAULT_MSS;
  }
  if (level == IPPROTO_TCP) return -EOPNOTSUPP;
  if (level == IPPROTO_IP) {
    if (MULTICAST_GROUPS != 0 && groupOption(option)) return groupGetOption(socket, option);
    if (option == IP_TOS) return <i32>socket.tos;
    return option == IP_TTL ? <i32>socket.ttl : -ENOPROTOOPT;
  }
  if (level != SOL_SOCKET)
    return level == IPPROTO_UDP && socket.kind == SocketKind.DATAGRAM ? -ENOPROTOOPT : -EOPNOTSUPP;
  if (option == SO_ERROR) return sockTakeError(index);
  if (option == SO_TYPE) return stream ? SOCK_STREAM : SOCK_DGRAM;
  if (option == SO_DOMAIN) return AF_INET;
  if (option == SO_PROTOCOL) return stream ? IPPROTO_TCP : IPPROTO_UDP;
  if (option == SO_REUSEADDR) return flag(socket, SocketFlag.REUSE_ADDRESS);
  if (option == SO_REUSEPORT) return flag(socket, SocketFlag.REUSE_PORT);
  if (option == SO_BROADCAST) return flag(socket, SocketFlag.BROADCAST);
  if (option == SO_LINGER) {
    return flag(socket, SocketFlag.LINGER_RESET) != 0 || socket.lingerS != 0
      ? <i32>socket.lingerS
      : -1;
  }
  if (TCP_KEEPALIVE && option == SO_KEEPALIVE) return flag(socket, SocketFlag.KEEP_ALIVE);
  if (option == SO_RCVLOWAT || option == SO_OOBINLINE) return 1;
  if (option == SO_RCVTIMEO) return <i32>socket.receiveTimeoutMs;
  if (option == SO_SNDTIMEO) return <i32>socket.sendTimeoutMs;
  if (option == SO_ACCEPTCONN) return socket.kind == SocketKind.LISTENER ? 1 : 0;
  if (option == SO_SNDBUF) return <i32>(stream ? TCP_TX_BYTES : 1472);
  if (option == SO_RCVBUF) return <i32>(stream ? TCP_RX_BYTES : UDP_RX_BYTES);
  return -ENOPROTOOPT;
}

function flag(socket: Socket, bit: SocketFlag): i32 {
  return ((<u32>socket.flags) & bit) != 0 ? 1 : 0;
}
