/** One listener, several workers: a connection goes to whichever worker is free, so none waits while one of them rests. */
import { SOCK_NONBLOCK, netStart } from "as-tcpip/net";
import { ECHO_PORT, listenOn } from "../common";
import { workerStart, workersRun } from "../workers";

export function main(): void {
  if (netStart() < 0) return;
  const listener = listenOn(ECHO_PORT, SOCK_NONBLOCK);
  for (let i: u32 = 0; i < 4; i++) workerStart(listener);
  workersRun();
}
