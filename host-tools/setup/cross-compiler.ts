import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
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

/**
 * Makes sure that the ARM cross compiler is there: installs Debian's when this is Debian and we are root.
 *
 * @param onStep told what is being done, because it takes a minute.
 * @throws UserError that says how to install it, when that cannot be done here.
 */
export async function ensureCrossCompiler(
  onStep: (what: string) => void = () => {},
): Promise<void> {
  if (hasCrossCompiler()) return;
  if (!canInstall()) throw new UserError(`'${ARM_GCC}' is not installed; ${INSTALL_HINT}`);
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
