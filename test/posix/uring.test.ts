/**
 * The completion queue beside this machine's io_uring: one script of submissions (test/device/ring/assets/script.txt), done by both. What
 * each step tells is the same, or a row of docs/sockets.md says why not.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { release } from "node:os";
import test from "ava";
import { Lan } from "../../host-tools/testing/index.js";

const SCRIPT = "test/device/ring/assets/script.txt";

/** What each case tells: its title, then the lines of both sides. */
type Cases = Map<string, string[]>;

function cases(lines: string[], isTitle: (line: string) => boolean): Cases {
  const titles = readFileSync(SCRIPT, "utf8")
    .split("\n")
    .filter((line) => line.startsWith("= "))
    .map((line) => line.slice(2));
  const all: Cases = new Map();
  let told: string[] = [];
  for (const line of lines) {
    if (isTitle(line)) all.set(titles[all.size] ?? "", (told = []));
    else told.push(line);
  }
  return all;
}

function theirs(): Cases | undefined {
  // The last of the operations came with 6.0.
  if (process.platform !== "linux" || parseInt(release()) < 6) return undefined;
  const run = spawnSync("python3", ["test/posix/uring.py", SCRIPT], { encoding: "utf8" });
  // No Python, or a kernel that does not offer io_uring to us.
  if (run.status !== 0 || run.stdout === "") return undefined;
  return cases(run.stdout.trimEnd().split("\n"), (line) => line.startsWith("= "));
}

async function ours(): Promise<Cases> {
  const lan = new Lan();
  const device = await lan.device({ app: "test/device/ring" });
  await device.logged("end0");
  lan.close();
  const told = /^(?:case|submitted|nothing|received|overflow|\d+:)/;
  const lines = device.log.flatMap(({ text }) => (told.test(text) ? [text] : []));
  return cases(
    lines.map((line) => line.replace("nothing0", "nothing")),
    (line) => line.startsWith("case "),
  );
}

/** Cases in which completions that come at the same time may have another order. */
const ORDERS = [
  "connect, accept, send, receive, close",
  "a link that fails cancels all behind it",
  "a link to zero copy",
];

/** Cases that differ, and the row of docs/sockets.md that says why. */
const DIFFERENCES = new Map([
  ["accept of no listener, text of no connection", "`send` on a stream socket that was never"],
  ["zero copy of no connection", "`RING_ZEROCOPY` that fails"],
  ["zero copy of a bad descriptor", "`RING_ZEROCOPY` that fails"],
  ["an unknown operation in a chain", "an unknown operation in a chain"],
  ["a timeout in a chain", "`RING_TIMEOUT` in a chain"],
  ["cancel one that waits in a chain", "`RING_CANCEL` of what waits in a chain"],
  ["poll again and again", "`RING_POLL` with `RING_MULTISHOT`"],
  ["poll again and again: the end", "POLLRDHUP of `RING_POLL`"],
  ["poll of a reset", "POLLRDHUP of `RING_POLL`"],
  ["close while a receive waits", "`close` of a descriptor"],
]);

test("the completion queue does what the kernel's io_uring does, or docs/sockets.md says why not", async (t) => {
  const here = await ours();
  t.is(here.size, readFileSync(SCRIPT, "utf8").split("\n= ").length);
  const there = theirs();
  if (!there) {
    t.log("no io_uring here");
    return;
  }
  const page = readFileSync("docs/sockets.md", "utf8");
  for (const [title, lines] of here) {
    const row = DIFFERENCES.get(title);
    const sorted = (all: string[] = []): string[] => (ORDERS.includes(title) ? all.sort() : all);
    if (row === undefined) t.deepEqual(sorted(lines), sorted(there.get(title)), title);
    else t.notDeepEqual(lines, there.get(title), `${title} does not differ`);
    if (row !== undefined) t.true(page.includes(`\n| ${row}`), `docs/sockets.md: "${row}"`);
  }
});
