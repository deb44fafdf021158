import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Firmware } from "../build/compile.js";
import { packageRoot } from "../root.js";
import { strict } from "./checks.js";

/** Where counters are declared: an enum of their names beside the buffer that holds them. */
const FILE = "stack/statistics.ts";

let names: string[] | undefined;

/** Names of the stack's counters, in their order (stack/statistics.ts). */
export function counterNames(): string[] {
  if (names) return names;
  const source = readFileSync(join(packageRoot, FILE), "utf8").replace(/\/\*[^]*?\*\/|\/\/.*/g, "");
  const body = /enum Counter \{([^}]*)\}/.exec(source)?.[1] ?? "";
  names = [...body.matchAll(/^\s*([A-Z][A-Z0-9_]*)\b/gm)].map((match) => match[1] as string);
  return (names = names.filter((name) => name !== "COUNT"));
}

/**
 * All counters of a device by name, read from its memory.
 *
 * @param whose for the words about a counter that does not exist.
 */
export function readCounters(
  firmware: Firmware,
  memory: ArrayBuffer,
  whose: string,
): Record<string, number> {
  const buffer = firmware.statics.find(({ file, name }) => file === FILE && name === "COUNTERS");
  // Built without them (STATISTICS 0), there is none.
  const words = buffer ? new Uint32Array(memory, buffer.address, buffer.bytes / 4) : [];
  const names = counterNames();
  const counts = names
    .slice(0, words.length)
    .map((name, index): [string, number] => [name, words[index] ?? 0]);
  return strict(Object.fromEntries(counts), whose, "counter");
}
