import { LineLost, type SerialLine } from "../serial/line.js";
import { BoardError, BootLoader } from "./an3155.js";
import { touchedFlash } from "./board-facts.js";
import type { FlashHost } from "./host.js";
import { padToBlocks, type Segment } from "./image/segments.js";
import { resetByLines, type ModemLines } from "./modem-lines.js";
import {
  awaitLoader,
  checkChip,
  keptSettings,
  openPort,
  pointOfNoReturn,
  sumOf,
  verifySegments,
  writeSegments,
  type ReadyJob,
  type SerialJob,
  type SerialResult,
} from "./serial-job.js";

/** A job for the ROM boot loader of an STM32. */
export interface Stm32Job extends SerialJob {
  erase: "pages" | "all";
  /** Modem lines that reset the board; without them the person does. */
  lines?: ModemLines;
  /** Start the program afterwards. */
  go: boolean;
  /** The chip's read and write protections are lifted first, which erases all of it. */
  unprotect?: boolean;
  /** Only the settings block is written: what else lies in its erase unit is kept. */
  settingsOnly?: boolean;
}

/** Erases, writes, verifies and starts a program through the STM32 ROM boot loader (AN3155). */
export async function flashStm32(job: Stm32Job, host: FlashHost): Promise<SerialResult> {
  const line = await openPort(job, host, "even");
  try {
    return await runStm32(line, job, host);
  } finally {
    host.progress.stop();
    await line.close();
  }
}

async function runStm32(
  line: SerialLine,
  request: Stm32Job,
  host: FlashHost,
): Promise<SerialResult> {
  const { facts, lines } = request;
  const loader = new BootLoader(line, host.timing);
  if (lines) await resetByLines(line, lines, true, host.timing.resetMs);
  await awaitLoader(loader, host, request.waitMs, facts);
  const chipId = await checkChip(loader, facts);
  const job = { ...request, segments: await request.contents() };
  if (job.unprotect) await unprotect(loader, job, host);
  const erased = job.erase === "all" ? facts.units : touchedFlash(facts, job.segments);
  let segments = job.segments;
  if (job.settingsOnly) segments = await wholeUnits(loader, job);
  else segments = [...segments, ...(await keptSettings(loader, job, erased))];
  await pointOfNoReturn(async () => {
    host.say(`Erasing ${job.erase === "all" ? "the flash" : `${erased.length} pages`} ...`);
    if (job.erase === "all") await loader.eraseAll();
    else await loader.eraseUnits(erased.map((unit) => unit.number));
    host.say(`Writing ${sumOf(segments)} ...`);
    await writeSegments(loader, host, segments);
    if (job.verify) await verifySegments(loader, host, segments);
    host.progress.stop();
  });
  if (!job.go) return { chipId, verified: job.verify, started: false };
  await start(line, loader, job, host);
  return { chipId, verified: job.verify, started: true };
}

/** Lifts both protections; the chip resets itself after each. */
async function unprotect(loader: BootLoader, job: Stm32Job, host: FlashHost): Promise<void> {
  host.say("Lifting the protection, which erases the flash ...");
  await pointOfNoReturn(async () => {
    for (const which of ["read", "write"] as const) {
      await loader.unprotect(which);
      await awaitLoader(loader, host, job.waitMs, job.facts);
    }
  });
}

async function start(
  line: SerialLine,
  loader: BootLoader,
  job: Stm32Job,
  host: FlashHost,
): Promise<void> {
  try {
    if (job.lines?.nrst) await resetByLines(line, job.lines, false, host.timing.resetMs);
    else await loader.go(job.facts.appOrigin);
  } catch (error) {
    if (!(error instanceof BoardError) && !(error instanceof LineLost)) throw error;
    throw new BoardError(
      `the program is written but did not start (${error.message}); set BOOT0 to 0, press reset`,
      error instanceof BoardError ? error.kind : "lost",
    );
  }
}

/** The job's bytes laid over what the erase units hold now: an erase takes the whole unit. */
async function wholeUnits(loader: BootLoader, job: ReadyJob<Stm32Job>): Promise<Segment[]> {
  const result: Segment[] = [];
  for (const unit of touchedFlash(job.facts, job.segments)) {
    const data = new Uint8Array(unit.bytes);
    for (let at = 0; at < unit.bytes; at += 256) {
      data.set(await loader.read(unit.address + at, 256), at);
    }
    for (const segment of padToBlocks(job.segments, 4)) {
      const offset = segment.address - unit.address;
      if (offset >= 0 && offset < unit.bytes) data.set(segment.data, offset);
    }
    result.push({ address: unit.address, data });
  }
  return result;
}
