import { readFileSync } from "node:fs";
import { readElfTables, type ElfSymbol } from "../build/device/elf.js";
import { sourceName } from "../build/device/wasm2c.js";

/** What a failing firmware sends last (docs/log-wire.md). */
export interface LastWords {
  cause: number;
  /** Program counter. */
  pc: number;
  /** Return address; 0 where there is none. */
  lr: number;
}

/** Causes in words. */
const CAUSES: Record<number, string> = {
  3: "a hard fault",
  0x100: "main() has returned",
  0x103: "division by zero",
  0x105: "a failed assertion",
};

/** The functions of an executable by address, to name what failed. */
export function readFunctions(elfPath: string): ElfSymbol[] {
  return readElfTables(readFileSync(elfPath))
    .symbols.filter((symbol) => symbol.kind === "function")
    .sort((a, b) => a.address - b.address);
}

/** Last words as a sentence; `functions` from `readFunctions`, empty where there is no executable. */
export function describeLastWords(words: LastWords, functions: readonly ElfSymbol[]): string {
  const { cause, pc, lr } = words;
  const name = (at: number): string => {
    const symbol = functions.findLast((s) => s.address <= at && at < s.address + s.bytes + 1);
    const address = `0x${at.toString(16)}`;
    return symbol ? `${sourceName(symbol.name) ?? symbol.name} (${address})` : address;
  };
  // Bit 0 says Thumb and is no part of the address.
  const from = lr === 0 ? "" : `, called from ${name((lr & ~1) >>> 0)}`;
  const what = CAUSES[cause] ?? `cause ${cause.toString(16)}h`;
  return `the firmware has failed: ${what} in ${name((pc & ~1) >>> 0)}${from}`;
}
