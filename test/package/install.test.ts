/**
 * The package as strangers get it: packed, installed into an empty folder with a space in its path, a project made with `new`,
 * and its scripts run. It needs the npm registry (or npm's cache) and is skipped where there is neither.
 */
import { spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
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
  // What npm's cache has is not asked for again.
  Object.assign(env, { npm_config_prefer_offline: "true", npm_config_update_notifier: "false" });
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
    // The gateway has come with the package.
    t.is(files.filter((name) => name.endsWith(".wasm")).length, 2, "the program and its test's");
    const second = run(project, "npx", ...args);
    t.is(second.status, 0, second.out);
    t.deepEqual(readdirSync(cache).sort(), files);
    t.false(existsSync(join(project, "node_modules/as-tcpip/build/cache")));
  },
);

withRegistry("`build` makes an image for a board, in the project", (t) => {
  if (!hasCrossCompiler()) return t.pass("no cross compiler here");
  t.timeout(240_000);
  const built = run(project, "npm", "run", "build");
  t.is(built.status, 0, built.out);
  t.true(existsSync(join(project, "build/images/w5500-evb-pico/my-lamp.elf")));
});

withRegistry(
  "`npm start` with a linked package opens the device to this computer, and Ctrl-C ends it with 0",
  async (t) => {
    t.timeout(120_000);
    const port = await freePort();
    const web = join(home, "my-page");
    const made = run(home, "npx", "as-tcpip", "new", "my-page", "--no-install");
    t.is(made.status, 0, made.out);
    // As `npm link` leaves it.
    mkdirSync(join(web, "node_modules/.bin"), { recursive: true });
    symlinkSync("../../node_modules/as-tcpip", join(web, "node_modules/as-tcpip"), "dir");
    symlinkSync("../as-tcpip/host-tools/bin.mjs", join(web, "node_modules/.bin/as-tcpip"));
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

/** Lays out the installed packages as pnpm does: each in a folder of its own, where only what it depends on is linked beside it. */
function layOutByPnpm(modules: string): void {
  const names = readdirSync(modules)
    .filter((name) => !name.startsWith("."))
    .flatMap((name) => (name.startsWith("@") ? scoped(modules, name) : name));
  const store = (name: string): string =>
    join(modules, ".pnpm", name.replace("/", "+"), "node_modules");
  for (const name of names) {
    mkdirSync(dirname(join(store(name), name)), { recursive: true });
    renameSync(join(modules, name), join(store(name), name));
  }
  const link = (name: string, where: string): void => {
    const place = join(where, name);
    mkdirSync(dirname(place), { recursive: true });
    symlinkSync(relative(dirname(place), join(store(name), name)), place, "dir");
  };
  for (const name of names) {
    const manifest = readFileSync(join(store(name), name, "package.json"), "utf8");
    const { dependencies = {} } = JSON.parse(manifest) as { dependencies?: object };
    for (const other of Object.keys(dependencies))
      if (names.includes(other)) link(other, store(name));
  }
  link("as-tcpip", modules);
}

function scoped(from: string, scope: string): string[] {
  return readdirSync(join(from, scope)).map((name) => `${scope}/${name}`);
}

withRegistry(
  "pnpm's layout, where only what a package names is found: a second board's image beside the first; nothing is written into the package",
  (t) => {
    t.timeout(240_000);
    layOutByPnpm(join(project, "node_modules"));
    for (const [name, exported] of [
      ["as-tcpip", "buildImage"],
      ["as-tcpip/testing", "Lan"],
    ]) {
      const program = `import("${name}").then((all) => console.log(Object.keys(all).join()))`;
      t.regex(run(project, process.execPath, "-e", program).out, new RegExp(`\\b${exported}\\b`));
    }
    if (hasCrossCompiler()) {
      const built = run(project, "npm", "run", "build", "--", "--board", "bluepill-enc28j60");
      t.is(built.status, 0, built.out);
      for (const board of ["w5500-evb-pico", "bluepill-enc28j60"]) {
        t.true(existsSync(join(project, "build/images", board, "my-lamp.elf")), board);
      }
    }
    for (const folder of [home, project]) {
      const own = join(folder, "node_modules/as-tcpip/build");
      t.deepEqual(readdirSync(own), ["package"]);
    }
  },
);
