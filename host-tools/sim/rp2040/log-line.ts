import type { LogLine } from "../../log/decode.js";
import type { LastWords } from "../../log/last-words.js";
import { LogDecoder, type Entry } from "../../log/serial-log.js";

/** What comes out of a log line. */
export interface LogSink {
  /** A message or a line of plain text. */
  onLine: (line: LogLine) => void;
  /** The firmware has failed. */
  onLastWords: (words: LastWords) => void;
  /** A frame that a firmware built with `--mirror` has sent or received. */
  onFrame?: (mirrored: MirroredFrame) => void;
}

/** The first bytes of a mirrored frame, and its direction, time and whole length. */
export type MirroredFrame = Extract<Entry, { kind: "ethernet" }>;

/** Takes the bytes of a board's log UART apart (docs/log-wire.md). */
export class LogLineDecoder {
  private readonly decoder: LogDecoder;

  constructor(
    messages: readonly string[],
    private readonly sink: LogSink,
  ) {
    this.decoder = new LogDecoder(messages);
  }

  /** One byte, at a time of the device in milliseconds. */
  put(byte: number, timeMs: number): void {
    for (const entry of this.decoder.push(Uint8Array.of(byte))) {
      if (entry.kind === "failed") this.sink.onLastWords(entry.words);
      if (entry.kind === "ethernet") this.sink.onFrame?.(entry);
      if (entry.kind !== "line") continue;
      this.sink.onLine({ timeMs, level: entry.level ?? "info", text: entry.text });
    }
  }
}
