import { readFileSync } from "node:fs";
import { UserError } from "../errors.js";

/**
 * The text of a file that the user has named.
 *
 * @throws UserError, one line, where it cannot be read.
 */
export function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") throw new UserError(`there is no file ${path}`);
    if (code === "EISDIR") throw new UserError(`${path} is a folder, not a file`);
    throw new UserError(`the file ${path} cannot be read (${code})`);
  }
}
