import { decodeLog, type LogLine } from "../../log/decode.js";

const END = 0xc0;
const ESC = 0xdb;
const FRAME_LOG = 1;

/** Number of the message that a failing firmware sends last. */
export const LAST_WORDS = 0xffff;

/** What comes out of a log line. */
export interface LogSink {
  /** A message or a line of plain text. */
  onLine: (line: LogLine) => void;
  /** The firmware has failed: cause, program counter, return address. */
  onLastWords: (cause: number, pc: number, lr: number) => void;
}

/** Takes the bytes of a board's log UART apart (docs/log-wire.md). */
export class LogLineDecoder {
  private frame: number[] | undefined;
  private escaped = false;
  private text = "";

  constructor(
    private readonly messages: readonly string[],
    private readonly sink: LogSink,
  ) {}

  /** One byte, at a time of the device in milliseconds. */
  put(byte: number, timeMs: number): void {
    if (byte === END) {
      const frame = this.frame;
      // An empty frame is a lost end: the next frame begins here.
      this.frame = frame === undefined || frame.length === 0 ? [] : undefined;
      this.escaped = false;
      if (frame && frame.length > 0) this.finish(Uint8Array.from(frame), timeMs);
    } else if (this.frame) {
      if (this.escaped) this.frame.push(byte === 0xdc ? END : byte === 0xdd ? ESC : byte);
      else if (byte !== ESC) this.frame.push(byte);
      this.escaped = !this.escaped && byte === ESC;
    } else if (byte === 0x0a) {
      const text = this.text;
      this.text = "";
      this.sink.onLine({ timeMs, level: "info", text });
    } else if (byte >= 0x20) this.text += String.fromCharCode(byte);
  }

  private finish(frame: Uint8Array, timeMs: number): void {
    if (frame[0] !== FRAME_LOG || frame.length < 4) return;
    const view = new DataView(frame.buffer);
    const id = view.getUint16(1, true);
    const args: number[] = [];
    for (let at = 4; at + 4 <= frame.length; at += 4) args.push(view.getUint32(at, true));
    if (id === LAST_WORDS) this.sink.onLastWords(args[0] ?? 0, args[1] ?? 0, args[2] ?? 0);
    else this.sink.onLine(decodeLog(this.messages, id, args, timeMs));
  }
}
