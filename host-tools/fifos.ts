import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "./errors.js";

/**
 * A temporary folder with FIFOs of these names in it; it belongs to the caller. Nothing of it stays behind where they cannot be made.
 * `program` is mkfifo(1).
 *
 * @throws UserError on systems that have none.
 */
export function fifoFolder(prefix: string, names: readonly string[], program = "mkfifo"): string {
  const folder = mkdtempSync(join(tmpdir(), prefix));
  const { status, stderr, error } = spawnSync(program, names, { cwd: folder, encoding: "utf8" });
  if (status === 0) return folder;
  rmSync(folder, { recursive: true, force: true });
  const why = error?.message ?? stderr.trim();
  throw new UserError(`cannot make FIFOs in ${tmpdir()} (${why}); they need a POSIX system`);
}
