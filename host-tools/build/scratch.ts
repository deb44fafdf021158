import { mkdtempSync, rmSync } from "node:fs";

/** Signals by which a person, or what stands for one, ends a command. */
const STOPS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Works in a folder of its own, which is gone afterwards: at the end, after an error, and when the command is stopped meanwhile.
 * With KEEP_BUILD in the environment it stays, to be looked at.
 */
export async function inScratch<T>(
  prefix: string,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(prefix);
  const remove = (): void => {
    for (const signal of STOPS) process.off(signal, stop);
    // A compiler that is being stopped, too, may still write into it.
    const how = { recursive: true, force: true, maxRetries: 3 };
    if (!process.env["KEEP_BUILD"]) rmSync(folder, how);
  };
  const stop = (signal: NodeJS.Signals): void => {
    remove();
    process.kill(process.pid, signal);
  };
  for (const signal of STOPS) process.on(signal, stop);
  try {
    return await work(folder);
  } finally {
    remove();
  }
}
