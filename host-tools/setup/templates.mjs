// `npm run templates`: packs the package, makes a project of each template from the packed file, in a folder with a space, and runs
// `npm test` in it. What of it is quick is in `npm test` (test/package/templates.test.ts). It needs the npm registry or npm's cache.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ensure, fail, root } from "./ensure.mjs";

ensure(true);
const { TEMPLATES } = await import(
  pathToFileURL(join(root, "build/js/host-tools/project/files.js")).href
);
const home = mkdtempSync(join(tmpdir(), "as tcpip templates-"));
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)),
);
env.npm_config_prefer_offline = "true";

function run(cwd, command, ...args) {
  const windows = process.platform === "win32";
  const done = spawnSync(command, args, { cwd, env, encoding: "utf8", shell: windows });
  if (done.status === 0) return done.stdout;
  rmSync(home, { recursive: true, force: true });
  return fail(`${command} ${args.join(" ")} failed:\n${done.stdout}${done.stderr}`);
}

const quiet = ["--no-audit", "--no-fund", "--loglevel=error"];
writeFileSync(join(home, "package.json"), '{ "name": "home", "private": true }\n');
run(root, "npm", "pack", "--pack-destination", home, "--loglevel=error");
const packed = readdirSync(home).find((name) => name.endsWith(".tgz"));
run(home, "npm", "install", `./${packed}`, "ava@8.0.1", ...quiet);
for (const template of Object.keys(TEMPLATES)) {
  run(home, "npx", "as-tcpip", "new", `my-${template}`, "--template", template, "--no-install");
  const said = run(join(home, `my-${template}`), "npm", "test");
  process.stdout.write(`${template}: ${/\d+ tests? passed/.exec(said)?.[0]}\n`);
}
rmSync(home, { recursive: true, force: true });
