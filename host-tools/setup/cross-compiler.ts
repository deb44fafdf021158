import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { ARM_GCC, hasTool, INSTALL_HINT } from "../build/device/tools.js";
import { UserError } from "../errors.js";

const PACKAGES = ["gcc-arm-none-eabi", "libnewlib-arm-none-eabi"];

/** True when images can be built here. */
export function hasCrossCompiler(): boolean {
  return hasTool(ARM_GCC);
}

/** True when `installCrossCompiler` may be tried: Debian's package tools, and the rights to use them. */
export function canInstall(): boolean {
  return process.getuid?.() === 0 && existsSync("/usr/bin/apt-get");
}

/** Where a person is asked, and what is known without asking. */
export interface Asking {
  /** `--install` was given. */
  wanted: boolean;
  /** What the environment says; CI machines set CI. */
  ci: string | undefined;
  input: NodeJS.ReadableStream & { isTTY?: boolean };
  output: NodeJS.WritableStream & { isTTY?: boolean };
}

/** True when Debian packages may be installed: it was said so, nobody is there to ask, or the person agrees. */
export function mayInstall({ wanted, ci, input, output }: Asking): Promise<boolean> {
  const person = input.isTTY === true && output.isTTY === true;
  if (wanted || !person || (ci ?? "") !== "") return Promise.resolve(true);
  const lines = createInterface({ input, output });
  const what = `${PACKAGES.join(" and ")} (about 500 MB)`;
  return new Promise((resolve) => {
    lines.question(
      `'${ARM_GCC}' is not installed. Install ${what} by apt-get? [Y/n] `,
      (answer) => {
        resolve(/^(y(es)?)?$/i.test(answer.trim()));
        lines.close();
      },
    );
    // Ctrl-C, or the end of the input: after an answer this says nothing more.
    lines.on("close", () => resolve(false));
  });
}

/**
 * Makes sure that the ARM cross compiler is there: installs Debian's when this is Debian, we are root, and the person agrees.
 *
 * @param onStep told what is being done, because it takes a minute.
 * @param wanted the person has agreed on the command line.
 * @throws UserError that says how to install it, when that cannot be done here.
 */
export async function ensureCrossCompiler(
  onStep: (what: string) => void = () => {},
  wanted = false,
): Promise<void> {
  if (hasCrossCompiler()) return;
  const asking = { wanted, ci: process.env["CI"], input: process.stdin, output: process.stderr };
  if (!canInstall() || !(await mayInstall(asking))) {
    throw new UserError(`'${ARM_GCC}' is not installed; ${INSTALL_HINT}`);
  }
  onStep(`installing ${PACKAGES.join(" and ")} (once, about 500 MB)`);
  const install = ["install", "-y", "-q", "--no-install-recommends", ...PACKAGES];
  // An index that is out of date names files that are gone: then it is renewed, once.
  if ((await aptGet(install)) && hasCrossCompiler()) return;
  await aptGet(["update", "-q"]);
  if ((await aptGet(install)) && hasCrossCompiler()) return;
  throw new UserError(`apt-get could not install ${PACKAGES.join(" and ")}; ${INSTALL_HINT}`);
}

function aptGet(args: string[]): Promise<boolean> {
  return new Promise((resolve) => {
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    const child = spawn("apt-get", args, { env, stdio: "ignore" });
    child.on("error", () => resolve(false));
    child.on("close", (code) => resolve(code === 0));
  });
}
