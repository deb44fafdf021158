import { spawn } from "node:child_process";

/** Asks whether a host answers an echo request. */
export type Ping = (host: string) => Promise<boolean>;

const SECONDS = 2;

/** Arguments that make the system's `ping` send one request and wait two seconds. */
export function pingArguments(platform: NodeJS.Platform, host: string): string[] {
  if (platform === "win32") return ["-n", "1", "-w", String(SECONDS * 1000), host];
  // -W is seconds on Linux, milliseconds on macOS; -t is the whole time there.
  return ["-c", "1", platform === "linux" ? "-W" : "-t", String(SECONDS), host];
}

/** The system's `ping`, which may send what this process may not. False also where there is none. */
export const systemPing: Ping = (host) =>
  new Promise((resolve) => {
    const child = spawn("ping", pingArguments(process.platform, host), { stdio: "ignore" });
    child.unref();
    child.on("error", () => resolve(false));
    child.on("exit", (code) => resolve(code === 0));
  });
