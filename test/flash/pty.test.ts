import test from "ava";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "../../host-tools/errors.js";
import { flashStm32 } from "../../host-tools/flash/stm32.js";
import { systemBinding } from "../../host-tools/serial/line.js";
import { BOARDS, pattern, stm32Job, testHost } from "../support/bootloader-host.js";
import { hasPty, openPty } from "../support/bootloader-pty.js";
import { BootLoaderSimulator, CHIPS, type ChipSpec } from "../support/bootloader.js";

/** Runs a program and gives its exit code and output, while the simulator works in this process. */
async function runProgram(
  command: string,
  args: string[],
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (bytes: Buffer) => (output += bytes.toString("latin1")));
    }
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output }));
  });
}

for (const [name, chip] of Object.entries({ f103: CHIPS.f103, f401: CHIPS.f401 })) {
  test(`${name} over a pseudo-terminal: the flashed bytes equal the image`, async (t) => {
    if (!hasPty) return t.pass("no pseudo-terminals on this system");
    const simulator = new BootLoaderSimulator(chip);
    const pty = openPty(simulator);
    try {
      const job = stm32Job({
        facts: name === "f103" ? BOARDS.bluepill : BOARDS.f401,
        port: pty.path,
      });
      const result = await flashStm32(job, testHost({ binding: await systemBinding() }));
      t.true(result.verified && result.started);
      t.deepEqual(simulator.content(0x08000000, 5001), pattern(5001));
    } finally {
      pty.close();
    }
  });

  test(`Debian's stm32flash agrees with the ${name} simulator`, async (t) => {
    if (!hasPty || spawnSync("stm32flash", ["-h"]).error) {
      return t.pass("stm32flash is not installed");
    }
    const simulator = new BootLoaderSimulator(chip as ChipSpec);
    const pty = openPty(simulator);
    const folder = mkdtempSync(join(tmpdir(), "stm32flash-"));
    try {
      const image = join(folder, "image.bin");
      writeFileSync(image, pattern(5000));
      // A pseudo-terminal has no parity; stm32flash insists on what it has set.
      const args = ["-m", "8n1", "-w", image, "-v", "-g", "0x08000000", pty.path];
      const { code, output } = await runProgram("stm32flash", args);
      t.is(code, 0, output);
      t.deepEqual(simulator.content(0x08000000, 5000), pattern(5000));
      t.is(simulator.started, 0x08000000);
    } finally {
      pty.close();
      rmSync(folder, { recursive: true });
    }
  });
}

test("unplugged in the middle of a write, over a pseudo-terminal", async (t) => {
  if (!hasPty) return t.pass("no pseudo-terminals on this system");
  const simulator = new BootLoaderSimulator(CHIPS.f103);
  simulator.fault = (step, nth) => (step === "write-data" && nth === 5 ? "unplug" : undefined);
  const pty = openPty(simulator);
  try {
    const host = testHost({ binding: await systemBinding() });
    const error = await t.throwsAsync(flashStm32(stm32Job({ port: pty.path }), host), {
      instanceOf: UserError,
    });
    t.regex(error?.message ?? "", /went away while writing at 0x08000400.*incomplete/);
  } finally {
    pty.close();
  }
});
