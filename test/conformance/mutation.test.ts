/** A requirement is proven only by a test that fails when its line is broken: a sample of the mutations, all of them by `npm run mutate`. */
import { fileURLToPath } from "node:url";
import test from "ava";
import { mutations, sample, survives } from "./mutate.js";

const root = fileURLToPath(new URL("../../../../", import.meta.url));
/** The sample; `npm run mutate` takes others. */
const SEED = 3;
const COUNT = 2;

for (const mutation of sample(mutations(root), SEED, COUNT)) {
  test(`${mutation.id} broken in ${mutation.file}: its test fails`, (t) => {
    t.is(survives(root, mutation), undefined);
  });
}
