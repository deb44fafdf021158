import { ramFrameBuffer, ramFrameIn, ramFrameRoom } from "../../drivers/ram/nic";
import { dhcpStart } from "../../stack/dhcp/client";
import { INTERFACES, MDNS } from "../../stack/config";
import { dnsLookup } from "../../stack/dns/client";
import {
  iface,
  interfaceAt,
  interfaceInit,
  interfaceStandForAll,
  interfaceTentative,
} from "../../stack/interface";
import { routeAdd, routeDelete } from "../../stack/ip/routes";
import { TcpInfo, sockTcpInfo } from "../../stack/socket/info";
import { mdnsGoodbye, mdnsRestart, mdnsService } from "../../stack/mdns/responder";
import { now } from "../../stack/now";
import { readyChanges } from "../../stack/readiness";
import {
  sockAbort,
  sockAccept,
  sockBind,
  sockClose,
  sockConnect,
  sockDup,
  sockEvents,
  sockListen,
  sockListenAny,
  sockLocalAddress,
  sockLocalPort,
  sockOpen,
  sockPair,
  sockPeerAddress,
  sockPeerPort,
  sockReceive,
  sockReceiveFrom,
  sockSend,
  sockSendTo,
  sockShutdown,
  sockTakeError,
} from "../../stack/socket/socket";
import { sockBorrow, sockRelease, sockSendRoom, sockSendWritten } from "../../stack/socket/borrow";
import { sockAtMark, sockHasPeer } from "../../stack/socket/names";
import { sockGetOption, sockSetOption } from "../../stack/socket/options";
import { EAGAIN, EBADF } from "../../stack/errors";
import { moreTakeError } from "../../stack/socket/more-options";
import { NO_SOCKET, socketAt, socketIndex, socketsInUse } from "../../stack/socket/table";
import { counterValue } from "../../stack/statistics";
import { stackDeadline, stackLinkChanged, stackPoll, stackStart } from "../../stack/stack";
import {
  FIRST_SYN_RECORD,
  FIRST_TIME_WAIT,
  CONNECTIONS,
  connectionsInUse,
  tcbAt,
} from "../../stack/tcp/connection";
import { udpSentTo } from "../../stack/udp/transfer";
import { tcpBrokenRule } from "./invariants";

export { sysEpollClose, sysEpollCreate, sysEpollCtl, sysEpollWait } from "./epoll";
export {
  frameInBufferSecond,
  frameInSecond,
  interfaceAddress,
  linkChangedSecond,
  nameServersOf,
  startSecond,
} from "./second";

/**
 * The stack as a library for the host: the gateway and the tests are its users. The host moves the frames, gives the time
 * and calls the sockets, none of which waits. Numbers are in host order; errors are negative errno values.
 */

const SCRATCH_BYTES: u32 = 65536;
const SCRATCH: usize = memory.data(SCRATCH_BYTES, 4);
const PEER: usize = memory.data(8, 4);

/** The stack stands for all hosts: it takes connections to any address. */
export function standForAll(): void {
  interfaceStandForAll();
}

/**
 * Starts the stack with a MAC (high 16, low 32 bits) and an address, which is probed before it is used; address 0 asks DHCP.
 * The link is up. A turn before it says at which time, otherwise it is 0.
 */
export function start(
  macHigh: u32,
  macLow: u32,
  address: u32,
  mask: u32,
  gateway: u32,
  seed0: u32,
  seed1: u32,
): void {
  stackStart(now(), seed0, seed1);
  interfaceInit(iface, macHigh, macLow, 0, 0);
  stackLinkChanged(iface, true);
  if (address != 0) interfaceTentative(iface, address, mask, gateway, 0);
  else dhcpStart(iface);
}

/** One turn at this time; 1 = there is more to do at once. */
export function step(nowMs: u32): u32 {
  return stackPoll(nowMs) ? 1 : 0;
}

/** Milliseconds until the next turn is wanted if no frame comes. */
export function deadline(nowMs: u32): u32 {
  return stackDeadline(nowMs);
}

/**
 * Turns until there is nothing more to do at this time, `turns` at most. Gives the milliseconds until the next one is wanted if no
 * frame comes; 0 = the stack is busy still.
 */
export function settle(nowMs: u32, turns: u32): u32 {
  for (let turn: u32 = 0; turn < turns; turn++) {
    if (stackPoll(nowMs)) continue;
    const waitMs = stackDeadline(nowMs);
    if (waitMs != 0) return waitMs;
  }
  return 0;
}

/** The cable was plugged in (1) or pulled (0). */
export function linkChanged(up: u32): void {
  stackLinkChanged(iface, up != 0);
}

/** Where to put a received frame. */
export function frameInBuffer(): usize {
  return ramFrameBuffer();
}

/** The frame is there. Gives the place of the next one; 0 = no room for this one, try again after a turn. */
export function frameIn(bytes: u32): usize {
  return ramFrameIn(bytes) ? ramFrameBuffer() : 0;
}

/** 1 when `frameIn` would take a frame. */
export function frameInRoom(): u32 {
  return ramFrameRoom() ? 1 : 0;
}

/** 64 KiB for the host's data. */
export function scratch(): usize {
  return SCRATCH;
}

export function sysSocket(domain: i32, type: i32, protocol: i32): i32 {
  return sockOpen(domain, type, protocol);
}

/** Two descriptors to `fds`. */
export function sysSocketPair(domain: i32, type: i32, protocol: i32, fds: usize): i32 {
  return sockPair(domain, type, protocol, fds);
}

export function sysBind(fd: i32, address: u32, port: u32): i32 {
  return sockBind(fd, address, port);
}

export function sysListen(fd: i32, backlog: i32): i32 {
  return sockListen(fd, backlog);
}

/** Takes connections to every port. */
export function sysListenAny(fd: i32): i32 {
  return sockListenAny(fd);
}

export function sysAccept(fd: i32): i32 {
  return sockAccept(fd);
}

export function sysConnect(fd: i32, address: u32, port: u32): i32 {
  return sockConnect(fd, address, port);
}

export function sysSend(fd: i32, at: usize, bytes: u32, flags: i32): i32 {
  return sockSend(fd, at, bytes, flags);
}

export function sysSendTo(
  fd: i32,
  at: usize,
  bytes: u32,
  flags: i32,
  address: u32,
  port: u32,
): i32 {
  return sockSendTo(fd, at, bytes, flags, address, port);
}

export function sysRecv(fd: i32, at: usize, bytes: u32, flags: i32): i32 {
  return sockReceive(fd, at, bytes, flags);
}

/** The sender is then told by `lastPeerAddress` and `lastPeerPort`. */
export function sysRecvFrom(fd: i32, at: usize, bytes: u32, flags: i32): i32 {
  return sockReceiveFrom(fd, at, bytes, flags, PEER);
}

export function lastPeerAddress(): u32 {
  return load<u32>(PEER);
}

export function lastPeerPort(): u32 {
  return load<u32>(PEER, 4);
}

export function sysShutdown(fd: i32, how: i32): i32 {
  return sockShutdown(fd, how);
}

export function sysDup(fd: i32): i32 {
  return sockDup(fd);
}

/** Takes an error of the queue (IP_RECVERR): where its UdpError lies, or a negative errno. */
export function sysReceiveError(fd: i32): i32 {
  const index = socketIndex(fd);
  if (index == NO_SOCKET) return -EBADF;
  const error = moreTakeError(socketAt(index));
  return error == null ? -EAGAIN : <i32>changetype<usize>(error);
}

/** Where the datagram was sent to that was received last (IP_PKTINFO). */
export function lastSentTo(): u32 {
  return udpSentTo();
}

/** Static routes. */
export function sysRouteAdd(network: u32, mask: u32, gateway: u32): i32 {
  return routeAdd(network, mask, gateway);
}

export function sysRouteDelete(network: u32, mask: u32): i32 {
  return routeDelete(network, mask);
}

/** What recv() would give where it lies: two spans to `spans`. */
export function sysBorrow(fd: i32, spans: usize): i32 {
  return sockBorrow(fd, spans, PEER);
}

export function sysRelease(fd: i32, bytes: u32): i32 {
  return sockRelease(fd, bytes);
}

/** Room in the send ring: a span to `span`. */
export function sysSendRoom(fd: i32, span: usize): i32 {
  return sockSendRoom(fd, span);
}

export function sysSendWritten(fd: i32, bytes: u32): i32 {
  return sockSendWritten(fd, bytes, false);
}

export function sysClose(fd: i32): i32 {
  return sockClose(fd);
}

/** Closes with RST. */
export function sysAbort(fd: i32): i32 {
  return sockAbort(fd);
}

/** poll() bits. */
export function sysEvents(fd: i32): u32 {
  return sockEvents(fd);
}

/** Takes the pending error, as a positive number. */
export function sysError(fd: i32): i32 {
  const index = socketIndex(fd);
  return index == NO_SOCKET ? 9 : sockTakeError(index);
}

/** setsockopt() with a plain number. */
export function sysSetOption(fd: i32, level: i32, option: i32, value: i32): i32 {
  return sockSetOption(fd, level, option, value);
}

/** getsockopt() with a plain number. */
export function sysGetOption(fd: i32, level: i32, option: i32): i32 {
  return sockGetOption(fd, level, option);
}

export function sysAtMark(fd: i32): i32 {
  return sockAtMark(fd);
}

/** Fills struct tcp_info at `at`. */
export function sysTcpInfo(fd: i32, at: usize): i32 {
  return sockTcpInfo(fd, changetype<TcpInfo>(at));
}

export function sysLocalAddress(fd: i32): u32 {
  const index = socketIndex(fd);
  return index == NO_SOCKET ? 0 : sockLocalAddress(index);
}

export function sysLocalPort(fd: i32): u32 {
  const index = socketIndex(fd);
  return index == NO_SOCKET ? 0 : sockLocalPort(index);
}

export function sysPeerAddress(fd: i32): u32 {
  const index = socketIndex(fd);
  return index == NO_SOCKET ? 0 : sockPeerAddress(index);
}

export function sysPeerPort(fd: i32): u32 {
  const index = socketIndex(fd);
  return index == NO_SOCKET ? 0 : sockPeerPort(index);
}

/** 1 when the socket has another end. */
export function sysHasPeer(fd: i32): u32 {
  const index = socketIndex(fd);
  return index != NO_SOCKET && sockHasPeer(index) ? 1 : 0;
}

/** A counter of stack/statistics.ts. */
export function counter(index: u32): u32 {
  return counterValue(index);
}

/** Records in use: 0 TCBs, 1 SYN queue, 2 TIME-WAIT, 3 sockets. */
export function inUse(table: u32): u32 {
  if (table == 0) return connectionsInUse(0, FIRST_SYN_RECORD);
  if (table == 1) return connectionsInUse(FIRST_SYN_RECORD, FIRST_TIME_WAIT);
  if (table == 2) return connectionsInUse(FIRST_TIME_WAIT, CONNECTIONS);
  return socketsInUse();
}

/** Addresses of the name at `name`, as words to `to`: how many, or a negative EAI_… code. */
export function nameLookup(name: usize, bytes: u32, to: usize, capacity: u32): i32 {
  return dnsLookup(name, bytes, to, capacity);
}

/** Servers for names; 0 = none. */
export function nameServers(first: u32, second: u32): void {
  iface.dns = first;
  iface.dns2 = second;
}

/** Names the host, and begins to answer for the name on the link of each interface. */
export function hostName(name: usize, bytes: u32): void {
  for (let number: u32 = 0; number < INTERFACES; number++) {
    const nif = interfaceAt(number);
    nif.hostName = name;
    nif.hostNameBytes = bytes;
    if (MDNS) mdnsRestart(nif);
  }
}

/** Announces a web server. */
export function announceHttp(port: u32): void {
  const labels = memory.data<u8>([5, 0x5f, 0x68, 0x74, 0x74, 0x70, 4, 0x5f, 0x74, 0x63, 0x70]);
  if (MDNS) mdnsService(labels, 11, port);
}

/** Takes back what was announced; 0 = no room to send. */
export function goodbye(): u32 {
  return !MDNS || mdnsGoodbye() ? 1 : 0;
}

/** 0, or a rule of the TCP's records that does not hold between turns (host-tools/simulate/rules.ts) and 256 times the record. */
export function brokenRule(): u32 {
  return tcpBrokenRule();
}

/** Counts up with every event that could end a wait on a socket. */
export function readyCount(): u32 {
  return readyChanges();
}

/** State of TCB `id` (TcpState), for tests of the state machine. */
export function tcbState(id: u32): u32 {
  return <u32>tcbAt(id).state;
}
