import { spawnSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import test from "ava";
import { DEVICE_NAMES } from "../../host-tools/build/names.js";
import { mask } from "../../host-tools/build/scan.js";
import { packageRoot } from "../../host-tools/root.js";
import { CLI } from "../support/cli.js";

const folder = mkdtempSync(join(tmpdir(), "as tcpip sources-"));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

const MAIN = `import { log1 } from "as-tcpip/log";
import { clockMs } from "as-tcpip/time";
import { VALUE } from "../shared/value";
export function main(): void {
  log1("info: the value is %u", VALUE);
  for (;;) clockMs();
}
`;

function simulate(cwd: string, app: string): { status: number | null; out: string } {
  const args = [
    CLI,
    "sim",
    "--app",
    app,
    "--net",
    "none",
    "--timeout",
    "1",
    "--expect",
    "value is",
  ];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: join(folder, cwd),
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1" },
  });
  return { status, out: stdout + stderr };
}

/** Modules in the cache of a project. */
const images = (project: string): string[] =>
  readdirSync(join(folder, project, "build/cache")).filter((name) => name.endsWith(".wasm"));

test.serial("B2: a file outside application and package that changes is noticed", (t) => {
  write("home/package.json", '{ "name": "home" }');
  write("home/app/main.ts", MAIN);
  write("home/shared/value.ts", "export const VALUE: u32 = 41;\n");
  t.regex(simulate("home", "app").out, /the value is 41/);
  const before = images("home");
  write("home/shared/value.ts", "export const VALUE: u32 = 42;\n");
  t.regex(simulate("home", "app").out, /the value is 42/);
  // What is compiled again takes the place of what it was before, or the folder would grow with each save.
  t.is(images("home").length, before.length);
  t.notDeepEqual(images("home"), before);
});

test.serial(
  "B1: an application is compiled from any current directory, and through a link",
  (t) => {
    for (const [cwd, app] of [
      ["home/app", "."],
      [".", "home/app"],
    ] as const) {
      const { status, out } = simulate(cwd, app);
      t.is(status, 0, out);
    }
    symlinkSync(join(folder, "home/app"), join(folder, "link"), "junction");
    t.regex(simulate(".", "link").out, /the value is 42/);
  },
);

test.serial(
  "B2: a project's files go to the build folder of the project, where it is written",
  (t) => {
    t.true(readFileSync(join(folder, "home/package.json")).length > 0);
    t.true(images("home").length > 0);
  },
);

test.serial("B1: a folder that cannot be written stops nothing", (t) => {
  if (process.getuid?.() === 0) return t.pass("root may write everywhere");
  chmodSync(join(folder, "home"), 0o555);
  t.is(simulate("home", "app").status, 0);
  chmodSync(join(folder, "home"), 0o755);
});

test.serial("a module that is not there is told with file, line and the names that are", (t) => {
  write(
    "home/wrong/main.ts",
    'import { a } from "as-tcpip/nett";\nexport function main(): void {}\n',
  );
  const { status, out } = simulate("home", "wrong");
  t.is(status, 1);
  t.regex(
    out,
    /^as-tcpip: wrong\/main\.ts:1: no module 'as-tcpip\/nett' for device code; there are as-tcpip\/net, /m,
  );
});

test("the import names are the same for the compiler, for package.json and for editors", (t) => {
  const files = Object.entries(DEVICE_NAMES).map(([name, file]) => [name, `./${file}.ts`] as const);
  const read = (name: string): unknown => JSON.parse(readFileSync(join(packageRoot, name), "utf8"));
  const { exports } = read("package.json") as { exports: Record<string, unknown> };
  for (const [name, file] of files) t.is(exports[name.replace("as-tcpip", ".")], file);
  for (const config of ["tsconfig.app.json", "tsconfig.device.json"]) {
    const { paths } = (read(config) as { compilerOptions: { paths: Record<string, string[]> } })
      .compilerOptions;
    for (const [name, file] of files) t.deepEqual(paths[name], [file], config);
  }
});

test("comments and strings are no code, and every place stays where it was", (t) => {
  const source = 'a("//no"); // import "x"\n/* text("y")\n */ b(\'/*\');';
  const { code, bare } = mask(source);
  t.is(code, "a(\"//no\");              \n            \n    b('/*');");
  t.is(bare, "a(\"    \");              \n            \n    b('  ');");
});

test("an application of another clone of this package is refused where it imports that one's stack", (t) => {
  write("clone/package.json", '{ "type": "module" }');
  write("clone/stack/options.ts", "");
  write("clone/stack/config.ts", "export const TCBS: u32 = 1;");
  const main = 'import { TCBS } from "../../stack/config";\nexport function main(): void {}\n';
  write("clone/firmware/mine/main.ts", main);
  const { status, out } = simulate("clone", "firmware/mine");
  t.is(status, 1);
  t.regex(
    out,
    /^as-tcpip: firmware\/mine\/main\.ts:1: this is a file of another as-tcpip \(.*clone\), run it with the tools that are there/m,
  );
});
