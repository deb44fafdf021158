/** Says so, and then computes for ever without a look at its hardware. */
import { boardInit, log0 } from "board";

let turns: u32 = 0;

export function main(): void {
  boardInit();
  log0("info: spinning");
  for (;;) turns++;
}
