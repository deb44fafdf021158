import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

/** The boot drive of an RP2040, as found in the file system. */
export interface Drive {
  /** Folder where it is mounted. */
  path: string;
  /** `Board-ID` of its INFO_UF2.TXT. */
  boardId: string;
}

/** What the search needs of the machine; tests bring their own. */
export interface DriveSources {
  /** Folders where FAT drives are mounted. */
  mounts(): string[];
  /** A device with this label that no folder shows yet, or nothing. */
  unmounted(label: string): string | undefined;
  /** True for the top of a mounted file system, false for a folder in one. @throws when it is gone. */
  isMountPoint(path: string): boolean;
  /** Makes a file to write to. */
  create(path: string): Promise<Pick<FileHandle, "write" | "sync" | "close">>;
}

/** File that every UF2 boot loader shows on its drive. */
export const INFO_FILE = "INFO_UF2.TXT";

/** Label and `Board-ID` of the RP2040's boot drive (RP2040 datasheet 2.8.4). */
export const RP2040_DRIVE = "RPI-RP2";

/** What the drive says of its board; undefined when it is not the drive of a UF2 boot loader. */
export function readDrive(path: string): Drive | undefined {
  try {
    const info = readFileSync(join(path, INFO_FILE), "latin1");
    const boardId = /^Board-ID:\s*(\S+)/im.exec(info)?.[1];
    return boardId === undefined ? undefined : { path, boardId };
  } catch {
    return undefined;
  }
}

/** Mounted boot drives of an RP2040. */
export function findDrives(sources: Pick<DriveSources, "mounts">): Drive[] {
  return sources
    .mounts()
    .map(readDrive)
    .filter((drive) => drive?.boardId === RP2040_DRIVE)
    .map((drive) => drive as Drive);
}

/** Folders of the FAT file systems in a Linux mount table (`/proc/mounts`); `\040` is a space. */
export function fatMounts(table: string): string[] {
  return table
    .split("\n")
    .map((row) => row.split(" "))
    .filter(([, folder, type]) => folder !== undefined && /^(vfat|msdos|fuseblk)$/.test(type ?? ""))
    .map(([, folder]) =>
      (folder as string).replace(/\\([0-7]{3})/g, (_all, octal: string) =>
        String.fromCharCode(parseInt(octal, 8)),
      ),
    );
}

function childFolders(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch {
    return [];
  }
}

/** This machine's drives. */
export const systemDrives: DriveSources = {
  mounts: () => {
    if (process.platform === "darwin") return childFolders("/Volumes");
    if (process.platform === "win32") {
      return [..."DEFGHIJKLMNOPQRSTUVWXYZ"].map((letter) => `${letter}:\\`).filter(existsSync);
    }
    try {
      return fatMounts(readFileSync("/proc/mounts", "utf8"));
    } catch {
      return [];
    }
  },
  unmounted: (label) => {
    const link = `/dev/disk/by-label/${label}`;
    return existsSync(link) ? link : undefined;
  },
  isMountPoint: (path) => {
    const folder = resolve(path);
    return dirname(folder) === folder || statSync(folder).dev !== statSync(dirname(folder)).dev;
  },
  create: (path) => open(path, "w"),
};
