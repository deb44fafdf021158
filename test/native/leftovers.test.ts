import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { hasTool } from "../../host-tools/build/device/tools.js";
import { buildNative, CC } from "../../host-tools/native/build.js";
import { NativeProcess } from "../../host-tools/native/process.js";
import { packageRoot } from "../../host-tools/root.js";

const withCompiler = hasTool(CC) ? test : test.skip;

withCompiler("K5: a guarded program leaves nothing in the temporary folder", async (t) => {
  const program = await buildNative({
    board: "hosted",
    app: join(packageRoot, "test/device/overrun"),
  });
  const folder = mkdtempSync(join(tmpdir(), "as-tcpip-leftovers-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  process.env["TMPDIR"] = folder;
  const native = new NativeProcess(program, {});
  t.deepEqual(readdirSync(folder), [], "not even while it runs, so nothing stays if it is killed");
  t.is(native.exports["pokeFirst"]?.(0), 0);
  native.close();
  t.deepEqual(readdirSync(folder), []);
});
