import { readFileSync } from "node:fs";
import { UserError } from "../errors.js";

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
