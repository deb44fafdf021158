import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { Cli, endCommands, freePort, runCli } from "../support/cli.js";

test.after.always(endCommands);

const folder = mkdtempSync(join(tmpdir(), "as-tcpip-watch-"));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

/** An application in two files; `body` is what its `main` does once it has said hello. */
function write(says: string, body = "sleepUntil(clockMs() + 1000);"): void {
  mkdirSync(join(folder, "part"), { recursive: true });
  writeFileSync(
    join(folder, "main.ts"),
    `import { boardInit, clockMs, sleepUntil } from "board";
import { hello } from "./part/hello";
export function main(): void {
  boardInit();
  hello();
  for (;;) { ${body} }
}
`,
  );
  writeFileSync(
    join(folder, "part/hello.ts"),
    `import { log0 } from "board";
export function hello(): void { log0("info: ${says}"); }
`,
  );
}

test.serial(
  "--watch: a saved change runs; one that does not compile is told; a trap waits",
  async (t) => {
    write("first");
    const cli = new Cli([
      "sim",
      "--app",
      folder,
      "--net",
      `forward:${await freePort()}=80`,
      "--watch",
    ]);
    const said = (text: string): Promise<void> => cli.line((line) => line.includes(text));
    await said("  first");
    write("first", "nonsense();");
    await said("Cannot find name 'nonsense'");
    write("first");
    await said("That is mended; the firmware is the one that runs.");
    write("second", "assert(clockMs() == 12345);");
    await said("the device starts again");
    await said("  second");
    await said("it starts again with the next change");
    write("third");
    await said("  third");
    const { code, stderr } = await cli.interrupt();
    t.is(stderr, "");
    t.is(code, 0);
  },
);

test("--watch without the gateway is refused", async (t) => {
  const { code, stderr } = await runCli("sim", "--watch", "--net", "none");
  t.is(code, 1);
  t.regex(stderr, /^as-tcpip: --watch needs --net forward/);
});
