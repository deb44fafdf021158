/**
 * The one poll() over everything that is watched: listeners first, then sockets of the application, then
 * clients.
 */
import { clockMs } from "board";
import {
  AF_INET,
  IPPROTO_TCP,
  POLLIN,
  POLLOUT,
  POLLPRI,
  PollFd,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_KEEPALIVE,
  SockAddrIn,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
  accept,
  bind,
  close,
  htons,
  listen,
  poll,
  setsockopt,
  socket,
} from "../net/sockets";
import { gpioNext } from "../net/gpio";
import { uptimeSeconds } from "../net/netstat";
import { ENOBUFS } from "../../stack/errors";
import { GPIO_WATCHES, SOCKETS, TCP_LISTENERS } from "../../stack/config";
import { Phase, clientAt, clientBegin, isConnected } from "./client";
import { answerLeftMs } from "./http/answer";
import { leftMs, makeRoom, othersWait, watchDelivery } from "./patience";
import { BACKLOG, CLIENTS, LISTENERS, WATCHES } from "./sizes";

if (SOCKETS < CLIENTS + LISTENERS + WATCHES)
  ERROR("SOCKETS must hold the listeners, the watched sockets and one socket for each TCB");
if (TCP_LISTENERS < LISTENERS) ERROR("TCP_LISTENERS is less than the services need");

const WATCHED: u32 = LISTENERS + WATCHES + CLIENTS;
const FIRST_CLIENT: u32 = LISTENERS + WATCHES;
const POLL_BYTES: u32 = 8;
const POLLS: usize = memory.data(WATCHED * POLL_BYTES, 4);

/** Service of each listener. */
const LISTENER_SERVICES: usize = memory.data(LISTENERS, 4);

const ADDRESS: usize = memory.data(8, 4);
const VALUE: usize = memory.data(4, 4);
const KEEP_IDLE_S: i32 = 90;
const KEEP_INTERVAL_S: i32 = 10;

/** Without clients nothing happens by itself, but the uptime wants to be counted. */
const LONGEST_WAIT_MS: u32 = 86_400_000;

/** While others wait for a connection, the table looks this often whose grace has ended, ms. That they do is told by POLLPRI. */
const PRESSURE_LOOK_MS: u32 = 100;
/** While a client is owed something, its progress is looked at this often, ms. */
const DELIVERY_LOOK_MS: u32 = 200;

let listeners: u32 = 0;
let watches: u32 = 0;

/** Handlers of the watched sockets. */
function handlerAt(index: u32): usize {
  const HANDLERS: usize = memory.data(WATCHES * 2 + 2, 2);
  return HANDLERS + <usize>(index * 2);
}

/** The timer of the application: its handler (0 = none), its period, when it is due. */
let timerHandler: u32 = 0;
let timerMs: u32 = 0;
let timerDue: u32 = 0;

function pollAt(index: u32): PollFd {
  return changetype<PollFd>(POLLS + <usize>(index * POLL_BYTES));
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

function setNumber(fd: i32, level: i32, option: i32, value: i32): void {
  store<i32>(VALUE, value);
  setsockopt(fd, level, option, VALUE, 4);
}

/** Opens a stream service on a port: 0 or a negative errno. */
export function serveStreams(port: u32, service: u32): i32 {
  assert(listeners < LISTENERS);
  const fd = openBound(SOCK_STREAM, port);
  if (fd < 0) return fd;
  // Who has vanished without a word leaves after about three minutes; accepted sockets inherit it.
  setNumber(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  setNumber(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEP_IDLE_S);
  setNumber(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEP_INTERVAL_S);
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

/** Opens a datagram socket on a port, and watches it for `httpNext`: its descriptor, or a negative errno. */
export function serveDatagrams(port: u32, handler: u32): i32 {
  const fd = openBound(SOCK_DGRAM, port);
  if (fd < 0) return fd;
  const result = httpWatch(fd, POLLIN, handler);
  return result < 0 ? result : fd;
}

/**
 * Watches a socket of the application: `httpNext` gives `handler` (not 0) while one of the POLL… bits is so. 0, or -ENOBUFS
 * (HTTP_WATCHES).
 */
export function httpWatch(fd: i32, events: u32, handler: u32): i32 {
  if (watches == WATCHES) return -ENOBUFS;
  store<u16>(handlerAt(watches), <u16>handler);
  const watched = pollAt(LISTENERS + watches++);
  watched.fd = fd;
  watched.events = <u16>events;
  return 0;
}

/** Watches a socket of the application no more: before it is closed, or to watch it for something else. */
export function httpUnwatch(fd: i32): void {
  for (let i: u32 = 0; i < watches; i++) {
    const watched = pollAt(LISTENERS + i);
    if (watched.fd != fd) continue;
    const last = pollAt(LISTENERS + --watches);
    store<u16>(handlerAt(i), load<u16>(handlerAt(watches)));
    watched.fd = last.fd;
    watched.events = last.events;
    watched.revents = last.revents;
    last.fd = -1;
    last.revents = 0;
    return;
  }
}

/** Has `httpNext` give `handler` every `periodMs` milliseconds; one timer, 0 stops it. */
export function httpTimer(periodMs: u32, handler: u32): void {
  timerHandler = periodMs == 0 ? 0 : handler;
  timerMs = periodMs;
  timerDue = clockMs() + periodMs;
}

/** The handler of a watched socket that has something, of a watched pin, or of the timer; once after each wait. 0 = none. */
export function watchedNext(): u32 {
  for (let i: u32 = 0; i < watches; i++) {
    const watched = pollAt(LISTENERS + i);
    if (watched.revents == 0) continue;
    watched.revents = 0;
    return load<u16>(handlerAt(i));
  }
  if (GPIO_WATCHES != 0) {
    const handler = gpioNext();
    if (handler != 0) return handler;
  }
  if (timerHandler == 0 || <i32>(clockMs() - timerDue) < 0) return 0;
  timerDue += timerMs;
  return timerHandler;
}

/** What poll() reported of a client. */
export function clientEvents(index: u32): u32 {
  return pollAt(FIRST_CLIENT + index).revents;
}

/**
 * Waits until a client, a listener or a watched socket has something, or until a client's patience
 * ends; makes room when others wait for a connection; takes new clients (their first events come
 * with the next call).
 */
export function clientsWait(): void {
  uptimeSeconds();
  const pressed = othersWait();
  let timeoutMs: u32 = pressed ? PRESSURE_LOOK_MS : LONGEST_WAIT_MS;
  if (timerHandler != 0) timeoutMs = min(timeoutMs, <u32>max(<i32>(timerDue - clockMs()), 0));
  let room = false;
  for (let i: u32 = 0; i < CLIENTS; i++) {
    const c = clientAt(i);
    const watched = pollAt(FIRST_CLIENT + i);
    watched.fd = isConnected(c) ? c.fd : -1;
    watched.events = c.events;
    watched.revents = 0;
    if (c.phase == <u8>Phase.FREE) room = true;
    if (c.phase == <u8>Phase.GONE) timeoutMs = 0;
    if (!isConnected(c)) continue;
    watchDelivery(c);
    timeoutMs = min(timeoutMs, answerLeftMs(c));
    // That a client has everything is no event of poll(2); while it has not, a look now and then.
    timeoutMs = min(timeoutMs, c.queued != 0 ? min(leftMs(c), DELIVERY_LOOK_MS) : leftMs(c));
  }
  // Without room the listeners keep quiet: clients wait in the accept queue. That the first one waits for a record is news.
  const wanted: u32 = (room ? POLLIN : 0) | (pressed ? 0 : POLLPRI);
  for (let i: u32 = 0; i < listeners; i++) pollAt(i).events = <u16>wanted;
  poll(POLLS, WATCHED, <i32>timeoutMs);
  makeRoom();
  if (room) acceptAll();
}

function acceptAll(): void {
  let free: u32 = 0;
  for (let i: u32 = 0; i < listeners; i++) {
    if ((pollAt(i).revents & (<u16>POLLIN)) == 0) continue;
    for (;;) {
      while (free < CLIENTS && clientAt(free).phase != <u8>Phase.FREE) free++;
      if (free == CLIENTS) return;
      const fd = accept(pollAt(i).fd, null);
      if (fd < 0) break;
      pollAt(FIRST_CLIENT + free).revents = 0;
      const c = clientAt(free);
      clientBegin(c, fd, load<u8>(LISTENER_SERVICES + <usize>i));
      // The first turn comes at once, whatever the service waits for afterwards.
      c.events = <u16>(POLLIN | POLLOUT);
    }
  }
}
