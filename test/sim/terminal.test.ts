import test from "ava";
import { onStop } from "../../host-tools/terminal.js";

test.serial("a terminal that was given back leaves no listener behind, however often", (t) => {
  const streams = [process.stdin, process.stdout];
  const before = streams.map((stream) => Object.getOwnPropertyDescriptor(stream, "isTTY"));
  const modes: boolean[] = [];
  const stdin = process.stdin as { setRawMode?: unknown };
  const { setRawMode } = stdin;
  for (const stream of streams)
    Object.defineProperty(stream, "isTTY", { value: true, configurable: true });
  stdin.setRawMode = (raw: boolean) => void modes.push(raw);
  const count = (): number[] =>
    ["exit", "SIGINT", "SIGTERM"].map((event) => process.listenerCount(event));
  const listeners = count();
  for (let run = 0; run < 3; run++) onStop(() => undefined)();
  t.deepEqual(count(), listeners);
  t.deepEqual(modes, [true, false, true, false, true, false]);
  stdin.setRawMode = setRawMode;
  streams.forEach((stream, i) => {
    const own = before[i];
    if (own) Object.defineProperty(stream, "isTTY", own);
    else delete (stream as { isTTY?: unknown }).isTTY;
  });
});
