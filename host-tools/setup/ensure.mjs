// Set-up that every command shares: npm packages present, host tools compiled. Plain JavaScript, no
// imports outside Node, because it runs before anything is installed.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Ends the process with one clear line. */
export function fail(message) {
  process.stderr.write(`as-tcpip: ${message}\n`);
  process.exit(1);
}

function run(command, args, what, shell = false) {
  const options = { cwd: root, stdio: ["ignore", "pipe", "pipe"], shell };
  // A shell gets one line: Node warns of arguments that it would not quote.
  const result = shell
    ? spawnSync([command, ...args].join(" "), options)
    : spawnSync(command, args, options);
  if (result.status !== 0) {
    process.stderr.write(String(result.stdout ?? "") + String(result.stderr ?? ""));
    fail(`${what} failed; the output is above`);
  }
}

/** Runs a script with this Node; never through a shell, to which a space in its path would be an end. */
export function runNode(args, what) {
  run(process.execPath, args, what);
}

/** Longest wait for another start that is setting up, and after which its lock is taken for a left-over, seconds. */
const LOCK_SECONDS = 300;

/**
 * Runs set-up under a lock, a folder: of two first starts at once the second waits for the first. A lock that a killed start
 * left behind counts no more once its process is gone.
 */
function locked(work) {
  const lock = join(root, ".as-tcpip-setup");
  const owner = join(lock, "pid");
  for (let waited = 0; ; waited++) {
    try {
      mkdirSync(lock);
      break;
    } catch (error) {
      if (error.code !== "EEXIST") return work(); // a read-only tree needs no lock
      if (waited === 0)
        process.stderr.write("as-tcpip: another start is setting up, waiting ...\n");
      if (!alive(owner) || waited > LOCK_SECONDS) rmSync(lock, { recursive: true, force: true });
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
    }
  }
  writeFileSync(owner, String(process.pid));
  try {
    return work();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

function alive(owner) {
  try {
    process.kill(Number(readFileSync(owner, "utf8")), 0);
    return true;
  } catch (error) {
    // Not ours to signal; or it has made the lock and not said its number yet.
    return error.code === "EPERM" || error.code === "ENOENT";
  }
}

/** Installs the npm packages of the lockfile, once for each lockfile. */
export function ensurePackages() {
  const lock = join(root, "package-lock.json");
  if (!existsSync(lock)) return; // installed as a package: npm has done it
  const stamp = join(root, "node_modules", ".as-tcpip-lock");
  const digest = createHash("sha256").update(readFileSync(lock)).digest("hex");
  const present = () => existsSync(stamp) && readFileSync(stamp, "utf8") === digest;
  if (present()) return;
  locked(() => {
    if (!present()) install(stamp, digest);
  });
}

function install(stamp, digest) {
  process.stderr.write("as-tcpip: installing npm packages (first run) ...\n");
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  // On Windows npm is a batch file, which only a shell can start; none of these words needs quoting.
  run("npm", args, "npm ci", process.platform === "win32");
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

function configOf(tests) {
  return tests ? "tsconfig.json" : "tsconfig.host.json";
}

function stampOf(tests) {
  return join(root, "build", "js", tests ? ".stamp-tests" : ".stamp");
}

/** True when no source is newer than the last run of the compiler, which has checked the types, too. */
export function isCompiled(tests) {
  const files = ["stack/options.ts", "tsconfig.json", configOf(tests)];
  const sources = Math.max(
    newest(join(root, "host-tools"), ".ts"),
    tests ? newest(join(root, "test"), ".ts") : 0,
    ...files.map((file) => statSync(join(root, file)).mtimeMs),
  );
  return existsSync(stampOf(tests)) && statSync(stampOf(tests)).mtimeMs >= sources;
}

/**
 * Compiles TypeScript to build/js when a source is newer than the last run: the host tools, and the tests too when `tests`.
 */
export function ensureCompiled(tests = false) {
  const config = configOf(tests);
  const stamp = stampOf(tests);
  if (!existsSync(join(root, config)) || isCompiled(tests)) return;
  mkdirSync(dirname(stamp), { recursive: true });
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  runNode([tsc, "-p", config], `compiling (${config})`);
  writeFileSync(stamp, "");
}

/** Everything a command needs before it can start. */
export function ensure(tests = false) {
  const major = Number(process.versions.node.split(".")[0]);
  if (major < 20) fail(`Node.js 20 or newer is needed, this is ${process.versions.node}`);
  ensurePackages();
  ensureCompiled(tests);
}
