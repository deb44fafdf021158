/** What the two serial methods (STM32 ROM and Espruino) share. */
import { setTimeout as sleep } from "node:timers/promises";
import { OpenError, SerialLine } from "../serial/line.js";
import { decodeSettings, SETTINGS_BYTES } from "../settings.js";
import { UserError } from "../errors.js";
import { BLOCK_BYTES, BoardError, type BootLoader } from "./an3155.js";
import { unitsOf, type EraseUnit, type FlashFacts, type Method } from "./board-facts.js";
import type { FlashHost } from "./host.js";
import { hex, padToBlocks, segmentEnd, totalBytes, type Segment } from "./image/segments.js";
import { EXIT } from "./timing.js";

/** A piece of work for a board behind a serial port. */
export interface SerialJob {
  facts: FlashFacts;
  /** What is to be in the flash, checked against its range; asked for once the board has answered, as it may have to be built. */
  contents: () => Promise<Segment[]>;
  port: string;
  baudRate: number;
  verify: boolean;
  /** How long the boot loader is waited for. */
  waitMs: number;
}

/** A job whose board has answered. */
export type ReadyJob<Job extends SerialJob = SerialJob> = Job & { segments: Segment[] };

/** How a job ended well. */
export interface SerialResult {
  chipId: number;
  verified: boolean;
  /** The program runs already; otherwise the person presses reset. */
  started: boolean;
}

/** How a person brings a board into its boot loader. */
export const HOW: Record<Method, string> = {
  bootsel: "hold BOOTSEL while plugging the board in",
  an3155: "set BOOT0 to 1 (BOOT1 to 0) and press reset; the adapter goes to USART1",
  espruino: "hold BTN1, press and release reset, then let BTN1 go within 3 seconds",
};

/**
 * Waits for the boot loader and brings it in step. Everything that comes before counts as noise of
 * a program that still runs.
 */
export async function awaitLoader(
  loader: BootLoader,
  host: FlashHost,
  waitMs: number,
  facts: FlashFacts,
): Promise<void> {
  const how = HOW[facts.method];
  const tries = Math.max(2, Math.ceil(waitMs / host.timing.syncMs));
  let foreign: BoardError | undefined;
  for (let attempt = 0; attempt < tries; attempt++) {
    if (await loader.sync()) {
      try {
        await loader.get();
        return;
      } catch (error) {
        if (!(error instanceof BoardError) || error.kind === "lost") throw error;
        foreign = error;
      }
    }
    // Two tries bring any boot loader in step; from then on it is the person's turn.
    if (attempt === 1) host.say(`Waiting for the boot loader: ${how}`);
  }
  throw foreign
    ? new BoardError(
        `what talks on the port is not a boot loader (${foreign.message}); ${how}`,
        "garbage",
      )
    : new BoardError(`no boot loader answers on the port; ${how}`, "silence");
}

/** Opens the job's port; one that another program still holds is waited for. @throws OpenError */
export async function openPort(
  job: SerialJob,
  host: FlashHost,
  parity: "even" | "none",
): Promise<SerialLine> {
  const { port: path, baudRate, waitMs } = job;
  const { pollMs } = host.timing;
  for (let waitedMs = 0; ; waitedMs += pollMs) {
    try {
      return await SerialLine.open({ path, baudRate, parity, binding: await host.binding() });
    } catch (error) {
      const busy = error instanceof OpenError && error.reason === "busy";
      if (!busy || waitedMs >= waitMs) throw error;
      if (waitedMs === 0) host.say(`Waiting for ${path}: another program has it open`);
    }
    await sleep(pollMs);
  }
}

/** Refuses a chip that is not the board's. The Espruino boot loader adds bits above the twelve. */
export async function checkChip(loader: BootLoader, facts: FlashFacts): Promise<number> {
  const id = await loader.id();
  const fits = facts.chipIds.some((wanted) => (wanted & 0xfff) === (id & 0xfff));
  if (facts.chipIds.length > 0 && !fits) {
    const wanted = facts.chipIds.map((one) => `0x${one.toString(16)}`).join(" or ");
    throw new UserError(
      `the chip reports id 0x${id.toString(16)}, ${facts.board} has ${wanted}; ` +
        `nothing was written. Is --board right?`,
      EXIT.REQUEST,
    );
  }
  return id;
}

/**
 * The settings block that the coming erase would take along, to be written again; nothing when the
 * job brings its own, the erase spares it, or there is none on the board.
 */
export async function keptSettings(
  loader: BootLoader,
  job: ReadyJob,
  erased: readonly EraseUnit[],
): Promise<Segment[]> {
  const address = job.facts.settings;
  if (address === undefined) return [];
  const inJob = job.segments.some((s) => s.address <= address && address < segmentEnd(s));
  const [unit] = unitsOf(job.facts, address, 1);
  if (inJob || !unit || !erased.includes(unit)) return [];
  const data = await loader.read(address, SETTINGS_BYTES);
  return decodeSettings(data) ? [{ address, data }] : [];
}

/** The image as blocks that one command carries. */
function blocksOf(segments: readonly Segment[]): Segment[] {
  const blocks: Segment[] = [];
  // Flash is written in words of four bytes.
  for (const segment of padToBlocks(segments, 4)) {
    for (let at = 0; at < segment.data.length;) {
      const room = BLOCK_BYTES - ((segment.address + at) % BLOCK_BYTES);
      const data = segment.data.subarray(at, at + room);
      blocks.push({ address: segment.address + at, data });
      at += data.length;
    }
  }
  return blocks;
}

/** Writes segments to flash that has been erased. */
export async function writeSegments(
  loader: BootLoader,
  host: FlashHost,
  segments: readonly Segment[],
): Promise<void> {
  const blocks = blocksOf(segments);
  host.progress.start("Writing", blocks.length);
  for (const [index, block] of blocks.entries()) {
    await loader.write(block.address, block.data);
    host.progress.update(index + 1);
  }
}

/** Reads segments back. @throws UserError (exit code 3) that names the first difference. */
export async function verifySegments(
  loader: BootLoader,
  host: FlashHost,
  segments: readonly Segment[],
): Promise<void> {
  const blocks = blocksOf(segments);
  host.progress.start("Verifying", blocks.length);
  for (const [index, block] of blocks.entries()) {
    const found = await loader.read(block.address, block.data.length);
    const at = found.findIndex((byte, offset) => byte !== block.data[offset]);
    if (at >= 0) {
      const two = (byte: number | undefined): string => (byte ?? 0).toString(16).padStart(2, "0");
      throw new UserError(
        `verify failed at ${hex(block.address + at)}: wrote ${two(block.data[at])}, ` +
          `read ${two(found[at])}; do not use the board so, run flash again`,
        EXIT.VERIFY,
      );
    }
    host.progress.update(index + 1);
  }
}

/** Runs the part of a job after which the old program is gone: its failure says so. */
export async function pointOfNoReturn<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof BoardError) || error.untouched) throw error;
    const protection =
      error.kind === "nack" ? " (if it happens again, the chip may be write-protected)" : "";
    throw new BoardError(
      `${error.message}; what is in the flash now is incomplete, run flash again${protection}`,
      error.kind,
    );
  }
}

/** One line about what was written. */
export function sumOf(segments: readonly Segment[]): string {
  return `${totalBytes(segments)} bytes`;
}
