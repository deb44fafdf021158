import test from "ava";
import { optionFault } from "../../host-tools/build/option-values.js";
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
