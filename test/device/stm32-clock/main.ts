/** Looks at the microsecond clock around each of its 16-bit carries: it must never go back, nor jump. */
import { boardInit, clockMs, clockUs, delayUs, log1, sleepUntil } from "board";

const ROUNDS: u32 = 40;
/** The carries come every 65,536 us, and a delay may take 1 % more than asked for. */
const LOOK_FROM: u32 = 64500;
const LOOKS: u32 = 12000;

export function main(): void {
  boardInit();
  let worst: u32 = 0;
  for (let round: u32 = 0; round < ROUNDS; round++) {
    delayUs((LOOK_FROM - clockUs()) & 0xffff);
    let before = clockUs();
    for (let i: u32 = 0; i < LOOKS; i++) {
      const now = clockUs();
      // Going back shows as a step of nearly 2^32.
      if (now - before > worst) worst = now - before;
      before = now;
    }
  }
  log1("info: longest step %u us", worst);
  log1("info: %u ms in all", clockMs());
  for (;;) sleepUntil(clockMs() + 1000);
}
