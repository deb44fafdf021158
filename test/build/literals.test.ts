/** Texts of device code (host-tools/build/literals.ts): where they lie in the blob, and which of them an image has. */
import test from "ava";
import { join } from "node:path";
import { compileFirmware } from "../../host-tools/build/compile.js";
import { LiteralTable, TEXT_BASE } from "../../host-tools/build/literals.js";
import { packageRoot } from "../../host-tools/root.js";

test("a text that is a part of what is there takes nothing, one that begins as that ends takes the rest", (t) => {
  const table = new LiteralTable();
  const at = (text: string): number => {
    const number = Number(/\d+/.exec(table.rewrite(`text("${text}")`))?.[0]);
    t.is(number % 1024, text.length);
    return Math.floor(number / 1024) - TEXT_BASE;
  };
  t.is(at("uptime"), 0);
  t.is(at("up"), 0);
  t.is(at("time"), 2);
  t.is(at("mega"), 4, "uptime ends with me");
  t.is(at("gap"), 6);
  t.is(at("uptime"), 0);
});

test("an image for a device has the texts that its code can ask for, and no others", async (t) => {
  const app = join(packageRoot, "test/device/texts");
  const request = { board: "bluepill-w5500", app, memoryBase: 0x20000600 };
  const blob = Buffer.from((await compileFirmware(request)).blob).toString("latin1");
  for (const there of [
    "a global constant",
    "only a part of this",
    "a word of data",
    "another word of data",
    "the first value of a variable",
    "a default",
    "another value",
    "an address",
    "as long as this",
  ])
    t.true(blob.includes(there), there);
  t.false(blob.includes("the option is off"));
  t.false(blob.includes("nobody calls this"));
});
