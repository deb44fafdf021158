import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, realpathSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { OPTIONS, type OptionName, type Options } from "../../stack/options.js";
import { UserError } from "../errors.js";
import { parseJson, readText } from "../project/read-file.js";
import { isClone, packageRoot, projectRoot } from "../root.js";
import type { Board } from "./boards.js";
import { optionFault, optionsFault } from "./option-values.js";
import { lineOf, shownName, treeName } from "./sources.js";

/** Where the applications of the package are found by name. */
const EXAMPLES = "firmware/examples";
const APP_FOLDERS = ["firmware", EXAMPLES];

/** Folder of an application: a name under the package's firmware/ or firmware/examples/, or a path. */
export function appFolder(app: string): string {
  for (const folder of APP_FOLDERS) {
    const named = join(packageRoot, folder, app);
    if (/^[a-z0-9-]+$/.test(app) && existsSync(join(named, "main.ts"))) return named;
  }
  const path = resolve(app);
  if (existsSync(join(path, "main.ts"))) return realpathSync(path);
  if (existsSync(path)) throw new UserError(`'${app}' has no main.ts, with which firmware begins`);
  const apps = listApps();
  const list = `; there are: ${apps.join(", ")} (or give a folder with a main.ts)`;
  throw new UserError(`unknown application '${app}'${nearest(app, apps) || list}`);
}

/** The application that is meant when none is named: the project's own, or the demo. */
export function defaultApp(): string {
  const own = projectRoot();
  return !isClone && existsSync(join(own, "main.ts")) ? own : "demo";
}

/** Applications that come with the package: folders with a `main.ts` that has a `main()`. */
export function listApps(): string[] {
  return APP_FOLDERS.flatMap((folder) =>
    readdirSync(join(packageRoot, folder), { withFileTypes: true })
      .filter((e) => e.isDirectory() && isProgram(join(packageRoot, folder, e.name)))
      .map((e) => e.name),
  ).sort();
}

/** Those of them that are examples: folders of firmware/examples. */
export function listExamples(): string[] {
  return listApps().filter((name) => appFolder(name).startsWith(join(packageRoot, EXAMPLES)));
}

/** True when the folder's `main.ts` exports `main()`; the hosted stack, for one, is a library for the host. */
function isProgram(folder: string): boolean {
  const file = join(folder, "main.ts");
  return existsSync(file) && MAIN.test(readFileSync(file, "utf8"));
}

/** The declaration of `main()`, or a list of exports with it. */
const MAIN = /\bexport\s+function\s+main\s*\(|\bexport\s*\{[^}]*\bmain\b/;

/** Refuses an application that is not there or has no `main()` to run. */
export function requireProgram(app: string): void {
  const folder = appFolder(app);
  if (isProgram(folder)) return;
  const file = shownName(treeName(join(folder, "main.ts")));
  throw new UserError(`${file} has no 'export function main(): void', with which firmware begins`);
}

/** A name for people, in messages and in the device's log. */
export function appTitle(app: string): string {
  return basename(appFolder(app));
}

/** A name for files that no other application of the project has. */
export function appFileName(app: string): string {
  const name = treeName(appFolder(app));
  if (name.startsWith("firmware/")) return name.replace(/^firmware\/(examples\/)?/, "");
  const plain = name.replace(/^(project|test\/device)\/?/, "");
  const title = basename(appFolder(app)).replace(/[^\w.-]/g, "-");
  if (name.startsWith("outside/") || /[^\w/-]/.test(plain)) return `${title}.${shortHash(name)}`;
  // A point tells it from the package's own applications, also on disks that take A for a, and from one whose name has a hyphen there.
  const own = plain === "" ? title : plain.split("/").join(".");
  return listApps().includes(own.toLowerCase()) ? `${own}.app` : own;
}

/** Eight hexadecimal digits that stand for a text. */
export function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}

/** Where a value of an option comes from, weakest first. */
export type OptionOrigin = "package" | "board" | "application" | "command line";

/** A value of an option, and who has set it. */
export interface OptionValue {
  value: number;
  from: OptionOrigin;
}

/** `app.json` of an application. */
interface AppFile {
  options?: Record<string, unknown>;
}

/**
 * The options in force for a board and an application, and who has set them: the package's defaults, then the board's,
 * the application's, the command line's.
 *
 * @throws UserError with the file and line of an option that does not exist or has no number.
 */
export function explainOptions(
  board: Board,
  folder: string,
  overrides: Partial<Options> = {},
): Record<OptionName, OptionValue> {
  const result = {} as Record<OptionName, OptionValue>;
  for (const [name, value] of Object.entries(OPTIONS)) {
    result[name as OptionName] = { value, from: "package" };
  }
  const apply = (values: Record<string, unknown>, from: OptionOrigin, file?: string): void => {
    for (const [name, value] of Object.entries(values)) {
      checkOption(name, value, from, file);
      result[name as OptionName] = { value: value as number, from };
    }
  };
  apply(board.options, "board", join(board.folder, "board.json"));
  const file = join(folder, "app.json");
  if (existsSync(file)) apply(readAppFile(file).options ?? {}, "application", file);
  apply(overrides, "command line");
  return result;
}

/** The same as plain numbers. */
export function resolveOptions(
  board: Board,
  folder: string,
  overrides: Partial<Options> = {},
): Options {
  const values = Object.entries(explainOptions(board, folder, overrides));
  const options = Object.fromEntries(values.map(([name, { value }]) => [name, value])) as Options;
  const fault = optionsFault(options);
  if (fault !== undefined) throw new UserError(fault);
  return options;
}

const APP_KEYS = ["options"];

function readAppFile(file: string): AppFile {
  const text = readText(file);
  const parsed = parseJson(text, shown(file));
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    throw new UserError(`${shown(file)} must hold an object, as { "options": { "TCP_TCBS": 4 } }`);
  }
  for (const key of Object.keys(parsed)) {
    if (APP_KEYS.includes(key)) continue;
    const line = lineOf(text, Math.max(0, text.indexOf(`"${key}"`)));
    const hint = key in OPTIONS ? '; build options go into "options"' : nearest(key, APP_KEYS);
    throw new UserError(`${shown(file)}:${line}: unknown key "${key}"${hint}`);
  }
  return parsed as AppFile;
}

function shown(file: string): string {
  return shownName(treeName(file));
}

function checkOption(name: string, value: unknown, from: OptionOrigin, file?: string): void {
  const at = (): string => {
    if (file === undefined) return from === "command line" ? "--set: " : "";
    const text = readFileSync(file, "utf8");
    return `${shown(file)}:${lineOf(text, Math.max(0, text.indexOf(`"${name}"`)))}: `;
  };
  if (!Object.hasOwn(OPTIONS, name)) {
    const hint = nearest(name, Object.keys(OPTIONS)) || "; 'as-tcpip options' lists them";
    throw new UserError(`${at()}unknown build option ${name}${hint}`);
  }
  if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > 0xffff_ffff) {
    throw new UserError(`${at()}build option ${name} must be a whole number, 0 or more`);
  }
  const fault = optionFault(name as OptionName, value as number);
  if (fault !== undefined) throw new UserError(`${at()}build option ${name} ${fault}`);
}

/** `; did you mean X?` when a name is nearly one of those that exist. */
export function nearest(name: string, names: readonly string[]): string {
  const limit = Math.max(2, Math.floor(name.length / 3));
  const best = names
    .map((other) => ({ other, steps: distance(name.toUpperCase(), other.toUpperCase()) }))
    .sort((a, b) => a.steps - b.steps)[0];
  return best && best.steps <= limit ? `; did you mean ${best.other}?` : "";
}

/** Levenshtein's distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_unused, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
