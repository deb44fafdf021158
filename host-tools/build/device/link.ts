import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../root.js";
import { readPrototypes } from "./prototypes.js";
import type { Target } from "./target.js";
import { ARM_GCC, runTool } from "./tools.js";
import { writeFile } from "../../project/write-file.js";

/** Our C and assembly: start-up, import definitions, linker script. */
export const C_FOLDER = join(packageRoot, "host-tools", "build", "c");

/**
 * The ground on which all of the generated C stands: it was never written with C's aliasing and null rules in mind. Four
 * optimisations are off that cost a Cortex-M0+ more than they bring, 5 % of the instructions together: partial redundancy
 * elimination keeps values for which there are no registers left, and so does the moving of addresses out of loops, which is left on
 * for short ones; blocks are put in another order with jumps between them; short branches become arithmetic. Registers renamed at the
 * end save moves between them.
 */
export const C_FLAGS = [
  "-std=gnu11",
  "-ffreestanding",
  "-fno-strict-aliasing",
  "-fno-delete-null-pointer-checks",
  "-fno-tree-pre",
  "-fno-reorder-blocks",
  "-fno-if-conversion",
  "--param=loop-invariant-max-bbs-in-loop=4",
  "-frename-registers",
  "-DNDEBUG",
];

/**
 * What an image for a size (-Os) has beside them, behind them: fewer copies of a jump's target, of a loop's test and of an
 * expression, and blocks in the order that needs the fewest jumps: 1.4 % of the stack's code on a Cortex-M0+. Registers keep their
 * names, or more instructions need their long form: 2 KB of an image for a Cortex-M3. r9 has the address of the program's variables (w2c-override.h).
 * That what stays a call has little around it (the default counts two instructions) keeps 50 more bytes of copies out of callers.
 * A Cortex-M3 calls with `bl` where a jump would do: before a jump, what was saved is taken back by a long instruction, and behind a call by a
 * short one, which is often there already: 320 bytes.
 */
const SIZE_FLAGS = [
  "--param=max-jump-thread-duplication-stmts=4",
  "-fno-tree-ch",
  "-fno-code-hoisting",
  "-freorder-blocks",
  "-fno-rename-registers",
  "-ffixed-r9",
  "-fno-optimize-sibling-calls",
  "--param=uninlined-function-insns=1",
];

/**
 * What a Cortex-M3 has for a size beside these, 230 bytes: its registers are given out by priority, and instructions stay where they are once
 * they have them, or fewer fit into their short form. A Cortex-M0+ would take 110 bytes more.
 */
const CORTEX_M3_SIZE_FLAGS = ["-fira-algorithm=priority", "-fno-schedule-insns2"];

/** How the generated C is compiled when it is optimised so, for a CPU that these flags choose. */
export function flagsFor(optimize: string, cpu: readonly string[] = []): string[] {
  const isCortexM3 = cpu.includes("-mcpu=cortex-m3");
  const size = [...SIZE_FLAGS, ...(isCortexM3 ? CORTEX_M3_SIZE_FLAGS : [])];
  return [optimize, ...C_FLAGS, ...(optimize === "-Os" ? size : [])];
}

/** Warnings do not end a build: the next compiler will have new ones. */
const WARNINGS = ["-Wall", "-Wextra"];

/** What differs from one compilation to the next. */
export interface LinkRequest {
  /** Folder with app.c, app.h and blob.bin; all files of the compilation go there. */
  folder: string;
  target: Target;
  /** Bytes of static data of the program. */
  linearBytes: number;
  /** Address of the first of them. */
  linearOrigin: number;
  debug: boolean;
}

/** Compiles and links an image: `image.elf` in the folder, and `*.ci` with stack use and calls. */
export async function linkImage(request: LinkRequest): Promise<void> {
  const { folder, target, debug } = request;
  // A copy, so that every path the compiler sees is relative and the same everywhere.
  cpSync(C_FOLDER, folder, { recursive: true });
  writeFile(join(folder, "image.ld"), linkerScript(request));
  writeFile(join(folder, "blob.S"), '.section .blob, "a"\n.incbin "blob.bin"\n');
  const mcuFolder = target.mcuFolder;
  const flags = [
    ...target.gcc,
    "-ffunction-sections",
    "-fdata-sections",
    "-fcallgraph-info=su",
    `-ffile-prefix-map=${folder}=.`,
    "-I.",
    `-I${mcuFolder}`,
    ...(debug ? ["-g", ...flagsFor("-Og")] : flagsFor(target.optimize, target.gcc)),
    ...WARNINGS,
  ];
  const sources = ["startup.c", "memory.c", "blob.S", ...target.sources];
  const objects: string[] = [];
  for (const source of sources) {
    const object = `${source.replaceAll("/", "-").replace(/\.\w+$/, "")}.o`;
    await runTool(ARM_GCC, [...flags, "-c", source, "-o", object], folder);
    objects.push(object);
  }
  // An exported function is somebody's, even when main() never calls it.
  const kept = readPrototypes(join(folder, "app.h")).exports.map(
    ({ name }) => `-Wl,--undefined=w2c_app_${name}`,
  );
  const link = ["-nostartfiles", "-nostdlib", "-Wl,--gc-sections", "-Wl,--build-id=none"];
  await runTool(
    ARM_GCC,
    [...target.gcc, ...link, ...kept, "-T", "image.ld", ...objects, "-lgcc", "-o", "image.elf"],
    folder,
  );
}

function linkerScript(request: LinkRequest): string {
  const { target } = request;
  const values: Record<string, number> = {
    FLASH_ORIGIN: target.flash.origin,
    RAM_ORIGIN: target.ram.origin,
    // Too much is found out by the size table, which can say who needs it; the linker only counts.
    FLASH_BYTES: 0x08000000,
    RAM_BYTES: 0x08000000,
    SETTINGS: target.settings,
    VECTORS_ALIGN: target.vectorsAlign,
    STACK_BYTES: target.stackBytes,
    LINEAR_ORIGIN: request.linearOrigin,
    LINEAR_BYTES: request.linearBytes,
  };
  return readFileSync(join(C_FOLDER, "cortex-m.ld"), "utf8").replace(/@(\w+)@/g, (_all, name) => {
    const value = values[name as string];
    if (value === undefined) throw new Error(`cortex-m.ld asks for ${name as string}`);
    return `0x${value.toString(16)}`;
  });
}
