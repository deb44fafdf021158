import { readFileSync } from "node:fs";
import { UserError } from "../errors.js";

/**
 * The content of a file of the user's.
 *
 * @throws UserError, one line, where it cannot be read.
 */
export function readBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") throw new UserError(`there is no file ${path}`);
    if (code === "EISDIR") throw new UserError(`${path} is a folder, not a file`);
    throw new UserError(`the file ${path} cannot be read (${code})`);
  }
}

/** The same as text. */
export function readText(path: string): string {
  return readBytes(path).toString("utf8");
}
