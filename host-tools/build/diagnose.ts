import { stripVTControlCharacters } from "node:util";
import { UserError } from "../errors.js";
import { mask } from "./scan.js";
import { lineOf } from "./sources.js";
import { splitArguments } from "./static-memory.js";

/** What device code cannot have, found before the compiler runs: the words that stand for it, and the way out. */
const REFUSED: readonly [pattern: RegExp, words: (found: RegExpExecArray) => string][] = [
  [
    /\bconsole\s*\.\s*\w+/g,
    ([name]) =>
      `a device has no console: instead of ${name} use log1("info: … %u", value) from "as-tcpip/log"`,
  ],
  [
    /\bMathf?\s*\.\s*\w+/g,
    ([name]) =>
      `a device has no ${name}: compute with integers (min, max, abs, clz are built in), or use a table`,
  ],
  [
    /=>|\bfunction\s*\(/g,
    () => "a device has no function values: name the function and call it, or choose with a switch",
  ],
  [
    /`/g,
    () => 'a device has no strings at run time: use text("…"), or the arguments of a log call',
  ],
  [
    /\bdeclare\s+function\s+(\w+)/g,
    ([, name]) =>
      `no board offers the import '${name}': what a board can do is in "as-tcpip/net", "as-tcpip/time" and so on`,
  ],
];

/** Verbs of a log format and how many arguments each takes (host-tools/log/decode.ts). */
const VERBS: Record<string, number> = { u: 1, d: 1, x: 1, i: 1, c: 1, m: 2 };
const LITERAL = /^\s*(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')\s*$/;

/**
 * Looks through one source text of device code. The package's HAL is left out: it defines what the others must use.
 *
 * @throws UserError with file, line and a way out.
 */
export function diagnose(source: string, name: string, file: string): void {
  if (name.startsWith("hal/")) return;
  const users = /^(?:project|outside)\//.test(name);
  const { code, bare } = mask(source);
  const refuse = (at: number, words: string): never => {
    throw new UserError(`${file}:${lineOf(code, at)}: ${words}`);
  };
  for (const [pattern, words] of REFUSED) {
    pattern.lastIndex = 0;
    // The package itself declares what its hosts offer.
    const found = users || !pattern.source.includes("declare") ? pattern.exec(bare) : null;
    if (found) refuse(found.index, words(found));
  }
  for (const call of bare.matchAll(/(?<![.\w])(log([0-4])|text)\s*\(/g)) {
    if (/\bfunction\s+$/.test(bare.slice(0, call.index))) continue;
    const { parts } = splitArguments(bare, call.index + call[0].length);
    const first = call.index + call[0].length;
    const literal = code.slice(first, first + (parts[0] ?? "").length);
    const called = call[1] as string;
    if (!LITERAL.test(literal)) {
      refuse(call.index, `${called}() needs a literal text here: the build keeps it on the host`);
    }
    if (call[2] === undefined) continue;
    const trouble = formatTrouble(literal, Number(call[2]), parts.slice(1));
    if (trouble) refuse(call.index, `${called}(): ${trouble}`);
  }
}

function formatTrouble(literal: string, arity: number, given: string[]): string | undefined {
  let wanted = 0;
  for (const [verb, letter] of literal.matchAll(/%(.)/g)) {
    if (letter === "%") continue;
    const takes = VERBS[letter as string];
    if (takes === undefined) {
      return `there is no verb ${verb}; there are %u %d %x %c, %i (IPv4 address in host order), %m (MAC, two arguments) and %%`;
    }
    wanted += takes;
  }
  if (given.length !== arity)
    return `it takes ${counted(arity)} behind the format, not ${given.length}`;
  if (wanted !== arity) return `the verbs take ${counted(wanted)}, the call gives ${arity}`;
  const text = given.findIndex((part) => /^\s*(?:["']|text\s*\()/.test(part));
  if (text >= 0)
    return `argument ${text + 1} is a text, and verbs take numbers: write it into the format`;
  return undefined;
}

function counted(count: number): string {
  return count === 1 ? "1 argument" : `${count} arguments`;
}

/** Expressions that allocate, in the order in which they are looked for. */
const ALLOCATES: readonly [RegExp, string][] = [
  [/\bnew\s+\w+/g, "'new'"],
  [/(?<![\w\])>]\s*)\[[^\]\n]*\]/g, "an array"],
  [/["']\s*\+|\+\s*["']/g, "a string put together"],
  [/(?<!(?:text|log[0-4])\s*\(\s*)(?<=[=(,]\s*)["']/g, "a string"],
];

/** Where a source text may allocate, in words; undefined when nothing in it looks like that. */
export function findAllocation(source: string, file: string): string | undefined {
  const bare = mask(source).bare.replace(/\bimport\b[^;]*;|\bfrom\s*"[^"]*"/g, (text) =>
    text.replace(/[^\n]/g, " "),
  );
  for (const [pattern, words] of ALLOCATES) {
    pattern.lastIndex = 0;
    const found = pattern.exec(bare);
    if (!found) continue;
    const before = [...bare.slice(0, found.index).matchAll(/\bfunction\s+(\w+)/g)].at(-1)?.[1];
    const place = before === undefined ? "" : ` in ${before}()`;
    return `${file}:${lineOf(bare, found.index)}: ${words}${place}`;
  }
  return undefined;
}

/** The compiler's messages, one line each: place, words, code. */
export function compilerErrors(output: string, shown: (name: string) => string): string {
  const pattern =
    /(?:ERROR|FAILURE)\s+(\w+): ([^\n]*)\n(?:(?!ERROR|WARNING|FAILURE)[^])*?in ([^\n(]+)\((\d+),(\d+)\)/g;
  const plain = stripVTControlCharacters(output);
  const lines = [...plain.matchAll(pattern)].map(
    ([, code, words, name, line, column]) =>
      `${shown((name as string).trim())}:${line}:${column}: ${words} (${code})`,
  );
  return lines.length > 0 ? lines.join("\n") : plain.trim();
}

/**
 * What the package's own files ask of a driver or a board of the user's, which does not have it: one line for the user's file. Undefined
 * for all other messages of the compiler. `isUsers`: true for names of files that the package does not have.
 */
export function missingExports(
  output: string,
  isUsers: (name: string) => boolean,
  shown: (name: string) => string,
): string | undefined {
  const pattern = /Module '([^']+)' has no exported member '([^']+)'[^]*?in ([^\n(]+)\(\d+,\d+\)/g;
  const missing = new Map<string, Set<string>>();
  for (const [, module, member, asking] of stripVTControlCharacters(output).matchAll(pattern)) {
    if (!isUsers(module as string) || isUsers((asking as string).trim())) continue;
    const members = missing.get(module as string) ?? new Set();
    missing.set(module as string, members.add(member as string));
  }
  const lines = [...missing].map(([module, members]) => {
    const names = [...members].sort().join(", ");
    const page = module.endsWith("/nic") ? "docs/testing.md" : "docs/boards.md";
    return `${shown(`${module}.ts`)} does not export ${names}, for which the package asks; ${page} tells what is wanted`;
  });
  return lines.length > 0 ? lines.join("\n") : undefined;
}

/** The line on which a source text declares a function or a method, by its name in the module; undefined when it is not found. */
export function lineOfFunction(source: string, name: string): number | undefined {
  const [, word = ""] = /([\w$]+)(?:<.*)?$/.exec(name) ?? [];
  const { bare } = mask(source);
  const declared = new RegExp(
    `\\bfunction\\s+${word}\\b|^[ \\t]+(?:[a-z]+\\s+)*${word}\\s*[<(]`,
    "m",
  );
  const found = word === "" ? null : declared.exec(bare);
  return found ? lineOf(bare, found.index + (/\S/.exec(found[0])?.index ?? 0)) : undefined;
}

/** A circle of calls in the text form of a module, as names; undefined when there is none. */
export function findRecursion(wat: string): string[] | undefined {
  const calls = new Map<string, string[]>();
  let current: string[] = [];
  for (const match of wat.matchAll(/^ {2}\(func (\$\S+)|\bcall (\$\S+)/gm)) {
    if (match[1] !== undefined) calls.set(match[1], (current = []));
    else current.push((match[2] as string).replace(/\)+$/, ""));
  }
  const done = new Set<string>();
  for (const start of calls.keys()) {
    const path: { name: string; next: number }[] = [{ name: start, next: 0 }];
    while (path.length > 0) {
      const top = path[path.length - 1] as { name: string; next: number };
      const callee = done.has(top.name) ? undefined : calls.get(top.name)?.[top.next++];
      if (callee === undefined) {
        done.add(top.name);
        path.pop();
        continue;
      }
      const at = path.findIndex(({ name }) => name === callee);
      if (at >= 0) return [...path.slice(at).map(({ name }) => name), callee];
      if (!done.has(callee)) path.push({ name: callee, next: 0 });
    }
  }
  return undefined;
}
