import picocolors from "picocolors";
import type { LogLevel } from "../log/decode.js";

/** A line of the log with the time at which it came. */
export interface TimedLine {
  /** Host time, ms since 1970. */
  timeMs: number;
  level?: LogLevel;
  text: string;
}

/** Levels, the gravest first. */
export const LEVELS: readonly LogLevel[] = ["error", "warn", "info", "debug"];

/** True when a line of this level is to be shown; text without a level always is. */
export function passes(level: LogLevel | undefined, least: LogLevel): boolean {
  return level === undefined || LEVELS.indexOf(level) <= LEVELS.indexOf(least);
}

/** Shows control characters as `\xNN`, so that a board cannot drive the terminal; tabs stay. */
export function printable(text: string): string {
  return [...text]
    .map((character) => {
      const code = character.codePointAt(0) as number;
      const control = (code < 0x20 && code !== 9) || (code >= 0x7f && code < 0xa0);
      return control ? `\\x${code.toString(16).padStart(2, "0")}` : character;
    })
    .join("");
}

/** `12:34:56.789`, local time. */
export function clockTime(timeMs: number): string {
  const time = new Date(timeMs);
  const two = (value: number): string => String(value).padStart(2, "0");
  const seconds = [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(":");
  return `${seconds}.${String(time.getMilliseconds()).padStart(3, "0")}`;
}

/** How lines are shown on a terminal. */
export interface Style {
  color: boolean;
  timestamps: boolean;
}

/** A line for the terminal. */
export function terminalLine(line: TimedLine, style: Style): string {
  const colors = picocolors.createColors(style.color);
  const paint: Record<LogLevel, (text: string) => string> = {
    error: colors.red,
    warn: colors.yellow,
    info: colors.green,
    debug: colors.dim,
  };
  const time = style.timestamps ? `${colors.dim(clockTime(line.timeMs))}  ` : "";
  const level = line.level ? `${paint[line.level](line.level.padEnd(5))}  ` : "";
  return `${time}${level}${printable(line.text)}`;
}

/** A line for `--log FILE`: full time (UTC), no colours. */
export function fileLine(line: TimedLine): string {
  const level = line.level ? `${line.level.padEnd(5)}  ` : "";
  return `${new Date(line.timeMs).toISOString()}  ${level}${printable(line.text)}`;
}

/** A line as one JSON object; `level` is null on plain text. */
export function jsonLine(line: TimedLine): string {
  const time = new Date(line.timeMs).toISOString();
  return JSON.stringify({ time, level: line.level ?? null, text: line.text });
}
