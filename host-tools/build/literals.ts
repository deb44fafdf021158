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
  /** All texts, one behind the other: each byte as a character. */
  private bytes = "";

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
    const at = this.texts.get(value) ?? TEXT_BASE + this.place(value);
    this.texts.set(value, at);
    return textNumber(value, at);
  }

  /** Where a text lies among all of them: it may be a part of what is there, or begin as that ends. */
  private place(value: string): number {
    const found = this.bytes.indexOf(value);
    if (found >= 0) return found;
    let common = Math.min(value.length, this.bytes.length);
    while (!this.bytes.endsWith(value.slice(0, common))) common--;
    const at = this.bytes.length - common;
    this.bytes += value.slice(common);
    return at;
  }

  /** Leaves out the texts of which a module, not optimised yet, has no number, nor that of a part: of code that an option has left out. */
  keepUsed(wat: string): void {
    const numbers = numbersOf(wat);
    for (const [value, at] of this.texts) {
      const isUsed = (number: number): boolean => {
        const [from, bytes] = [Math.floor(number / 1024), number % 1024];
        return (
          number === textNumber(value, at) ||
          (bytes > 0 && from >= at && from + bytes <= at + value.length)
        );
      };
      if (!numbers.some(isUsed)) this.texts.delete(value);
    }
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

/** The number that stands for a text of the blob: its offset shifted by 10, plus its length. */
export function textNumber(bytes: { length: number }, at: number): number {
  return at * 1024 + bytes.length;
}

/** The constants of a module, and the words of its data at any place: what may be the number of a text. */
function numbersOf(wat: string): number[] {
  const numbers = new Set<number>();
  for (const [, value] of wat.matchAll(/\bi(?:32|64)\.const (-?\d+)/g))
    numbers.add(Number(value) >>> 0);
  for (const [, data] of wat.matchAll(/^ *\(data .*?"((?:[^"\\]|\\.)*)"/gm)) {
    const bytes = Buffer.from(
      (data as string).replace(
        /\\(?:([0-9a-f]{2})|(.))/g,
        (_all, code?: string, character?: string) =>
          code === undefined
            ? (ESCAPES[character as string] ?? (character as string))
            : String.fromCharCode(parseInt(code, 16)),
      ),
      "latin1",
    );
    for (let at = 0; at + 4 <= bytes.length; at++) numbers.add(bytes.readUInt32LE(at));
  }
  return [...numbers];
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
