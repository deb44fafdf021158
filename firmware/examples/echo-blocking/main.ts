/**
 * Echo (RFC 862) in the blocking style: each call waits until it is done, so the program reads from top to bottom and serves
 * one client after the other. The others wait in the backlog; a silent client is sent away after a while.
 */
import { accept, close, netPoll, netStart, recv, send } from "as-tcpip/net";
import { ECHO_PORT, listenOn, setPatience } from "../common";

const BUFFER_BYTES: u32 = 512;
const BUFFER: usize = memory.data(BUFFER_BYTES, 4);

function serve(client: i32): void {
  setPatience(client, 10_000);
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
