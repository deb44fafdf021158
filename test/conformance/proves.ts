/**
 * What a test proves. A test whose title begins with requirement numbers ("RFC 9293 MUST-36, SHLD-29..30: …") proves them when it
 * passes; `proves(t, "MUST-2")` says so where the title does not. The run writes its evidence to `build/conformance/`, from which
 * `npm run conformance` makes `docs/conformance.md`: a row of which no test ran and passed is open.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import ava, { type ExecutionContext } from "ava";
import { EVIDENCE, type Evidence, type Requirement, idsOf } from "./evidence.js";

const here = fileURLToPath(import.meta.url);
const root = here.slice(0, here.lastIndexOf("/build/js/") + 1);
const known = new Set(
  (
    JSON.parse(
      readFileSync(join(root, "test/conformance/requirements.json"), "utf8"),
    ) as Requirement[]
  ).map(({ id }) => id),
);
const evidence: Evidence[] = [];
const declared = new WeakMap<object, string[]>();

/** The running test proves these requirements, if it passes. */
export function proves(t: ExecutionContext, ...ids: string[]): void {
  const unknown = ids.filter((id) => !known.has(id));
  if (unknown.length > 0) t.fail(`no requirement has the number ${unknown.join(", ")}`);
  declared.set(t, [...(declared.get(t) ?? []), ...ids]);
}

/** ava's `test`, which records what passed. */
function test(title: string, body: (t: ExecutionContext) => unknown): void {
  ava(title, async (t) => {
    await body(t);
    const ids = [...idsOf(title, known), ...(declared.get(t) ?? [])];
    if (t.passed && ids.length > 0) evidence.push({ file, title, ids });
  });
}

const file = basename(fileURLToPath(ava.meta.file), ".test.js");
ava.after.always("evidence", () => {
  mkdirSync(join(root, EVIDENCE), { recursive: true });
  writeFileSync(join(root, EVIDENCE, `${file}.json`), JSON.stringify(evidence));
});

test.serial = ava.serial;
test.after = ava.after;
test.before = ava.before;

export default test;
