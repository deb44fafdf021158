import test from "ava";
import { LogTail, TAIL_LINES } from "../../host-tools/log/tail.js";

test("a log that an attack makes long keeps its latest lines, and no more than a bound", (t) => {
  const tail = new LogTail();
  let most = 0;
  for (let timeMs = 0; timeMs < 5 * TAIL_LINES; timeMs++) {
    tail.add({ timeMs, level: "warn", text: "192.168.77.50 is in use by 02:00:00:00:00:09 too" });
    most = Math.max(most, tail.lines.length);
  }
  t.true(most <= 2 * TAIL_LINES);
  t.true(tail.lines.length >= TAIL_LINES);
  t.is(tail.lines.at(-1)?.timeMs, 5 * TAIL_LINES - 1);
  t.is((tail.lines.at(-1)?.timeMs ?? 0) - (tail.lines[0]?.timeMs ?? 0), tail.lines.length - 1);
});

test("all of a short log is there", (t) => {
  const tail = new LogTail();
  for (let timeMs = 0; timeMs < TAIL_LINES; timeMs++) tail.add({ timeMs, level: "info", text: "" });
  t.is(tail.lines.length, TAIL_LINES);
});
