/** Fails half a second after it was started. */
import { boardInit, clockMs, log0, sleepUntil } from "board";

export function main(): void {
  boardInit();
  log0("info: about to fail");
  const end = clockMs() + 500;
  while (<i32>(end - clockMs()) > 0) sleepUntil(end);
  assert(end == 0);
}
