// `npm run mutate [-- SEED COUNT]`: breaks lines that implement requirements, and must see their tests fail.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { ensure, root } from "./ensure.mjs";

ensure(true);
const args = [join(root, "build/js/test/conformance/mutate.js"), ...process.argv.slice(2)];
process.exitCode = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" }).status ?? 1;
