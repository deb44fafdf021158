import { spawn, spawnSync } from "node:child_process";
import { UserError } from "../../errors.js";

/** The cross compiler; another may be named in the environment. */
export const ARM_GCC = process.env["ARM_GCC"] ?? "arm-none-eabi-gcc";

/** True when a program can be started. */
export function hasTool(program: string): boolean {
  return spawnSync(program, ["--version"], { stdio: "ignore" }).status === 0;
}

/**
 * Runs a tool of the build and returns what it wrote to its standard output.
 *
 * @throws Error with the tool's own words when it fails; UserError when it is not there.
 */
export function runTool(program: string, args: string[], cwd: string): Promise<string> {
  return new Promise((resolve, reject) => {
    // The C locale and no colours: output that is read by programs, the same everywhere.
    const env = { ...process.env, LC_ALL: "C", GCC_COLORS: "", SOURCE_DATE_EPOCH: "0" };
    const child = spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    let out = "";
    let err = "";
    child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
    child.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") return reject(error);
      reject(new UserError(`'${program}' is not installed; ${INSTALL_HINT}`));
    });
    child.on("close", (code) => {
      if (code === 0) resolve(out);
      else reject(new ToolError(program, err.trim() || out.trim() || `exit code ${code}`));
    });
  });
}

/** A tool of the build refused its input. */
export class ToolError extends Error {
  constructor(
    readonly program: string,
    readonly output: string,
  ) {
    super(`${program} failed:\n${output}`);
    this.name = "ToolError";
  }
}

/** How to get the cross compiler. */
export const INSTALL_HINT =
  "install the ARM cross compiler: apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi " +
  "(Debian, Ubuntu), dnf install arm-none-eabi-gcc-cs arm-none-eabi-newlib (Fedora), " +
  "brew install --cask gcc-arm-embedded (macOS), the installer of developer.arm.com (Windows)";
