import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { join } from "node:path";
import type { Options } from "../../stack/options.js";
import { compileFirmware, type Firmware } from "../build/compile.js";
import { C_FLAGS, C_FOLDER } from "../build/device/link.js";
import { readPrototypes, type Prototype } from "../build/device/prototypes.js";
import { runTool, ToolError } from "../build/device/tools.js";
import { wasmToC } from "../build/device/wasm2c.js";
import { UserError } from "../errors.js";
import { buildFolder } from "../root.js";
import { writeFile } from "../project/write-file.js";

/** Address of static memory in the guarded build: above what Linux keeps free at 0, below everything else. */
export const MEMORY_BASE = 0x100000;

/** Bytes between buffers that nobody may touch. */
export const GUARD_BYTES = 32;

/** The compiler of this computer. */
export const CC = process.env["CC"] ?? "cc";

/** What to build. */
export interface NativeRequest {
  board: string;
  app: string;
  options?: Partial<Options>;
}

/** A guarded program and how to talk to it. */
export interface NativeProgram {
  path: string;
  firmware: Firmware;
  /** Exported functions by their number. */
  exports: string[];
  /** Imported functions by their number, with the count of their arguments. */
  imports: { name: string; arguments: number }[];
  /** Where the host may put the blob and the settings block. */
  blobAt: number;
  /** Bytes of memory, static and shared, from address 0 on. */
  memoryBytes: number;
}

/** Imports whose first two arguments are memory that the host reads or writes: address and bytes. */
const MEMORY_IMPORTS = ["frameOut", "spiRead", "spiWrite"];

/**
 * Builds an application as a program of this computer, with sanitizers and red zones. An up-to-date program is taken as
 * it is.
 *
 * @throws UserError when there is no C compiler with sanitizers.
 */
export async function buildNative(request: NativeRequest): Promise<NativeProgram> {
  const firmware = await compileFirmware({
    ...request,
    memoryBase: MEMORY_BASE,
    guardBytes: GUARD_BYTES,
  });
  const staticBytes = firmware.staticEnd + GUARD_BYTES - MEMORY_BASE;
  const flash = (firmware.blob.length + 3) & ~3;
  const page = (bytes: number): number => (bytes + 4095) & ~4095;
  const blobAt = page(MEMORY_BASE + staticBytes);
  const memoryBytes = blobAt + page(flash + 4096);
  const owners = JSON.stringify(firmware.statics);
  const name = createHash("sha256")
    .update(firmware.wasm)
    .update(owners)
    .update(sourceDigest())
    .digest("hex");
  const parent = buildFolder("native");
  const path = join(parent, name.slice(0, 24));
  if (!existsSync(join(path, "app"))) {
    mkdirSync(parent, { recursive: true });
    const folder = mkdtempSync(join(parent, "work-"));
    try {
      await make(folder, firmware, { staticBytes, memoryBytes: memoryBytes - MEMORY_BASE });
      // Another process may have been quicker with the same program.
      if (!existsSync(path)) renameSync(folder, path);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  const { imports, exports } = readPrototypes(join(path, "app.h"));
  return {
    path: join(path, "app"),
    firmware,
    exports: exports.map((e) => e.name),
    imports,
    blobAt,
    memoryBytes,
  };
}

/** Our C beside the program. */
const SOURCES = ["native.c", "program.h", "wasm-rt.h", "w2c-override.h"];

function sourceDigest(): string {
  const hash = createHash("sha256");
  for (const name of SOURCES) {
    hash.update(readFileSync(join(C_FOLDER, name)));
  }
  return hash.update(readFileSync(new URL(import.meta.url))).digest("hex");
}

async function make(
  folder: string,
  firmware: Firmware,
  sizes: { staticBytes: number; memoryBytes: number },
): Promise<void> {
  writeFile(join(folder, "app.wasm"), firmware.wasm);
  await wasmToC(folder, "app");
  for (const name of SOURCES) {
    cpSync(join(C_FOLDER, name), join(folder, name));
  }
  const { imports, exports } = readPrototypes(join(folder, "app.h"));
  writeFile(join(folder, "imports.inc"), importsSource(imports));
  writeFile(
    join(folder, "exports.inc"),
    exportsSource(exports, imports.length > 0, firmware, sizes),
  );
  const sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
  // The checks as calls, not in place: a quarter less for gcc to do (clang passes over it).
  sanitizers.push("--param=asan-instrumentation-with-call-threshold=0");
  const flags = C_FLAGS.filter((flag) => flag !== "-ffreestanding" && flag !== "-DNDEBUG");
  // Many of these programs live for seconds: what the compiler would save them is less than what it takes.
  const args = ["-O0", "-g1", ...flags, ...sanitizers, "-w", "-I.", "native.c", "-o", "app", "-lm"];
  try {
    await runTool(CC, args, folder);
  } catch (error) {
    if (error instanceof ToolError && /sanitize|asan|ubsan/.test(error.output)) {
      throw new UserError(
        `'${CC}' has no sanitizers: ${error.output.split("\n")[0]}; install gcc or clang with them`,
      );
    }
    throw error;
  }
}

function importsSource(imports: Prototype[]): string {
  const sources = imports.map((f, index) => {
    const names = Array.from({ length: f.arguments }, (_unused, i) => `a${i}`);
    const parameters = ["struct w2c_hw* h", ...names.map((n) => `uint32_t ${n}`)].join(", ");
    const values = names.length > 0 ? names.join(", ") : "0";
    const check = MEMORY_IMPORTS.includes(f.name) ? "check_region(a0, a1); " : "";
    const call = `call_host(${index}, (uint32_t[ARGUMENTS]){${values}})`;
    const body = `(void)h; ${check}${f.result ? "return " : ""}${call};`;
    return `${f.result ? "uint32_t" : "void"} w2c_hw_${f.name}(${parameters}) { ${body} }`;
  });
  return `${sources.join("\n")}\n`;
}

function exportsSource(
  exports: Prototype[],
  hasImports: boolean,
  firmware: Firmware,
  sizes: { staticBytes: number; memoryBytes: number },
): string {
  const cases = exports.map((f, index) => {
    const values = Array.from({ length: f.arguments }, (_unused, i) => `, a[${i}]`).join("");
    const call = `w2c_app_${f.name}(&w2c_app_only${values})`;
    return `    case ${index}: ${f.result ? `return ${call};` : `${call}; return 0;`}`;
  });
  const owned = firmware.statics.map(
    ({ address, bytes }) => `  {0x${address.toString(16)}, 0x${(address + bytes).toString(16)}},`,
  );
  return [
    `#define MEMORY_BASE 0x${MEMORY_BASE.toString(16)}u`,
    `#define MEMORY_BYTES ${sizes.memoryBytes}u`,
    `#define STATIC_BYTES ${sizes.staticBytes}u`,
    "static const struct { uint32_t from, to; } owned[] = {",
    ...owned,
    "};",
    `static void instantiate(void) { wasm2c_app_instantiate(&w2c_app_only${hasImports ? ", 0" : ""}); }`,
    "static uint32_t call_export(uint32_t number, const uint32_t* a) {",
    "  (void)a;",
    "  switch (number) {",
    ...cases,
    "  }",
    "  abort();",
    "}",
    "",
  ].join("\n");
}
