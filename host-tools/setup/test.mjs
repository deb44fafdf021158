// `npm test`: set-up, then format, lint, types and tests. Arguments are test files (as compiled: build/js/test/…).
import { spawn, spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { ensureDebianPackages } from "./debian.mjs";
import { ensure, root } from "./ensure.mjs";

function step(name, script, ...args) {
  run(name, join("node_modules", script), ...args);
}

function run(name, script, ...args) {
  process.stdout.write(`\n> ${name}\n`);
  const result = spawnSync(process.execPath, [join(root, script), ...args], {
    cwd: root,
    stdio: "inherit",
  });
  if (result.status !== 0) process.exit(result.status ?? 1);
}

/** Starts the process that compiles for all test files, and tells them its port. */
async function compileQueue() {
  const script = join(root, "build/js/test/support/compile-queue.js");
  const queue = spawn(process.execPath, [script], {
    cwd: root,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const port = await new Promise((resolve) => queue.stdout.once("data", resolve));
  process.env.AS_TCPIP_COMPILER = String(port).trim();
  return queue;
}

ensure(true);
const only = process.argv.slice(2);
if (only.length === 0) {
  ensureDebianPackages();
  step("format", "prettier/bin/prettier.cjs", "--check", "--log-level=warn", ".");
  step("lint", "eslint/bin/eslint.js", ".");
  step("types of the device sources", "typescript/bin/tsc", "-p", "tsconfig.device.json");
}
if (only.length === 0) rmSync(join(root, "build/conformance"), { recursive: true, force: true });
const queue = await compileQueue();
step("tests", "ava/entrypoints/cli.js", ...only);
queue.kill();
if (only.length === 0) run("conformance", "build/js/test/conformance/report.js", "--check");
