/**
 * Echo (RFC 862) in the blocking style: each call waits until it is done, so the program reads from top to bottom and serves
 * one client after the other. The others wait in the backlog; a silent client is sent away after a while.
 */
import {
  SOL_SOCKET,
  SO_RCVTIMEO,
  SO_SNDTIMEO,
  accept,
  close,
  netPoll,
  netStart,
  recv,
  send,
  setsockopt,
} from "as-tcpip/net";
import { ECHO_PORT, listenOn } from "../common";

const BUFFER_BYTES: u32 = 512;
const BUFFER: usize = memory.data(BUFFER_BYTES, 4);
/** Seconds and microseconds. */
const PATIENCE: usize = memory.data(8, 4);

function serve(client: i32): void {
  store<i32>(PATIENCE, 10);
  setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, PATIENCE, 8);
  setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, PATIENCE, 8);
  for (;;) {
    const bytes = recv(client, BUFFER, BUFFER_BYTES, 0);
    if (bytes <= 0 || send(client, BUFFER, <u32>bytes, 0) != bytes) return;
  }
}

export function main(): void {
  if (netStart() < 0) return;
  const listener = listenOn(ECHO_PORT, 0);
  for (;;) {
    const client = accept(listener, null);
    if (client >= 0) {
      serve(client);
      close(client);
    } else netPoll(100);
  }
}
