/** Examples: each is found, documented and weighed. */
import test from "ava";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { listApps, listExamples } from "../../host-tools/build/apps.js";
import { exampleTable } from "../../host-tools/commands/size.js";
import { packageRoot } from "../../host-tools/root.js";

test("each example is told of, and has its bytes, in docs/services.md; no name is given twice", (t) => {
  const document = readFileSync(join(packageRoot, "docs/services.md"), "utf8");
  const rows = [...document.matchAll(/^\| `([a-z0-9-]+)` +\|(.*)$/gm)];
  const weighed = rows.filter(([, , cells]) =>
    /^( +[\d,]+ \|){2}( +[+-][\d,]+ \|){2}$/.test(cells ?? ""),
  );
  const told = rows.filter((row) => !weighed.includes(row)).map(([, name]) => name);
  const examples = listExamples();
  t.deepEqual(weighed.map(([, name]) => name).sort(), examples);
  for (const name of examples) t.true(told.includes(name), `${name} has no line`);
  t.is(new Set(listApps()).size, listApps().length);
});

test("the table of sizes tells what each adds to the first, or takes from it", (t) => {
  const text = exampleTable([
    { app: "blank", flash: 46132, ram: 1000 },
    { app: "more", flash: 50000, ram: 400 },
  ]);
  t.deepEqual(text.split("\n").slice(2), [
    "| `blank` | 46,132 | 1,000 |  |  |",
    "| `more` | 50,000 | 400 | +3,868 | -600 |",
  ]);
});
