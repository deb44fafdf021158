// `npm run conformance`: runs the tests that prove requirements, and makes docs/conformance.md of what they prove.
import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ensure, root } from "./ensure.mjs";

ensure(true);
const tests = readdirSync(join(root, "test"), { recursive: true })
  .filter((name) => name.endsWith(".test.ts"))
  .filter((name) =>
    readFileSync(join(root, "test", name), "utf8").includes("conformance/proves.js"),
  )
  .map((name) => join("build/js/test", name.replace(/\.ts$/, ".js")));
rmSync(join(root, "build/conformance"), { recursive: true, force: true });
for (const args of [
  ["node_modules/ava/entrypoints/cli.js", ...tests],
  ["build/js/test/conformance/report.js"],
]) {
  const result = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" });
  if (result.status !== 0) process.exit(result.status ?? 1);
}
