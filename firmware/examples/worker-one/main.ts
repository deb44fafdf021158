/** One listener, one worker: clients are served one after the other, the others wait in the backlog. */
import { SOCK_NONBLOCK, netStart } from "as-tcpip/net";
import { ECHO_PORT, listenOn } from "../common";
import { workerStart, workersRun } from "../workers";

export function main(): void {
  if (netStart() < 0) return;
  workerStart(listenOn(ECHO_PORT, SOCK_NONBLOCK));
  workersRun();
}
