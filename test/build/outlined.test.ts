import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { OUTLINED } from "../../host-tools/build/device/wasm2c.js";
import { packageRoot } from "../../host-tools/root.js";

test("each function that is kept out of the hot ones stands in the file that is named", (t) => {
  for (const name of OUTLINED) {
    const cut = name.lastIndexOf("/");
    const file = join(packageRoot, `${name.slice(0, cut)}.ts`);
    const source = existsSync(file) ? readFileSync(file, "utf8") : "";
    t.regex(source, new RegExp(`^(export )?function ${name.slice(cut + 1)}\\(`, "m"), name);
  }
});
