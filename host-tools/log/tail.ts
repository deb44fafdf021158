import type { LogLine } from "./decode.js";

/** Lines that are kept at least, of a log that goes on for days. */
export const TAIL_LINES = 10_000;

/** The latest lines of a log: all of a short one, and never more than twice TAIL_LINES. */
export class LogTail {
  readonly lines: LogLine[] = [];

  add(line: LogLine): void {
    this.lines.push(line);
    // Not one by one, which would move them all each time.
    if (this.lines.length > 2 * TAIL_LINES) this.lines.splice(0, this.lines.length - TAIL_LINES);
  }
}
