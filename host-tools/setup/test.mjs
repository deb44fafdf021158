// `npm test`: set-up, then format, lint, types and tests. Arguments are test files (as compiled: build/js/test/…).
import { spawn, spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { ensureDebianPackages } from "./debian.mjs";
import { ensure, root } from "./ensure.mjs";

/** Runs a script and gives its exit code. */
function run(name, script, ...args) {
  process.stdout.write(`\n> ${name}\n`);
  const result = spawnSync(process.execPath, [join(root, script), ...args], {
    cwd: root,
    stdio: "inherit",
  });
  return result.status ?? 1;
}

/** Runs a check beside others; its output comes in one piece when it is over. */
function beside(name, script, ...args) {
  return new Promise((done) => {
    const child = spawn(process.execPath, [join(root, "node_modules", script), ...args], {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk) => (output += String(chunk)));
    child.on("close", (status) => {
      process.stdout.write(`\n> ${name}\n${output}`);
      done(status ?? 1);
    });
  });
}

/** Format, lint and types at once: each is one thread. */
async function checks() {
  const results = await Promise.all([
    beside("format", "prettier/bin/prettier.cjs", "--check", "--log-level=warn", "."),
    beside("lint", "eslint/bin/eslint.js", "."),
    beside("types of the device sources", "typescript/bin/tsc", "-p", "tsconfig.device.json"),
  ]);
  const failed = results.find((status) => status !== 0);
  if (failed !== undefined) process.exit(failed);
}

/** Starts the process that compiles for all test files, and tells them the path of its socket. */
async function compileQueue() {
  const script = join(root, "build/js/test/support/compile-queue.js");
  const queue = spawn(process.execPath, [script], {
    cwd: root,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const path = await new Promise((resolve) => queue.stdout.once("data", resolve));
  process.env.AS_TCPIP_COMPILER = String(path).trim();
  return queue;
}

const only = process.argv.slice(2);
ensure(true);
if (only.length === 0) {
  ensureDebianPackages();
  await checks();
  rmSync(join(root, "build/conformance"), { recursive: true, force: true });
}
// Programs of tests are many and live for seconds (host-tools/build/compile.ts).
process.env.AS_TCPIP_DRAFT ??= "1";
const queue = await compileQueue();
const status = run("tests", "node_modules/ava/entrypoints/cli.js", ...only);
queue.stdin.end();
await new Promise((resolve) => queue.once("close", resolve));
if (status !== 0) process.exit(status);
if (only.length === 0)
  process.exitCode = run("conformance", "build/js/test/conformance/report.js", "--check");
