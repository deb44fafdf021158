import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import {
  CALLED,
  INLINED,
  FIRST,
  OUTLINED,
  PLACES,
  SHARED,
  nearAddresses,
} from "../../host-tools/build/device/wasm2c.js";
import { packageRoot } from "../../host-tools/root.js";

/** The file that a name begins with, and what it ends with. */
function placeOf(name: string): { source: string; word: string } {
  const cut = name.lastIndexOf("/");
  const file = join(packageRoot, `${name.slice(0, cut)}.ts`);
  return { source: existsSync(file) ? readFileSync(file, "utf8") : "", word: name.slice(cut + 1) };
}

test("each function that is kept out of others stands in the file that is named", (t) => {
  for (const name of [...OUTLINED, ...SHARED, ...PLACES, ...CALLED, ...INLINED]) {
    const { source, word } = placeOf(name);
    t.regex(source, new RegExp(`^(export )?function ${word}\\(`, "m"), name);
  }
});

test("each variable that comes first in the record of variables stands in the file that is named", (t) => {
  for (const name of FIRST) {
    const { source, word } = placeOf(name);
    t.regex(source, new RegExp(`^(export )?let ${word}:`, "m"), name);
  }
  // A Thumb load reaches 32 words, of which wasm2c takes the first.
  t.true(FIRST.length < 32);
});

test("a constant becomes a place near a base where it is the address of an access, and nowhere else", (t) => {
  const lines = [
    "  var_i0 = 536871452u;",
    "  var_i1 = 536871456u;",
    "  i32_store_default32(&instance->w2c_memory, (u64)(var_i0), var_i1);",
  ];
  const near = nearAddresses(lines.join("\n")).split("\n");
  t.deepEqual(near, ["  var_i0 = W2C_NEAR(536871452u);", lines[1], lines[2]]);
});
