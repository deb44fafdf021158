import { closeSync, existsSync, openSync, readSync } from "node:fs";
import { decodeLog, type LogLine } from "../../log/decode.js";

/** SLIP (RFC 1055) and the frames of hal/log/frames.ts. */
const END = 0xc0;
const ESC = 0xdb;
const ESC_END = 0xdc;
const FRAME_LOG = 1;
/** Number of the frame that start-up sends when it gives up (host-tools/build/c/startup.c). */
const LAST_WORDS = 0xffff;

/**
 * The log of an emulated device, which its UART writes into a file: new frames are decoded at each `poll`. The bytes come
 * without a time, so a line has the time at which it was read.
 */
export class SerialLog {
  /** What start-up said before it reset the device, if it did. */
  lastWords: string | undefined;
  private fd: number | undefined;
  private readonly chunk = Buffer.alloc(4096);
  private frame: number[] = [];
  private escaped = false;

  constructor(
    private readonly path: string,
    private readonly messages: readonly string[],
    private readonly nowMs: () => number,
    private readonly log: (line: LogLine) => void,
  ) {}

  /** Reads what has come since the last time. */
  poll(): void {
    if (this.fd === undefined && !existsSync(this.path)) return;
    this.fd ??= openSync(this.path, "r");
    for (;;) {
      const bytes = readSync(this.fd, this.chunk, 0, this.chunk.length, null);
      for (const byte of this.chunk.subarray(0, bytes)) this.take(byte);
      if (bytes < this.chunk.length) return;
    }
  }

  close(): void {
    if (this.fd !== undefined) closeSync(this.fd);
    this.fd = undefined;
  }

  private take(byte: number): void {
    if (byte === END) {
      const frame = Buffer.from(this.frame);
      this.frame = [];
      this.escaped = false;
      if (frame.length >= 4 && frame[0] === FRAME_LOG) this.line(frame);
    } else if (byte === ESC) {
      this.escaped = true;
    } else {
      this.frame.push(this.escaped ? (byte === ESC_END ? END : ESC) : byte);
      this.escaped = false;
    }
  }

  private line(frame: Buffer): void {
    const id = frame.readUInt16LE(1);
    const count = Math.min(frame[3] as number, (frame.length - 4) >> 2);
    const args = Array.from({ length: count }, (_, i) => frame.readUInt32LE(4 + 4 * i));
    if (id === LAST_WORDS) {
      const [cause, pc, lr] = args.map((value) => `0x${value.toString(16)}`);
      this.lastWords = `cause ${cause ?? "?"}, pc ${pc ?? "?"}, lr ${lr ?? "?"}`;
    } else {
      this.log(decodeLog(this.messages, id, args, this.nowMs()));
    }
  }
}
