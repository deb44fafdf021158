import test from "ava";
import { join } from "node:path";
import { hasTool } from "../../host-tools/build/device/tools.js";
import { buildNative, CC, GUARD_BYTES } from "../../host-tools/native/build.js";
import { NativeFailure, NativeProcess } from "../../host-tools/native/process.js";
import { packageRoot } from "../../host-tools/root.js";

const APP = join(packageRoot, "test/device/overrun");
const withCompiler = hasTool(CC) ? test : test.skip;

/** Makes one call in a fresh program; gives the report if that fails. */
async function reportOf(call: string, argument: number): Promise<string> {
  const program = await buildNative({ board: "hosted", app: APP });
  const native = new NativeProcess(program, {});
  try {
    native.exports[call]?.(argument);
    return "";
  } catch (error) {
    if (error instanceof NativeFailure) return error.report;
    throw error;
  } finally {
    native.close();
  }
}

withCompiler(
  "guarded build: what lies in a buffer may be touched, first to last byte",
  async (t) => {
    t.is(await reportOf("pokeFirst", 0), "");
    t.is(await reportOf("pokeFirst", 12), "");
    t.is(await reportOf("pokeSecond", 0), "");
    t.is(await reportOf("peekSecond", 12), "");
    t.is(await reportOf("copy", 13), "");
    t.is(await reportOf("check", 1), "");
  },
);

withCompiler(
  "guarded build: a one-byte overrun between two adjacent static buffers is caught",
  async (t) => {
    const report = await reportOf("pokeFirst", 13);
    t.regex(report, /AddressSanitizer: use-after-poison/);
    t.regex(report, /WRITE of size 1/);
    // The report names the function as the sources do.
    t.regex(report, /pokeFirst/);
  },
);

withCompiler(
  "guarded build: one byte before a buffer, and one behind the last one, are caught",
  async (t) => {
    t.regex(await reportOf("pokeSecond", -1), /use-after-poison/);
    t.regex(await reportOf("pokeSecond", 16), /use-after-poison/);
    t.regex(await reportOf("pokeFirst", 13 + GUARD_BYTES - 1), /use-after-poison/);
  },
);

withCompiler("guarded build: a copy one byte too long is caught", async (t) => {
  t.regex(await reportOf("copy", 14), /AddressSanitizer: .*poison/);
});

withCompiler(
  "guarded build: a misaligned word, which faults on the Cortex-M0+, is caught",
  async (t) => {
    t.regex(await reportOf("peekSecond", 2), /misaligned address/);
  },
);

withCompiler("guarded build: a failed assertion ends the program and says so", async (t) => {
  t.regex(await reportOf("check", 0), /the program has trapped: code 5/);
});
