import test from "ava";
import { whyNot } from "../../host-tools/bench/kernel/namespace.js";
import { measureKernel } from "../../host-tools/bench/kernel/part.js";

const withNamespaces = whyNot() === undefined ? test.serial : test.serial.skip;

withNamespaces(
  "8.4: transfers to and from the kernel through a relay that loses 10 % are intact",
  async (t) => {
    const { rows } = await measureKernel(() => undefined, {
      most: 64 << 10,
      names: ["loss 10 %"],
    });
    t.is(rows.length, 1);
    for (const { in: taken, out, kernels } of rows)
      t.deepEqual([taken.intact, out.intact, kernels.intact], [true, true, true]);
  },
);
