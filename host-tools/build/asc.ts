import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import type { Options } from "../../stack/options.js";
import { UserError } from "../errors.js";
import { appTitle } from "./apps.js";
import type { Board } from "./boards.js";
import type { Compiled } from "./cache.js";
import type { CompileRequest } from "./compile.js";
import { LiteralTable } from "./literals.js";
import {
  compilerErrors,
  diagnose,
  findAllocation,
  findRecursion,
  lineOfFunction,
  missingExports,
} from "./diagnose.js";
import { optionsModule } from "./option-values.js";
import { projectRoot } from "../root.js";
import { SECOND, SourceTree, realPath, shownName, treeName } from "./sources.js";
import { StaticMemory } from "./static-memory.js";

/** What was decided before the compiler is called. */
export interface Decided {
  board: Board;
  folder: string;
  options: Options;
}

/** The names that device code imports without knowing what stands behind them, and where each board has them. */
function bindings(board: Board, options: Options, qemu: boolean): Record<string, string> {
  const wire = driver(board.nic);
  const nic = options.MIRROR_BYTES > 0 ? "drivers/mirror/nic" : wire;
  if (options.INTERFACES > 1 && board.nic2 === undefined) {
    throw new UserError(
      `INTERFACES is ${options.INTERFACES}, but board.json of '${board.name}' names no second driver (nic2)`,
    );
  }
  const hardware = `${treeName(board.folder)}/index`;
  // The chip of the second driver has pins of its own.
  const own = existsSync(join(board.folder, "second.ts"));
  return {
    board: qemu ? "hal/stm32/qemu" : hardware,
    hardware,
    nic,
    nic2: options.INTERFACES > 1 ? `${SECOND}drivers/${board.nic2}/nic` : nic,
    wire,
    [`${SECOND}board`]: own ? `${treeName(board.folder)}/second` : hardware,
    mcu: `hal/${board.target}/mcu`,
    cpu: `hal/cpu/${board.cpu}`,
    options: "stack/options",
  };
}

/** A driver of the user's project, or of the package. */
function driver(name: string): string {
  const own = join(projectRoot(), "drivers", name);
  return `${existsSync(join(own, "nic.ts")) ? treeName(own) : `drivers/${name}`}/nic`;
}

/** Runs the compiler; gives the result and the files that it has read. */
export async function runAsc(
  request: CompileRequest,
  decided: Decided,
): Promise<{ compiled: Compiled; read: ReadonlyMap<string, string> }> {
  const asc = await import("assemblyscript/asc");
  const { board, options } = decided;
  const bound = bindings(board, options, request.variant === "qemu");
  const sources = new SourceTree(
    // With one interface the second name is the same driver, so that there is nothing of it.
    { ...bound, ...(request.bind?.nic ? { nic2: request.bind.nic } : {}), ...request.bind },
    { "stack/options.ts": optionsModule(options) },
  );
  const literals = new LiteralTable({
    board: board.name,
    chip: board.chip.toUpperCase(),
    app: appTitle(request.app),
  });
  const statics = new StaticMemory(request.guardBytes);
  let wasm: Uint8Array | undefined;
  let sourceMap: string | undefined;
  let refused: unknown;
  const messages: string[] = [];
  const readFile = (name: string): string | null => {
    try {
      const text = sources.text(name);
      if (text === null) return null;
      const file = displayName(name);
      diagnose(text, name, shownName(name));
      return statics.rewrite(literals.rewrite(text, shownName(name)), file);
    } catch (error) {
      // The compiler turns what is thrown here into a word of its own.
      refused ??= error;
      throw error;
    }
  };
  const { error } = await asc.main(ascArguments(request, decided), {
    readFile,
    transforms: [
      statics.transform(),
      ...(request.fiber ? [asyncifyTransform()] : []),
      ...(isForDevice(request) ? [textTransform(literals)] : []),
    ] as never[],
    writeFile: (name: string, contents: string | Uint8Array) => {
      if (typeof contents !== "string") wasm = contents;
      else if (name.endsWith(".map")) sourceMap = contents;
    },
    listFiles: () => [],
    stderr: { write: (chunk: string | Uint8Array) => void messages.push(String(chunk)) },
    stdout: { write: () => undefined },
  });
  if (refused) throw refused;
  if (error || wasm === undefined) {
    const output = messages.join("");
    throw new UserError(output ? compilerWords(output, bound) : String(error));
  }
  await inspect(wasm, request.app, [...sources.read.keys()]);
  const compiled = {
    wasm,
    sourceMap,
    messages: literals.messages,
    texts: [...literals.texts],
    statics: statics.buffers,
    staticEnd: statics.end,
  };
  return { compiled, read: sources.read };
}

/** What the compiler has to say, about the file that is wrong: an error in a file of the package is that of the driver or board it met. */
function compilerWords(output: string, bound: Record<string, string>): string {
  const isUsers = (name: string): boolean => /^(?:project|outside)\//.test(name);
  const missing = missingExports(output, isUsers, shownName);
  if (missing !== undefined) return missing;
  const words = compilerErrors(output, shownName);
  const own = [bound["wire"], bound["hardware"]].filter((name = "") => isUsers(name));
  const place = stripVTControlCharacters(output).match(/in ([^\n(]+)\(\d+,\d+\)/)?.[1] ?? "";
  if (own.length === 0 || isUsers(place.trim())) return words;
  const files = own.map((name) => shownName(`${name as string}.ts`)).join(" or ");
  return `${files} does not fit what the package calls: ${words}`;
}

/** Imports at which a fiber may leave the processor. */
const FIBER_IMPORTS = "hw.sleepUntil,hw.clockMs";

/** Tells binaryen's asyncify pass where a program may stop, so that all other code stays as it is. */
function asyncifyTransform(): new () => object {
  return class {
    declare binaryen: { setPassArgument(name: string, value: string): void };
    afterCompile(): void {
      this.binaryen.setPassArgument("asyncify-imports", FIBER_IMPORTS);
      this.binaryen.setPassArgument("asyncify-ignore-indirect", "");
    }
  };
}

/** Leaves out the texts of code that an option has left out: before the module is optimised, when the number of a text is still one constant. */
function textTransform(literals: LiteralTable): new () => object {
  return class {
    afterCompile(module: { emitText(): string }): void {
      literals.keepUsed(module.emitText());
    }
  };
}

/** The name under which a file owns memory and code: as in the package, or in the project. */
function displayName(name: string): string {
  return name.replace(/^project\//, "");
}

/**
 * All that a draft is optimised by: static data are zeros for the greater part, small functions go into their callers, and what an
 * option has left out is left out.
 */
const DRAFT_PASSES = [
  ...["memory-packing", "inlining", "precompute", "dce", "vacuum"],
  "remove-unused-module-elements",
];

/** True for an image that is flashed; false for what runs on this computer, the guarded native build too. */
export function isForDevice({ memoryBase = 0, guardBytes = 0 }: CompileRequest): boolean {
  return memoryBase > 0 && guardBytes === 0;
}

function ascArguments(request: CompileRequest, { folder, options }: Decided): string[] {
  const { draft = false } = request;
  // Images for a size: binaryen's -O3 copies small functions into every caller, 12 % of the demo's flash on a Cortex-M3.
  // What runs on this computer is optimised again by its own compiler: -O1 takes half of -O3's time and runs at most a quarter slower.
  const forDevice = isForDevice(request);
  // Hardly optimised, it takes two fifths: for `--watch`, where a person waits for the build, and for tests, whose programs are
  // many and live for seconds.
  const optimize = forDevice ? "-Oz" : draft ? "-O0" : "-O1";
  const args = [treeName(join(folder, "main.ts"))];
  args.push("--outFile", "out.wasm", "--runtime", "stub", optimize);
  args.push("--use", "abort=", "--uncheckedBehavior", "always");
  // CI=true or FORCE_COLOR=1 would put colours into the words that compilerErrors reads.
  args.push("--noColors");
  // Names and places cost nothing on a device; size tables and the words about a trap need them.
  args.push("--debug");
  if (!request.memoryBase) args.push("--sourceMap");
  if (options.ASSERTIONS === 0) args.push("--noAssert");
  // asc takes the last list only, so there is one.
  const passes = draft && !forDevice ? [...DRAFT_PASSES] : [];
  if (request.fiber) passes.push("asyncify");
  if (request.memoryBase) {
    // asc ignores a hexadecimal base without a word, so it is always decimal.
    args.push("--memoryBase", String(request.memoryBase));
    // The C that wasm2c writes forgets the alignment of an access: whatever is not aligned by nature (a constant
    // memory.copy of four bytes, for one) becomes accesses that are.
    passes.push("alignment-lowering");
  }
  if (passes.length > 0) args.push("--runPasses", passes.join(","));
  return args;
}

/**
 * Refuses what no device can run: allocation (with the stub runtime any one pulls in `memory.grow`), function tables, and
 * recursion.
 */
async function inspect(wasm: Uint8Array, app: string, read: readonly string[]): Promise<void> {
  const wabt = await (await import("wabt")).default();
  const module = wabt.readWasm(wasm, { readDebugNames: true });
  module.applyNames();
  const wat = module.toText({ foldExprs: false, inlineExport: false });
  module.destroy();
  if (/\bmemory\.grow\b/.test(wat)) {
    const users = read.filter((name) => /^(?:project|outside|test|firmware)\//.test(name));
    const found = users.map((name) => allocationIn(name)).find((words) => words !== undefined);
    throw new UserError(
      (found ?? `the firmware '${app}'`) +
        " allocates memory at run time, and a device has no heap: use memory.data() and numbers",
    );
  }
  if (/\bcall_indirect\b/.test(wat)) {
    throw new UserError(
      `the firmware '${app}' calls a function through a value, and a device has no function table: choose with a switch`,
    );
  }
  const circle = findRecursion(wat);
  if (circle) {
    const names = circle.map((name) => name.slice(1).split("/").pop() as string);
    const file = `${(circle[0] as string).slice(1).split("/").slice(0, -1).join("/")}.ts`;
    const path = realPath(file);
    const found = path && existsSync(path) && readFileSync(path, "utf8");
    const line = found ? lineOfFunction(found, names[0] as string) : undefined;
    const place = line === undefined ? shownName(file) : `${shownName(file)}:${line}`;
    throw new UserError(
      `${place}: ${names.join(" > ")} is a recursion, and a device's stack must have a bound: use a loop`,
    );
  }
}

function allocationIn(name: string): string | undefined {
  const path = realPath(name);
  if (path === undefined) return undefined;
  return findAllocation(readFileSync(path, "utf8"), shownName(name));
}
