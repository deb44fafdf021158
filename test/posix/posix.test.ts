/** The same assertions against our sockets, in virtual time, and against this machine's kernel. */
import test from "ava";
import { BEHAVIOURS } from "./behaviour.js";
import { kernelAvailable, kernelCalls, kernelPrivileged } from "./kernel.js";
import { ourCalls } from "./ours.js";

const kernel = kernelAvailable();
const privileged = kernel && kernelPrivileged();
if (!kernel) console.log("posix: no Python or no Linux here; the kernel's column is skipped");

for (const { title, run, expect, ours, privileged: needed } of BEHAVIOURS) {
  test(`ours: ${title}`, async (t) => {
    const calls = await ourCalls();
    t.deepEqual(await run(calls), ours ?? expect);
  });
  // A kernel's raw sockets hear each other.
  const asked = needed ? test.serial : test;
  ((needed ? privileged : kernel) ? asked : test.skip)(`kernel: ${title}`, async (t) => {
    const calls = kernelCalls();
    try {
      t.deepEqual(await run(calls), expect);
    } finally {
      calls.end();
    }
  });
}

test("the list has at least 920 assertions", (t) => {
  const count = BEHAVIOURS.reduce((sum, { expect }) => sum + expect.length, 0);
  t.true(count >= 920, `${count}`);
});
