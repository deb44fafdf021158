/**
 * Espruino boards: flashed by the `espruino` package (EspruinoTools) through the boot loader that
 * is in the board, then read back by our own client, because the package does not verify.
 */
import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { requireOptional } from "../optional.js";
import type { SerialLine } from "../serial/line.js";
import { ACK, BoardError, BootLoader, SYNC } from "./an3155.js";
import type { FromChild, ToChild } from "./espruino-messages.js";
import type { FlashHost } from "./host.js";
import { flatten, segmentEnd, type Segment } from "./image/segments.js";
import {
  awaitLoader,
  checkChip,
  keptSettings,
  pointOfNoReturn,
  sumOf,
  verifySegments,
  writeSegments,
  type ReadyJob,
  type SerialJob,
  type SerialResult,
  openPort,
} from "./serial-job.js";

const CHILD = fileURLToPath(new URL("espruino-child.js", import.meta.url));

/** Erases all of the board but its boot loader, writes and verifies. */
export async function flashEspruino(request: SerialJob, host: FlashHost): Promise<SerialResult> {
  requireOptional("espruino", "flashing an Espruino board");
  const line = await openPort(request, host, "none");
  try {
    const loader = new BootLoader(line, host.timing);
    await awaitLoader(loader, host, request.waitMs, request.facts);
    const chipId = await checkChip(loader, request.facts);
    const job = { ...request, segments: await request.contents() };
    const kept = await keptSettings(loader, job, job.facts.units);
    const [program, rest] = splitProgram(job);
    await pointOfNoReturn(async () => {
      host.say(`Erasing and writing ${sumOf(job.segments)} with EspruinoTools ...`);
      await runPackage(line, job, program, host);
      await awaitLoader(loader, host, job.waitMs, job.facts);
      await writeSegments(loader, host, [...rest, ...kept]);
      if (job.verify) await verifySegments(loader, host, [...job.segments, ...kept]);
      host.progress.stop();
    });
    return { chipId, verified: job.verify, started: false };
  } finally {
    host.progress.stop();
    await line.close();
  }
}

/**
 * The package writes one run of bytes from the start of the program on; a settings block far behind
 * it is left to our own client, so that the gap needs no writing.
 */
function splitProgram(job: ReadyJob): [Segment[], Segment[]] {
  const { settings } = job.facts;
  const isSettings = (segment: Segment): boolean => segment.address === settings;
  return [
    job.segments.filter((segment) => !isSettings(segment)),
    job.segments.filter((segment) => isSettings(segment)),
  ];
}

async function runPackage(
  line: SerialLine,
  job: ReadyJob,
  program: readonly Segment[],
  host: FlashHost,
): Promise<void> {
  const { origin } = job.facts;
  const start = Math.min(...program.map((segment) => segment.address));
  // The boot loader writes whole words; an odd end would write garbage behind it.
  const end = (Math.max(...program.map(segmentEnd)) + 3) & ~3;
  const image = flatten(program, origin, end);
  const child = fork(CHILD, [], {
    serialization: "advanced",
    stdio: ["ignore", "ignore", "ignore", "ipc"],
    execArgv: [],
  });
  try {
    await new PackageRun(line, host, child).done({
      kind: "start",
      image,
      offset: start - origin,
    });
  } finally {
    line.listen(undefined);
    line.onLost = () => undefined;
    child.removeAllListeners();
    child.kill();
  }
}

/** One run of the package: carries bytes, shows progress, notices when nothing moves any more. */
class PackageRun {
  private stalled: NodeJS.Timeout | undefined;
  private resolve: () => void = () => undefined;
  private reject: (error: unknown) => void = () => undefined;
  private doneBytes = 0;
  /** The package has left its synchronisation behind. */
  private talking = false;
  private synced = false;
  private trouble = "no answer";

  constructor(
    private readonly line: SerialLine,
    private readonly host: FlashHost,
    private readonly child: ChildProcess,
  ) {}

  /** Resolves when the package reports success. */
  async done(start: ToChild): Promise<void> {
    try {
      await new Promise<void>((resolve, reject) => {
        this.resolve = resolve;
        this.reject = reject;
        this.moving();
        this.child.on("message", (message: FromChild) => this.handle(message, start));
        this.child.on("error", (error) => this.fail(`did not start (${error.message})`, "lost"));
        // Not "exit", which can come before the last message.
        this.child.on("disconnect", () => this.fail("ended without a result", "lost"));
        this.line.onLost = (error) =>
          this.fail(`lost the board: the port ${error.message}`, "lost");
        this.line.discard();
        this.line.listen((bytes) => this.post({ kind: "received", bytes: Uint8Array.from(bytes) }));
      });
    } finally {
      clearTimeout(this.stalled);
    }
  }

  private handle(message: FromChild, start: ToChild): void {
    switch (message.kind) {
      case "ready":
        return this.post(start);
      case "write":
        return this.write(message.write, message.bytes);
      case "trouble":
        this.trouble = message.text;
        return;
      case "stage":
        if (message.total !== undefined) this.host.progress.start("Writing", message.total);
        return this.moving();
      case "progress":
        this.doneBytes += message.bytes;
        this.host.progress.update(this.doneBytes);
        return this.moving();
      case "done":
        if (message.error === undefined) return this.resolve();
        return this.fail(`says: ${message.error}`, "nack");
    }
  }

  /**
   * Passes bytes on, but for the synchronisation. Our client has done that on this line already, and
   * the boot loader takes each further 0x7F for half a command: the package repeats it every 70 ms,
   * so on a slow machine it would fall out of step.
   */
  private write(write: number, bytes: Uint8Array): void {
    const sync = bytes.length === 1 && bytes[0] === SYNC;
    if (!sync) {
      this.talking = true;
      this.line.write(bytes).then(
        () => this.post({ kind: "written", write }),
        () => undefined, // onLost tells
      );
      return;
    }
    // It synchronises anew after an error, and would go on so for ever.
    if (this.talking) return this.fail(`says: ${this.trouble}`, "nack");
    this.post({ kind: "written", write });
    if (!this.synced) this.post({ kind: "received", bytes: Uint8Array.of(ACK) });
    this.synced = true;
  }

  private post(message: ToChild): void {
    // It ends with its result, and what then cannot be sent is no error: the result counts.
    if (this.child.connected) this.child.send(message, () => undefined);
  }

  private fail(what: string, kind: BoardError["kind"]): void {
    this.reject(new BoardError(`EspruinoTools ${what}`, kind));
  }

  /** Without progress the run is given up. */
  private moving(): void {
    clearTimeout(this.stalled);
    this.stalled = setTimeout(
      () => this.fail("makes no progress: the board does not take the data", "silence"),
      this.host.timing.stallMs,
    );
  }
}
