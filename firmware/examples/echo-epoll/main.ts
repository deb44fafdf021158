/**
 * Echo (RFC 862) with epoll(7), edge triggered: epoll keeps the list of clients, and tells of each event once. So each socket is
 * served until it has nothing more, or has had its share.
 */
import {
  EPOLLET,
  EPOLLIN,
  EPOLLOUT,
  EPOLL_CTL_ADD,
  EPOLL_CTL_MOD,
  EpollEvent,
  SOCK_NONBLOCK,
  accept,
  close,
  epollCreate,
  epollCtl,
  epollWait,
  netStart,
} from "as-tcpip/net";
import { ECHO_PORT, Echo, echoOnce, listenOn } from "../common";

const EVENTS_MAX: i32 = 4;
const CHANGE: usize = memory.data(12, 4);
const EVENTS: usize = memory.data(4 * 12, 4);
/** Rounds of one client before the others have their turn. */
const SHARE: u32 = 4;

/** Watches a socket for all that can happen; what is so already is told as an event. */
function watch(ep: i32, operation: i32, fd: i32, bits: u32): void {
  const change = changetype<EpollEvent>(CHANGE);
  change.events = bits | EPOLLET;
  change.data = <u32>fd;
  epollCtl(ep, operation, fd, change);
}

/** Takes all that wait: the edge has been told, and will not be told again. */
function welcome(ep: i32, listener: i32): void {
  for (;;) {
    const client = accept(listener, null);
    if (client < 0) return;
    watch(ep, EPOLL_CTL_ADD, client, EPOLLIN | EPOLLOUT);
  }
}

function serve(ep: i32, fd: i32): void {
  for (let round: u32 = 0; round < SHARE; round++) {
    const found = echoOnce(fd);
    // It leaves the epoll set by itself.
    if (found == Echo.END) close(fd);
    if (found != Echo.AGAIN) return;
  }
  watch(ep, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLOUT);
}

export function main(): void {
  if (netStart() < 0) return;
  const listener = listenOn(ECHO_PORT, SOCK_NONBLOCK);
  const ep = epollCreate();
  watch(ep, EPOLL_CTL_ADD, listener, EPOLLIN);
  for (;;) {
    const count = epollWait(ep, EVENTS, EVENTS_MAX, -1);
    for (let i = 0; i < count; i++) {
      const fd = <i32>changetype<EpollEvent>(EVENTS + <usize>(i * 12)).data;
      if (fd == listener) welcome(ep, listener);
      else serve(ep, fd);
    }
  }
}
