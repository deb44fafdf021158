import { decodeLog, type LogLevel } from "./decode.js";
import type { LastWords } from "./last-words.js";
import { FRAME, FrameSplitter, type Piece } from "./frames.js";

/** Something to show or to store. */
export type Entry =
  | {
      kind: "line";
      /** Absent on plain text that does not begin with a level. */
      level?: LogLevel;
      text: string;
    }
  | {
      kind: "ethernet";
      direction: "received" | "sent";
      /** Device time, µs, wraps at 2^32. */
      timeUs: number;
      /** Its first bytes. */
      frame: Uint8Array;
      /** Bytes of the whole frame: more than `frame` has when the board cuts its mirror. */
      bytes: number;
    }
  | {
      /** The firmware has failed and resets itself. */
      kind: "failed";
      words: LastWords;
    };

/** Number of the message that a failing firmware sends. */
const LAST_WORDS = 0xffff;

/** A line of text without an end is shown when it grows longer than this. */
const LINE_BYTES_MAX = 4096;

/** Turns the bytes of a serial log into entries. One object is one connection. */
export class LogDecoder {
  private readonly splitter = new FrameSplitter();
  private readonly utf8 = new TextDecoder();
  private partial = "";

  /** @param messages formats by number; undefined when no table was given. */
  constructor(private readonly messages: readonly string[] | undefined) {}

  /** Takes the next bytes. */
  push(bytes: Uint8Array): Entry[] {
    return this.splitter.push(bytes).flatMap((piece) => this.entries(piece));
  }

  /** True while a line of text has begun and not ended. */
  get pending(): boolean {
    return this.partial !== "";
  }

  /** Gives the text that has no line end yet: a prompt, or the last words before a loss. */
  flush(): Entry[] {
    const text = this.partial;
    this.partial = "";
    return text === "" ? [] : [textEntry(text)];
  }

  /** The connection ended. */
  end(): Entry[] {
    return [...this.splitter.reset().flatMap((piece) => this.entries(piece)), ...this.flush()];
  }

  private entries(piece: Piece): Entry[] {
    switch (piece.kind) {
      case "text":
        return this.text(this.utf8.decode(piece.bytes, { stream: true }));
      case "damaged":
        return [...this.flush(), damage(`${piece.bytes} bytes that do not end as a frame does`)];
      case "frame": {
        const entries = this.flush();
        // A type that this version does not know is dropped.
        if (piece.type === FRAME.LOG) entries.push(this.log(piece.payload));
        if (piece.type === FRAME.ETHERNET) entries.push(ethernetEntry(piece.payload));
        return entries;
      }
    }
  }

  private text(text: string): Entry[] {
    const lines = (this.partial + text).split("\n");
    this.partial = lines.pop() as string;
    if (this.partial.length > LINE_BYTES_MAX) {
      lines.push(this.partial);
      this.partial = "";
    }
    return lines.map((line) => textEntry(line.replace(/\r$/, "")));
  }

  /** u16 id, u8 count, count times u32, all little-endian. */
  private log(payload: Uint8Array): Entry {
    const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
    if (payload.length < 3 || payload.length !== 3 + 4 * view.getUint8(2)) {
      return damage(`log frame of ${payload.length} bytes`);
    }
    const id = view.getUint16(0, true);
    const args = Array.from({ length: view.getUint8(2) }, (_, at) =>
      view.getUint32(3 + 4 * at, true),
    );
    if (id === LAST_WORDS) {
      const [cause = 0, pc = 0, lr = 0] = args;
      return { kind: "failed", words: { cause, pc, lr } };
    }
    if (!this.messages) {
      return { kind: "line", level: "info", text: `message ${[id, ...args].join(" ")}` };
    }
    const { level, text } = decodeLog(this.messages, id, args, 0);
    return { kind: "line", level, text };
  }
}

function damage(what: string): Entry {
  return { kind: "line", level: "warn", text: `monitor: damaged on the way: ${what}` };
}

function textEntry(text: string): Entry {
  const match = /^(error|warn|info|debug):\s+(.*)$/.exec(text);
  if (!match) return { kind: "line", text };
  return { kind: "line", level: match[1] as LogLevel, text: match[2] as string };
}

/** u8 direction (0 received, 1 sent), u32 µs, u16 bytes of the frame, its first bytes. */
function ethernetEntry(payload: Uint8Array): Entry {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  if (payload.length < 7 || payload.length > 7 + view.getUint16(5, true)) {
    return damage(`mirrored frame of ${payload.length} bytes`);
  }
  return {
    kind: "ethernet",
    direction: view.getUint8(0) === 0 ? "received" : "sent",
    timeUs: view.getUint32(1, true),
    frame: payload.subarray(7),
    bytes: view.getUint16(5, true),
  };
}
