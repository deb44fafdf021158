/** The frame of an application: it starts the network, and has a turn of its own each second. */
import { log1 } from "as-tcpip/log";
import { netPoll, netStart } from "as-tcpip/net";
import { clockMs } from "as-tcpip/time";

const PERIOD_MS: u32 = 1000;

export function main(): void {
  if (netStart() < 0) return;
  let next = clockMs();
  let turns: u32 = 0;
  for (;;) {
    netPoll(PERIOD_MS);
    if (<i32>(clockMs() - next) < 0) continue;
    next += PERIOD_MS;
    turns++;
    log1("debug: turn %u", turns);
  }
}
