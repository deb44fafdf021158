import { clockMs, Text, text } from "board";
import { nicCounter, nicLink } from "nic";
import { nicCounter as nicCounter2, nicLink as nicLink2 } from "nic2";
import { arpAt, arpMac, arpNetwork } from "../../stack/arp/cache";
import {
  ARP_ENTRIES,
  DHCP,
  INTERFACES,
  SOCKETS,
  SOCKET_MORE_OPTIONS,
  TCP,
  TCP_SYN_RECORDS,
  TCP_TCBS,
  TCP_TIME_WAIT_RECORDS,
  UDP_SOCKETS,
} from "../../stack/config";
import { DEVICE_ETHERNET, iface, interfaceAt, interfaceMac } from "../../stack/interface";
import { POLLIN } from "../../stack/posix";
import {
  sockEvents,
  sockLocalAddress,
  sockLocalPort,
  sockPeerAddress,
  sockPeerPort,
  sockTcb,
} from "../../stack/socket/socket";
import { moreDevice } from "../../stack/socket/more-options";
import { SocketKind, socketAt, socketsInUse } from "../../stack/socket/table";
import {
  CONNECTIONS,
  FIRST_SYN_RECORD,
  FIRST_TIME_WAIT,
  TcpState,
  connectionsInUse,
  tcbAt,
} from "../../stack/tcp/connection";
import { sendQueueRoom } from "../../stack/tcp/send-queue";
import { tcbsFree } from "../../stack/tcp/lifecycle";
import { handshakeWaiting } from "../../stack/tcp/syn-records";
import { textReadable } from "../../stack/tcp/text";
import { lineOf } from "./lines";

/** What a status page shows of the stack: tables of fixed size and the socket table. Reading it changes nothing. */

/** Tables that `poolName`, `poolSize` and `poolUsed` number. */
const enum Pool {
  SOCKETS = 0,
  TCBS = 1,
  SYN_QUEUE = 2,
  TIME_WAIT = 3,
  UDP = 4,
}

/** Pools that can be asked for. */
export const POOLS: u32 = 5;

export { nicCounter, nicLink, nicVersion } from "nic";
export { NicCounter } from "../../drivers/nic-counters";
export { iface, interfaceMac } from "../../stack/interface";
export { now } from "../../stack/now";
export { Counter, counterValue } from "../../stack/statistics";

/** Lease time that the server of the first interface gave, seconds; 0 = no lease, 0xFFFFFFFF = for ever. */
export function dhcpLeaseSeconds(): u32 {
  return DHCP ? iface.leaseSeconds : 0;
}

/** Server of the first interface's lease; 0 = none. */
export function dhcpServer(): u32 {
  return DHCP && iface.leaseSeconds != 0 ? iface.leaseServer : 0;
}

/** True for a slot with a datagram socket. */
export function socketIsDatagram(index: u32): bool {
  return socketAt(index).kind == SocketKind.DATAGRAM;
}

/** Name of a table. */
export function poolName(pool: u32): Text {
  return lineOf(text("sockets\ntcbs\nsynQueue\ntimeWait\nudp\n"), pool);
}

/** Records of a table. */
export function poolSize(pool: u32): u32 {
  if (pool == Pool.SOCKETS) return SOCKETS;
  if (pool == Pool.TCBS) return TCP_TCBS;
  if (pool == Pool.SYN_QUEUE) return TCP_SYN_RECORDS;
  return pool == Pool.TIME_WAIT ? TCP_TIME_WAIT_RECORDS : UDP_SOCKETS;
}

/** Records of a table in use. */
export function poolUsed(pool: u32): u32 {
  if (pool == Pool.SOCKETS) return socketsInUse();
  if (pool == Pool.TCBS) return TCP ? TCP_TCBS - tcbsFree(TCP_TCBS) : 0;
  if (TCP && pool == Pool.SYN_QUEUE) return connectionsInUse(FIRST_SYN_RECORD, FIRST_TIME_WAIT);
  if (TCP && pool == Pool.TIME_WAIT) return connectionsInUse(FIRST_TIME_WAIT, CONNECTIONS);
  let used: u32 = 0;
  for (let index: u32 = 0; index < SOCKETS; index++) {
    if (socketAt(index).kind == SocketKind.DATAGRAM) used += 1;
  }
  return used;
}

/** State of an open socket, by the names of RFC 9293. */
export function socketStateName(index: u32): Text {
  const socket = socketAt(index);
  if (socket.kind == SocketKind.LISTENER) return text("LISTEN");
  if (<u32>socket.kind >= <u32>SocketKind.DATAGRAM) return text("OPEN");
  if (!TCP || socket.kind != SocketKind.CONNECTION) return text("CLOSED");
  return lineOf(
    text(
      "CLOSED\nSYN-SENT\nSYN-RECEIVED\nESTABLISHED\nFIN-WAIT-1\nFIN-WAIT-2\nCLOSE-WAIT\nCLOSING\nLAST-ACK\n",
    ),
    <u32>tcbAt(<u32>socket.index).state,
  );
}

/** Local address of a slot of the socket table, host order; 0 = any. */
export function socketLocalAddress(index: u32): u32 {
  return sockLocalAddress(index);
}

export function socketLocalPort(index: u32): u32 {
  return sockLocalPort(index);
}

/** Peer of a slot, 0 when it has none. */
export function socketPeerAddress(index: u32): u32 {
  return sockPeerAddress(index);
}

export function socketPeerPort(index: u32): u32 {
  return sockPeerPort(index);
}

/** Number of the interface that a socket is held to by SO_BINDTODEVICE; -1 = none. */
export function socketNetwork(index: u32): i32 {
  return SOCKET_MORE_OPTIONS
    ? max(<i32>moreDevice(socketAt(index)) - <i32>DEVICE_ETHERNET, -1)
    : -1;
}

/** Bytes received and not read. */
export function socketInBytes(index: u32): u32 {
  const socket = socketAt(index);
  return TCP && socket.kind == SocketKind.CONNECTION ? textReadable(tcbAt(<u32>socket.index)) : 0;
}

/** Bytes queued to be sent or acknowledged. */
export function socketOutBytes(index: u32): u32 {
  const socket = socketAt(index);
  return TCP && socket.kind == SocketKind.CONNECTION ? tcbAt(<u32>socket.index).queued : 0;
}

/** True when there is something to receive, be it the end. */
export function hasInput(fd: i32): bool {
  return (sockEvents(fd) & POLLIN) != 0;
}

/** Bytes that a connection has not acknowledged; our FIN counts as one. 0 for other sockets. */
export function sendOwed(fd: i32): u32 {
  const tcb = sockTcb(fd);
  if (tcb == null) return 0;
  const state = <u32>tcb.state;
  const fin =
    state == TcpState.FIN_WAIT_1 || state == TcpState.CLOSING || state == TcpState.LAST_ACK;
  return fin ? tcb.queued + 1 : tcb.queued;
}

/** Bytes that `send` would take of a connection's user now; 0 for other sockets. */
export function sendRoom(fd: i32): u32 {
  const tcb = sockTcb(fd);
  return tcb == null ? 0 : sendQueueRoom(tcb);
}

/** Kind of a slot: true for a TCP socket. */
export function socketIsTcp(index: u32): bool {
  const kind = socketAt(index).kind;
  return kind == SocketKind.LISTENER || kind == SocketKind.CONNECTION;
}

/** True for a slot of the socket table that is open. */
export function socketIsOpen(index: u32): bool {
  // The descriptors that dup() made show no second time.
  const kind = <u32>socketAt(index).kind;
  return kind != SocketKind.FREE && kind != SocketKind.ALIAS;
}

/** Places for neighbours (ARP). */
export const NEIGHBOURS: u32 = ARP_ENTRIES;

/** A neighbour's address, host order; 0 = none in this place, or its MAC is not known. */
export function neighbourAddress(index: u32): u32 {
  const entry = arpAt(index);
  return entry == null ? 0 : entry.address;
}

/** Where the MAC of a neighbour stands, 6 bytes; 0 = none. */
export function neighbourMac(index: u32): usize {
  const entry = arpAt(index);
  return entry == null ? 0 : arpMac(entry);
}

/** Number of the interface that a neighbour is reached by. */
export function neighbourNetwork(index: u32): u32 {
  return arpNetwork(index);
}

/** Where the MAC of the first interface stands, 6 bytes. */
export function netMac(): usize {
  return interfaceMac(iface);
}

/** Mask of the first interface's network, host order. */
export function netMask(): u32 {
  return iface.mask;
}

/** The first interface's DNS server, host order; 0 = none. */
export function netDns(): u32 {
  return iface.dns;
}

/** Of the first interface: bit 0: link, bit 1: 100 Mbit/s, bit 2: full duplex. */
export function netLink(): u32 {
  return nicLink();
}

/** Ethernet interfaces: eth0 and, with INTERFACES 2, eth1. The functions below take the number of one. */
export const NETWORKS: u32 = INTERFACES;

function isSecond(number: u32): bool {
  return INTERFACES > 1 && number == 1;
}

/** The link of an interface, as `netLink` has it. */
export function networkLink(number: u32): u32 {
  return isSecond(number) ? nicLink2() : nicLink();
}

/** A counter of an interface's chip (NicCounter): what it has received, sent and lost. */
export function networkCounter(number: u32, counter: u32): u32 {
  return isSecond(number) ? nicCounter2(counter) : nicCounter(counter);
}

/** Where the MAC of an interface stands, 6 bytes. */
export function networkMac(number: u32): usize {
  return interfaceMac(interfaceAt(number));
}

/** Address of an interface, host order; 0 while it has none. */
export function networkAddress(number: u32): u32 {
  const nif = interfaceAt(number);
  return nif.tentative ? 0 : nif.address;
}

/** Mask of the network of an interface, host order. */
export function networkMask(number: u32): u32 {
  return interfaceAt(number).mask;
}

/** Router of an interface, host order; 0 = none. */
export function networkGateway(number: u32): u32 {
  const nif = interfaceAt(number);
  return nif.tentative ? 0 : nif.gateway;
}

/** Server for names of an interface, host order; 0 = none. */
export function networkDns(number: u32): u32 {
  return interfaceAt(number).dns;
}

/** Lease time that the server of an interface gave, as `dhcpLeaseSeconds` has it. */
export function networkLeaseSeconds(number: u32): u32 {
  return DHCP ? interfaceAt(number).leaseSeconds : 0;
}

/** Server of the lease of an interface; 0 = none. */
export function networkLeaseServer(number: u32): u32 {
  return networkLeaseSeconds(number) != 0 ? interfaceAt(number).leaseServer : 0;
}

/** True when a peer has finished its handshake and waits for a TCB: a server should let an idle connection go. */
export function listenerPressure(): bool {
  return TCP && handshakeWaiting();
}

let seconds: u32 = 0;
let lastMs: u32 = 0;

/** Seconds since the start. Counted on from call to call, so it outlives the wrap of the clock when asked within 49 days. */
export function uptimeSeconds(): u32 {
  const passed = (clockMs() - lastMs) / 1000;
  seconds += passed;
  lastMs += passed * 1000;
  return seconds;
}
