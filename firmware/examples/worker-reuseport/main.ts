/**
 * Several listeners on one port (SO_REUSEPORT), each with a worker: the stack chooses the listener by a keyed hash of the peer,
 * and no worker looks at what another one does. The price: a client may wait for a busy worker while another one rests.
 */
import {
  AF_INET,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_REUSEPORT,
  listen,
  netStart,
  socket,
} from "as-tcpip/net";
import { ECHO_PORT, bindTo, keepAlive, setNumber } from "../common";
import { workerStart, workersRun } from "../workers";

export function main(): void {
  if (netStart() < 0) return;
  for (let i: u32 = 0; i < 3; i++) {
    const listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    // Before bind(), by all of them.
    setNumber(listener, SOL_SOCKET, SO_REUSEPORT, 1);
    bindTo(listener, ECHO_PORT);
    keepAlive(listener);
    listen(listener, 4);
    workerStart(listener);
  }
  workersRun();
}
