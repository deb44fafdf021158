/** A source text in two forms of the same length, so that a place in one is the same place in the other. */
export interface Masked {
  /** Comments are blank. */
  code: string;
  /** Comments and the insides of strings are blank. */
  bare: string;
}

const TOKEN =
  /\/\/[^\n]*|\/\*[^]*?(?:\*\/|$)|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\[^])*`/g;

/** Blanks what is not code, so that the build's searches do not find words in comments and strings. */
export function mask(source: string): Masked {
  const blank = (text: string): string =>
    text.replace(/[^\n]+/g, (line) => " ".repeat(line.length));
  const code = source.replace(TOKEN, (token) => (token.startsWith("/") ? blank(token) : token));
  const bare = code.replace(
    TOKEN,
    (token) => token[0] + blank(token.slice(1, -1)) + token[token.length - 1],
  );
  return { code, bare };
}
