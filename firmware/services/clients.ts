/**
 * The table of clients and the one poll() over everything that is watched: listeners first, then datagram sockets, then
 * clients.
 */
import {
  AF_INET,
  POLLIN,
  POLLOUT,
  PollFd,
  SHUT_WR,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_LINGER,
  SockAddrIn,
  accept,
  bind,
  close,
  htons,
  listen,
  poll,
  setsockopt,
  shutdown,
  socket,
} from "../net/sockets";
import { listenerPressure, uptimeSeconds } from "../net/netstat";
import { now } from "../../stack/now";
import { sockTcb } from "../../stack/socket/socket";
import { TcpState } from "../../stack/tcp/connection";
import { SOCKETS, TCP_LISTENERS, UDP_SOCKETS } from "../../stack/config";
import { CLIENT_BUFFER_BYTES, Client, Phase, Service, enterPhase } from "./client";
import { graceMs, limitMs } from "./patience";
import { drop, wouldBlock } from "./scratch";
import {
  BACKLOG,
  CLIENTS,
  DATAGRAM_SOCKETS,
  LISTENERS,
  PROGRESS_BYTES,
  SCRATCH_BYTES,
} from "./sizes";

if (SOCKETS < CLIENTS + LISTENERS + DATAGRAM_SOCKETS)
  ERROR("SOCKETS must hold the listeners, the datagram sockets and one socket for each TCB");
if (TCP_LISTENERS < LISTENERS) ERROR("TCP_LISTENERS is less than the services need");
if (UDP_SOCKETS < DATAGRAM_SOCKETS) ERROR("UDP_SOCKETS is less than the services need");

const CLIENT_BYTES: u32 = 52 + CLIENT_BUFFER_BYTES;
if (offsetof<Client>() != 52) ERROR("CLIENT_BYTES must match Client");

const TABLE: usize = memory.data(CLIENTS * CLIENT_BYTES, 4);

const WATCHED: u32 = LISTENERS + DATAGRAM_SOCKETS + CLIENTS;
const FIRST_CLIENT: u32 = LISTENERS + DATAGRAM_SOCKETS;
const POLL_BYTES: u32 = 8;
const POLLS: usize = memory.data(WATCHED * POLL_BYTES, 4);

/** Service of each listener. */
const LISTENER_SERVICES: usize = memory.data(LISTENERS, 4);

const ADDRESS: usize = memory.data(8, 4);
const LINGER: usize = memory.data(8, 4);

/** Without clients nothing happens by itself, but the uptime wants to be counted. */
const LONGEST_WAIT_MS: u32 = 86_400_000;

/** With clients about, the table looks this often whether others wait, ms. */
const PRESSURE_LOOK_MS: u32 = 100;

/** After a client has been sent away, this long passes before the next one has to go, ms. */
const RELIEF_MS: u32 = 50;

let listeners: u32 = 0;
let datagrams: u32 = 0;
let relievedMs: u32 = 0;
let relieving: bool = false;

function pollAt(index: u32): PollFd {
  return changetype<PollFd>(POLLS + <usize>(index * POLL_BYTES));
}

/** Record of a client, 0..CLIENTS-1; `Phase.FREE` when there is none. */
export function clientAt(index: u32): Client {
  assert(index < CLIENTS);
  return changetype<Client>(TABLE + <usize>(index * CLIENT_BYTES));
}

/** Empties the tables; once, before anything is opened. */
export function clientsStart(): void {
  for (let i: u32 = 0; i < WATCHED; i++) pollAt(i).fd = -1;
}

function openBound(type: i32, port: u32): i32 {
  const fd = socket(AF_INET, type | SOCK_NONBLOCK, 0);
  if (fd < 0) return fd;
  const address = changetype<SockAddrIn>(ADDRESS);
  address.sinFamily = <u16>AF_INET;
  address.sinPort = htons(<u16>port);
  address.sinAddr = 0;
  const result = bind(fd, address);
  if (result == 0) return fd;
  close(fd);
  return result;
}

/** Opens a stream service on a port: 0 or a negative errno. */
export function serveStreams(port: u32, service: u32): i32 {
  assert(listeners < LISTENERS);
  const fd = openBound(SOCK_STREAM, port);
  if (fd < 0) return fd;
  const result = listen(fd, BACKLOG);
  if (result < 0) {
    close(fd);
    return result;
  }
  store<u8>(LISTENER_SERVICES + <usize>listeners, <u8>service);
  const watched = pollAt(listeners++);
  watched.fd = fd;
  watched.events = <u16>POLLIN;
  return 0;
}

/** Opens a datagram socket on a port: its number for `datagramReady`, or a negative errno. */
export function serveDatagrams(port: u32): i32 {
  assert(datagrams < DATAGRAM_SOCKETS);
  const fd = openBound(SOCK_DGRAM, port);
  if (fd < 0) return fd;
  const watched = pollAt(LISTENERS + datagrams);
  watched.fd = fd;
  watched.events = <u16>POLLIN;
  datagrams++;
  return <i32>(datagrams - 1);
}

/** Descriptor of a datagram socket with something to receive, or -1. */
export function datagramReady(index: u32): i32 {
  const watched = pollAt(LISTENERS + index);
  return watched.revents != 0 ? watched.fd : -1;
}

/** What poll() reported of a client. */
export function clientEvents(index: u32): u32 {
  return pollAt(FIRST_CLIENT + index).revents;
}

/**
 * Waits until a client, a listener or a datagram socket has something, or until a client's patience ends; makes room when
 * others wait for a connection; takes new clients (their first events come with the next call).
 */
export function clientsWait(): void {
  uptimeSeconds();
  let timeoutMs: u32 = LONGEST_WAIT_MS;
  let room = false;
  for (let i: u32 = 0; i < CLIENTS; i++) {
    const c = clientAt(i);
    const watched = pollAt(FIRST_CLIENT + i);
    watched.fd = c.phase == <u8>Phase.FREE ? -1 : c.fd;
    watched.events = c.events;
    watched.revents = 0;
    if (c.phase == <u8>Phase.FREE) {
      room = true;
      continue;
    }
    watchDelivery(c);
    timeoutMs = min(timeoutMs, min(leftMs(c), PRESSURE_LOOK_MS));
  }
  // Without room the listeners keep quiet: clients wait in the accept queue.
  for (let i: u32 = 0; i < listeners; i++) pollAt(i).events = room ? <u16>POLLIN : 0;
  poll(POLLS, WATCHED, <i32>timeoutMs);
  makeRoom();
  if (room) acceptAll();
}

/** True in the phases in which a client has nothing to do but to read. */
function onlyReads(phase: u32): bool {
  return phase == <u32>Phase.IDLE || (phase >= <u32>Phase.RESPONSE && phase != <u32>Phase.STREAM);
}

/** Bytes that a client has not acknowledged; our FIN counts as one. */
function queuedFor(c: Client): u32 {
  const tcb = sockTcb(c.fd);
  if (tcb == null) return 0;
  const state = <u32>tcb.state;
  const fin =
    state == TcpState.FIN_WAIT_1 || state == TcpState.CLOSING || state == TcpState.LAST_ACK;
  return fin ? tcb.queued + 1 : tcb.queued;
}

/** What a client that only reads does for its progress: it acknowledges. */
function watchDelivery(c: Client): void {
  if (!onlyReads(c.phase)) return;
  const queued = queuedFor(c);
  // With the last byte a new time begins: that of a client which has everything.
  if (queued < c.queued) progress(c, queued == 0 ? PROGRESS_BYTES : c.queued - queued);
  c.queued = queued;
}

/** The phase by which a client's patience is measured: while it is owed a part of a response, it is receiving one. */
function patiencePhase(c: Client): u32 {
  return c.queued != 0 && onlyReads(c.phase) ? <u32>Phase.RESPONSE : <u32>c.phase;
}

function leftMs(c: Client): u32 {
  const spent = now() - c.sinceMs;
  const limit = limitMs(patiencePhase(c));
  return spent >= limit ? 0 : limit - spent;
}

/** True when a client has used up its time. */
export function clientExpired(c: Client): bool {
  return c.phase != <u8>Phase.FREE && leftMs(c) == 0;
}

function acceptAll(): void {
  let free: u32 = 0;
  for (let i: u32 = 0; i < listeners; i++) {
    if (pollAt(i).revents == 0) continue;
    for (;;) {
      while (free < CLIENTS && clientAt(free).phase != <u8>Phase.FREE) free++;
      if (free == CLIENTS) return;
      const fd = accept(pollAt(i).fd, null);
      if (fd < 0) break;
      pollAt(FIRST_CLIENT + free).revents = 0;
      welcome(clientAt(free), fd, load<u8>(LISTENER_SERVICES + <usize>i));
    }
  }
}

function welcome(c: Client, fd: i32, service: u32): void {
  memory.fill(changetype<usize>(c), 0, CLIENT_BYTES);
  c.fd = fd;
  c.service = <u8>service;
  // The first turn comes at once, whatever the service waits for afterwards.
  c.events = <u16>(POLLIN | POLLOUT);
  const speaksHttp = service == <u32>Service.HTTP || service == <u32>Service.HTTP_ECHO;
  enterPhase(c, speaksHttp ? Phase.FRESH : Phase.STREAM);
}

/** Notes that bytes were moved for a client; enough of them renew its patience. */
export function progress(c: Client, bytes: u32): void {
  c.moved += bytes;
  if (c.moved < PROGRESS_BYTES) return;
  c.moved = 0;
  c.sinceMs = now();
}

/** Closes a client in good order and frees its record. */
export function leave(c: Client): void {
  close(c.fd);
  c.phase = <u8>Phase.FREE;
}

/** Resets a client's connection (RFC 9293 3.10.5) and frees its record: nothing of it stays in the stack. */
export function abandon(c: Client): void {
  store<u32>(LINGER, 1);
  store<u32>(LINGER + 4, 0);
  setsockopt(c.fd, SOL_SOCKET, SO_LINGER, LINGER, 8);
  leave(c);
}

/**
 * Sends our FIN and goes on reading until the client's FIN comes: closing at once would answer text that is still on its way
 * with a reset, which can destroy the response in the client's hands (RFC 9112 9.6).
 */
export function sayGoodbye(c: Client, phase: Phase): void {
  if (shutdown(c.fd, SHUT_WR) < 0) {
    abandon(c);
    return;
  }
  c.events = <u16>POLLIN;
  enterPhase(c, phase);
}

/** True while a finished handshake waits for a connection: then responses end their connections. */
export function othersWait(): bool {
  return listenerPressure();
}

/** Sends one client away when others wait: the one longest idle, or else the one longest without progress. */
function makeRoom(): void {
  if (!listenerPressure()) {
    relieving = false;
    return;
  }
  if (relieving && now() - relievedMs < RELIEF_MS) return;
  let chosen: i32 = -1;
  let chosenRank: u32 = 0;
  for (let i: u32 = 0; i < CLIENTS; i++) {
    const c = clientAt(i);
    const waitedMs = now() - c.sinceMs;
    const phase = patiencePhase(c);
    if (c.phase == <u8>Phase.FREE || waitedMs < graceMs(phase)) continue;
    const idle = phase == <u32>Phase.IDLE || phase == <u32>Phase.FAREWELL;
    const rank = min(waitedMs, <u32>0x3fffffff) | (idle ? 0x40000000 : 0);
    if (chosen >= 0 && rank <= chosenRank) continue;
    chosen = <i32>i;
    chosenRank = rank;
  }
  if (chosen < 0) return;
  relieving = true;
  relievedMs = now();
  const c = clientAt(<u32>chosen);
  dismiss(c);
}

/** Sends a client away: gently when it is owed nothing, with a reset when it keeps us waiting. */
export function dismiss(c: Client): void {
  switch (patiencePhase(c)) {
    case <u32>Phase.FRESH:
    case <u32>Phase.IDLE:
      return sayGoodbye(c, Phase.FAREWELL);
    case <u32>Phase.LINGER:
    case <u32>Phase.FAREWELL:
      // Our FIN is acknowledged, so the stack needs no rings any more to wait for the other one.
      return leave(c);
    default:
      abandon(c);
  }
}

/** Reads and drops what a client says after our FIN; its own FIN ends the connection. */
export function lingerTurn(c: Client): void {
  const dropped = drop(c.fd, SCRATCH_BYTES);
  if (dropped == 0) leave(c);
  else if (dropped < 0 && !wouldBlock(dropped)) abandon(c);
}
