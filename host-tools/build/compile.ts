import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, posix, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { OPTIONS, type OptionName, type Options } from "../../stack/options.js";
import { UserError } from "../errors.js";
import { packageRoot } from "../root.js";
import { loadBoard, type Board } from "./boards.js";
import { buildBlob, scanAssets, type TextTable } from "./blob.js";
import { LiteralTable } from "./literals.js";
import { StaticMemory, type StaticBuffer } from "./static-memory.js";

/** What to compile. */
export interface CompileRequest {
  /** Board name: a folder of hal/boards. */
  board: string;
  /** Application: a folder of firmware, or the path of a folder with a `main.ts`. */
  app: string;
  /** Overrides of `stack/options.ts`, strongest of all. */
  options?: Partial<Options>;
  /** Names kept and assertions with messages. */
  debug?: boolean;
  /** Identity-mapped image for a device: the RAM address at which static data begins. */
  memoryBase?: number;
  /** `qemu`: the package "board" is `hal/stm32/qemu.ts` around the board's own, for an image that QEMU runs. */
  variant?: "qemu";
  /** Bytes that nobody owns behind each static buffer (the guarded native build). */
  guardBytes?: number;
}

/** A compiled firmware and what the host must know about it. */
export interface Firmware {
  board: Board;
  app: string;
  wasm: Uint8Array;
  /** Log messages by id. */
  messages: string[];
  /** Read-only data that lies in flash on a device: texts, then the asset table (layout: docs/architecture.md). */
  blob: Uint8Array;
  options: Options;
  /** Static RAM by owner, in order of address, and where all of it ends. */
  statics: StaticBuffer[];
  staticEnd: number;
}

/** Folder of an application: a name under firmware/ or a path. */
export function appFolder(app: string): string {
  const named = join(packageRoot, "firmware", app);
  if (/^[a-z0-9-]+$/.test(app) && existsSync(join(named, "main.ts"))) return named;
  const path = resolve(app);
  if (existsSync(join(path, "main.ts"))) return path;
  throw new UserError(
    `unknown application '${app}'; there are: ${listApps().join(", ")} (or give a folder with a main.ts)`,
  );
}

/** Applications that come with the package: folders of firmware/ with a `main.ts` and a readable purpose. */
export function listApps(): string[] {
  return readdirSync(join(packageRoot, "firmware"), { withFileTypes: true })
    .filter((e) => e.isDirectory() && isProgram(join(packageRoot, "firmware", e.name)))
    .map((e) => e.name)
    .sort();
}

/** True when the folder's `main.ts` exports `main()`; the hosted stack, for one, is a library for the host. */
function isProgram(folder: string): boolean {
  const file = join(folder, "main.ts");
  return existsSync(file) && /^export function main\(/m.test(readFileSync(file, "utf8"));
}

/** Refuses an application that is not there or has no `main()` to run. */
export function requireProgram(app: string): void {
  if (isProgram(appFolder(app))) return;
  throw new UserError(
    `the application '${app}' has no exported main(); there are: ${listApps().join(", ")}`,
  );
}

/** The options in force for a board and an application: defaults, then the application's, the board's, the caller's. */
export function resolveOptions(
  board: Board,
  folder: string,
  overrides: Partial<Options> = {},
): Options {
  const file = join(folder, "app.json");
  const app = existsSync(file)
    ? (JSON.parse(readFileSync(file, "utf8")) as { options?: Partial<Options> })
    : {};
  const merged: Options = { ...OPTIONS, ...app.options, ...board.options, ...overrides };
  for (const [name, value] of Object.entries(merged)) {
    if (!(name in OPTIONS))
      throw new UserError(`unknown build option ${name}; stack/options.ts lists them`);
    if (!Number.isInteger(value) || value < 0)
      throw new UserError(`build option ${name} must be a whole number, 0 or more`);
  }
  return merged;
}

function hashTree(hash: ReturnType<typeof createHash>, folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) =>
    a.name < b.name ? -1 : 1,
  )) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) hashTree(hash, path);
    else
      hash.update(relative(packageRoot, path)).update("\0").update(readFileSync(path)).update("\0");
  }
}

const cacheFolder = join(packageRoot, "build", "cache");

/** Writes a file that another process may be reading: it is there whole or not at all. */
function writeWhole(path: string, data: Uint8Array | string): void {
  const part = `${path}.${process.pid}`;
  writeFileSync(part, data);
  renameSync(part, path);
}

function cacheKey(request: CompileRequest, folder: string, options: Options): string {
  const hash = createHash("sha256");
  for (const top of ["hal", "drivers", "stack", "firmware"]) hashTree(hash, join(packageRoot, top));
  if (!folder.startsWith(join(packageRoot, "firmware"))) hashTree(hash, folder);
  hashTree(hash, dirname(fileURLToPath(import.meta.url)));
  hash.update(
    JSON.stringify([
      request.board,
      folder,
      options,
      request.debug ?? false,
      request.memoryBase ?? 0,
      request.guardBytes ?? 0,
      request.variant ?? "",
    ]),
  );
  return hash.digest("hex").slice(0, 32);
}

/** Compiles an application for a board to WebAssembly; the result is cached under build/ by the hash of all sources. */
export async function compileFirmware(request: CompileRequest): Promise<Firmware> {
  const board = loadBoard(request.board);
  const folder = appFolder(request.app);
  const options = resolveOptions(board, folder, request.options);
  const key = cacheKey(request, folder, options);
  const cached = join(cacheFolder, key);
  if (existsSync(`${cached}.json`)) {
    const meta = JSON.parse(readFileSync(`${cached}.json`, "utf8")) as {
      messages: string[];
      statics: StaticBuffer[];
      staticEnd: number;
    };
    return {
      board,
      app: request.app,
      wasm: readFileSync(`${cached}.wasm`),
      blob: readFileSync(`${cached}.blob`),
      messages: meta.messages,
      options,
      statics: meta.statics,
      staticEnd: meta.staticEnd,
    };
  }
  const literals = new LiteralTable({
    board: board.name,
    chip: board.chip.toUpperCase(),
    app: request.app.split(/[\\/]/).pop() ?? "",
  });
  const statics = new StaticMemory(request.guardBytes);
  const wasm = await runAsc(request, board, folder, options, literals, statics);
  const blob = buildBlob(literals.texts as TextTable, scanAssets(join(folder, "assets")));
  mkdirSync(cacheFolder, { recursive: true });
  writeWhole(`${cached}.wasm`, wasm);
  writeWhole(`${cached}.blob`, blob);
  const facts = { messages: literals.messages, statics: statics.buffers, staticEnd: statics.end };
  writeWhole(`${cached}.json`, JSON.stringify(facts));
  return { board, app: request.app, wasm, blob, options, ...facts };
}

/** The names that device code imports without knowing what stands behind them, and where each board has them. */
function bindings(board: Board, mirror: boolean, qemu: boolean): Record<string, string> {
  const wire = `drivers/${board.nic}/nic`;
  const hardware = `hal/boards/${board.name}/index`;
  return {
    board: qemu ? "hal/stm32/qemu" : hardware,
    hardware,
    nic: mirror ? "drivers/mirror/nic" : wire,
    wire,
    cpu: `hal/cpu/${board.cpu}`,
  };
}

async function runAsc(
  request: CompileRequest,
  board: Board,
  folder: string,
  options: Options,
  literals: LiteralTable,
  statics: StaticMemory,
): Promise<Uint8Array> {
  const asc = await import("assemblyscript/asc");
  const bound = bindings(board, options.MIRROR_BYTES > 0, request.variant === "qemu");
  let binary: Uint8Array | null = null;
  const messages: string[] = [];
  const readFile = (name: string, baseDir: string): string | null => {
    const path = resolve(baseDir, name);
    if (!existsSync(path)) return null;
    const from = posix.dirname(relative(packageRoot, path).replaceAll("\\", "/"));
    const text = readFileSync(path, "utf8").replace(
      /(from\s+["'])(board|hardware|nic|wire|cpu)(["'])/g,
      (_all, a: string, b: string, c: string) => {
        const target = posix.relative(from, bound[b] as string);
        return a + (target.startsWith(".") ? target : `./${target}`) + c;
      },
    );
    return statics.rewrite(
      literals.rewrite(
        text.replace(/(from\s+["']as-tcpip)\/([^"']+["'])/g, (_all, a: string, b: string) => {
          const target = posix.relative(from, b.slice(0, -1));
          return (
            a.replace("as-tcpip", target.startsWith(".") ? target : `./${target}`) + b.slice(-1)
          );
        }),
      ),
      relative(packageRoot, path),
    );
  };
  const main = relative(packageRoot, join(folder, "main.ts"));
  // Images for a size: binaryen's -O3 copies small functions into every caller, 12 % of the demo's flash on a Cortex-M3.
  const optimize = request.memoryBase ? "-Oz" : "-O3";
  const args = [
    main,
    "--outFile",
    "out.wasm",
    "--runtime",
    "stub",
    optimize,
    "--use",
    "abort=",
    "--uncheckedBehavior",
    "always",
  ];
  // Names cost nothing on a device, and size tables need them.
  if (request.debug || request.memoryBase) args.push("--debug");
  if (request.memoryBase) {
    // asc ignores a hexadecimal base without a word, so it is always decimal.
    args.push("--memoryBase", String(request.memoryBase));
    // The C that wasm2c writes forgets the alignment of an access: whatever is not aligned by nature (a constant
    // memory.copy of four bytes, for one) becomes accesses that are.
    args.push("--runPasses", "alignment-lowering");
  }
  for (const name of Object.keys(OPTIONS) as OptionName[])
    args.push("--use", `OPT_${name}=${options[name]}`);
  args.push("--baseDir", packageRoot);
  const { error } = await asc.main(args, {
    readFile,
    transforms: [statics.transform()] as never[],
    writeFile: (_name: string, contents: string | Uint8Array) => {
      if (typeof contents !== "string") binary = contents;
    },
    listFiles: () => [],
    stderr: { write: (chunk: string | Uint8Array) => void messages.push(String(chunk)) },
    stdout: { write: () => undefined },
  });
  if (error || binary === null) {
    throw new UserError(
      `the firmware '${request.app}' does not compile:\n${messages.join("").trim() || String(error)}`,
    );
  }
  await refuseAllocation(binary, request.app);
  return binary;
}

/** Device code must not allocate: with the stub runtime any allocation pulls in `memory.grow`. */
async function refuseAllocation(wasm: Uint8Array, app: string): Promise<void> {
  const wabt = await (await import("wabt")).default();
  const module = wabt.readWasm(wasm, { readDebugNames: false });
  const wat = module.toText({ foldExprs: false, inlineExport: false });
  module.destroy();
  if (/\bmemory\.grow\b/.test(wat)) {
    throw new UserError(
      `the firmware '${app}' allocates memory at run time (its code contains memory.grow): look for 'new', string or array expressions`,
    );
  }
}
