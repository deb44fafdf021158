/** Files stay readable in one sitting, nothing lies about that nobody uses, and documents name what is there. */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { packageRoot } from "../../host-tools/root.js";
import { OPTIONS } from "../../stack/options.js";
import { sources } from "./source-tree.js";

const FILE_LINES = 400;
const FUNCTION_LINES = 70;

test(`files have at most ${FILE_LINES} lines, functions at most ${FUNCTION_LINES}`, (t) => {
  const long: string[] = [];
  for (const { path, text } of sources("stack", "drivers", "hal", "firmware", "host-tools")) {
    const lines = text.split("\n");
    if (lines.length - 1 > FILE_LINES) long.push(`${path}: ${lines.length - 1} lines`);
    let start = -1;
    lines.forEach((line, i) => {
      if (/^(export )?(async )?function /.test(line)) start = i;
      if (line === "}" && start >= 0) {
        if (i - start + 1 > FUNCTION_LINES)
          long.push(`${path}:${start + 1}: ${i - start + 1} lines`);
        start = -1;
      }
    });
  }
  t.deepEqual(long, []);
});

test("stack/ and drivers/ export nothing that nobody uses", (t) => {
  const all = sources("stack", "drivers", "hal", "firmware", "test", "host-tools");
  const everything = new Map<string, number>();
  for (const { text } of all) {
    for (const word of text.match(/\b[A-Za-z_][A-Za-z0-9_]*\b/g) ?? [])
      everything.set(word, (everything.get(word) ?? 0) + 1);
  }
  const unused: string[] = [];
  for (const { path, text } of sources("stack", "drivers")) {
    // Lists of POSIX names are there for applications.
    if (/stack\/(posix|errors|options|config)\.ts$/.test(path)) continue;
    for (const found of text.matchAll(/^export (?:const enum|const|function|class|let) (\w+)/gm)) {
      if (everything.get(found[1] as string) === 1) unused.push(`${path}: ${found[1]}`);
    }
  }
  t.deepEqual(unused, []);
});

/** Documents, and the sources whose comments name files. */
function documents(): { path: string; text: string }[] {
  const docs = readdirSync(join(packageRoot, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`);
  return ["README.md", ...docs].map((path) => ({
    path,
    text: readFileSync(join(packageRoot, path), "utf8"),
  }));
}

test("every file that a document names by its path exists", (t) => {
  const missing: string[] = [];
  for (const { path, text } of documents()) {
    const named =
      /\b((?:stack|drivers|hal|firmware|host-tools|test)\/[\w./-]+\.(?:ts|mjs|c|h|json|S))\b/g;
    for (const found of text.matchAll(named)) {
      const file = found[1] as string;
      if (!file.includes("<") && !existsSync(join(packageRoot, file)))
        missing.push(`${path}: ${file}`);
    }
  }
  t.deepEqual(missing, []);
});

test("comments of device sources name files that exist", (t) => {
  const missing: string[] = [];
  for (const { path, text } of sources("stack", "drivers", "hal", "firmware")) {
    for (const found of text.matchAll(
      /(?:\/\/|\*)[^\n]*?\b((?:stack|drivers|hal|firmware)\/[\w./-]+\.ts)\b/g,
    )) {
      if (!existsSync(join(packageRoot, found[1] as string))) missing.push(`${path}: ${found[1]}`);
    }
    const folder = path.slice(0, path.lastIndexOf("/"));
    for (const found of text.matchAll(/(?:\/\/|\* )[^\n]*?[(` ]([a-z][\w-]*\.ts)\b/g)) {
      const name = found[1] as string;
      if (!existsSync(join(packageRoot, folder, name))) missing.push(`${path}: ${name}`);
    }
  }
  t.deepEqual(missing, []);
});

test("documents name no build option that is not there", (t) => {
  const wrong: string[] = [];
  const prefixes = /\b((?:TCP|UDP|ARP|ACD|DNS|MDNS|DHCP|LOOPBACK|MIRROR|ENC28J60)_[A-Z0-9_]+)\b/g;
  const known = new Set<string>(Object.keys(OPTIONS));
  // POSIX names and counters have the same form.
  const posix = ["stack/posix.ts", "stack/statistics.ts"]
    .map((path) => readFileSync(join(packageRoot, path), "utf8"))
    .join("\n");
  for (const { path, text } of documents()) {
    if (path === "docs/conformance.md" || path === "docs/sockets.md") continue;
    for (const found of text.matchAll(prefixes)) {
      const name = found[1] as string;
      if (!known.has(name) && !posix.includes(name)) wrong.push(`${path}: ${name}`);
    }
  }
  t.deepEqual(wrong, []);
});
