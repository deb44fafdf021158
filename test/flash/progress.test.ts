import test from "ava";
import { terminalProgress } from "../../host-tools/flash/progress.js";

/** A stream that keeps what was written to it. */
function stream(isTTY: boolean): { out: NodeJS.WriteStream; text: () => string } {
  let text = "";
  const out = { isTTY, write: (part: string) => ((text += part), true) };
  return { out: out as unknown as NodeJS.WriteStream, text: () => text };
}

test("a bar on one line of a terminal, cleared at the end", (t) => {
  const { out, text } = stream(true);
  const progress = terminalProgress(out);
  progress.start("Writing", 200);
  progress.update(100);
  progress.update(200);
  progress.stop();
  const shown = text().split("\r\x1b[K");
  t.deepEqual(shown, [
    "",
    `Writing    [${".".repeat(30)}]   0 %`,
    `Writing    [${"#".repeat(15)}${".".repeat(15)}]  50 %`,
    `Writing    [${"#".repeat(30)}] 100 %`,
    "",
  ]);
});

test("nothing where the output is not a terminal", (t) => {
  const { out, text } = stream(false);
  const progress = terminalProgress(out);
  progress.start("Writing", 2);
  progress.update(1);
  progress.stop();
  t.is(text(), "");
});
