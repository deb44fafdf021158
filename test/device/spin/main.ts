/** Says so, and then computes for ever without a look at its hardware. */
import { boardInit, log0 } from "board";

let turns: u32 = 0;

/** What was computed, so that the compiler must do it. */
export function turnsDone(): u32 {
  return turns;
}

export function main(): void {
  boardInit();
  log0("info: spinning");
  for (;;) turns++;
}
