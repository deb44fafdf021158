import test from "ava";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { hasTool } from "../../host-tools/build/device/tools.js";
import { CC } from "../../host-tools/native/build.js";
import { packageRoot } from "../../host-tools/root.js";

/** Under this variable, tests that use the hosted stack use its guarded native build (test/support/hosted-program.ts). */
const VARIABLE = "AS_TCPIP_NATIVE";

const run = hasTool(CC) && process.env[VARIABLE] === undefined ? test : test.skip;

run(
  "guarded build: all wire tests run clean under the address and undefined-behaviour sanitizers",
  async (t) => {
    // No measure of speed: it only ends a run that hangs. `npm run native` does so with every set of options.
    t.timeout(1_200_000);
    const ava = join(packageRoot, "node_modules/ava/entrypoints/cli.js");
    const tests = "build/js/test/stack/*.test.js";
    const child = spawn(process.execPath, [ava, "--tap", tests], {
      cwd: packageRoot,
      env: { ...process.env, [VARIABLE]: "shared", FORCE_COLOR: "0" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
    const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
    const passed = [...output.matchAll(/^ok /gm)].length;
    t.log(`${passed} tests`);
    const failures = output.split("\n").filter((line) => !line.startsWith("ok "));
    t.is(code, 0, failures.join("\n").slice(0, 8000));
    t.true(passed > 100, "the wire tests were found");
  },
);
