#!/usr/bin/env node
// The `as-tcpip` command. In a clone of the repository npm packages are installed and the host tools compiled when that
// is needed; an installed package has them compiled.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const clone = existsSync(join(root, "tsconfig.host.json"));
if (clone) {
  const { ensure } = await import("./setup/ensure.mjs");
  ensure();
} else if (Number(process.versions.node.split(".")[0]) < 20) {
  process.stderr.write(
    `as-tcpip: Node.js 20 or newer is needed, this is ${process.versions.node}\n`,
  );
  process.exit(1);
}
const compiled = join(root, "build", clone ? "js" : "package", "host-tools", "cli.js");
await import(pathToFileURL(compiled).href);
