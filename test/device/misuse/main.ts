/**
 * The face of the sockets asked what nobody should ask (test/apps/misuse.test.ts): checks one after the other, then a seeded storm of
 * calls. What is not as it should be is a line of the log.
 */
import { log1, log3 } from "as-tcpip/log";
import { netPoll, netStart } from "as-tcpip/net";
import { descriptors } from "./descriptors";
import { messages } from "./messages";
import { operations } from "./operations";
import { storm } from "./storm";

let checks: u32 = 0;

/** A check: `got` must be `wanted`. */
export function same(step: u32, got: i32, wanted: i32): void {
  checks += 1;
  if (got != wanted) log3("error: step %u gave %d, not %d", step, <u32>got, <u32>wanted);
}

export function main(): void {
  if (netStart() < 0) return;
  descriptors();
  messages();
  operations();
  log1("info: misuse: %u checks", checks);
  log1("info: storm: %u calls", storm(20000, 7));
  for (;;) netPoll(1000);
}
