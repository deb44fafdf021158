import { existsSync, readdirSync, statSync, watch, type FSWatcher } from "node:fs";
import { basename, join } from "node:path";

/** Folders watched at most, and never these. */
const FOLDERS_MAX = 1000;
const SKIPPED = /^(\.|node_modules$|build$)/;
/** What a build reads, beside assets. */
const SOURCE = /\.ts$|^(?:app|board)\.json$/;
/** An editor writes several files in one go. */
const SETTLE_MS = 60;

/**
 * True for a file that a build reads: in a folder `assets` each one is. A capture or a log that the simulation itself writes into the
 * project must not start it anew.
 */
export function isBuildInput(name: string, inAssets: boolean): boolean {
  return !SKIPPED.test(name) && (inAssets || SOURCE.test(name));
}

/** Calls `onChange` after sources or assets under some folders have changed. */
export class SourceWatch {
  private readonly watchers = new Map<string, FSWatcher>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly roots: readonly string[],
    private readonly onChange: () => void,
  ) {
    this.begin();
  }

  private begin(): void {
    for (const root of this.roots) this.add(root);
  }

  close(): void {
    clearTimeout(this.timer);
    for (const watcher of this.watchers.values()) watcher.close();
    this.watchers.clear();
  }

  private add(folder: string, inAssets = basename(folder) === "assets"): void {
    if (this.watchers.has(folder) || this.watchers.size >= FOLDERS_MAX || !existsSync(folder))
      return;
    const watcher = watch(folder, (_event, name) => {
      if (name === null || isBuildInput(name, inAssets) || this.isFolder(join(folder, name))) {
        this.changed();
      }
    });
    // A folder that goes takes its watcher with it.
    watcher.on("error", () => {
      watcher.close();
      this.watchers.delete(folder);
    });
    this.watchers.set(folder, watcher);
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (!entry.isDirectory() || SKIPPED.test(entry.name)) continue;
      this.add(join(folder, entry.name), inAssets || entry.name === "assets");
    }
  }

  /** True for a folder that is, or was until now, one of the sources'. */
  private isFolder(path: string): boolean {
    if (SKIPPED.test(basename(path))) return false;
    if (this.watchers.has(path)) return true;
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  }

  private changed(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      // Folders may be new, or others under the names of before, which no watcher notices.
      this.close();
      this.begin();
      this.onChange();
    }, SETTLE_MS);
  }
}
