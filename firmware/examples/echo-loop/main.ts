/** Echo (RFC 862) with the event loop: each socket has the number of its handler, and the loop gives what has happened. */
import {
  EPOLLIN,
  EPOLLOUT,
  SOCK_NONBLOCK,
  accept,
  close,
  loopContext,
  loopNext,
  loopTimer,
  loopWatch,
  netStart,
} from "as-tcpip/net";
import { log1 } from "as-tcpip/log";
import { ECHO_PORT, Echo, echoOnce, listenOn } from "../common";

const enum On {
  ACCEPT = 1,
  CLIENT = 2,
  MINUTE = 3,
}

let served: u32 = 0;
let told: u32 = 0;

function onAccept(listener: i32): void {
  const client = accept(listener, null);
  if (client < 0) return;
  served += 1;
  loopWatch(client, EPOLLIN, On.CLIENT, <u32>client);
}

function onClient(fd: i32): void {
  const found = echoOnce(fd);
  // A socket that is closed leaves the loop by itself.
  if (found == Echo.END) close(fd);
  else loopWatch(fd, found == Echo.WAIT_OUT ? EPOLLOUT : EPOLLIN, On.CLIENT, <u32>fd);
}

function onMinute(): void {
  if (served != told) log1("info: %u clients so far", served);
  told = served;
}

export function main(): void {
  if (netStart() < 0) return;
  const listener = listenOn(ECHO_PORT, SOCK_NONBLOCK);
  loopWatch(listener, EPOLLIN, On.ACCEPT, <u32>listener);
  loopTimer(60_000, 60_000, On.MINUTE, 0);
  for (;;) {
    switch (loopNext()) {
      case <u32>On.ACCEPT:
        onAccept(<i32>loopContext());
        break;
      case <u32>On.CLIENT:
        onClient(<i32>loopContext());
        break;
      case <u32>On.MINUTE:
        onMinute();
        break;
    }
  }
}
