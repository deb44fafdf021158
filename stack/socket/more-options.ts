import {
  INTERFACES,
  SOCKET_MORE_OPTIONS,
  TCP,
  TCP_CUBIC,
  TCP_RX_BYTES,
  UDP_SOCKETS,
} from "../config";
import { EINVAL, ENODEV, ENOENT } from "../errors";
import { DEVICE_ANY, DEVICE_ETHERNET, DEVICE_LOOPBACK } from "../interface";
import { routeSourceOn } from "../ip/ipv4-output";
import { deviceTowards } from "../ip/routes";
import {
  IPPROTO_IP,
  IPPROTO_TCP,
  IP_PKTINFO,
  IP_RECVERR,
  SOL_SOCKET,
  SO_BINDTODEVICE,
  SO_RCVBUF,
  SO_RCVLOWAT,
  SO_SNDBUF,
  TCP_CONGESTION,
  TCP_DEFER_ACCEPT,
  TCP_MAXSEG,
} from "../posix";
import { Tcb, tcbAt } from "../tcp/connection";
import { controlChoose } from "../tcp/control";
import { listenerAt, listenersChanged } from "../tcp/listener";
import { UdpError, udpErrorNext, udpErrorTake, udpErrorsAsk, udpErrorsForget } from "../udp/errors";
import { UdpFlag, udpSlot } from "../udp/slots";
import { GENERAL_OPTION } from "./raw-options";
import { Socket, SocketFlag, SocketKind } from "./table";

/** Options that few applications have: with SOCKET_MORE_OPTIONS 0 there are none of them. */

/** Numbers of TCP_CONGESTION (tcp/control.ts). */
export const CONGESTION_RENO: i32 = 0;
export const CONGESTION_CUBIC: i32 = 1;

/** The bounds of TCP_MAXSEG on Linux. */
const MAXSEG_MIN: i32 = 88;
const MAXSEG_MAX: i32 = 32767;
/** In the flags of a socket: what TCP_MAXSEG said (11 bits), retransmissions of TCP_DEFER_ACCEPT (4), the device (2). */
const MAXSEG_SHIFT: u32 = 13;
const MAXSEG_MASK: u32 = 0x7ff;
const DEFER_SHIFT: u32 = 24;
const DEFER_MASK: u32 = 15;
const DEVICE_SHIFT: u32 = 28;
const DEVICE_MASK: u32 = 3;

function field(socket: Socket, shift: u32, mask: u32): u32 {
  return (socket.flags >>> shift) & mask;
}

function setField(socket: Socket, shift: u32, mask: u32, value: u32): void {
  socket.flags = (socket.flags & ~(mask << shift)) | (value << shift);
}

function isStream(socket: Socket): bool {
  return <u32>socket.kind < <u32>SocketKind.DATAGRAM;
}

/** One of them was set. Nothing sets it in an image without setsockopt(), which has nothing of all this. */
let given: bool = false;

/** True when a socket may have one of these options. */
export function moreOptionsGiven(): bool {
  return SOCKET_MORE_OPTIONS && given;
}

/** Sets one of these options; GENERAL_OPTION when it is none of them. */
export function moreSetOption(socket: Socket, level: i32, option: i32, value: i32): i32 {
  given = true;
  if (level == SOL_SOCKET) {
    if (option == SO_RCVLOWAT) return setReceiveLow(socket, value);
    // The rings are as long as they were made, whatever is asked for; getsockopt() tells it.
    if (option == SO_SNDBUF || option == SO_RCVBUF) return 0;
    if (option == SO_BINDTODEVICE) return setDevice(socket, value);
  } else if (level == IPPROTO_TCP && TCP && isStream(socket)) {
    if (option == TCP_MAXSEG) {
      if (value != 0 && (value < MAXSEG_MIN || value > MAXSEG_MAX)) return -EINVAL;
      setField(socket, MAXSEG_SHIFT, MAXSEG_MASK, min<u32>(<u32>value, MAXSEG_MASK));
    } else if (option == TCP_DEFER_ACCEPT) {
      setField(socket, DEFER_SHIFT, DEFER_MASK, retransmissionsOf(value));
    } else if (option == TCP_CONGESTION) {
      return setControl(socket, value);
    } else return GENERAL_OPTION;
    if (socket.kind == SocketKind.LISTENER) moreOptionsListen(socket);
    return 0;
  } else if (level == IPPROTO_IP && option == IP_PKTINFO) {
    if (socket.kind == SocketKind.DATAGRAM) setUdp(socket, UdpFlag.PACKET_INFO, value != 0);
    return 0;
  } else if (level == IPPROTO_IP && option == IP_RECVERR) {
    if (UDP_SOCKETS == 0 || socket.kind != SocketKind.DATAGRAM) return 0;
    setUdp(socket, UdpFlag.ERRORS, value != 0);
    if (value == 0) udpErrorsForget(<u32>socket.index);
    else udpErrorsAsk();
    return 0;
  }
  return GENERAL_OPTION;
}

/** Reads one of these options; GENERAL_OPTION when it is none of them. */
export function moreGetOption(socket: Socket, level: i32, option: i32): i32 {
  if (level == SOL_SOCKET) {
    if (option == SO_RCVLOWAT) return <i32>max<u32>(<u32>socket.receiveLow, 1);
    if (option == SO_BINDTODEVICE) return <i32>field(socket, DEVICE_SHIFT, DEVICE_MASK);
  } else if (level == IPPROTO_TCP && TCP && isStream(socket)) {
    if (option == TCP_DEFER_ACCEPT) return secondsOf(field(socket, DEFER_SHIFT, DEFER_MASK));
    if (option == TCP_CONGESTION) {
      return TCP_CUBIC && !choseReno(socket) ? CONGESTION_CUBIC : CONGESTION_RENO;
    }
    const limit = moreMaxSegment(socket);
    const opened = socket.kind == SocketKind.CONNECTION;
    if (option == TCP_MAXSEG && limit != 0 && !opened) return <i32>limit;
  } else if (level == IPPROTO_IP && (option == IP_PKTINFO || option == IP_RECVERR)) {
    if (socket.kind != SocketKind.DATAGRAM) return 0;
    const flag: u32 = option == IP_PKTINFO ? UdpFlag.PACKET_INFO : UdpFlag.ERRORS;
    return ((<u32>udpSlot(<u32>socket.index).flags) & flag) != 0 ? 1 : 0;
  }
  return GENERAL_OPTION;
}

/** TCP_CONGESTION: NewReno is always there, CUBIC with TCP_CUBIC. It may change while the connection lives. */
function setControl(socket: Socket, value: i32): i32 {
  if (value != CONGESTION_RENO && !(TCP_CUBIC && value == CONGESTION_CUBIC)) return -ENOENT;
  if (TCP_CUBIC && value == CONGESTION_RENO) socket.flags |= SocketFlag.RENO;
  else socket.flags &= ~SocketFlag.RENO;
  if (socket.kind == SocketKind.CONNECTION) moreControl(socket, tcbAt(<u32>socket.index));
  return 0;
}

function choseReno(socket: Socket): bool {
  return (socket.flags & SocketFlag.RENO) != 0;
}

/** What TCP_CONGESTION said, to the connection. */
export function moreControl(socket: Socket, tcb: Tcb): void {
  controlChoose(tcb, choseReno(socket));
}

/**
 * Takes the oldest error of a datagram socket with IP_RECVERR; null when there is none. As on Linux it need not be told by another
 * call then, but the next one.
 */
export function moreTakeError(socket: Socket): UdpError | null {
  if (UDP_SOCKETS == 0 || socket.kind != SocketKind.DATAGRAM) return null;
  const slot = <u32>socket.index;
  const error = udpErrorTake(slot);
  if (error != null) udpSlot(slot).error = <u16>udpErrorNext(slot);
  return error;
}

/** As on Linux: 0 is 1, below 0 as much as there can be, and that is half of a connection's ring. */
function setReceiveLow(socket: Socket, value: i32): i32 {
  const most = isStream(socket) ? TCP_RX_BYTES >>> 1 : 0x7fff;
  socket.receiveLow = <u16>(value < 0 ? most : min<u32>(<u32>value, most));
  return 0;
}

function setUdp(socket: Socket, flag: UdpFlag, on: bool): void {
  const slot = udpSlot(<u32>socket.index);
  slot.flags = <u8>(on ? (<u32>slot.flags) | flag : (<u32>slot.flags) & ~flag);
}

function setDevice(socket: Socket, value: i32): i32 {
  if (value < 0 || <u32>value >= DEVICE_ETHERNET + INTERFACES) return -ENODEV;
  setField(socket, DEVICE_SHIFT, DEVICE_MASK, <u32>value);
  if (socket.kind == SocketKind.DATAGRAM) {
    setUdp(socket, UdpFlag.LOOPBACK_ONLY, ((<u32>value) & DEVICE_LOOPBACK) != 0);
    setUdp(socket, UdpFlag.ETHERNET_ONLY, ((<u32>value) & DEVICE_ETHERNET) != 0);
  } else if (TCP && socket.kind == SocketKind.LISTENER) moreOptionsListen(socket);
  return 0;
}

/** TCP_MAXSEG of a socket that has no connection yet; 0 = none. */
export function moreMaxSegment(socket: Socket): u32 {
  return field(socket, MAXSEG_SHIFT, MAXSEG_MASK);
}

/** What a listener must know of its socket's options. */
export function moreOptionsListen(socket: Socket): void {
  const listener = listenerAt(<u32>socket.index);
  listener.maxSegment = <u16>moreMaxSegment(socket);
  listener.deferrals = field(socket, DEFER_SHIFT, DEFER_MASK);
  listener.device = field(socket, DEVICE_SHIFT, DEVICE_MASK);
  listenersChanged();
}

/** The device that a socket is held to (SO_BINDTODEVICE); DEVICE_ANY = none. */
export function moreDevice(socket: Socket): u32 {
  return field(socket, DEVICE_SHIFT, DEVICE_MASK);
}

/** True when a socket may reach an address by the device that it is bound to (SO_BINDTODEVICE). */
export function moreMayReach(socket: Socket, address: u32): bool {
  const device = field(socket, DEVICE_SHIFT, DEVICE_MASK);
  if (device == DEVICE_ANY) return true;
  return INTERFACES > 1 ? routeSourceOn(device, address) != 0 : deviceTowards(address) == device;
}

/** Address that a socket which is bound to none connects from; 0 = that of the route. */
export function moreSource(socket: Socket, address: u32): u32 {
  const device = INTERFACES > 1 ? field(socket, DEVICE_SHIFT, DEVICE_MASK) : DEVICE_ANY;
  return device == DEVICE_ANY ? 0 : routeSourceOn(device, address);
}

/** The time in which a SYN-ACK is sent again so many times: 1, 3, 7 … s, and no wait longer than two minutes. */
function secondsOf(count: u32): i32 {
  return <i32>(count < 7 ? (1 << count) - 1 : 127 + (count - 7) * 120);
}

/** How many times it is sent again in so many seconds at least. */
function retransmissionsOf(seconds: i32): u32 {
  let count: u32 = 0;
  while (count < DEFER_MASK && seconds > secondsOf(count)) count++;
  return count;
}

/** SO_RCVLOWAT, when it is not 1. */
export function moreReceiveLow(socket: Socket): u32 {
  return <u32>socket.receiveLow;
}
