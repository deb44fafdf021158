/** How a new project begins: what it may be called, what it depends on, and the commands that come next. */
import type { PlatformPath } from "node:path";

/** Names that Windows keeps for devices, with any extension; npm keeps the last two. */
const RESERVED = /^(con|prn|aux|nul|com\d|lpt\d)(\..*)?$|^(node_modules|favicon\.ico)$/;

/** True for what can be the name of a package, and of a folder on every system. */
export function isPackageName(name: string): boolean {
  return /^[a-z0-9]([a-z0-9._-]*[a-z0-9_-])?$/.test(name) && !RESERVED.test(name);
}

/** Programs that install packages and run scripts. */
export type PackageManager = "npm" | "pnpm";

/** The program that this command was started by, by what it has put into the environment (`npm_config_user_agent`). */
export function packageManager(userAgent: string | undefined): PackageManager {
  return userAgent?.startsWith("pnpm/") ? "pnpm" : "npm";
}

/** What package.json says for the package in a folder. */
export function folderDependency(folder: string, { sep }: Pick<PlatformPath, "sep">): string {
  return `file:${folder.split(sep).join("/")}`;
}

/** The version of a package that pnpm has from the registry, by the folder in which it lies; undefined for all others. */
export function pnpmVersion(folder: string): string | undefined {
  return /[\\/]\.pnpm[\\/]as-tcpip@(\d[^\\/+_(]*)[^\\/]*[\\/]node_modules[\\/]/.exec(folder)?.[1];
}

/** True when a manifest asks for the package by version, as from the registry; yarn and bun leave no other trace of where it came from. */
export function isFromRegistry(manifest: Manifest): boolean {
  const asked = { ...manifest.devDependencies, ...manifest.dependencies }["as-tcpip"];
  return asked !== undefined && /^[~^]?\d/.test(asked);
}

/** What package.json says of dependencies. */
export interface Manifest {
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

/** The commands that come next, to be copied; Windows' own shells have no `&&` in common. */
export function nextSteps(
  folder: string,
  commands: readonly string[],
  platform: NodeJS.Platform,
): string {
  const steps = [`cd ${/[^\w./\\:-]/.test(folder) ? `"${folder}"` : folder}`, ...commands];
  return platform === "win32" ? `next:\n  ${steps.join("\n  ")}` : `next: ${steps.join(" && ")}`;
}
