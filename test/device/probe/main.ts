/** Says what a board is made of, then waits for the chip's interrupt. */
import {
  boardInit,
  chipInterrupt,
  clockMs,
  clockUs,
  delayNs,
  delayUs,
  entropy,
  log0,
  log1,
  log2,
  log4,
  sleepUntil,
  uniqueId,
} from "board";

const ID: usize = memory.data(8, 4);

export function main(): void {
  boardInit();
  log2("info: entropy %x %x", entropy(), entropy());
  log1("info: id of %u bytes", uniqueId(ID));
  log2("info: id %x %x", load<u32>(ID), load<u32>(ID, 4));
  log4("info: escapes %x %x %x %x", 0xc0dbc0db, 0xdbdcdddb, 0xc0c0c0c0, 0);
  let from = clockUs();
  delayUs(250);
  log1("info: delayUs took %u", clockUs() - from);
  from = clockUs();
  for (let i = 0; i < 100; i++) delayNs(5000);
  log1("info: delayNs took %u", clockUs() - from);
  from = clockMs();
  sleepUntil(from + 20);
  log1("info: slept %u ms", clockMs() - from);
  from = clockMs();
  for (;;) {
    sleepUntil(from + 100000);
    if (chipInterrupt()) break;
  }
  log1("info: interrupt after %u ms", clockMs() - from);
  // As long as INTn is low, sleeping returns at once.
  from = clockUs();
  for (let i = 0; i < 10; i++) sleepUntil(clockMs() + 1000);
  log1("info: ten sleeps took %u us", clockUs() - from);
  log0("info: done");
  for (;;) sleepUntil(clockMs() + 1000);
}
