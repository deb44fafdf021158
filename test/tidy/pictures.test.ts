import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import test from "ava";
import { packageRoot } from "../../host-tools/root.js";

const script = pathToFileURL(join(packageRoot, "host-tools/setup/pictures.mjs")).href;
const { wiring } = (await import(script)) as { wiring(): string };

test("docs/pictures/wiring.svg is what `npm run pictures` draws of the table in docs/boards.md", (t) => {
  t.is(readFileSync(join(packageRoot, "docs/pictures/wiring.svg"), "utf8"), wiring());
  t.regex(wiring(), /Blue Pill[^]*>PA4<[^]*>CSn</);
});

test("the pictures are small", (t) => {
  t.true(statSync(join(packageRoot, "docs/pictures/page.png")).size < 60_000);
});
