/**
 * Takes the two kinds of content of a log line apart (docs/log-wire.md): plain text, and SLIP
 * frames (RFC 1055) with END before and behind.
 *
 *     C0  type  payload …  C0        C0 in type and payload is DB DC, DB is DB DD
 *
 * A reader that comes into the middle of a frame takes its END for the beginning of one. The byte
 * behind an END is therefore looked at: what cannot be a type is text, and the next END is taken
 * for a beginning again.
 */

const END = 0xc0;
const ESC = 0xdb;
const ESC_END = 0xdc;
const ESC_ESC = 0xdd;

/** Types of frame. */
export const FRAME = { LOG: 0x01, ETHERNET: 0x02 } as const;

/** Types that may come to be used one day; above begin the characters of text. */
const TYPE_MAX = 0x08;

/** A mirrored Ethernet frame of the largest size is 1514 bytes, with its header far below this. */
const PAYLOAD_BYTES_MAX = 2048;

/** A piece of what came. */
export type Piece =
  | { kind: "text"; bytes: Uint8Array }
  | { kind: "frame"; type: number; payload: Uint8Array }
  /** A frame that was cut short, too long, or wrongly escaped. */
  | { kind: "damaged"; bytes: number };

type State = "text" | "type" | "payload" | "escape";

/** Splits a stream of bytes that may be cut anywhere. */
export class FrameSplitter {
  private state: State = "text";
  private type = 0;
  private payload: number[] = [];

  /** Takes the next bytes, gives what they complete. Text comes at once, frames when they end. */
  push(bytes: Uint8Array): Piece[] {
    const pieces: Piece[] = [];
    let text: number[] = [];
    const flushText = (): void => {
      if (text.length > 0) pieces.push({ kind: "text", bytes: Uint8Array.from(text) });
      text = [];
    };
    for (const byte of bytes) {
      if (this.state === "text" && byte !== END) {
        text.push(byte);
        continue;
      }
      flushText();
      const piece = this.step(byte);
      if (piece?.kind === "text") text.push(...piece.bytes);
      else if (piece) pieces.push(piece);
    }
    flushText();
    return pieces;
  }

  /** The connection ended: what was begun is lost. */
  reset(): Piece[] {
    const bytes = this.payload.length;
    const begun = this.state === "payload" || this.state === "escape";
    this.toText();
    return begun ? [{ kind: "damaged", bytes }] : [];
  }

  private toText(): void {
    this.state = "text";
    this.payload = [];
  }

  private damaged(): Piece {
    const bytes = this.payload.length;
    this.toText();
    return { kind: "damaged", bytes };
  }

  private step(byte: number): Piece | undefined {
    switch (this.state) {
      case "text":
        this.state = "type"; // byte is END
        return undefined;
      case "type":
        if (byte === END) return undefined;
        if (byte > TYPE_MAX) {
          this.toText();
          return { kind: "text", bytes: Uint8Array.of(byte) };
        }
        this.type = byte;
        this.state = "payload";
        return undefined;
      case "payload":
        return this.stepPayload(byte);
      case "escape":
        if (byte !== ESC_END && byte !== ESC_ESC) return this.damaged();
        this.payload.push(byte === ESC_END ? END : ESC);
        this.state = "payload";
        return undefined;
    }
  }

  private stepPayload(byte: number): Piece | undefined {
    if (byte === ESC) {
      this.state = "escape";
      return undefined;
    }
    if (byte !== END) {
      this.payload.push(byte);
      return this.payload.length > PAYLOAD_BYTES_MAX ? this.damaged() : undefined;
    }
    const piece: Piece = {
      kind: "frame",
      type: this.type,
      payload: Uint8Array.from(this.payload),
    };
    this.toText();
    return piece;
  }
}

/** Encodes a frame as a device does. */
export function encodeFrame(type: number, payload: Uint8Array): Uint8Array {
  const body = [type, ...payload].flatMap((byte) => {
    if (byte === END) return [ESC, ESC_END];
    return byte === ESC ? [ESC, ESC_ESC] : [byte];
  });
  return Uint8Array.from([END, ...body, END]);
}
