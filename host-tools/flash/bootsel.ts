/** RP2040: a UF2 file copied to the drive that the boot ROM shows while BOOTSEL is held. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../errors.js";
import { LineLost, SerialLine } from "../serial/line.js";
import { findDrives, INFO_FILE, readDrive, RP2040_DRIVE, type Drive } from "./drives.js";
import type { FlashHost } from "./host.js";
import { EXIT } from "./timing.js";

/** A job for the boot drive. */
export interface BootselJob {
  /** Name of the file on the drive. */
  fileName: string;
  /** The file, asked for once the drive is there, as it may have to be built. */
  uf2: () => Promise<Uint8Array>;
  /** Folder of the drive; searched for when absent. */
  drive?: string;
  /** USB port of a running firmware that goes into the boot loader at 1200 baud. */
  touchPort?: string;
  waitMs: number;
}

/** How a copy ended well. */
export interface BootselResult {
  drive: string;
  /**
   * `rebooted`: the boot ROM took all blocks and started the program, which it does not do before
   * it has every one. `file`: the folder is not a drive; the file in it equals the image.
   */
  accepted: "rebooted" | "file";
}

/** Bytes between two writes to the medium: real progress, and errors at their place. */
const CHUNK_BYTES = 16 * 1024;
/** The last write is small: the drive may go away while it reaches the medium. */
const LAST_BYTES = 4096;

/** Looks for the drive after a touch before the person is asked. */
const TOUCH_LOOKS = 6;

const HOW = "hold BOOTSEL while plugging the board in (or while pressing its reset)";

/** Copies a UF2 file to the boot drive and waits until the boot ROM has accepted it. */
export async function flashBootsel(job: BootselJob, host: FlashHost): Promise<BootselResult> {
  const drive = await awaitDrive(job, host);
  const uf2 = await job.uf2();
  host.say(`Writing ${uf2.length} bytes of UF2 to ${drive.path} ...`);
  let failure: string | undefined;
  try {
    failure = await copy(job.fileName, uf2, drive, host);
  } finally {
    host.progress.stop();
  }
  return { drive: drive.path, accepted: await acceptance(job.fileName, uf2, drive, host, failure) };
}

/** Opens a port at 1200 baud and closes it: the sign for firmware with USB to enter BOOTSEL. */
export async function touch(path: string, host: FlashHost): Promise<void> {
  const line = await SerialLine.open({ path, baudRate: 1200, binding: await host.binding() });
  try {
    await line.setLines({ dtr: false });
  } catch (error) {
    if (!(error instanceof LineLost)) throw error;
  } finally {
    await line.close();
  }
}

async function awaitDrive(job: BootselJob, host: FlashHost): Promise<Drive> {
  if (job.drive !== undefined) return namedDrive(job.drive);
  const tries = Math.max(1, Math.ceil(job.waitMs / host.timing.pollMs));
  let unmounted: string | undefined;
  for (let attempt = 0; attempt <= tries; attempt++) {
    const drives = findDrives(host.drives);
    const [first, ...others] = drives;
    if (first && others.length === 0) return first;
    if (first) {
      const paths = drives.map((drive) => drive.path).join(", ");
      throw new UserError(`several boards are in BOOTSEL: ${paths}; choose with --drive DIR`);
    }
    unmounted = host.drives.unmounted(RP2040_DRIVE);
    if (attempt === 0 && job.touchPort !== undefined) await touch(job.touchPort, host);
    // Firmware that understands the touch brings the drive within a few looks.
    if (attempt === (job.touchPort === undefined ? 0 : TOUCH_LOOKS)) {
      host.say(`Waiting for the drive ${RP2040_DRIVE}: ${HOW}`);
    }
    if (attempt < tries) await sleep(host.timing.pollMs);
  }
  if (unmounted !== undefined) {
    throw new UserError(
      `the drive ${RP2040_DRIVE} is there but not mounted; mount ${unmounted} and give --drive DIR`,
    );
  }
  throw new UserError(`no drive ${RP2040_DRIVE} came; ${HOW} and try again, or give --drive DIR`);
}

function namedDrive(path: string): Drive {
  const drive = readDrive(path);
  if (!drive) {
    throw new UserError(
      `'${path}' is not the drive of a UF2 boot loader (no ${INFO_FILE} with a Board-ID); ${HOW}`,
    );
  }
  if (drive.boardId !== RP2040_DRIVE) {
    throw new UserError(
      `'${path}' is the drive of another board (${drive.boardId}); an RP2040 says ${RP2040_DRIVE}`,
    );
  }
  return drive;
}

/**
 * Copies the file. The boot ROM may reboot as soon as the last block has come; the system then cannot tell the medium's end
 * and gives EIO, ENODEV or the like for the last sync, seconds before the drive is gone for it too. Such an error is given
 * back: what becomes of the drive decides.
 */
async function copy(
  fileName: string,
  uf2: Uint8Array,
  drive: Drive,
  host: FlashHost,
): Promise<string | undefined> {
  host.progress.start("Writing", uf2.length);
  let written = 0;
  let synced = 0;
  let file: Awaited<ReturnType<FlashHost["drives"]["create"]>> | undefined;
  try {
    file = await host.drives.create(join(drive.path, fileName));
    const body = Math.max(0, uf2.length - LAST_BYTES);
    while (synced < uf2.length) {
      const end = synced < body ? Math.min(body, synced + CHUNK_BYTES) : uf2.length;
      while (written < end) {
        written += (await file.write(uf2, written, end - written, written)).bytesWritten;
      }
      await file.sync();
      synced = end;
      host.progress.update(synced);
    }
    return undefined;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    if (written === uf2.length) return code;
    throw incomplete(`the drive failed (${code}) after ${synced} of ${uf2.length} bytes`);
  } finally {
    await file?.close().catch(() => undefined);
  }
}

function incomplete(what: string): UserError {
  return new UserError(
    `${what}; what is in the flash now is incomplete: ${HOW} and run flash again`,
    EXIT.BOARD,
  );
}

/** What a plain folder that stands in for a drive holds; undefined for a drive, which may be gone any moment. */
function fileInFolder(fileName: string, drive: Drive, host: FlashHost): Buffer | undefined {
  try {
    if (host.drives.isMountPoint(drive.path)) return undefined;
    return readFileSync(join(drive.path, fileName));
  } catch {
    return undefined;
  }
}

async function acceptance(
  fileName: string,
  uf2: Uint8Array,
  drive: Drive,
  host: FlashHost,
  failure: string | undefined,
): Promise<BootselResult["accepted"]> {
  const present = (): boolean => existsSync(join(drive.path, INFO_FILE));
  if (present() && failure === undefined) {
    const written = fileInFolder(fileName, drive, host);
    if (written?.equals(uf2)) return "file";
    if (written) {
      throw new UserError(
        `the file in ${drive.path} differs from the image; run flash again`,
        EXIT.VERIFY,
      );
    }
  }
  const tries = Math.ceil(host.timing.rebootMs / host.timing.pollMs);
  for (let attempt = 0; attempt < tries; attempt++) {
    if (!present()) return "rebooted";
    await sleep(host.timing.pollMs);
  }
  if (failure !== undefined) {
    throw incomplete(`the drive failed (${failure}) at its last bytes and is still there`);
  }
  throw new UserError(
    `the boot ROM still shows its drive, so it did not take the whole image; run flash again`,
    EXIT.BOARD,
  );
}
