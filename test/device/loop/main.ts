/**
 * A program of the event loop that is built twice, over epoll and over the completion queue (test/apps/loop.test.ts): an echo
 * server, its client, timers and deferred work; what happens is told by the log.
 */
import { log2, log3 } from "as-tcpip/log";
import {
  AF_INET,
  EPOLLIN,
  EPOLLONESHOT,
  EPOLLOUT,
  EPOLLRDHUP,
  INADDR_LOOPBACK,
  SHUT_WR,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SockAddrIn,
  accept,
  bind,
  close,
  connect,
  htonl,
  htons,
  listen,
  loopContext,
  loopDefer,
  loopEvents,
  loopForget,
  loopNext,
  loopTimer,
  loopWatch,
  netStart,
  recv,
  send,
  shutdown,
  socket,
} from "as-tcpip/net";

const enum On {
  ACCEPT = 1,
  SERVER = 2,
  OPEN = 3,
  ANSWER = 4,
  TICK = 5,
  LATER = 6,
  ONCE = 7,
}

const ADDRESS: usize = memory.data(8, 4);
const BUFFER: usize = memory.data(64, 4);
let client: i32 = -1;
let ticks: u32 = 0;

function loopback(): SockAddrIn {
  const address = changetype<SockAddrIn>(ADDRESS);
  address.sinFamily = <u16>AF_INET;
  address.sinPort = htons(80);
  address.sinAddr = htonl(INADDR_LOOPBACK);
  return address;
}

/** Four bytes at a time: what is left is told again. */
function onServer(fd: i32): void {
  const bytes = recv(fd, BUFFER, 4, 0);
  log2("info: the server has %d, events %u", <u32>bytes, loopEvents());
  if (bytes > 0) send(fd, BUFFER, bytes, 0);
  else if (bytes == 0) {
    log2("info: forgotten %d, again %d", <u32>loopForget(fd), <u32>loopForget(fd));
    close(fd);
  }
}

function onTick(): void {
  ticks += 1;
  log2("info: tick %u of %u", ticks, loopContext());
  if (ticks == 1) {
    client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    connect(client, loopback());
    loopWatch(client, EPOLLOUT, On.OPEN, 30);
  } else if (ticks == 2) {
    loopWatch(client, EPOLLOUT | EPOLLONESHOT, On.ONCE, 70);
  } else if (ticks == 3) {
    loopWatch(client, EPOLLIN | EPOLLRDHUP, On.ANSWER, 40);
    shutdown(client, SHUT_WR);
  }
}

export function main(): void {
  if (netStart() < 0) return;
  const listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  bind(listener, loopback());
  listen(listener, 2);
  loopWatch(listener, EPOLLIN, On.ACCEPT, <u32>listener);
  loopTimer(50, 50, On.TICK, 99);
  for (;;) {
    const handler = loopNext();
    switch (handler) {
      case <u32>On.ACCEPT:
        loopWatch(accept(<i32>loopContext(), null), EPOLLIN, On.SERVER, 20);
        log2("info: accepted by %u, no such handler %d", handler, <u32>loopWatch(0, 1, 0, 0));
        break;
      case <u32>On.SERVER:
        onServer(2);
        break;
      case <u32>On.OPEN:
        log2("info: open, context %u, events %u", loopContext(), loopEvents());
        send(client, BUFFER, 10, 0);
        loopWatch(client, EPOLLIN, On.ANSWER, 40);
        loopDefer(On.LATER, 60);
        break;
      case <u32>On.ANSWER: {
        const events = loopEvents();
        const bytes = recv(client, BUFFER, 64, 0);
        log3("info: answer of %d, context %u, events %u", <u32>bytes, loopContext(), events);
        if (bytes == 0) close(client);
        break;
      }
      default:
        if (handler == <u32>On.TICK) onTick();
        else log2("info: handler %u, context %u", handler, loopContext());
    }
    if (ticks == 6) break;
  }
  log2("info: %u ticks, the end of %u", ticks, <u32>client);
  for (;;) loopNext();
}
