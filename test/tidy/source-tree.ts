/** The device sources as a graph: files, what each imports, and what each exports. Read as text, no compiler involved. */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { packageRoot } from "../../host-tools/root.js";

export interface Source {
  /** Path from the package's root, with slashes. */
  path: string;
  text: string;
  /** Files of the tree that it imports, by path, and the names it takes from each. */
  imports: { path: string; names: string[] }[];
  /** Names bound when a firmware is compiled: "board", "nic", "nic2", "mcu", "cpu", "hardware", "wire". */
  bound: string[];
}

const BOUND = new Set(["board", "nic", "nic2", "mcu", "cpu", "hardware", "wire", "options"]);

function walk(folder: string): string[] {
  return readdirSync(join(packageRoot, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return walk(path);
    return path.endsWith(".ts") && !path.endsWith(".d.ts") ? [path] : [];
  });
}

/** File that an import of `from` in `path` means; undefined for a name that is not a file of the tree. */
function target(path: string, from: string): string | undefined {
  const own = from.startsWith("as-tcpip/") ? from.slice("as-tcpip/".length) : undefined;
  if (own === undefined && !from.startsWith(".")) return undefined;
  const base = own ?? posix.normalize(posix.join(dirname(path), from));
  const file = [`${base}.ts`, `${base}/index.ts`].find((name) =>
    existsSync(join(packageRoot, name)),
  );
  return file;
}

function parse(path: string): Source {
  const text = readFileSync(join(packageRoot, path), "utf8");
  const source: Source = { path, text, imports: [], bound: [] };
  for (const found of text.matchAll(/(?:import|export)\s*(?:\{([^}]*)\}|\*)\s*from\s*"([^"]+)"/g)) {
    const from = found[2] as string;
    if (BOUND.has(from)) source.bound.push(from);
    const file = target(path, from);
    if (file === undefined) continue;
    const names = (found[1] ?? "")
      .split(",")
      .map((name) => (name.trim().split(/\s+as\s+/)[0] as string).replace(/^type\s+/, ""))
      .filter((name) => name !== "");
    source.imports.push({ path: file, names });
  }
  return source;
}

/** All TypeScript files below these folders. */
export function sources(...folders: string[]): Source[] {
  return folders.flatMap(walk).map(parse);
}

/** Groups of files that import each other in a circle (strongly connected, more than one file). */
export function circles(files: Source[]): string[][] {
  const index = new Map(files.map((file, i) => [file.path, i]));
  const edges = files.map((file) =>
    file.imports.flatMap(({ path }) => (index.has(path) ? [index.get(path) as number] : [])),
  );
  const reach = (from: number): Set<number> => {
    const seen = new Set<number>();
    const todo = [...(edges[from] as number[])];
    for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
      if (seen.has(next)) continue;
      seen.add(next);
      todo.push(...(edges[next] as number[]));
    }
    return seen;
  };
  const reached = files.map((_, i) => reach(i));
  const told = new Set<number>();
  const found: string[][] = [];
  files.forEach((_, i) => {
    if (told.has(i) || !reached[i]?.has(i)) return;
    const group = files.flatMap((__, j) => (reached[i]?.has(j) && reached[j]?.has(i) ? [j] : []));
    group.forEach((j) => told.add(j));
    found.push(group.map((j) => files[j]?.path as string));
  });
  return found;
}
