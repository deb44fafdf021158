// `npm run reference`: the API reference, from the docstrings of all that applications and tests may import, as Markdown in
// build/reference (or the folder that is named): one file for each name. What has no docstring is listed with its signature alone.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { ensurePackages, root } from "./ensure.mjs";

ensurePackages();

/** Names that can be imported, and the file behind each: those of package.json. */
export function publicNames() {
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const names = { ".": "host-tools/index.ts", "./testing": "host-tools/testing/index.ts" };
  for (const [name, target] of Object.entries(exports)) {
    if (typeof target === "string" && target.endsWith(".ts")) names[name] = target;
  }
  return Object.entries(names).map(([name, file]) => [
    join("as-tcpip", name).replaceAll("\\", "/"),
    file,
  ]);
}

function parse(file) {
  const text = readFileSync(join(root, file), "utf8");
  return ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
}

/** What "board" and the like stand for; all boards offer the same. */
const BOUND = { board: "hal/boards/virtual-w5500/index", cpu: "hal/cpu/portable" };

function target(from, specifier) {
  const bound = BOUND[specifier];
  if (bound) return `${bound}.ts`;
  const path = join(dirname(from), specifier.replace(/\.js$/, ""));
  return [`${path}.ts`, join(path, "index.ts")].find((name) => existsSync(join(root, name)));
}

const isExported = (node) =>
  node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false;

/** The declarations that a file exports, by name; what it passes on from others is theirs. */
export function exportsOf(file) {
  const found = new Map();
  for (const node of parse(file).statements) {
    if (ts.isExportDeclaration(node)) passOn(node, file, found);
    else if (ts.isVariableStatement(node) && isExported(node)) {
      for (const one of node.declarationList.declarations)
        found.set(one.name.getText(), { node, one });
    } else if (isExported(node) && node.name) found.set(node.name.getText(), { node });
  }
  return found;
}

function passOn(node, file, found) {
  if (!node.moduleSpecifier) return;
  const other = target(file, node.moduleSpecifier.text);
  if (!other) return;
  const theirs = exportsOf(other);
  if (!node.exportClause) for (const [name, entry] of theirs) found.set(name, entry);
  else if (ts.isNamespaceExport(node.exportClause)) {
    for (const [name, entry] of theirs) found.set(`${node.exportClause.name.text}.${name}`, entry);
  } else {
    for (const { name, propertyName } of node.exportClause.elements) {
      const entry = theirs.get((propertyName ?? name).text);
      if (entry) found.set(name.text, entry);
    }
  }
}

/** The words of a docstring; of several of a kind in a row the first speaks for all. */
export function docOf({ node }) {
  const comment = ts.getJSDocCommentsAndTags(node).find(ts.isJSDoc);
  if (!comment) return docBefore(node);
  const lines = comment
    .getText()
    .replace(/^\/\*\*|\*\/$/g, "")
    .split("\n");
  return lines
    .map((line) => line.replace(/^\s*\* ?/, ""))
    .join("\n")
    .trim();
}

function docBefore(node) {
  const siblings = node.parent.statements ?? node.parent.members ?? [];
  const before = siblings[siblings.indexOf(node) - 1];
  return before?.kind === node.kind ? docOf({ node: before }) : "";
}

/** How a declaration is called: all of it but its body. */
function signatureOf({ node, one }) {
  if (one) return `const ${one.getText()}`;
  const text = node
    .getText()
    .replace(/^(\s*@\w+(\([^)]*\))?\s*)+/, "")
    .replace(/^export\s+/, "");
  if (ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node) || ts.isAccessor(node)) {
    const body = node.body?.getText();
    return (body ? text.slice(0, text.length - body.length) : text).trim();
  }
  if (ts.isClassDeclaration(node)) return text.slice(0, text.indexOf("{")).trim();
  return text;
}

function isPublic(member) {
  const hidden = [ts.SyntaxKind.PrivateKeyword, ts.SyntaxKind.ProtectedKeyword];
  return member.name && !member.modifiers?.some(({ kind }) => hidden.includes(kind));
}

/** The page of a name. */
export function pageOf(name, file) {
  const parts = [`# ${name}\n`];
  for (const [title, entry] of [...exportsOf(file)].sort(([a], [b]) => (a < b ? -1 : 1))) {
    parts.push(`## ${title}\n\n\`\`\`ts\n${signatureOf(entry)}\n\`\`\`\n\n${docOf(entry)}\n`);
    if (!ts.isClassDeclaration(entry.node)) continue;
    for (const node of entry.node.members.filter(isPublic)) {
      parts.push(`\`\`\`ts\n${signatureOf({ node })}\n\`\`\`\n\n${docOf({ node })}\n`);
    }
  }
  return parts.join("\n");
}

function write(folder) {
  mkdirSync(folder, { recursive: true });
  const pages = publicNames().map(([name, file]) => {
    const page = `${name.replaceAll("/", ".")}.md`;
    writeFileSync(join(folder, page), pageOf(name, file));
    return `- [${name}](${page})`;
  });
  writeFileSync(join(folder, "README.md"), `# API reference\n\n${pages.join("\n")}\n`);
  process.stdout.write(`${folder}: ${pages.length} pages\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  write(resolve(process.argv[2] ?? join(root, "build", "reference")));
}
