import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Options } from "../../../stack/options.js";
import { UserError } from "../../errors.js";
import { readElf } from "../../flash/image/elf.js";
import { writeHex } from "../../flash/image/hex.js";
import { flatten, segmentEnd, type Segment } from "../../flash/image/segments.js";
import { writeUf2 } from "../../flash/image/uf2.js";
import { buildFolder } from "../../root.js";
import { appFileName, shortHash } from "../apps.js";
import { loadBoard, type Board } from "../boards.js";
import { inScratch } from "../scratch.js";
import { compileFirmware, type Firmware } from "../compile.js";
import { signBoot2 } from "./boot2.js";
import { readElfTables } from "./elf.js";
import { C_FOLDER, linkImage } from "./link.js";
import { checkBudgets, measure, type SizeReport } from "./size.js";
import { stackDepth } from "./stack-depth.js";
import { targetOf, type Output, type Target } from "./target.js";
import { wasmToC } from "./wasm2c.js";
import { writeFile } from "../../project/write-file.js";

/** What to build. */
export interface BuildRequest {
  board: string;
  /** Application: a folder of firmware, or the path of a folder with a `main.ts`. */
  app: string;
  options?: Partial<Options>;
  /** Unoptimised C with debugging information. */
  debug?: boolean;
  /** `qemu`: the image for QEMU, which keeps its files apart (compile.ts). */
  variant?: "qemu";
  /** Called with a word about each longer step. */
  onStep?: (what: string) => void;
}

/** A built image. */
export interface BuiltImage {
  board: Board;
  app: string;
  /** Path without extension: beside it lie `.elf`, `.messages.json`, `.size.json` and the target's outputs. */
  path: string;
  /** Extensions of the image files, `elf` first. */
  files: ("elf" | Output)[];
  messages: string[];
  size: SizeReport;
}

/** Where a build puts its files: path without extension. Each board, application and set of options has its own. */
export function imagePath(
  board: string,
  app: string,
  debug = false,
  variant?: "qemu",
  options: Partial<Options> = {},
): string {
  const suffix = (variant ? `-${variant}` : "") + (debug ? "-debug" : "") + optionsSuffix(options);
  return buildFolder("images", board, appFileName(app) + suffix);
}

/** Longest list of options that a file name spells out. */
const SUFFIX_CHARACTERS = 40;

function optionsSuffix(options: Partial<Options>): string {
  const list = Object.entries(options).sort(([a], [b]) => (a < b ? -1 : 1));
  const text = list.map(([name, value]) => `-${name}-${value}`.toLowerCase()).join("");
  return text.length > SUFFIX_CHARACTERS ? `-${shortHash(text)}` : text;
}

/** File that names the image of an application that was built last for a board. */
function latestFile(board: string, app: string): string {
  return `${imagePath(board, app)}.latest`;
}

/** The image of an application that was built last for a board: path without extension. */
export function latestImage(board: string, app: string): string | undefined {
  const file = latestFile(board, app);
  return existsSync(file) ? join(dirname(file), readFileSync(file, "utf8")) : undefined;
}

/** Builds under way in this process: who asks for the same image meanwhile, waits for the same build. */
const underWay = new Map<string, Promise<BuiltImage>>();

/**
 * Builds the image of an application for a board: compiles to WebAssembly, translates to C, links, measures. The same
 * sources give the same bytes. An image that is already there is taken when nothing it is made from has changed.
 *
 * @throws UserError when the sources do not compile, a tool is missing, or the image is over the board's budget.
 */
export function buildImage(request: BuildRequest): Promise<BuiltImage> {
  const key = JSON.stringify(request);
  let build = underWay.get(key);
  if (!build) {
    build = makeImage(request).finally(() => underWay.delete(key));
    underWay.set(key, build);
  }
  return build;
}

async function makeImage(request: BuildRequest): Promise<BuiltImage> {
  const board = loadBoard(request.board);
  const target = targetOf(board);
  const debug = request.debug ?? false;
  const linearOrigin = target.ram.origin + target.stackBytes;
  const path = imagePath(request.board, request.app, debug, request.variant, request.options);
  request.onStep?.("compiling to WebAssembly");
  const firmware = await compileFirmware({
    board: request.board,
    app: request.app,
    ...(request.options ? { options: request.options } : {}),
    ...(request.variant ? { variant: request.variant } : {}),
    memoryBase: linearOrigin,
  });
  const { length } = firmware.blob;
  if (length > target.flash.bytes) {
    throw new UserError(
      `texts and files of assets/ have ${length} bytes, the flash of ${board.name} has ${target.flash.bytes}`,
    );
  }
  const files: ("elf" | Output)[] = ["elf", ...target.outputs];
  const key = imageKey(firmware, target, debug);
  const stamp = `${path}.key`;
  const image = { board, app: request.app, path, files, messages: firmware.messages };
  const made = [...files, "messages.json", "size.json"];
  const complete = made.every((extension) => existsSync(`${path}.${extension}`));
  if (complete && existsSync(stamp) && readFileSync(stamp, "utf8") === key) {
    const size = JSON.parse(readFileSync(`${path}.size.json`, "utf8")) as SizeReport;
    noteLatest(request, path);
    return { ...image, size };
  }
  request.onStep?.("translating to C and linking");
  makeFolder(dirname(path));
  return inScratch(`${path}.work-`, async (folder) => {
    const size = await makeFiles(folder, firmware, target, { linearOrigin, debug });
    // Before anything is put in its place: what does not fit shall not be there to be flashed.
    checkBudgets(size);
    rmSync(stamp, { force: true });
    for (const extension of made) {
      renameSync(join(folder, `image.${extension}`), `${path}.${extension}`);
    }
    writeFile(stamp, key);
    noteLatest(request, path);
    return { ...image, size };
  });
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UserError(`cannot make the folder ${folder} (${code}); images are written there`);
  }
}

function noteLatest(request: BuildRequest, path: string): void {
  if (request.variant) return;
  const file = latestFile(request.board, request.app);
  const name = basename(path);
  if (!existsSync(file) || readFileSync(file, "utf8") !== name) writeFile(file, name);
}

async function makeFiles(
  folder: string,
  firmware: Firmware,
  target: Target,
  how: { linearOrigin: number; debug: boolean },
): Promise<SizeReport> {
  writeFile(join(folder, "app.wasm"), firmware.wasm);
  writeFile(join(folder, "blob.bin"), firmware.blob);
  await wasmToC(folder, "app");
  const linearBytes = Math.max(0, firmware.staticEnd - how.linearOrigin);
  await linkImage({ folder, target, linearBytes, ...how });
  const file = join(folder, "image.elf");
  const elf = readFileSync(file);
  const tables = readElfTables(elf);
  signBoot2(elf, tables);
  writeFile(file, elf);
  const { segments } = readElf(elf);
  writeOutputs(folder, segments, target);
  writeFile(join(folder, "image.messages.json"), `${JSON.stringify(firmware.messages, null, 1)}\n`);
  const graphs = readdirSync(folder).filter((name) => name.endsWith(".ci"));
  const stack = stackDepth(graphs.map((name) => readFileSync(join(folder, name), "utf8")));
  const size = measure({ firmware, target, tables, segments, stack });
  writeFile(join(folder, "image.size.json"), `${JSON.stringify(size, null, 1)}\n`);
  return size;
}

function writeOutputs(folder: string, segments: Segment[], target: Target): void {
  const end = Math.max(...segments.map(segmentEnd));
  for (const output of target.outputs) {
    const file = join(folder, `image.${output}`);
    if (output === "bin") writeFile(file, flatten(segments, target.flash.origin, end));
    else if (output === "hex") writeFile(file, writeHex(segments));
    else writeFile(file, writeUf2(segments));
  }
}

function imageKey(firmware: Firmware, target: Target, debug: boolean): string {
  const hash = createHash("sha256");
  hash.update(firmware.wasm).update(firmware.blob);
  hash.update(JSON.stringify([firmware.messages, firmware.statics, target, debug]));
  for (const folder of [C_FOLDER, dirname(fileURLToPath(import.meta.url))]) {
    for (const name of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (name.isFile()) hash.update(readFileSync(join(name.parentPath, name.name)));
    }
  }
  return hash.digest("hex");
}
