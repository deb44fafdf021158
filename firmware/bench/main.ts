/**
 * The servers whose cost `npm run bench` counts: TCP 7 echo, 9 discard, 19 sender, 80 one request and one answer; UDP 7
 * echo; on a board also TCP 20, which fills its queue, and UDP 9 discard, which tells its count when it is asked, and 19, which sends to
 * who has asked. They use the socket calls that every application uses, and look at the sockets that have news, as an event loop does.
 */
import { iface, interfaceConfigure, interfaceInit } from "../../stack/interface";
import { EAGAIN } from "../../stack/errors";
import { IPPROTO_TCP, MSG_ZEROCOPY, POLLOUT, TCP_NODELAY } from "../../stack/posix";
import { AF_INET, SOCK_DGRAM, SOCK_NONBLOCK, SOCK_STREAM } from "../../stack/posix";
import { NO_READY, readyTake, readyTaken } from "../../stack/readiness";
import { SOCKETS, TCP_TX_PIECES } from "../../stack/config";
import { sockBorrow, sockRelease } from "../../stack/socket/borrow";
import { sockSetOption } from "../../stack/socket/options";
import {
  sockAccept,
  sockBind,
  sockClose,
  sockListen,
  sockOpen,
  sockReceive,
  sockReceiveFrom,
  sockSend,
  sockSendTo,
} from "../../stack/socket/socket";
import { socketIndex } from "../../stack/socket/table";
import { stackAnswer, stackPoll, stackStart } from "../../stack/stack";

const PORT_ECHO: u16 = 7;
const PORT_DISCARD: u16 = 9;
const PORT_SENDER: u16 = 19;
/** Sends as much as there is room for, as a program does; the sender of port 19 sends two segments for each news. */
const PORT_POUR: u16 = 20;
const PORT_WEB: u16 = 80;
/** Marks of LISTENING and DATAGRAM in the table of ports, above every port that is served. */
const LISTENING: u16 = 0x100;
const DATAGRAM: u16 = 0x200;
/** A connection whose text is read where it lies: told by DATAGRAM's bit first, so that the others pay nothing for it. */
const BORROWS: u16 = DATAGRAM | 0x400;
/** A connection of the web server, told in the same way: when all that is new is that it may send it has nothing to do. */
const WEB: u16 = DATAGRAM | 0x800;

const MSS: u32 = 1460;
const ANSWER_BYTES: u32 = 1024;
const BUFFER_BYTES: u32 = 1472;
const BUFFER: usize = memory.data(BUFFER_BYTES, 4);
const PEER: usize = memory.data(8, 4);
const SPANS: usize = memory.data(16, 4);
/** By slot of the socket: its descriptor, and what it serves. */
const FDS: usize = memory.data(SOCKETS * 4, 4);
const PORTS: usize = memory.data(SOCKETS * 2, 4);

/** Constant bytes that are sent: at least MSS of them. */
let body: usize = 0;
let sendFlags: i32 = 0;
let closeFirst: bool = false;
let discardMark: u16 = PORT_DISCARD;

/** Bytes that the discard service has taken by UDP. */
let discarded: u32 = 0;
/** Where UDP 19 sends: descriptor, address and port of who has asked; no descriptor = nobody. */
export let askedFd: i32 = -1;
export let askedAddress: u32 = 0;
export let askedPort: u32 = 0;

function remember(fd: i32, port: u16): void {
  const index = socketIndex(fd);
  store<i32>(FDS + (index << 2), fd);
  store<u16>(PORTS + (index << 1), port);
}

function listen(port: u16): void {
  const fd = sockOpen(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  sockBind(fd, 0, <u32>port);
  sockListen(fd, 8);
  remember(fd, port | LISTENING);
}

function openDatagram(port: u16, type: i32): void {
  const fd = sockOpen(AF_INET, type, 0);
  sockBind(fd, 0, <u32>port);
  remember(fd, port | DATAGRAM);
}

/** Opens the services that only the measurements of throughput use. */
export function openMore(): void {
  listen(PORT_POUR);
  openDatagram(PORT_DISCARD, SOCK_DGRAM | SOCK_NONBLOCK);
  // Whoever sends by it may wait for room.
  openDatagram(PORT_SENDER, SOCK_DGRAM);
}

/** Opens the servers; `constantBytes` is memory of at least 1,460 bytes. */
export function open(constantBytes: usize): void {
  body = constantBytes;
  listen(PORT_ECHO);
  listen(PORT_DISCARD);
  listen(PORT_SENDER);
  listen(PORT_WEB);
  openDatagram(PORT_ECHO, SOCK_DGRAM | SOCK_NONBLOCK);
}

/** Starts stack and servers with a static address. */
export function begin(
  macHigh: u32,
  macLow: u32,
  address: u32,
  mask: u32,
  gateway: u32,
  constantBytes: usize,
): void {
  stackStart(0, 0x12345678, 0x9abcdef0);
  interfaceInit(iface, macHigh, macLow, 0, 0);
  interfaceConfigure(iface, address, mask, gateway, 0);
  open(constantBytes);
}

/**
 * How the servers of the next connections behave: the sender refers to its bytes; bits of `manner`: 1 = port 80 closes behind its
 * answer, 2 = the discard port reads text where it lies.
 */
export function choose(zeroCopy: u32, manner: u32): void {
  sendFlags = zeroCopy != 0 ? MSG_ZEROCOPY : 0;
  closeFirst = (manner & 1) != 0;
  discardMark = (manner & 2) != 0 ? BORROWS : PORT_DISCARD;
}

function acceptAll(listener: i32, port: u16): void {
  for (;;) {
    const fd = sockAccept(listener);
    if (fd < 0) return;
    remember(fd, port == PORT_DISCARD ? discardMark : port == PORT_WEB ? WEB : port);
    if (port == PORT_ECHO) sockSetOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    // The web server waits for the request: had it come before, the connection would have news.
    if (port != PORT_WEB) serve(fd, port);
  }
}

function echoDatagram(fd: i32): void {
  const bytes = sockReceiveFrom(fd, BUFFER, BUFFER_BYTES, 0, PEER);
  if (bytes >= 0) sockSendTo(fd, BUFFER, bytes, 0, load<u32>(PEER), load<u32>(PEER, 4));
}

/** Takes all text where it lies: what recv() would do without the copy. */
function borrow(fd: i32): void {
  const bytes = sockBorrow(fd, SPANS, 0);
  if (bytes > 0) sockRelease(fd, bytes);
  else if (bytes == 0) sockClose(fd);
}

/** Takes all that has come. One byte asks for the count so far. */
function discardDatagrams(fd: i32): void {
  for (;;) {
    const bytes = sockReceiveFrom(fd, BUFFER, BUFFER_BYTES, 0, PEER);
    if (bytes < 0) return;
    if (bytes != 1) {
      discarded += <u32>bytes;
      continue;
    }
    store<u32>(BUFFER, discarded);
    sockSendTo(fd, BUFFER, 4, 0, load<u32>(PEER), load<u32>(PEER, 4));
  }
}

function takeWish(fd: i32): void {
  if (sockReceiveFrom(fd, BUFFER, BUFFER_BYTES, 0, PEER) < 0) return;
  askedFd = fd;
  askedAddress = load<u32>(PEER);
  askedPort = load<u32>(PEER, 4);
}

/** Fills the queue: each piece of it refers to one segment. */
function pour(fd: i32): void {
  let left = TCP_TX_PIECES;
  while (left != 0 && sockSend(fd, body, MSS, sendFlags) == <i32>MSS) left -= 1;
}

function serve(fd: i32, port: u16): void {
  if (port == PORT_SENDER) {
    if (sockSend(fd, body, MSS, sendFlags) == <i32>MSS) sockSend(fd, body, MSS, sendFlags);
    return;
  }
  let bytes = sockReceive(fd, BUFFER, BUFFER_BYTES, 0);
  // A full buffer: there may be more, of which there will be no more news.
  while (port == PORT_DISCARD && bytes == <i32>BUFFER_BYTES) {
    bytes = sockReceive(fd, BUFFER, BUFFER_BYTES, 0);
  }
  if (bytes <= 0) {
    // Also after an RST, or the next workload would have a connection less.
    if (bytes != -EAGAIN) sockClose(fd);
    else if (port == PORT_POUR) pour(fd);
  } else if (port == PORT_ECHO) {
    sockSend(fd, BUFFER, bytes, 0);
  } else if (port == PORT_WEB) {
    sockSend(fd, body, ANSWER_BYTES, MSG_ZEROCOPY);
    if (closeFirst) sockClose(fd);
  }
}

/** It asks for the request, or the end of it, where that may have come. */
function serveWeb(fd: i32): void {
  if ((readyTaken() & ~POLLOUT) != 0) serve(fd, PORT_WEB);
}

/** Serves every socket with news; false when there was none. */
export function serveNews(): bool {
  const first = readyTake();
  if (first == NO_READY) return false;
  serveFrom(first);
  return true;
}

/** Serves a socket with news, and all others that have some: apart from the question whether there are any, which each turn asks. */
function serveFrom(first: u32): void {
  for (let index = first; index != NO_READY; index = readyTake()) {
    const fd = load<i32>(FDS + (index << 2));
    const port = load<u16>(PORTS + (index << 1));
    if ((port & LISTENING) != 0) acceptAll(fd, port & 0xff);
    else if ((port & DATAGRAM) == 0) serve(fd, port);
    else if (port == WEB) serveWeb(fd);
    else if (port == BORROWS) borrow(fd);
    else if (port == (PORT_ECHO | DATAGRAM)) echoDatagram(fd);
    else if (port == (PORT_DISCARD | DATAGRAM)) discardDatagrams(fd);
    else takeWish(fd);
  }
}

/** A turn of the loop: the stack, then every socket with news, until nothing is left to do. */
export function turn(nowMs: u32): void {
  let more: bool;
  do {
    more = stackPoll(nowMs);
    if (serveNews()) more = stackAnswer();
  } while (more);
}
