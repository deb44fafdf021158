import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { readFileSync, writeFileSync } from "node:fs";
import { runTool } from "./tools.js";

/** Where in the generated C the override header goes: behind wasm2c's definitions, before the first function. */
const ANCHOR = /^FUNC_TYPE_T\(/m;

/**
 * Translates `<name>.wasm` in a folder to `<name>.c` and `<name>.h` there, with the override header included. The
 * output's form is no stable interface of wabt: its version is pinned, and a missing anchor is an error.
 *
 * A device runs one instance: its variables become one static record, so that the compiler can drop the parameter that
 * every function has for it (900 bytes of the stack on a Cortex-M0+, 2 % of its instructions).
 */
export async function wasmToC(folder: string, name: string): Promise<void> {
  const wabt = dirname(createRequire(import.meta.url).resolve("wabt/package.json"));
  const args = [join(wabt, "bin", "wasm2c"), `${name}.wasm`, "-n", name, "-o", `${name}.c`];
  await runTool(process.execPath, args, folder);
  const file = join(folder, `${name}.c`);
  const source = readFileSync(file, "utf8");
  if (!ANCHOR.test(source)) {
    throw new Error("wasm2c writes other C than expected: no line begins with FUNC_TYPE_T(");
  }
  const only = `w2c_${name}_only`;
  const at = source.search(ANCHOR);
  const functions = source.slice(at).replaceAll("instance->", `${only}.`);
  const head = `#include "w2c-override.h"\nstatic w2c_${name} ${only};\n`;
  writeFileSync(file, source.slice(0, at) + head + functions);
}

/**
 * The source name behind a name that wasm2c made: `w2c_app_stack0x2Ftcp0x2Finput0x2FtcpInput` is
 * `stack/tcp/input/tcpInput`. Names that are not the program's give undefined.
 */
export function sourceName(symbol: string, name = "app"): string | undefined {
  const prefix = `w2c_${name}_`;
  if (!symbol.startsWith(prefix)) return undefined;
  return symbol
    .slice(prefix.length)
    .replace(/\.(constprop|isra|part|cold|lto_priv)(\.\d+)?/g, "")
    .replace(/0x([0-9A-F]{2})/g, (_all, code: string) => String.fromCharCode(parseInt(code, 16)));
}
