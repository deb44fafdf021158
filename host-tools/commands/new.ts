import { spawnSync, type SpawnSyncOptions } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync } from "node:fs";
import systemPath, { basename, dirname, join, relative, resolve } from "node:path";
import type { Command } from "commander";
import { loadBoard } from "../build/boards.js";
import { UserError } from "../errors.js";
import {
  folderDependency,
  isFromRegistry,
  isPackageName,
  nextSteps,
  packageManager,
  pnpmVersion,
  type Manifest,
  type PackageManager,
} from "../project/begin.js";
import { projectFiles, TEMPLATES, type Template } from "../project/files.js";
import { packageRoot } from "../root.js";
import { imageBoards } from "./build.js";
import { writeFile } from "../project/write-file.js";

interface NewOptions {
  board: string;
  template: string;
  install: boolean;
}

const names = Object.keys(TEMPLATES) as Template[];

/** Adds `new`. */
export function register(program: Command): void {
  program
    .command("new")
    .description("make a project of your own: application, test, editor and build set up")
    .argument("<name>", "folder of the project")
    .option("--board <name>", "board that it is for", "w5500-evb-pico")
    .option("--template <name>", `application to begin with: ${names.join(", ")}`, "web")
    .option("--no-install", "do not run npm install in it")
    .action((name: string, options: NewOptions) => make(name, options));
}

function make(name: string, options: NewOptions): void {
  const folder = resolve(name);
  const template = parseTemplate(options.template);
  const title = basename(folder);
  if (!isPackageName(title)) {
    throw new UserError(
      `'${title}' is no name for a package; use small letters, digits and hyphens, as in my-device`,
    );
  }
  const board = loadBoard(options.board);
  if (board.target === "wasm") {
    throw new UserError(
      `--board names the hardware, and ${board.name} is a virtual board; there are: ${imageBoards().join(", ")}`,
    );
  }
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new UserError(`${name} is there already and not empty; choose another name`);
  }
  copyFiles(join(packageRoot, "firmware", TEMPLATES[template]), folder);
  const files = projectFiles({
    name: title,
    board: board.name,
    virtual: `virtual-${board.chip}`,
    template,
    dependency: dependency(),
    ava: ownManifest().devDependencies["ava"] ?? "*",
  });
  for (const [path, text] of Object.entries(files)) {
    const file = join(folder, path);
    if (path.startsWith("assets/") && existsSync(join(folder, "assets"))) continue;
    // What the application needs it has brought along.
    if (path === "app.json" && existsSync(file)) continue;
    mkdirSync(dirname(file), { recursive: true });
    writeFile(file, text);
  }
  console.log(`${name}: the application '${template}' for ${board.name}`);
  const manager = packageManager(process.env["npm_config_user_agent"]);
  const installed = options.install && install(folder, manager);
  const commands = [...(installed ? [] : [`${manager} install`]), `${manager} start`];
  console.log(nextSteps(relative(process.cwd(), folder), commands, process.platform));
}

/** Copies what is in a folder. The files are the user's to change, also where those of the package are read-only. */
function copyFiles(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, copy] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) copyFiles(source, copy);
    else writeFile(copy, readFileSync(source));
  }
}

function parseTemplate(text: string): Template {
  const template = names.find((known) => known === text);
  if (template) return template;
  throw new UserError(`unknown template '${text}'; there are: ${names.join(", ")}`);
}

function ownManifest(): { version: string; devDependencies: Record<string, string> } {
  return readManifest(join(packageRoot, "package.json"));
}

function readManifest<T extends Manifest>(path: string): T {
  return JSON.parse(readFileSync(path, "utf8")) as T;
}

/** What package.json of the project must ask for to get this very package again. */
function dependency(): string {
  const modules = dirname(packageRoot);
  const list = join(modules, ".package-lock.json");
  const folder = folderDependency(packageRoot, systemPath);
  if (basename(modules) !== "node_modules") return folder;
  if (!existsSync(list)) {
    const manifest = join(dirname(modules), "package.json");
    const byVersion = existsSync(manifest) && isFromRegistry(readManifest(manifest));
    return byVersion ? ownManifest().version : (pnpmVersion(packageRoot) ?? folder);
  }
  const { packages } = JSON.parse(readFileSync(list, "utf8")) as {
    packages: Record<string, { resolved?: string }>;
  };
  const from = packages["node_modules/as-tcpip"]?.resolved;
  if (!from?.startsWith("file:")) return ownManifest().version;
  const file = resolve(dirname(modules), decodeURIComponent(from.slice("file:".length)));
  return existsSync(file) ? folderDependency(file, systemPath) : folder;
}

/** Installs the project's packages; false, with a word, when that did not work. */
function install(folder: string, manager: PackageManager): boolean {
  process.stderr.write("installing npm packages ...\n");
  const windows = process.platform === "win32";
  const quiet = { npm: ["--no-audit", "--no-fund", "--loglevel=error"], pnpm: ["--silent"] };
  const args = ["install", ...quiet[manager]];
  const options: SpawnSyncOptions = { cwd: folder, stdio: ["ignore", "ignore", "inherit"] };
  // On Windows these are batch files, which only a shell can start; there is nothing to quote in the line.
  const done = windows
    ? spawnSync([manager, ...args].join(" "), { ...options, shell: true })
    : spawnSync(manager, args, options);
  if (done.status === 0) return true;
  process.stderr.write(
    `as-tcpip: ${manager} install did not work here; run it in the project later\n`,
  );
  return false;
}
