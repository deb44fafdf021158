import { join } from "node:path";
import type { Options } from "../../stack/options.js";
import { appFolder, appTitle, resolveOptions } from "./apps.js";
import { isForDevice, runAsc, type Decided } from "./asc.js";
import { loadBoard, type Board } from "./boards.js";
import { buildBlob, scanAssets } from "./blob.js";
import { CompileCache, PREBUILT, type Compiled } from "./cache.js";
import { askQueue } from "./compile-queue.js";
import { isClone } from "../root.js";
import { treeName } from "./sources.js";
import type { StaticBuffer } from "./static-memory.js";

export { appFolder, listApps, requireProgram, resolveOptions } from "./apps.js";

/** What to compile. */
export interface CompileRequest {
  /** Board name: a folder of hal/boards, or of the project's boards. */
  board: string;
  /** Application: a folder of firmware, or the path of a folder with a `main.ts`. */
  app: string;
  /** Overrides of `stack/options.ts`, strongest of all. */
  options?: Partial<Options>;
  /** Identity-mapped image for a device: the RAM address at which static data begins. */
  memoryBase?: number;
  /** `qemu`: the package "board" is `hal/stm32/qemu.ts` around the board's own, for an image that QEMU runs. */
  variant?: "qemu";
  /** Compiled as fast as can be, and slower when it runs. An image for a device is never a draft. */
  draft?: boolean;
  /** The program can leave its `main` and come back, so that several run in one thread (host-tools/testing). */
  fiber?: boolean;
  /** Bytes that nobody owns behind each static buffer (the guarded native build). */
  guardBytes?: number;
  /** Files that stand in for the board, its driver and CPU primitives: names of the tree without extension (the bench). */
  bind?: { board?: string; nic?: string; nic2?: string; cpu?: string };
}

/** A compiled firmware and what the host must know about it. */
export interface Firmware {
  board: Board;
  app: string;
  wasm: Uint8Array;
  /** Source map of the module; absent in images for a device. */
  sourceMap?: string | undefined;
  /** Log messages by id. */
  messages: string[];
  /** Read-only data that lies in flash on a device: texts, then the asset table (layout: docs/architecture.md). */
  blob: Uint8Array;
  options: Options;
  /** Static RAM by owner, in order of address, and where all of it ends. */
  statics: StaticBuffer[];
  staticEnd: number;
}

/**
 * Set to 1 in a clone, what runs on this computer is compiled as a draft: a run of many tests spends a third of its time on
 * compiling. What an installed package compiles is what its user gets, also in tests.
 */
export const DRAFT_VARIABLE = "AS_TCPIP_DRAFT";

/** Compilations that are under way in this process: who asks for the same one waits for it. */
const running = new Map<string, Promise<Compiled>>();

function compileOnce(
  cache: CompileCache,
  request: CompileRequest,
  decided: Decided,
): Promise<Compiled> {
  const found = cache.find();
  if (found) return Promise.resolve(found);
  const compiling = askQueue(request)
    .then(() => cache.find())
    .then(async (theirs) => {
      if (theirs) return theirs;
      const { read, compiled } = await runAsc(request, decided);
      cache.store(read, compiled);
      return compiled;
    })
    .finally(() => running.delete(cache.key));
  running.set(cache.key, compiling);
  return compiling;
}

interface Prepared {
  decided: Decided;
  /** All that the result depends on beside the files that the compiler reads. */
  facts: object;
}

function prepare(request: CompileRequest): Prepared {
  const board = loadBoard(request.board);
  const folder = appFolder(request.app);
  const options = resolveOptions(board, folder, request.options);
  const { memoryBase = 0, guardBytes = 0, variant = "", bind = {} } = request;
  const { fiber = false, draft = false } = request;
  const facts = {
    // By its name in the tree, so that the cache may move with the project.
    board: { ...board, folder: treeName(board.folder) },
    folder: treeName(folder),
    title: appTitle(request.app),
    ...{ options, memoryBase, guardBytes, variant, bind, fiber, draft },
  };
  return { decided: { board, folder, options }, facts };
}

/** Compiles for the cache that the package brings along (host-tools/setup/prepack.mjs). */
export async function prebuild(request: CompileRequest): Promise<void> {
  const { decided, facts } = prepare(request);
  const { read, compiled } = await runAsc(request, decided);
  new CompileCache(facts, PREBUILT).store(read, { ...compiled, sourceMap: undefined });
}

/**
 * Compiles an application for a board to WebAssembly. The result is kept in the project's `build/cache` and taken from
 * there while no file that the compiler has read has changed; assets are read each time.
 *
 * @throws UserError with file and line when the sources are wrong.
 */
export async function compileFirmware(asked: CompileRequest): Promise<Firmware> {
  const wanted = asked.draft ?? (isClone && process.env[DRAFT_VARIABLE] === "1");
  const request = { ...asked, draft: wanted && !isForDevice(asked) };
  const { decided, facts } = prepare(request);
  const { board, folder, options } = decided;
  const cache = new CompileCache(facts);
  const compiled = await (running.get(cache.key) ?? compileOnce(cache, request, decided));
  const { wasm, sourceMap, messages, texts, statics, staticEnd } = compiled;
  const assets = scanAssets(join(folder, "assets"));
  const blob = buildBlob(new Map(texts), assets, options.ASSETS_PACKED !== 0);
  const { app } = request;
  return { board, app, wasm, sourceMap, blob, messages, options, statics, staticEnd };
}
