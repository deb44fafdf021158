import { existsSync, readFileSync } from "node:fs";
import type { ElfSymbol } from "../build/device/elf.js";
import { UserError } from "../errors.js";
import { readFunctions } from "../log/last-words.js";

/**
 * Reads the message table that a build puts beside its image (`<image>.messages.json`): an array of
 * formats, by number.
 */
export function loadMessages(path: string): string[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "not JSON";
    throw new UserError(
      `cannot read the messages in '${path}' (${code}); build the image, or give --messages FILE`,
    );
  }
  if (Array.isArray(parsed) && parsed.every((format) => typeof format === "string")) return parsed;
  throw new UserError(`'${path}' is not a message table; give the .messages.json beside the image`);
}

/** What a build says about its image: formats by number, and functions where its ELF is beside. */
export interface ImageTables {
  messages: string[];
  functions?: ElfSymbol[];
}

/** Reads the message table and, when the image's ELF file lies beside it, the functions. */
export function loadTables(path: string): ImageTables {
  const messages = loadMessages(path);
  const elf = path.replace(/\.messages\.json$/, ".elf");
  return elf !== path && existsSync(elf)
    ? { messages, functions: readFunctions(elf) }
    : { messages };
}
