import pc from "picocolors";
import type { LogLine } from "./decode.js";

const PAINT: Record<LogLine["level"], (text: string) => string> = {
  error: pc.red,
  warn: pc.yellow,
  info: (text) => text,
  debug: pc.dim,
};

/**
 * A log line for a terminal: seconds since the start, of several devices the name, the level where it is not plain information,
 * the text.
 */
export function formatLogLine(line: LogLine, name?: string): string {
  const seconds = (line.timeMs / 1000).toFixed(3).padStart(9);
  const level = line.level === "info" ? "" : `${line.level}: `;
  const who = name === undefined ? "" : `${pc.cyan(name)}: `;
  return `${pc.dim(seconds)}  ${who}${PAINT[line.level](level + line.text)}`;
}

/** A log line as one JSON object; time in seconds, to the microsecond. */
export function jsonLogLine(line: LogLine, device?: string): string {
  const time = Math.round(line.timeMs * 1000) / 1e6;
  return JSON.stringify({ device, time, level: line.level, text: line.text });
}
