/** The smallest image: says that it runs, then counts. */
import { boardInit, clockMs, log1, log2, sleepUntil } from "board";

let count: u32 = 0;

export function main(): void {
  boardInit();
  log1("info: hello at %u ms", clockMs());
  for (;;) {
    sleepUntil(clockMs() + 10);
    count++;
    log2("info: turn %u at %u ms", count, clockMs());
  }
}
