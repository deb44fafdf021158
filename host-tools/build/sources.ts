import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, realpathSync, statSync } from "node:fs";
import systemPath, { dirname, join, posix, relative, sep } from "node:path";
import { UserError } from "../errors.js";
import { decodeText } from "../project/read-file.js";
import { packageRoot, projectRoot } from "../root.js";
import { DEVICE_NAMES, deviceName, isDeviceSource } from "./names.js";
import { mask } from "./scan.js";
import { isSpelledSo, nameInside, outsideName, outsidePath } from "./tree-names.js";

/**
 * Before the name of a driver's file: the driver once more, for a second chip. Its state is that of a module, and a module of another
 * name is another one, with buffers and variables of its own.
 */
export const SECOND = "second/";

/**
 * The files that the compiler sees, under names of our own, because it knows only one tree: the package's are `stack/…`,
 * `hal/…` and so on, the project's are `project/…`, all others `outside/` and the absolute path. Imports are rewritten from
 * what a person wrote to these names, so a file may lie anywhere.
 */
export class SourceTree {
  /** Hash of each file that was read, by name. */
  readonly read = new Map<string, string>();
  /** What an import has led to, by folder and specifier: the same few modules are imported by all. */
  private readonly found = new Map<string, string | undefined>();
  /** Names in a folder, as long as this compilation lasts. */
  private readonly listed = new Map<string, readonly string[]>();

  /**
   * `bound`: what stands behind the names "board", "nic", …, as names of this tree without `.ts`. `instead`: texts that the
   * compiler sees in place of what a file holds, by the file's name.
   */
  constructor(
    private readonly bound: Readonly<Record<string, string>>,
    private readonly instead: Readonly<Record<string, string>> = {},
  ) {}

  /** The text of a file, its imports resolved; null when there is no such file. */
  text(name: string): string | null {
    const path = realPath(name);
    if (path === undefined || !isFile(path)) return null;
    const bytes = readFileSync(path);
    this.read.set(name, digest(bytes));
    const other = this.instead[name];
    if (other !== undefined) return other;
    const { code, bare } = mask(decodeText(bytes));
    let out = "";
    let from = 0;
    for (const match of bare.matchAll(IMPORT)) {
      const at = match.index + match[0].length;
      const end = bare.indexOf(bare[at - 1] as string, at);
      if (end < 0) break;
      const target = this.resolve(code.slice(at, end), name, () => lineOf(code, at));
      out += code.slice(from, at) + target;
      from = end;
    }
    return out + code.slice(from);
  }

  private resolve(specifier: string, name: string, line: () => number): string {
    const folder = posix.dirname(name);
    const target = this.find(specifier, name, line);
    if (target === undefined) {
      throw new UserError(`${shownName(name)}:${line()}: ${notFound(specifier)}`);
    }
    const path = posix.relative(folder, target);
    return path.startsWith(".") ? path : `./${path}`;
  }

  private find(specifier: string, name: string, line: () => number): string | undefined {
    if (specifier.startsWith(".")) {
      const found = this.findByPath(specifier, name, line);
      return name.startsWith(SECOND) && found?.startsWith("drivers/") ? SECOND + found : found;
    }
    const second = name.startsWith(SECOND) ? this.bound[SECOND + specifier] : undefined;
    const inside = second ?? this.bound[specifier] ?? deviceName(specifier);
    if (inside?.startsWith(`${SECOND}drivers/`)) return inside;
    if (inside !== undefined) return moduleFile(realPath(inside) as string);
    return fromNodeModules(specifier, dirname(realPath(name) as string));
  }

  private findByPath(specifier: string, name: string, line: () => number): string | undefined {
    const folder = dirname(realPath(name) as string);
    const key = `${folder}\0${specifier}`;
    if (this.found.has(key)) return this.found.get(key);
    // With links, a file is what it is, not where it was reached.
    const path = join(folder, specifier);
    refuseOther(path, () => `${shownName(name)}:${line()}`);
    const module = moduleFile(path);
    const found = module !== undefined && this.isSpelled(folder, specifier) ? module : undefined;
    this.found.set(key, found);
    return found;
  }

  /** True when an import by relative path has the very letters of the file that it has found. */
  private isSpelled(folder: string, specifier: string): boolean {
    const way = isFile(`${join(folder, specifier)}.ts`) ? `${specifier}.ts` : specifier;
    return isSpelledSo(folder, way, (at) => this.names(at), systemPath);
  }

  private names(folder: string): readonly string[] {
    const known = this.listed.get(folder) ?? readdirSync(folder);
    this.listed.set(folder, known);
    return known;
  }
}

/** `from "…"` and `import "…"`, up to the opening quote; comments and the insides of strings are blank. */
const IMPORT = /(?:\bfrom|\bimport)\s*["']/g;

function notFound(specifier: string): string {
  if (specifier.startsWith(".")) return `there is no file '${specifier}.ts'`;
  const names = Object.keys(DEVICE_NAMES).join(", ");
  return `no module '${specifier}' for device code; there are ${names}, and files by relative path`;
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

/** The module `path` names: `path.ts`, or `path/index.ts`. */
function moduleFile(path: string): string | undefined {
  const file = [`${path}.ts`, join(path, "index.ts")].find(isFile);
  return file === undefined ? undefined : treeName(file).replace(/\.ts$/, "");
}

/**
 * Refuses a file of the stack, HAL or drivers that belongs to another copy of this package: firmware has one of each, and its boards and
 * options are of ours.
 */
function refuseOther(path: string, place: () => string): void {
  const [, root] = /^(.+)[\\/](?:stack|hal|drivers)[\\/]/.exec(path) ?? [];
  if (root === undefined || !isOther(root)) return;
  throw new UserError(
    `${place()}: this is a file of another as-tcpip (${root}), run it with the tools that are there; an application of your own imports "as-tcpip/net" and so on`,
  );
}

/** True for the folder of a copy of this package that is not the one that runs. */
function isOther(root: string): boolean {
  if (root === packageRoot) return false;
  if (!existsSync(join(root, "stack/options.ts")) || !existsSync(join(root, "package.json")))
    return false;
  return realpathSync(root) !== realpathSync(packageRoot);
}

/** AssemblyScript sources of an npm package: `name/file`, or its index. */
function fromNodeModules(specifier: string, from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const path = join(folder, "node_modules", specifier);
    const found = moduleFile(path) ?? moduleFile(join(path, "assembly", "index"));
    if (found !== undefined) return found;
    if (dirname(folder) === folder) return undefined;
  }
}

/** The name in the tree of a file or folder on the disk. */
export function treeName(file: string): string {
  const real = existsSync(file) ? realpathSync(file) : file;
  const own = nameInside(realpathSync(packageRoot), real, systemPath);
  if (own !== undefined && isDeviceSource(own)) return own;
  const users = nameInside(projectRoot(), real, systemPath);
  return users === undefined ? outsideName(real, systemPath) : posix.join("project", users);
}

/** The place on the disk of a name in the tree; undefined for names that are in no part of it. */
export function realPath(name: string): string | undefined {
  if (name.startsWith(SECOND)) return realPath(name.slice(SECOND.length));
  if (isDeviceSource(name)) return join(packageRoot, name);
  if (name.startsWith("project/")) return join(projectRoot(), name.slice("project/".length));
  return outsidePath(name, systemPath);
}

/** A name of the tree as a person knows the file: relative to the current directory where that is shorter. */
export function shownName(name: string): string {
  const path = realPath(name);
  if (path === undefined) return name;
  const near = relative(process.cwd(), path);
  return near.length < path.length ? near.split(sep).join("/") : path;
}

/** Number of the line, from 1, that `at` is in. */
export function lineOf(text: string, at: number): number {
  return text.slice(0, at).split("\n").length;
}

function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** The hash of a file as it is now; undefined when it is gone. */
export function currentDigest(name: string): string | undefined {
  const path = realPath(name);
  return path !== undefined && isFile(path) ? digest(readFileSync(path)) : undefined;
}
