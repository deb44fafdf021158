import { existsSync, realpathSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * The package's own folder (where `package.json` is). Compiled files lie three folders below it: build/js/host-tools in a
 * clone, build/package/host-tools in an installed package.
 */
export const packageRoot = resolve(dirname(fileURLToPath(import.meta.url)), "../../..");

/** True in a clone of the repository, false in an installed package, which must not write to itself. */
export const isClone = existsSync(join(packageRoot, "tsconfig.host.json"));

/** The nearest folder from `from` upwards that has a `package.json`. */
function nearestPackage(from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, "package.json"))) return folder;
    if (dirname(folder) === folder) return undefined;
  }
}

let found: string | undefined;

/**
 * The user's project: the nearest folder with a `package.json` from the current directory upwards; where there is none,
 * the clone that the tools run from, else the current directory. Boards of the project are looked for here, and all that
 * the tools write goes to its folder `build`.
 */
export function projectRoot(): string {
  const here = realpathSync(process.cwd());
  found ??= nearestPackage(here) ?? (isClone ? packageRoot : here);
  return found;
}

/** How the user types a command of these tools with options: in the clone by its scripts, in a project by npx. */
export function typed(command: string, options: string): string {
  const inClone = isClone && projectRoot() === packageRoot;
  return inClone ? `npm run ${command} -- ${options}` : `npx as-tcpip ${command} ${options}`;
}

/** A folder below the project's `build`. */
export function buildFolder(...parts: string[]): string {
  return join(projectRoot(), "build", ...parts);
}
