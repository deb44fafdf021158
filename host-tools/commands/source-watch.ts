import { existsSync, readdirSync, watch, type FSWatcher } from "node:fs";
import { join } from "node:path";

/** Folders watched at most, and never these. */
const FOLDERS_MAX = 1000;
const SKIPPED = /^(\.|node_modules$|build$)/;
/** An editor writes several files in one go. */
const SETTLE_MS = 60;

/** Calls `onChange` after files under some folders have changed. */
export class SourceWatch {
  private readonly watchers = new Map<string, FSWatcher>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly roots: readonly string[],
    private readonly onChange: () => void,
  ) {
    for (const root of roots) this.add(root);
  }

  close(): void {
    clearTimeout(this.timer);
    for (const watcher of this.watchers.values()) watcher.close();
    this.watchers.clear();
  }

  private add(folder: string): void {
    if (this.watchers.has(folder) || this.watchers.size >= FOLDERS_MAX || !existsSync(folder))
      return;
    const watcher = watch(folder, (_event, name) => {
      if (name === null || !SKIPPED.test(name)) this.changed();
    });
    // A folder that goes takes its watcher with it.
    watcher.on("error", () => {
      watcher.close();
      this.watchers.delete(folder);
    });
    this.watchers.set(folder, watcher);
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.isDirectory() && !SKIPPED.test(entry.name)) this.add(join(folder, entry.name));
    }
  }

  private changed(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      // Folders may be new.
      for (const root of this.roots) this.rescan(root);
      this.onChange();
    }, SETTLE_MS);
  }

  private rescan(root: string): void {
    const watcher = this.watchers.get(root);
    watcher?.close();
    this.watchers.delete(root);
    this.add(root);
  }
}
