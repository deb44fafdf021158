import { UserError } from "../errors.js";
import { lineOf } from "./sources.js";

/**
 * Strings of device code. A device has no string type at run time, so two kinds of call take a literal and are rewritten
 * before the compiler sees them (on the same line, so that line numbers stay right):
 *
 * - `text("…")` becomes a number that names bytes in flash: offset in the read-only blob shifted by 10, plus length.
 * - `log0("…")` … `log4("…", a, b, c, d)` keep their arguments; the format becomes its number in the message table, which
 *   stays on the host.
 *
 * In both, `{board}`, `{chip}` and `{app}` stand for the names of what is being built.
 */
export class LiteralTable {
  readonly texts = new Map<string, number>();
  readonly messages: string[] = [];
  private readonly ids = new Map<string, number>();
  private offset = TEXT_BASE;

  /** `names`: what `{name}` in a literal stands for. */
  constructor(private readonly names: Record<string, string> = {}) {}

  private expand(literal: string): string {
    return unquote(literal).replace(
      /\{(board|chip|app)\}/g,
      (all, name: string) => this.names[name] ?? all,
    );
  }

  /** Rewrites one source text. Prettier chooses between double and single quotes, so both are literals. */
  rewrite(source: string, file = ""): string {
    return source
      .replace(TEXT_CALL, (_all, literal: string, at: number) =>
        String(this.text(this.expand(literal), () => `${file}:${lineOf(source, at)}`)),
      )
      .replace(
        LOG_CALL,
        (_all, call: string, literal: string) => call + this.message(this.expand(literal)),
      );
  }

  /** A text becomes UTF-8, in which `\\xNN` stands for one byte; the table keeps each byte as a character. */
  private text(literal: string, place: () => string): number {
    const value = toBytes(literal);
    const bytes = value.length;
    if (bytes > TEXT_BYTES_MAX) {
      throw new UserError(
        `${place()}: a text() holds ${TEXT_BYTES_MAX} bytes at most, this one has ${bytes}: divide it, or make it a file in assets/`,
      );
    }
    let at = this.texts.get(value);
    if (at === undefined) {
      at = this.offset;
      this.texts.set(value, at);
      this.offset += bytes;
    }
    return at * 1024 + bytes;
  }

  private message(format: string): number {
    format = format.replace(/[\uf700-\uf7ff]/g, (c) =>
      String.fromCharCode(c.charCodeAt(0) - RAW_BYTE),
    );
    let id = this.ids.get(format);
    if (id === undefined) {
      id = this.messages.length;
      this.messages.push(format);
      this.ids.set(format, id);
    }
    return id;
  }
}

const LITERAL = String.raw`("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')`;
const TEXT_CALL = new RegExp(String.raw`(?<![.\w])text\(\s*${LITERAL}\s*,?\s*\)`, "g");
const LOG_CALL = new RegExp(String.raw`(?<![.\w])(log[0-4]\(\s*)${LITERAL}`, "g");

/** Offset of the first text in the blob: behind the header of `blob.ts`. */
export const TEXT_BASE = 18;

/** The value of a literal in either kind of quotes. */
function unquote(literal: string): string {
  const inside = literal.slice(1, -1);
  return inside.replace(/\\(?:x([0-9a-fA-F]{2})|(.))/g, (_all, hex?: string, character?: string) =>
    hex === undefined
      ? (ESCAPES[character as string] ?? (character as string))
      : String.fromCharCode(RAW_BYTE + parseInt(hex, 16)),
  );
}

/** Where bytes that were given as `\\xNN` lie among the characters until the text is encoded: a private-use area. */
const RAW_BYTE = 0xf700;
const TEXT_BYTES_MAX = 1023;

/** UTF-8 of a text, each byte as one character. */
function toBytes(text: string): string {
  return [...text]
    .map((character) => {
      const code = character.charCodeAt(0);
      if ((code & 0xff00) === RAW_BYTE) return String.fromCharCode(code - RAW_BYTE);
      return Buffer.from(character).toString("latin1");
    })
    .join("");
}

const ESCAPES: Record<string, string> = { n: "\n", r: "\r", t: "\t", "0": "\0" };
