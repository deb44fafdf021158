/**
 * Who waits for many connections: what one epollWait() or one poll() costs, the network's turn included, for
 * `npm run bench -- scaling`. The discard port (9) takes connections; `choose` says what the next turns do.
 */
import { AF_INET, POLLIN, SOCK_NONBLOCK, SOCK_STREAM } from "../../../stack/posix";
import { EAGAIN } from "../../../stack/errors";
import { SOCKETS } from "../../../stack/config";
import { iface, interfaceConfigure, interfaceInit } from "../../../stack/interface";
import {
  sockAccept,
  sockBind,
  sockClose,
  sockListen,
  sockOpen,
  sockReceive,
} from "../../../stack/socket/socket";
import { stackPoll, stackStart } from "../../../stack/stack";
import {
  EPOLLIN,
  EPOLL_CTL_ADD,
  EpollEvent,
  epollCreate,
  epollCtl,
  epollWait,
} from "../../net/epoll";
import { PollFd, poll } from "../../net/socket-poll";
import { setClock } from "./board";

const PORT_DISCARD: u32 = 9;
const EVENTS_MAX: i32 = 8;

/** What a turn does: frames come in and connections are accepted; epollWait(); poll(); all text is read. */
const enum Turn {
  INPUT = 0,
  EPOLL = 1,
  POLL = 2,
  READ = 3,
}

const BUFFER: usize = memory.data(256, 4);
const EVENTS: usize = memory.data(8 * 12, 4);
const ENTRIES: usize = memory.data(SOCKETS * 8, 4);
let manner: u32 = Turn.INPUT;
let listener: i32 = -1;
let epfd: i32 = -1;
let count: u32 = 0;

export function begin(
  macHigh: u32,
  macLow: u32,
  address: u32,
  mask: u32,
  gateway: u32,
  _constantBytes: usize,
): void {
  stackStart(0, 0x12345678, 0x9abcdef0);
  interfaceInit(iface, macHigh, macLow, 0, 0);
  interfaceConfigure(iface, address, mask, gateway, 0);
  listener = sockOpen(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  sockBind(listener, 0, PORT_DISCARD);
  sockListen(listener, 8);
  epfd = epollCreate();
}

export function choose(_zeroCopy: u32, turns: u32): void {
  manner = turns;
}

function entryAt(index: u32): PollFd {
  return changetype<PollFd>(ENTRIES + <usize>(index * offsetof<PollFd>()));
}

function acceptAll(): void {
  for (let fd = sockAccept(listener); fd >= 0; fd = sockAccept(listener)) {
    const event = changetype<EpollEvent>(EVENTS);
    event.events = EPOLLIN;
    event.data = <u32>fd;
    epollCtl(epfd, EPOLL_CTL_ADD, fd, event);
    const entry = entryAt(count);
    entry.fd = fd;
    entry.events = <u16>POLLIN;
    count += 1;
  }
}

/** Reads from all, and forgets those whose peer has gone. */
function readAll(): void {
  let kept: u32 = 0;
  for (let index: u32 = 0; index < count; index++) {
    const fd = entryAt(index).fd;
    let bytes = sockReceive(fd, BUFFER, 256, 0);
    while (bytes > 0) bytes = sockReceive(fd, BUFFER, 256, 0);
    if (bytes != -EAGAIN) sockClose(fd);
    else entryAt(kept++).fd = fd;
  }
  count = kept;
  // The set of sockets that may be ready is then as after any wait: empty.
  epollWait(epfd, EVENTS, EVENTS_MAX, 0);
}

/** A turn. What was asked for must give two sockets: a trap tells of anything else. */
export function turn(nowMs: u32): void {
  setClock(nowMs);
  if (manner == Turn.EPOLL) {
    if (epollWait(epfd, EVENTS, EVENTS_MAX, 0) != 2) unreachable();
  } else if (manner == Turn.POLL) {
    if (poll(ENTRIES, count, 0) != 2) unreachable();
  } else if (manner == Turn.READ) readAll();
  else {
    // As often as it has more to do.
    for (let turns: u32 = 0; turns < 64 && stackPoll(nowMs); turns++) continue;
    acceptAll();
  }
}
