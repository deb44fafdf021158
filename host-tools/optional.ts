import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { UserError } from "./errors.js";
import { packageRoot } from "./root.js";

/**
 * Refuses what needs an npm package that is heavy and rarely wanted, and so not installed with this one, when it is not
 * there. `what` begins the sentence: "flashing an Espruino board".
 */
export function requireOptional(name: "espruino" | "koffi", what: string): void {
  try {
    createRequire(import.meta.url).resolve(name);
  } catch {
    const { peerDependencies } = JSON.parse(
      readFileSync(join(packageRoot, "package.json"), "utf8"),
    ) as { peerDependencies: Record<string, string> };
    throw new UserError(
      `${what} needs the npm package '${name}', which is not installed: npm install --save-dev ${name}@${peerDependencies[name]}`,
    );
  }
}
