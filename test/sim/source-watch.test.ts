/** What `--watch` watches: the files that a build reads, wherever they come from, and nothing that the simulation writes. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { isBuildInput, SourceWatch } from "../../host-tools/commands/source-watch.js";

test("a capture, a dump or a log in the project is no source; sources, settings of the build and assets are", (t) => {
  for (const name of ["out.pcap", "out-web.pcap", "out.vcd", "run.log", "events.json", "main.ts~"])
    t.false(isBuildInput(name, false), name);
  for (const name of ["main.ts", "app.json", "board.json"]) t.true(isBuildInput(name, false), name);
  t.true(isBuildInput("index.html", true));
  t.true(isBuildInput("capture.pcap", true));
  for (const name of [".main.ts.swp", "build", "node_modules", ".git"])
    t.false(isBuildInput(name, true), name);
});

test("a folder that was made later is watched at any depth, and so is one that took the place of another", async (t) => {
  const root = mkdtempSync(join(tmpdir(), "as-tcpip-source-watch-"));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  mkdirSync(join(root, "part"));
  let told: () => void = () => undefined;
  const watch = new SourceWatch([root], () => told());
  t.teardown(() => watch.close());
  const change = async (make: () => void): Promise<void> => {
    const heard = new Promise<void>((resolve) => (told = resolve));
    make();
    await heard;
  };
  await change(() => mkdirSync(join(root, "part", "deep")));
  await change(() => writeFileSync(join(root, "part", "deep", "new.ts"), ""));
  await change(() => renameSync(join(root, "part"), join(root, "other")));
  await change(() => mkdirSync(join(root, "part")));
  await change(() => writeFileSync(join(root, "part", "again.ts"), ""));
  t.pass();
});
