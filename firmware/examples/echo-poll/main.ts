/** Echo (RFC 862) with poll(2): the table that poll() reads is all that the program knows of its clients. */
import {
  POLLIN,
  POLLOUT,
  PollFd,
  SOCK_NONBLOCK,
  accept,
  close,
  netStart,
  poll,
} from "as-tcpip/net";
import { ECHO_PORT, Echo, echoOnce, listenOn } from "../common";

/** The listener and its clients. */
const WATCHED: u32 = 5;
const FDS: usize = memory.data(WATCHED * 8, 4);

function watched(index: u32): PollFd {
  return changetype<PollFd>(FDS + <usize>(index * 8));
}

/** Takes a client in while there is a place; otherwise it waits in the backlog. */
function welcome(): void {
  for (let i: u32 = 1; i < WATCHED; i++) {
    if (watched(i).fd >= 0) continue;
    watched(i).fd = accept(watched(0).fd, null);
    watched(i).events = <u16>POLLIN;
    return;
  }
}

/** The listener is watched while a client can be taken in. */
function anyFree(): bool {
  for (let i: u32 = 1; i < WATCHED; i++) if (watched(i).fd < 0) return true;
  return false;
}

function serve(client: PollFd): void {
  const found = echoOnce(client.fd);
  client.events = <u16>(found == Echo.WAIT_OUT ? POLLOUT : POLLIN);
  if (found != Echo.END) return;
  close(client.fd);
  client.fd = -1;
}

export function main(): void {
  if (netStart() < 0) return;
  for (let i: u32 = 0; i < WATCHED; i++) watched(i).fd = -1;
  watched(0).fd = listenOn(ECHO_PORT, SOCK_NONBLOCK);
  for (;;) {
    watched(0).events = <u16>(anyFree() ? POLLIN : 0);
    poll(FDS, WATCHED, -1);
    if (watched(0).revents != 0) welcome();
    for (let i: u32 = 1; i < WATCHED; i++) if (watched(i).revents != 0) serve(watched(i));
  }
}
