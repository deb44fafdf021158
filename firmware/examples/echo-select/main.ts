/** Echo (RFC 862) with select(2): two sets of descriptors, copied before each call because select() writes into them. */
import {
  FD_SETSIZE,
  FD_SET_BYTES,
  SOCK_NONBLOCK,
  accept,
  close,
  fdClear,
  fdIsSet,
  fdSet,
  fdZero,
  netStart,
  select,
} from "as-tcpip/net";
import { ECHO_PORT, Echo, echoOnce, listenOn } from "../common";

const CLIENTS: u32 = 4;
const FDS: usize = memory.data(CLIENTS * 4, 4);
/** What each descriptor waits for. */
const READERS: usize = memory.data(FD_SET_BYTES, 4);
const WRITERS: usize = memory.data(FD_SET_BYTES, 4);
/** What select() has found. */
const READABLE: usize = memory.data(FD_SET_BYTES, 4);
const WRITABLE: usize = memory.data(FD_SET_BYTES, 4);

let listener: i32 = -1;
let clients: u32 = 0;

function fdAt(index: u32): i32 {
  return load<i32>(FDS + <usize>(index << 2));
}

function welcome(): void {
  const client = accept(listener, null);
  if (client < 0) return;
  store<i32>(FDS + <usize>(clients << 2), client);
  clients += 1;
  fdSet(client, READERS);
  // With every place taken the others wait in the backlog.
  if (clients == CLIENTS) fdClear(listener, READERS);
}

/** True while the client stays. */
function serve(fd: i32): bool {
  const found = echoOnce(fd);
  fdClear(fd, READERS);
  fdClear(fd, WRITERS);
  if (found == Echo.WAIT_OUT) fdSet(fd, WRITERS);
  else if (found != Echo.END) fdSet(fd, READERS);
  else {
    close(fd);
    fdSet(listener, READERS);
  }
  return found != Echo.END;
}

export function main(): void {
  if (netStart() < 0) return;
  listener = listenOn(ECHO_PORT, SOCK_NONBLOCK);
  fdZero(READERS);
  fdZero(WRITERS);
  fdSet(listener, READERS);
  for (;;) {
    memory.copy(READABLE, READERS, FD_SET_BYTES);
    memory.copy(WRITABLE, WRITERS, FD_SET_BYTES);
    select(FD_SETSIZE, READABLE, WRITABLE, 0, -1);
    let kept: u32 = 0;
    for (let i: u32 = 0; i < clients; i++) {
      const fd = fdAt(i);
      if ((fdIsSet(fd, READABLE) || fdIsSet(fd, WRITABLE)) && !serve(fd)) continue;
      store<i32>(FDS + <usize>(kept << 2), fd);
      kept += 1;
    }
    clients = kept;
    if (fdIsSet(listener, READABLE)) welcome();
  }
}
