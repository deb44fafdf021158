import { formatAddress, formatMac } from "../net/addresses.js";

export type LogLevel = "error" | "warn" | "info" | "debug";

/** A line of a device's log. */
export interface LogLine {
  /** Device time since its start, milliseconds. */
  timeMs: number;
  level: LogLevel;
  text: string;
}

const LEVELS: readonly string[] = ["error", "warn", "info", "debug"];

/** Arguments that a verb takes. */
const VERB_ARGUMENTS: Record<string, number> = { u: 1, d: 1, x: 1, i: 1, c: 1, m: 2 };

/**
 * Turns the number and arguments of a log call into its line. The formats stay on the host (`messages`, from the
 * build); a device sends only numbers. Verbs: %u unsigned, %d signed, %x hexadecimal, %i IPv4 address (host order),
 * %c character, %m MAC address from two arguments (high 16 bits, low 32 bits), %% a percent sign.
 */
export function decodeLog(
  messages: readonly string[],
  id: number,
  args: readonly number[],
  timeMs: number,
): LogLine {
  const format = messages[id];
  if (format === undefined) {
    const numbers = args.map((value) => value >>> 0).join(" ");
    return {
      timeMs,
      level: "warn",
      text: `log message ${id} (${numbers}) is not in the message table of this build`,
    };
  }
  const match = /^(\w+):\s+/.exec(format);
  const known = match !== null && LEVELS.includes(match[1] as string);
  const level = known ? (match[1] as LogLevel) : "info";
  return { timeMs, level, text: expand(known ? format.slice(match[0].length) : format, args) };
}

function expand(format: string, args: readonly number[]): string {
  let next = 0;
  return format.replace(/%([udxicm%])/g, (verb, kind: string) => {
    if (kind === "%") return "%";
    const count = VERB_ARGUMENTS[kind] as number;
    const values = args.slice(next, next + count).map((value) => value >>> 0);
    next += count;
    if (values.length < count) return verb;
    return render(kind, values as [number, ...number[]]);
  });
}

function render(kind: string, [value, low]: [number, ...number[]]): string {
  switch (kind) {
    case "d":
      return String(value | 0);
    case "x":
      return value.toString(16);
    case "i":
      return formatAddress(value);
    case "c":
      return value >= 0x20 && value < 0x7f ? String.fromCharCode(value) : ".";
    case "m":
      return formatMac((value & 0xffff) * 0x1_0000_0000 + (low as number));
    default:
      return String(value);
  }
}
