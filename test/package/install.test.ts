/**
 * The package as strangers get it: packed, installed into an empty folder with a space in its path, a project made with `new`,
 * and its scripts run. It needs the npm registry (or npm's cache) and is skipped where there is neither.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { packageRoot } from "../../host-tools/root.js";
import { hasCrossCompiler } from "../../host-tools/setup/cross-compiler.js";
import { freePort } from "../support/cli.js";

const home = mkdtempSync(join(tmpdir(), "as tcpip package-"));
const project = join(home, "my-lamp");
test.after.always(() => rmSync(home, { recursive: true, force: true }));

interface Done {
  status: number | null;
  out: string;
}

function run(cwd: string, command: string, ...args: string[]): Done {
  const env: NodeJS.ProcessEnv = { ...process.env, NO_COLOR: "1" };
  // What npm has put into the environment of this test belongs to another project.
  for (const name of Object.keys(env)) if (/^npm_/i.test(name)) delete env[name];
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: "utf8", env });
  return { status, out: `${stdout}${stderr}` };
}

const reachable = run(tmpdir(), "npm", "view", "commander@14.0.3", "version").status === 0;
const withRegistry = reachable ? test.serial : test.serial.skip;
if (!reachable) console.log("package: the npm registry is not reachable, the package is not tried");

withRegistry("B1: the packed package installs, without what only few need", (t) => {
  t.timeout(240_000);
  const packed = run(packageRoot, "npm", "pack", "--pack-destination", home, "--loglevel=error");
  t.is(packed.status, 0, packed.out);
  const file = readdirSync(home).find((name) => name.endsWith(".tgz")) as string;
  writeFileSync(join(home, "package.json"), '{ "name": "home", "private": true }\n');
  const args = ["install", `./${file}`, "--no-audit", "--no-fund", "--loglevel=error"];
  const installed = run(home, "npm", ...args);
  t.is(installed.status, 0, installed.out);
  for (const name of ["typescript", "espruino", "koffi", "as-tcpip/test"]) {
    t.false(existsSync(join(home, "node_modules", name)), name);
  }
});

withRegistry("`new` makes a project whose test passes and whose editor finds no error", (t) => {
  t.timeout(240_000);
  const made = run(home, "npx", "as-tcpip", "new", "my-lamp", "--board", "w5500-evb-pico");
  t.is(made.status, 0, made.out);
  t.regex(made.out, /^next: cd my-lamp && npm start$/m);
  const tested = run(project, "npm", "test");
  t.is(tested.status, 0, tested.out);
  t.regex(tested.out, /1 test passed/);
  const tsc = join(packageRoot, "node_modules/typescript/bin/tsc");
  const checked = run(project, process.execPath, tsc, "-p", ".");
  t.is(checked.status, 0, checked.out);
  const again = run(home, "npx", "as-tcpip", "new", "my-lamp");
  t.is(again.status, 1);
  t.regex(again.out, /^as-tcpip: my-lamp is there already and not empty; choose another name$/m);
});

withRegistry(
  "`sim` compiles once: the second start takes the image from the project's cache",
  (t) => {
    t.timeout(120_000);
    const cache = join(project, "build/cache");
    const args = ["as-tcpip", "sim", "--net", "none", "--expect", "lease"];
    const first = run(project, "npx", ...args);
    t.is(first.status, 0, first.out);
    const files = readdirSync(cache).sort();
    const second = run(project, "npx", ...args);
    t.is(second.status, 0, second.out);
    t.deepEqual(readdirSync(cache).sort(), files);
    t.false(existsSync(join(project, "node_modules/as-tcpip/build/cache")));
  },
);

withRegistry("`build` makes images for two boards side by side, in the project", (t) => {
  if (!hasCrossCompiler()) return t.pass("no cross compiler here");
  t.timeout(240_000);
  for (const board of ["w5500-evb-pico", "bluepill-enc28j60"]) {
    const built = run(project, "npm", "run", "build", "--", "--board", board);
    t.is(built.status, 0, built.out);
    t.true(existsSync(join(project, "build/images", board, "my-lamp.elf")));
  }
});

withRegistry(
  "`npm start` opens the device to this computer, and Ctrl-C ends it with 0",
  async (t) => {
    t.timeout(120_000);
    const port = await freePort();
    const web = join(home, "my-page");
    const made = run(home, "npx", "as-tcpip", "new", "my-page", "--template", "http");
    t.is(made.status, 0, made.out);
    // `script` gives npm a terminal, in which Ctrl-C can be typed.
    const terminal = spawnSync("script", ["--version"]).status === 0;
    const command = `npm start -- --net forward:${port}=80`;
    const child = spawn(
      terminal ? "script" : "sh",
      terminal ? ["-qec", command, "/dev/null"] : ["-c", `exec ${command}`],
      { cwd: web, env: { ...process.env, NO_COLOR: "1", SHELL: "/bin/sh" } },
    );
    let out = "";
    const shown = new Promise<void>((resolve) => {
      const hear = (data: Buffer): void => {
        out += data.toString();
        if (out.includes("web page")) resolve();
      };
      child.stdout.on("data", hear);
      child.stderr.on("data", hear);
      child.on("close", () => resolve());
    });
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
    await shown;
    try {
      const page = await fetch(`http://127.0.0.1:${port}/`);
      t.is(page.status, 200, out);
      t.regex(await page.text(), /</);
    } finally {
      if (terminal) child.stdin.write("\x03");
      else child.kill("SIGINT");
    }
    const code = await ended;
    if (terminal) t.is(code, 0, out);
  },
);

withRegistry(
  "another package manager's links, and a folder that cannot be written, are no obstacle",
  (t) => {
    t.timeout(120_000);
    const linked = join(home, "linked");
    mkdirSync(join(linked, "node_modules"), { recursive: true });
    writeFileSync(join(linked, "package.json"), '{ "name": "linked", "private": true }\n');
    const done = run(
      linked,
      "npm",
      "install",
      "--no-audit",
      "--no-fund",
      "--install-links=false",
      join(home, "node_modules/as-tcpip"),
    );
    t.is(done.status, 0, done.out);
    const simulated = run(
      linked,
      "npx",
      "as-tcpip",
      "sim",
      "--app",
      "blank",
      "--net",
      "none",
      "--expect",
      "turn 3",
    );
    t.is(simulated.status, 0, simulated.out);
  },
);
