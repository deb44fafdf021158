import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { packageRoot } from "../../host-tools/root.js";
import { sources } from "./source-tree.js";

/** Shorter pieces of a message tell nothing. */
const PIECE_MIN = 8;

/** The literals of each `new UserError(…)`, without what is put into them at run time. */
function messages(text: string): string[] {
  return [...text.matchAll(/new UserError\(/g)].map((match) => {
    const rest = text.slice(match.index + match[0].length);
    return rest.slice(0, rest.search(/\n\s*(\)|throw|\w+\.|\}|return|const|if)|\)[;,]?\n/));
  });
}

/** The longest piece of a message that stands in it as it is shown. */
function longestPiece(message: string): string {
  const literals = message.match(/`(?:[^`\\]|\\.)*`|"(?:[^"\\]|\\.)*"/g) ?? [];
  const pieces = literals.flatMap((literal) =>
    literal
      .slice(1, -1)
      .replace(/\$\{(?:[^{}]|\{[^{}]*\})*\}/g, "\n")
      .split(/\n|; /)
      .map((piece) => piece.trim()),
  );
  return pieces.sort((a, b) => b.length - a.length)[0] ?? "";
}

test("docs/troubleshooting.md has each message of the tools that the user can mend", (t) => {
  const page = readFileSync(join(packageRoot, "docs/troubleshooting.md"), "utf8").replace(
    /\\\|/g,
    "|",
  );
  const missing: string[] = [];
  let seen = 0;
  for (const { path, text } of sources("host-tools")) {
    if (path.startsWith("host-tools/bench/")) continue;
    for (const message of messages(text)) {
      const piece = longestPiece(message);
      if (piece.length < PIECE_MIN) continue;
      seen += 1;
      if (!page.includes(piece)) missing.push(`${path}: ${piece}`);
    }
  }
  t.true(seen > 120, String(seen));
  t.deepEqual(missing, []);
});
