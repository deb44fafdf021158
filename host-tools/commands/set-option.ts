import type { Options } from "../../stack/options.js";
import { UserError } from "../errors.js";

/** Reads one `--set NAME=VALUE`, beside those that came before it; the name is checked where the others are. */
export function collectOption(text: string, before: Partial<Options>): Partial<Options> {
  const match = /^([A-Za-z0-9_]+)=(\d+)$/.exec(text);
  if (!match) {
    throw new UserError(
      `--set cannot read '${text}'; write NAME=VALUE with a whole number, as --set TCP_TCBS=4`,
    );
  }
  return { ...before, [(match[1] as string).toUpperCase()]: Number(match[2]) };
}
