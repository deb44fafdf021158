import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import type { Command } from "commander";
import { hasTool } from "../build/device/tools.js";
import { UserError } from "../errors.js";
import { buildNative, CC, GUARD_BYTES } from "../native/build.js";
import { packageRoot } from "../root.js";

/** Adds `native`. */
export function register(program: Command): void {
  program
    .command("native")
    .description(
      "build the stack as a program of this computer, guarded by sanitizers and red zones, and run the wire tests on it",
    )
    .option("--app <name>", "application whose functions the host calls", "hosted")
    .option("--build", "build only")
    .option("--json", "print what was built as JSON")
    .action(async (options: { app: string; build?: boolean; json?: boolean }) => {
      if (!hasTool(CC)) {
        throw new UserError(
          `'${CC}' is not installed; install a C compiler (Debian: apt-get install gcc libc6-dev), or name one in CC`,
        );
      }
      const { path, firmware } = await buildNative({ board: "hosted", app: options.app });
      const buffers = firmware.statics.length;
      if (options.json)
        console.log(
          JSON.stringify({ path, buffers, guardBytes: GUARD_BYTES, statics: firmware.statics }),
        );
      else
        console.log(
          `${relative(process.cwd(), path)}: ${buffers} buffers, ${GUARD_BYTES} poisoned bytes between them`,
        );
      if (options.build) return;
      process.exitCode = await runWireTests();
    });
}

async function runWireTests(): Promise<number> {
  const ava = join(packageRoot, "node_modules/ava/entrypoints/cli.js");
  if (!existsSync(join(packageRoot, "test/stack")) || !existsSync(ava)) {
    throw new UserError(
      "the tests are not part of this installation; use --build, or a clone of the repository",
    );
  }
  // Commands compile only the host tools; the tests are compiled by whoever runs them.
  const ensure = pathToFileURL(join(packageRoot, "host-tools/setup/ensure.mjs")).href;
  ((await import(ensure)) as { ensureCompiled(tests: boolean): void }).ensureCompiled(true);
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [ava, "build/js/test/stack/*.test.js"], {
      cwd: packageRoot,
      env: { ...process.env, AS_TCPIP_NATIVE: "1" },
      stdio: "inherit",
    });
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 1));
  });
}
