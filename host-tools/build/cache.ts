import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildFolder, isClone, packageRoot } from "../root.js";
import { currentDigest } from "./sources.js";
import type { StaticBuffer } from "./static-memory.js";

/** What a compilation gives, beside the module. */
export interface CompiledFacts {
  messages: string[];
  /** Texts of the blob: bytes (each a character) and their offset. */
  texts: [bytes: string, at: number][];
  statics: StaticBuffer[];
  staticEnd: number;
}

export interface Compiled extends CompiledFacts {
  wasm: Uint8Array;
  /** Source map of the module, where one was wanted. */
  sourceMap: string | undefined;
}

/** What the package brings along: the gateway of all simulations, which no application changes. */
export const PREBUILT = join(packageRoot, "build", "package", "prebuilt");

/**
 * Results of the compiler, by what it has really read: for each request the list of files of the last run is kept, and the
 * result is stored under the hash of request and files. What the same request gave of earlier files goes then, so that the folder
 * grows with what is built, not with how often. Where nothing can be written (a read-only disk) nothing is kept.
 */
export class CompileCache {
  /** Stands for the request, whatever the files are. */
  readonly key: string;

  constructor(
    private readonly request: unknown,
    private readonly folder = buildFolder("cache"),
  ) {
    const hash = createHash("sha256").update(toolDigest()).update(JSON.stringify(request));
    this.key = hash.digest("hex").slice(0, 32);
  }

  private get listFile(): string {
    return join(this.folder, `${this.key}.files.json`);
  }

  /** Names of the files that the last run has read, and what it gave. Throws where there is no such list. */
  private list(): { names: string[]; entry: string } {
    return JSON.parse(readFileSync(this.listFile, "utf8")) as { names: string[]; entry: string };
  }

  /** What the request gave last, if it is known. */
  private previous(): string | undefined {
    try {
      return this.list().entry;
    } catch {
      return undefined;
    }
  }

  find(): Compiled | undefined {
    const found = this.read();
    if (found || isClone) return found;
    return new CompileCache(this.request, PREBUILT).read();
  }

  private read(): Compiled | undefined {
    try {
      const path = this.entry(this.list().names.map((name) => [name, currentDigest(name) ?? ""]));
      const facts = JSON.parse(readFileSync(`${path}.json`, "utf8")) as CompiledFacts;
      const map = `${path}.map`;
      return {
        ...facts,
        wasm: readFileSync(`${path}.wasm`),
        sourceMap: existsSync(map) ? readFileSync(map, "utf8") : undefined,
      };
    } catch {
      // Nothing there, or what is there is of no use.
      return undefined;
    }
  }

  store(read: ReadonlyMap<string, string>, compiled: Compiled): void {
    const { wasm, sourceMap, ...facts } = compiled;
    const files = [...read].sort(([a], [b]) => (a < b ? -1 : 1));
    const path = this.entry(files);
    try {
      mkdirSync(this.folder, { recursive: true });
      writeWhole(`${path}.wasm`, wasm);
      if (sourceMap !== undefined) writeWhole(`${path}.map`, sourceMap);
      writeWhole(`${path}.json`, JSON.stringify(facts));
      const before = this.previous();
      const list = { names: files.map(([name]) => name), entry: basename(path) };
      writeWhole(this.listFile, JSON.stringify(list));
      if (before === undefined || before === list.entry) return;
      for (const end of [".wasm", ".map", ".json"])
        rmSync(join(this.folder, `${before}${end}`), { force: true });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (
        !["EACCES", "EPERM", "EBUSY", "EROFS", "ENOSPC", "EDQUOT", "ENOTDIR"].includes(code ?? "")
      )
        throw error;
    }
  }

  private entry(files: readonly (readonly [string, string])[]): string {
    const hash = createHash("sha256").update(this.key);
    for (const [name, digest] of files) hash.update(`${name}\0${digest}\0`);
    return join(this.folder, hash.digest("hex").slice(0, 32));
  }
}

let tools: string | undefined;

/** The build's own code and the compiler's version: both decide what comes out. */
function toolDigest(): string {
  if (tools !== undefined) return tools;
  const hash = createHash("sha256");
  const { version } = createRequire(import.meta.url)("assemblyscript/package.json") as {
    version: string;
  };
  hash.update(version);
  const folder = dirname(fileURLToPath(import.meta.url));
  for (const name of readdirSync(folder).sort()) {
    if (name.endsWith(".js")) hash.update(readFileSync(join(folder, name)));
  }
  return (tools = hash.digest("hex"));
}

/** Writes a file that another process may be reading: it is there whole or not at all. */
function writeWhole(path: string, data: Uint8Array | string): void {
  const part = `${path}.${process.pid}`;
  try {
    writeFileSync(part, data);
    renameSync(part, path);
  } catch (error) {
    // The disk is full, or, on Windows, somebody reads the file that was to be replaced.
    rmSync(part, { force: true });
    throw error;
  }
}
