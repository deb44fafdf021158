/** Names of the compiler's one tree for paths on the disk. The rules of the system's paths are given: tests try those of Windows. */
import type { PlatformPath } from "node:path";

const OUTSIDE = "outside/";
/** In the place of a drive's letter: what follows is a share of another computer. */
const SHARE = "unc/";

/** The way from a folder to a path in it, with `/` between the names; undefined for what lies elsewhere, as on another drive. */
export function nameInside(
  folder: string,
  path: string,
  { relative, isAbsolute, sep }: PlatformPath,
): string | undefined {
  const way = relative(folder, path);
  const out = way === ".." || way.startsWith(`..${sep}`) || isAbsolute(way);
  return out ? undefined : way.split(sep).join("/");
}

/**
 * True when each name of a relative path stands so, letter for letter, in the folder that it is in: disks of Windows and macOS find A
 * for a, and a module would be there twice, with variables of its own each time. `names` gives what is in a folder.
 */
export function isSpelledSo(
  folder: string,
  way: string,
  names: (folder: string) => readonly string[],
  { join }: Pick<PlatformPath, "join">,
): boolean {
  let at = folder;
  for (const name of way.split("/")) {
    if (name !== "." && name !== ".." && !names(at).includes(name)) return false;
    at = join(at, name);
  }
  return true;
}

/** The name of an absolute path that is neither in the package nor in the project. */
export function outsideName(path: string, { sep }: Pick<PlatformPath, "sep">): string {
  const plain = path.split(sep).join("/");
  if (sep === "/") return OUTSIDE + plain.slice(1);
  if (plain.startsWith("//")) return OUTSIDE + SHARE + plain.slice(2);
  return OUTSIDE + plain.replace(/^([A-Za-z]):/, "$1");
}

/** The path behind such a name; undefined for another one. */
export function outsidePath(name: string, { sep }: Pick<PlatformPath, "sep">): string | undefined {
  if (!name.startsWith(OUTSIDE)) return undefined;
  const path = name.slice(OUTSIDE.length);
  if (sep === "/") return `/${path}`;
  if (path.startsWith(SHARE)) return `//${path.slice(SHARE.length)}`;
  return path.replace(/^([A-Za-z])\//, "$1:/");
}
