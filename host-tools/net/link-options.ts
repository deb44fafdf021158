/** Troubles of a link as people write them: `--loss 5` of the command line, `"loss": 5` in a lan.json. */
import { UserError } from "../errors.js";
import type { Impairments } from "./link.js";

/** The troubles by the names that people give them. */
export interface LinkTexts {
  loss?: string | undefined;
  delay?: string | undefined;
  reorder?: string | undefined;
  duplicate?: string | undefined;
  corrupt?: string | undefined;
  rate?: string | undefined;
}

const PERCENT = {
  loss: "lossPercent",
  reorder: "reorderPercent",
  duplicate: "duplicatePercent",
  corrupt: "corruptPercent",
} as const;
export const LINK_KEYS: readonly string[] = [
  "loss",
  "delay",
  ...Object.keys(PERCENT).slice(1),
  "rate",
];
const DELAY_MS_MAX = 60_000;

/** Reads those that are given; `shown` is how a name looks to whoever wrote it. */
export function parseLink(texts: LinkTexts, shown: (name: string) => string): Partial<Impairments> {
  const link: Partial<Impairments> = {};
  for (const [name, key] of Object.entries(PERCENT)) {
    const text = texts[name as keyof typeof PERCENT];
    if (text !== undefined) link[key] = parseDecimal(shown(name), text, 0, 100, "percent");
  }
  const { delay, rate } = texts;
  if (delay !== undefined) {
    link.delayMs = parseDecimal(shown("delay"), delay, 0, DELAY_MS_MAX, "milliseconds");
  }
  if (rate !== undefined) link.rateBps = parseRate(shown("rate"), rate);
  return link;
}

function parseRate(name: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)([kMG]?)$/.exec(text);
  const factor = { "": 1, k: 1e3, M: 1e6, G: 1e9 }[match?.[2] ?? ""] ?? 1;
  const rate = match ? Number(match[1]) * factor : NaN;
  if (!(rate >= 1000 && rate <= 1e10)) {
    throw new UserError(
      `${name} cannot be '${text}'; give bits per second from 1k on, as 500k or 10M`,
    );
  }
  return rate;
}

/** A number in decimal notation. */
export function parseDecimal(
  name: string,
  text: string,
  low: number,
  high: number,
  unit: string,
): number {
  const value = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || value < low || value > high) {
    throw new UserError(
      `${name} cannot be '${text}'; give a number of ${unit} from ${low} to ${high}`,
    );
  }
  return value;
}
