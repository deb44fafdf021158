// Set-up that every command shares: npm packages present, host tools compiled. Plain JavaScript, no
// imports outside Node, because it runs before anything is installed.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Ends the process with one clear line. */
export function fail(message) {
  process.stderr.write(`as-tcpip: ${message}\n`);
  process.exit(1);
}

function run(command, args, what) {
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    shell: process.platform === "win32",
  });
  if (result.status !== 0) {
    process.stderr.write(String(result.stdout ?? "") + String(result.stderr ?? ""));
    fail(`${what} failed; the output is above`);
  }
}

/** Installs the npm packages of the lockfile, once for each lockfile. */
export function ensurePackages() {
  const lock = join(root, "package-lock.json");
  if (!existsSync(lock)) return; // installed as a package: npm has done it
  const stamp = join(root, "node_modules", ".as-tcpip-lock");
  const digest = createHash("sha256").update(readFileSync(lock)).digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === digest) return;
  process.stderr.write("as-tcpip: installing npm packages (first run) ...\n");
  run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], "npm ci");
  writeFileSync(stamp, digest);
}

function newest(folder, suffix) {
  let time = 0;
  if (!existsSync(folder)) return time;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) time = Math.max(time, newest(path, suffix));
    else if (entry.name.endsWith(suffix)) time = Math.max(time, statSync(path).mtimeMs);
  }
  return time;
}

/** Compiles the TypeScript of the host tools to build/js when a source is newer than the last run. */
export function ensureCompiled() {
  const stamp = join(root, "build", "js", ".stamp");
  const sources = Math.max(
    newest(join(root, "host-tools"), ".ts"),
    newest(join(root, "test"), ".ts"),
    existsSync(join(root, "stack/options.ts"))
      ? statSync(join(root, "stack/options.ts")).mtimeMs
      : 0,
    existsSync(join(root, "tsconfig.json")) ? statSync(join(root, "tsconfig.json")).mtimeMs : 0,
  );
  if (existsSync(stamp) && statSync(stamp).mtimeMs >= sources) return;
  if (!existsSync(join(root, "tsconfig.json"))) return;
  mkdirSync(dirname(stamp), { recursive: true });
  run(
    process.execPath,
    [join(root, "node_modules/typescript/bin/tsc"), "-p", "tsconfig.json"],
    "compiling the host tools",
  );
  writeFileSync(stamp, "");
}

/** Everything a command needs before it can start. */
export function ensure() {
  const major = Number(process.versions.node.split(".")[0]);
  if (major < 20) fail(`Node.js 20 or newer is needed, this is ${process.versions.node}`);
  ensurePackages();
  ensureCompiled();
}
