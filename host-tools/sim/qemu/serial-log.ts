import { closeSync, existsSync, openSync, readSync } from "node:fs";
import type { LogLine } from "../../log/decode.js";
import type { LastWords } from "../../log/last-words.js";
import { LogDecoder } from "../../log/serial-log.js";

/**
 * The log of an emulated device, which its UART writes into a file: what is new is decoded at each `poll`. The bytes come
 * without a time, so a line has the time at which it was read.
 */
export class SerialLog {
  /** What start-up said before it reset the device, if it did. */
  lastWords: LastWords | undefined;
  private fd: number | undefined;
  private readonly chunk = Buffer.alloc(4096);
  private readonly decoder: LogDecoder;

  constructor(
    private readonly path: string,
    messages: readonly string[],
    private readonly nowMs: () => number,
    private readonly log: (line: LogLine) => void,
  ) {
    this.decoder = new LogDecoder(messages);
  }

  /** Reads what has come since the last time. */
  poll(): void {
    if (this.fd === undefined && !existsSync(this.path)) return;
    this.fd ??= openSync(this.path, "r");
    for (;;) {
      const bytes = readSync(this.fd, this.chunk, 0, this.chunk.length, null);
      this.take(this.chunk.subarray(0, bytes));
      if (bytes < this.chunk.length) return;
    }
  }

  close(): void {
    if (this.fd !== undefined) closeSync(this.fd);
    this.fd = undefined;
  }

  private take(bytes: Uint8Array): void {
    for (const entry of this.decoder.push(bytes)) {
      if (entry.kind === "failed") this.lastWords = entry.words;
      if (entry.kind !== "line") continue;
      this.log({ timeMs: this.nowMs(), level: entry.level ?? "info", text: entry.text });
    }
  }
}
