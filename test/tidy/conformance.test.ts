/** The requirement list and the mutations say what is so. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import test from "ava";
import type { Requirement } from "../conformance/evidence.js";
import { mutations } from "../conformance/mutate.js";

const root = fileURLToPath(new URL("../../../../", import.meta.url));
const requirements = JSON.parse(
  readFileSync(`${root}test/conformance/requirements.json`, "utf8"),
) as Requirement[];

test("each requirement has one number, a source and a sentence", (t) => {
  const ids = requirements.map(({ id }) => id);
  t.deepEqual(
    ids.filter((id, at) => ids.indexOf(id) !== at),
    [],
  );
  t.true(requirements.every(({ source, text }) => source !== "" && text.length > 2));
});

test("each mutation breaks one line that is there, for a requirement that is there", (t) => {
  const ids = new Set(requirements.map(({ id }) => id));
  const wrong = mutations(root).filter(
    ({ id, file, from }) =>
      !ids.has(id) || readFileSync(root + file, "utf8").split(from).length !== 2,
  );
  t.deepEqual(wrong, []);
});
