import test from "ava";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { imagePath } from "../../host-tools/build/device/build.js";
import type { SizeReport } from "../../host-tools/build/device/size.js";
import { packageRoot } from "../../host-tools/root.js";
import { hasCrossCompiler } from "../../host-tools/setup/cross-compiler.js";
import { Cli } from "../support/cli.js";

const withCompiler = hasCrossCompiler() ? test : test.skip;
const HELLO = join(packageRoot, "test/device/hello");

/** Runs a command to its end. */
async function run(
  ...args: string[]
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Cli(args).ended;
}

withCompiler("build prints who has what and where the files are", async (t) => {
  const { code, stdout } = await run("build", "--board", "w5500-evb-pico", "--app", HELLO);
  t.is(code, 0);
  t.regex(stdout, /^flash: [\d,]+ of 2,093,056 bytes/m);
  t.regex(stdout, /^RAM: [\d,]+ of 270,336 bytes/m);
  t.regex(stdout, /^stack: at most \d+ of 4,096 bytes/m);
  t.regex(stdout, /hello\.uf2$/m);
});

withCompiler("build --json is one object that names the files and their sizes", async (t) => {
  const { code, stdout } = await run("build", "--board", "pico-enc28j60", "--app", HELLO, "--json");
  t.is(code, 0);
  const result = JSON.parse(stdout) as { files: string[]; messages: string; size: SizeReport };
  t.true([...result.files, result.messages].every((file) => existsSync(file)));
  t.deepEqual(
    result.files.map((file) => file.split(".").at(-1)),
    ["elf", "bin", "hex", "uf2"],
  );
  t.true(result.size.flash.bytes > 1000);
});

withCompiler("build that is stopped leaves nothing but what was there", async (t) => {
  const board = "w5500-evb-pico";
  const path = imagePath(board, HELLO, false, undefined, { TCP_TCBS: 3 });
  rmSync(`${path}.key`, { force: true });
  const cli = new Cli(["build", "--board", board, "--app", HELLO, "--set", "TCP_TCBS=3"]);
  const linking = new Promise<void>((resolve) => {
    cli.child.stderr?.on("data", (said: Buffer) => {
      if (said.toString().includes("linking")) resolve();
    });
  });
  await Promise.race([linking, cli.ended]);
  const { code, signal } = await cli.interrupt();
  t.deepEqual([code, signal], [null, "SIGINT"]);
  const left = readdirSync(dirname(path)).filter((name) => name.startsWith(`${basename(path)}.`));
  t.deepEqual(
    left.filter((name) => name.includes(".work-")),
    [],
  );
  t.false(existsSync(`${path}.key`));
});

withCompiler("size of one board lists every file, as JSON too", async (t) => {
  const args = ["size", "--board", "w5500-evb-pico", "--app", HELLO];
  const { stdout } = await run(...args);
  t.regex(stdout, /^ +\d+ {2}hal\/rp2040\/spi\.ts$/m);
  const [size] = JSON.parse((await run(...args, "--json")).stdout) as SizeReport[];
  t.is(size?.board, "w5500-evb-pico");
});

for (const [title, args, expected] of [
  [
    "an unknown board",
    ["build", "--board", "toaster"],
    /^as-tcpip: unknown board 'toaster'; there are: /,
  ],
  [
    "an unknown application",
    ["build", "--board", "w5500-evb-pico", "--app", "nothing"],
    /^as-tcpip: unknown application 'nothing'; there are: /,
  ],
  [
    "a virtual board",
    ["build", "--board", "virtual-w5500"],
    /^as-tcpip: virtual-w5500 is a virtual board/,
  ],
  ["no board", ["build"], /^as-tcpip: .*--board/],
  [
    "two kinds of build",
    ["build", "--board", "w5500-evb-pico", "--release", "--debug"],
    /exclude each other/,
  ],
] as const) {
  withCompiler(`${title}: one line and an exit code`, async (t) => {
    const { code, stderr } = await run(...args);
    t.is(code, 1);
    t.regex(stderr, expected);
    t.is(stderr.trim().split("\n").length, 1);
  });
}
