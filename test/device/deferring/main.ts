/**
 * An echo server of the event loop beside work that never ends: a handler that defers itself, and a timer that is due again at once
 * (test/apps/loop.test.ts). Both begin with the first client.
 */
import { log0 } from "as-tcpip/log";
import {
  AF_INET,
  EPOLLIN,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SockAddrIn,
  accept,
  bind,
  htons,
  listen,
  loopContext,
  loopDefer,
  loopNext,
  loopTimer,
  loopWatch,
  netStart,
  recv,
  send,
  socket,
} from "as-tcpip/net";

const enum On {
  ACCEPT = 1,
  TEXT = 2,
  WORK = 3,
  TICK = 4,
}

const ADDRESS: usize = memory.data(8, 4);
const BUFFER: usize = memory.data(64, 4);
let work: u32 = 0;
let ticks: u32 = 0;

function serve(fd: i32): void {
  const bytes = recv(fd, BUFFER, 64, 0);
  if (bytes <= 0) return;
  send(fd, BUFFER, <u32>bytes, 0);
  if (work != 0 && ticks != 0) log0("info: work and ticks go on");
}

export function main(): void {
  if (netStart() < 0) return;
  const listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const address = changetype<SockAddrIn>(ADDRESS);
  address.sinFamily = <u16>AF_INET;
  address.sinPort = htons(7);
  bind(listener, address);
  listen(listener, 1);
  loopWatch(listener, EPOLLIN, On.ACCEPT, <u32>listener);
  for (;;) {
    switch (loopNext()) {
      case On.ACCEPT: {
        const client = accept(listener, null);
        loopWatch(client, EPOLLIN, On.TEXT, <u32>client);
        loopDefer(On.WORK, 0);
        loopTimer(0, 0, On.TICK, 0);
        break;
      }
      case On.TEXT:
        serve(<i32>loopContext());
        break;
      case On.WORK:
        work++;
        loopDefer(On.WORK, 0);
        break;
      case On.TICK:
        ticks++;
        loopTimer(0, 0, On.TICK, 0);
        break;
    }
  }
}
