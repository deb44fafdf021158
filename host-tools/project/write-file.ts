import { openSync, writeFileSync, writeSync } from "node:fs";
import { UserError } from "../errors.js";

/**
 * Opens a file for writing; failure is one line for the person.
 *
 * @param flags `a` to append, as `fs.openSync` has it.
 */
export function openForWriting(path: string, flags: "w" | "a" = "w"): number {
  try {
    return openSync(path, flags);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "error";
    throw new UserError(`cannot write '${path}' (${code}); give a path that can be written`);
  }
}

/** Writes all of it to an open file. An error knows `path`: of a descriptor the system tells none. */
export function writeAll(file: number, path: string, data: Uint8Array): void {
  named(path, () => {
    for (let at = 0; at < data.length;) at += writeSync(file, data, at);
  });
}

/** Writes a whole file. An error knows its name: when the disk is full the system tells none. */
export function writeFile(path: string, data: Uint8Array | string): void {
  named(path, () => writeFileSync(path, data));
}

function named(path: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    (error as NodeJS.ErrnoException).path ??= path;
    throw error;
  }
}
