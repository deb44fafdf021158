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
  return decodeText(readBytes(path));
}

/** Text as editors write it: UTF-8, or the UTF-16 that PowerShell's `>` makes, with or without a byte order mark. */
export function decodeText(bytes: Buffer): string {
  const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? "utf16le" : "utf8";
  return bytes.toString(encoding).replace(/^\uFEFF/, "");
}

/**
 * JSON of the user's.
 *
 * @param shown the file as the person knows it.
 * @throws UserError, one line, when the text is none.
 */
export function parseJson(text: string, shown: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // A piece of the text, line ends and all, is part of the message.
    const why = (error as Error).message.replace(/\s*\n\s*/g, " ");
    throw new UserError(`${shown} is not JSON: ${why}`);
  }
}
