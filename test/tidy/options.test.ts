import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { packageRoot } from "../../host-tools/root.js";
import { OPTIONS } from "../../stack/options.js";

/** Names of options in a file after `before`, without the `OPT_` that the compiler knows them by. */
function named(path: string, before = ""): string[] {
  const text = readFileSync(join(packageRoot, path), "utf8");
  const found = text.matchAll(new RegExp(`${before}\\bOPT_(\\w+)`, "g"));
  return [...new Set([...found].map(([, name]) => name as string))].sort();
}

const all = Object.keys(OPTIONS).sort();

test("stack/options.ts is the list of options: env.d.ts declares each of them and no other", (t) => {
  t.deepEqual(named("stack/env.d.ts", "declare const "), all);
});

test("stack/config.ts gives device code what is an option, and nothing that is none", (t) => {
  t.deepEqual(
    named("stack/config.ts").filter((name) => !all.includes(name)),
    [],
  );
});
