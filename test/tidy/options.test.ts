import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { optionFault } from "../../host-tools/build/option-values.js";
import { optionsPage } from "../../host-tools/commands/options-page.js";
import { optionMeanings } from "../../host-tools/commands/options.js";
import { packageRoot } from "../../host-tools/root.js";
import { OPTIONS, RANGES, type OptionName } from "../../stack/options.js";
import { sources } from "./source-tree.js";

const all = Object.keys(OPTIONS) as OptionName[];

test("stack/options.ts is the list of options: device code reads each of them, by that name", (t) => {
  const read = new Set<string>();
  for (const { path, text } of sources("stack", "firmware", "drivers", "hal")) {
    if (path === "stack/options.ts") continue;
    for (const [, name] of text.matchAll(/\bOPTIONS\.(\w+)/g)) read.add(name as string);
  }
  t.deepEqual([...read].sort(), [...all].sort());
});

test("every default is in its range", (t) => {
  t.deepEqual(
    all.filter((name) => optionFault(name, OPTIONS[name]) !== undefined),
    [],
  );
  t.true(Object.keys(RANGES).every((name) => Object.hasOwn(OPTIONS, name)));
});

test("docs/options.md is what `as-tcpip options --markdown` prints", (t) => {
  const page = readFileSync(join(packageRoot, "docs/options.md"), "utf8");
  const again = "node host-tools/bin.mjs options --markdown > docs/options.md makes it anew";
  t.is(page, optionsPage(optionMeanings()), again);
});

test("every option has a meaning", (t) => {
  const meanings = optionMeanings();
  t.deepEqual(
    all.filter((name) => !meanings[name]),
    [],
  );
  t.is(Object.keys(meanings).length, all.length);
});
