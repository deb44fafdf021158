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
  rewrite(source: string, _file = ""): string {
    return source
      .replace(TEXT_CALL, (_all, literal: string) => String(this.text(this.expand(literal))))
      .replace(
        LOG_CALL,
        (_all, call: string, literal: string) => call + this.message(this.expand(literal)),
      );
  }

  private text(value: string): number {
    const bytes = Buffer.byteLength(value, "latin1");
    if (bytes > 1023)
      throw new Error(`a text() literal is limited to 1023 bytes: "${value.slice(0, 40)}…"`);
    let at = this.texts.get(value);
    if (at === undefined) {
      at = this.offset;
      this.texts.set(value, at);
      this.offset += bytes;
    }
    return at * 1024 + bytes;
  }

  private message(format: string): number {
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
export const TEXT_BASE = 8;

/** The value of a literal in either kind of quotes. */
function unquote(literal: string): string {
  const inside = literal.slice(1, -1);
  return inside.replace(/\\(?:x([0-9a-fA-F]{2})|(.))/g, (_all, hex?: string, character?: string) =>
    hex === undefined
      ? (ESCAPES[character as string] ?? (character as string))
      : String.fromCharCode(parseInt(hex, 16)),
  );
}

const ESCAPES: Record<string, string> = { n: "\n", r: "\r", t: "\t", "0": "\0" };
