/** A driver in a project of one's own: `drivers/NAME/nic.ts` and a board that names it, on the bench of `as-tcpip/testing`. */
import { spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { packageRoot } from "../../host-tools/root.js";
import { CLI } from "../support/cli.js";

const home = mkdtempSync(join(tmpdir(), "as-tcpip driver-"));
test.after.always(() => rmSync(home, { recursive: true, force: true }));

const BOARD = {
  title: "mine",
  target: "wasm",
  chip: "w5500",
  nic: "mine",
  cpu: "portable",
  spiHz: 1e7,
};
const INDEX = `import { Text, text } from "as-tcpip/hal/virtual/board";
export const BOARD_NAME: Text = text("mine");
export * from "as-tcpip/hal/virtual/board";
`;
const PROGRAM = `import { pathToFileURL } from "node:url";
const { NicHarness, ScriptedSpi } = await import(pathToFileURL(process.argv[2]).href);
const chip = () => new ScriptedSpi().expect("00 39 00 00", ".. .. .. 05");
const bench = await NicHarness.create({ board: "mine", chip });
try {
  bench.init();
} catch (error) {
  console.log(error.message.split("\\n")[0], bench.chip.left);
}
`;

function mend(file: string, from: RegExp | string, to: string): void {
  const path = join(home, file);
  writeFileSync(path, readFileSync(path, "utf8").replace(from, to));
}

test.serial(
  "a board of the project with a driver of the project: the driver is compiled and meets the scripted chip",
  (t) => {
    mkdirSync(join(home, "boards/mine"), { recursive: true });
    mkdirSync(join(home, "node_modules"));
    symlinkSync(packageRoot, join(home, "node_modules/as-tcpip"), "dir");
    writeFileSync(join(home, "package.json"), '{ "type": "module" }');
    writeFileSync(join(home, "boards/mine/board.json"), JSON.stringify(BOARD));
    writeFileSync(join(home, "boards/mine/index.ts"), INDEX);
    cpSync(join(packageRoot, "drivers"), join(home, "drivers"), { recursive: true });
    cpSync(join(home, "drivers/w5500"), join(home, "drivers/mine"), { recursive: true });
    writeFileSync(join(home, "try.mjs"), PROGRAM);
    const testing = join(packageRoot, "build/js/host-tools/testing/index.js");
    const { stdout, stderr } = spawnSync(process.execPath, ["try.mjs", testing], {
      cwd: home,
      encoding: "utf8",
    });
    t.is(stdout, "the script has ended after 1 transactions 0\n", stderr);
  },
);

test.serial(
  "a driver that lacks what the package asks for, or has it otherwise, is one line with its own file",
  (t) => {
    const run = (): string => {
      const args = [CLI, "sim", "--board", "mine", "--app", "blank", "--net", "none"];
      const { stderr, status } = spawnSync(process.execPath, args, { cwd: home, encoding: "utf8" });
      t.is(status, 1);
      return stderr;
    };
    mend("drivers/mine/nic.ts", /export function nicVersion/, "function nicVersion");
    mend("drivers/mine/nic.ts", /export function nicDeadline/, "function nicDeadline");
    t.is(
      run(),
      "as-tcpip: drivers/mine/nic.ts does not export nicDeadline, nicVersion, for which the package asks; docs/testing.md tells what is wanted\n",
    );
    mend("drivers/mine/nic.ts", /^function nic/gm, "export function nic");
    mend("drivers/mine/nic.ts", /nicPoll\(nowMs: u32\)/, "nicPoll()");
    t.regex(
      run(),
      /^as-tcpip: drivers\/mine\/nic\.ts or boards\/mine\/index\.ts does not fit what the package calls: .*runtime\.ts:\d+:\d+: Expected 0 arguments, but got 1\./,
    );
  },
);
