/** The commonest mistakes of people who write firmware: each gives one line with file, line and a way out, before anything runs. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { requireProgram } from "../../host-tools/build/apps.js";
import { compileFirmware } from "../../host-tools/build/compile.js";
import { buildImage } from "../../host-tools/build/device/build.js";
import { UserError } from "../../host-tools/errors.js";
import { CLI } from "../support/cli.js";

const home = mkdtempSync(join(tmpdir(), "as-tcpip-mistakes-"));
test.after.always(() => rmSync(home, { recursive: true, force: true }));

const IMPORTS =
  'import { log0, log1 } from "as-tcpip/log"; import { text, textBytes } from "as-tcpip/text";';

let count = 0;
function project(body: string, more = "", appJson = ""): string {
  const folder = join(home, `app${count++}`);
  mkdirSync(folder);
  const source = `${IMPORTS}\n${more}\nexport function main(): void {\n  ${body}\n  for (;;) {}\n}\n`;
  writeFileSync(join(folder, "main.ts"), source);
  if (appJson) writeFileSync(join(folder, "app.json"), appJson);
  return folder;
}

const MISTAKES: [title: string, body: string, expected: RegExp, more?: string][] = [
  ["H1: console", 'console.log("hi");', /main\.ts:4: a device has no console: .*log1\("info/],
  [
    "H2: a format that is no literal",
    "log0(F);",
    /main\.ts:4: log0\(\) needs a literal/,
    'const F = "a";',
  ],
  ["H2: a template literal", "log0(`a`);", /main\.ts:4: a device has no strings/],
  [
    "H2: a verb that does not exist",
    'log1("%s", 1);',
    /main\.ts:4: log1\(\): there is no verb %s; there are %u/,
  ],
  [
    "H2: fewer arguments than verbs",
    'log1("%u %u", 1);',
    /main\.ts:4: log1\(\): the verbs take 2 arguments/,
  ],
  [
    "H2: a text for a number",
    'log1("%u", text("a"));',
    /main\.ts:4: log1\(\): argument 1 is a text/,
  ],
  [
    "H3: a text that is too long",
    `textBytes(text("${"é".repeat(600)}"));`,
    /main\.ts:4: a text\(\) holds 1023 bytes at most, this one has 1200/,
  ],
  [
    "H4: a function value",
    'log1("%u", f());',
    /main\.ts:2: a device has no function values/,
    "const f = (): u32 => 1;",
  ],
  ["H4: Math", 'log1("%u", <u32>Math.sin(1));', /main\.ts:4: a device has no Math\.sin/],
  [
    "imports that no board offers",
    "blink();",
    /main\.ts:2: no board offers the import 'blink'/,
    "declare function blink(): void;",
  ],
  [
    "H8: allocation",
    'log1("%u", <u32>changetype<usize>(make()));',
    /main\.ts:2: 'new' in make\(\) allocates/,
    "class A { x: u32 = 0; } function make(): A { return new A(); }",
  ],
  [
    "H7: recursion",
    'log1("%u", f(textBytes(text("abc"))));',
    /main\.ts:2: f > f is a recursion/,
    "function f(n: u32): u32 { return n < 2 ? n : f(n - 1) + f(n - 2); }",
  ],
  ["a name that does not exist", "nothing();", /main\.ts:4:3: Cannot find name 'nothing'/],
];

for (const [title, body, expected, more] of MISTAKES) {
  test(`${title}: file, line and a way out`, async (t) => {
    const app = project(body, more);
    for (const request of [
      { board: "virtual-w5500" },
      { board: "bluepill-w5500", memoryBase: 0x20000600 },
    ]) {
      const error = await t.throwsAsync(compileFirmware({ ...request, app }), {
        instanceOf: UserError,
      });
      t.regex(error.message, expected);
      t.is(error.message.split("\n").length, 1);
    }
  });
}

test("H2, M: an option that is misspelt in app.json: file, line and the right name", async (t) => {
  const app = project("", "", '{\n  "options": {\n    "TCP_TCB": 4\n  }\n}\n');
  const error = await t.throwsAsync(compileFirmware({ board: "virtual-w5500", app }), {
    instanceOf: UserError,
  });
  t.regex(error.message, /app\.json:3: unknown build option TCP_TCB; did you mean TCP_TCBS\?$/);
});

test("H3: a text is UTF-8, and \\xNN is one byte", async (t) => {
  const app = project('textBytes(text("é✓\\xff"));');
  const { blob } = await compileFirmware({ board: "virtual-w5500", app });
  t.true(Buffer.from(blob).includes(Buffer.from([0xc3, 0xa9, 0xe2, 0x9c, 0x93, 0xff])));
});

test("words in comments and strings are no mistakes", async (t) => {
  const app = project('log0("info: console.log => Math.sin"); // console.log(`x`) => log0(F)');
  t.truthy(await compileFirmware({ board: "virtual-w5500", app }));
});

const FILES: [title: string, spoil: (folder: string) => void, expected: RegExp][] = [
  [
    "app.json is a folder",
    (at) => mkdirSync(join(at, "app.json")),
    /app\.json is a folder, not a file$/,
  ],
  [
    "an asset is a link to nothing",
    (at) => {
      mkdirSync(join(at, "assets"));
      symlinkSync(join(at, "nothing"), join(at, "assets/page.html"));
    },
    /^there is no file .*assets.page\.html$/,
  ],
  [
    "main() is not there",
    (at) => writeFileSync(join(at, "main.ts"), "export function start(): void {}\n"),
    /main\.ts has no 'export function main\(\): void', with which firmware begins$/,
  ],
];
for (const [title, spoil, expected] of FILES) {
  test(`${title}: one line`, async (t) => {
    const app = project("");
    spoil(app);
    const build = async (): Promise<unknown> => {
      requireProgram(app);
      return compileFirmware({ board: "virtual-w5500", app });
    };
    const error = await t.throwsAsync(build, { instanceOf: UserError });
    t.regex(error.message, expected);
  });
}

test("main() is found wherever it is exported", (t) => {
  for (const source of [
    "; export  function main (): void {}",
    "function main(): void {}\nexport { main };",
  ]) {
    const app = project("");
    writeFileSync(join(app, "main.ts"), source);
    t.notThrows(() => requireProgram(app));
  }
});

test("a board.json that says too little is told what is missing", async (t) => {
  const wrong: [string, RegExp][] = [
    ["{}", /"target" must be one of wasm, /],
    ['{ "target": "wasm" }', /"chip" must be one of w5500, /],
    ['{ "target": "wasm", "chip": "w5500", "title": "a" }', /"nic" must be a text/],
    ['{ "target": "wasm", "chip": "w5500", "title": "a", "nic": "b", "cpu": "c" }', /"spiHz" must/],
    [
      '{ "target": "wasm", "chip": "w5500", "title": "a", "nic": "b", "cpu": "c", "spiHz": 1 }',
      /there is no index\.ts beside it/,
    ],
  ];
  const project = join(home, "boards project");
  mkdirSync(join(project, "boards/mine"), { recursive: true });
  writeFileSync(join(project, "package.json"), "{}");
  for (const [text, expected] of wrong) {
    writeFileSync(join(project, "boards/mine/board.json"), text);
    const args = ["options", "--board", "mine", "--app", "echo"];
    const { status, stderr } = spawnSync(process.execPath, [CLI, ...args], {
      cwd: project,
      encoding: "utf8",
    });
    t.is(status, 1);
    t.regex(stderr, /^as-tcpip: .*board\.json: .*; docs\/boards\.md tells how a board is made\n$/);
    t.regex(stderr, expected);
  }
});

test("files that no flash of the board could hold are refused before anything is linked", async (t) => {
  const app = project("");
  mkdirSync(join(app, "assets"));
  writeFileSync(join(app, "assets/big.bin"), Buffer.alloc(100_000));
  const steps: string[] = [];
  const build = buildImage({ board: "bluepill-w5500", app, onStep: (step) => steps.push(step) });
  const error = await t.throwsAsync(build, { instanceOf: UserError });
  t.regex(error.message, /^texts and files of assets\/ have 100\d{3} bytes, the flash of bluepill/);
  t.deepEqual(steps, ["compiling to WebAssembly"]);
});
