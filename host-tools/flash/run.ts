/** The `flash` command: what is to be written, where, and by which way. */
import { UserError } from "../errors.js";
import { setTimeout as sleep } from "node:timers/promises";
import { NoPort, choosePort, type PortKind } from "../serial/ports.js";
import { METHODS, touchedFlash, type FlashFacts, type Method } from "./board-facts.js";
import { flashBootsel } from "./bootsel.js";
import { flashEspruino } from "./espruino.js";
import type { FlashHost } from "./host.js";
import { checkRange, loadImage } from "./image/load.js";
import { hex, joinSegments, totalBytes, type Segment } from "./image/segments.js";
import { writeUf2 } from "./image/uf2.js";
import { parseModemLines, type ModemLines } from "./modem-lines.js";
import {
  settingsSegment,
  wantsSettings,
  withSettings,
  type SettingsRequest,
} from "./settings-segment.js";
import { HOW } from "./serial-job.js";
import { flashStm32 } from "./stm32.js";

/** What the person asked for. */
export interface FlashRequest {
  /** Image file, or what builds one, which is called once the board has answered; with `settingsOnly` none. */
  image?: string | (() => Promise<string>);
  settings: SettingsRequest;
  settingsOnly: boolean;
  port?: string;
  baudRate: number;
  drive?: string;
  method?: string;
  /** Modem lines, as `parseModemLines` reads them. */
  lines?: string;
  erase: "pages" | "all";
  dryRun: boolean;
  verify: boolean;
  go: boolean;
  /** Read and write protection are lifted first. */
  unprotect?: boolean;
  waitMs: number;
}

/** What was done, or would be: the `--json` output. */
export interface FlashReport {
  board: string;
  method: Method;
  image: string | null;
  dryRun: boolean;
  /** Address and size of each run of bytes. */
  segments: { address: string; bytes: number }[];
  bytes: number;
  /** Erase units that are touched: address and size. */
  erase: { address: string; bytes: number }[];
  /** Port or drive that was used. */
  target: string | null;
  chipId: string | null;
  /** How it is known that the flash holds the image. */
  verified: "read-back" | "rebooted" | "file" | null;
  /** The program runs already. */
  started: boolean;
}

/** Kinds of serial port that a board shows up as. */
const PORT_KINDS: Record<Method, PortKind[]> = {
  bootsel: ["pico"],
  an3155: ["adapter"],
  espruino: ["espruino"],
};

function methodOf(request: FlashRequest, facts: FlashFacts): Method {
  const method = request.method ?? facts.method;
  if (!METHODS.includes(method as Method)) {
    throw new UserError(`unknown method '${method}'; there are: ${METHODS.join(", ")}`);
  }
  if ((method === "bootsel") !== (facts.method === "bootsel")) {
    throw new UserError(`${facts.board} cannot be flashed by ${method}; use ${facts.method}`);
  }
  if (request.unprotect && (method !== "an3155" || request.settingsOnly)) {
    throw new UserError(
      "--unprotect erases the whole chip through the ROM boot loader of an STM32; it needs a program to write, and no other boot loader",
    );
  }
  return method as Method;
}

/** What is to be in the flash, and the file that it comes from. */
interface Contents {
  image: string | null;
  segments: Segment[];
}

/** Refuses what can be refused before the board is looked for; the result gives the bytes, built when that is needed. */
function contentsOf(request: FlashRequest, facts: FlashFacts): () => Promise<Contents> {
  if (request.settingsOnly) {
    if (facts.method === "espruino") {
      throw new UserError(
        "the Espruino boot loader erases everything; write the settings together with the program",
      );
    }
    const segments = [settingsSegment(request.settings, facts)];
    return async () => ({ image: null, segments });
  }
  const { image, settings } = request;
  if (image === undefined) throw new UserError("no image; give --app NAME or --image FILE");
  const block = wantsSettings(settings) ? settingsSegment(settings, facts) : undefined;
  if (typeof image === "string") {
    const ready = fromFile(image, block, facts);
    return async () => ready;
  }
  let building: Promise<Contents> | undefined;
  return () => (building ??= image().then((file) => fromFile(file, block, facts)));
}

function fromFile(file: string, settings: Segment | undefined, facts: FlashFacts): Contents {
  const image = loadImage(file, facts).segments;
  checkRange(image, facts);
  return {
    image: file,
    segments: settings === undefined ? joinSegments(image) : withSettings(image, settings),
  };
}

/** The port that was named, or the only one that fits, which is waited for. */
async function portFor(request: FlashRequest, facts: FlashFacts, host: FlashHost): Promise<string> {
  if (request.port !== undefined) return request.port;
  const { pollMs } = host.timing;
  for (let waitedMs = 0; ; waitedMs += pollMs) {
    try {
      const port = choosePort(await host.ports(), PORT_KINDS[facts.method]);
      host.say(`Using ${port.path} (${port.name})`);
      return port.path;
    } catch (error) {
      if (!(error instanceof NoPort) || waitedMs >= request.waitMs) throw error;
      if (waitedMs === 0) host.say(`Waiting: ${error.message}; then ${HOW[facts.method]}`);
    }
    await sleep(pollMs);
  }
}

/** What was done with a board. */
type Outcome = Pick<FlashReport, "target" | "chipId" | "verified" | "started">;

/**
 * Writes what the request says, or with `dryRun` only says it. The board is looked for first: that it is missing, or another one, is
 * known before anything is built for it.
 */
export async function flash(
  request: FlashRequest,
  facts: FlashFacts,
  host: FlashHost,
): Promise<FlashReport> {
  const method = methodOf(request, facts);
  const contents = contentsOf(request, facts);
  const lines = request.lines === undefined ? undefined : parseModemLines(request.lines);
  const target = request.drive ?? request.port ?? null;
  let outcome: Outcome = { target, chipId: null, verified: null, started: false };
  if (!request.dryRun) {
    outcome =
      method === "bootsel"
        ? await viaDrive(request, facts, contents, host)
        : await viaPort(request, facts, { method, contents, ...(lines && { lines }) }, host);
  }
  const { image, segments } = await contents();
  return {
    board: facts.board,
    method,
    image,
    dryRun: request.dryRun,
    segments: segments.map((s) => ({ address: hex(s.address), bytes: s.data.length })),
    bytes: totalBytes(segments),
    erase: erasedUnits(request, facts, segments),
    ...outcome,
  };
}

/** The Espruino boot loader knows only "erase all". */
function eraseOf(request: FlashRequest, facts: FlashFacts): FlashRequest["erase"] {
  return facts.method === "espruino" ? "all" : request.erase;
}

function erasedUnits(
  request: FlashRequest,
  facts: FlashFacts,
  segments: Segment[],
): FlashReport["erase"] {
  const erased = eraseOf(request, facts) === "all" ? facts.units : touchedFlash(facts, segments);
  // A boot loader in front of the programs spares its own unit, and only that.
  const guarded = facts.appOrigin > facts.origin;
  return erased
    .filter((unit) => unit.address > facts.origin || !guarded)
    .map(({ address, bytes }) => ({ address: hex(address), bytes }));
}

/** What was understood of a request for a board behind a serial port. */
interface SerialPlan {
  method: Method;
  contents: () => Promise<Contents>;
  lines?: ModemLines;
}

async function viaPort(
  request: FlashRequest,
  facts: FlashFacts,
  { method, contents, lines }: SerialPlan,
  host: FlashHost,
): Promise<Outcome> {
  const port = await portFor(request, facts, host);
  const job = {
    facts,
    contents: async () => (await contents()).segments,
    port,
    baudRate: request.baudRate,
    verify: request.verify,
    waitMs: request.waitMs,
  };
  const result =
    method === "espruino"
      ? await flashEspruino(job, host)
      : await flashStm32(
          {
            ...job,
            erase: eraseOf(request, facts),
            // The Go of an Espruino boot loader is not a reset.
            go: request.go && facts.method !== "espruino",
            settingsOnly: request.settingsOnly,
            unprotect: request.unprotect ?? false,
            ...(lines && { lines }),
          },
          host,
        );
  return {
    target: port,
    chipId: `0x${result.chipId.toString(16)}`,
    verified: result.verified ? "read-back" : null,
    started: result.started,
  };
}

async function viaDrive(
  request: FlashRequest,
  facts: FlashFacts,
  contents: () => Promise<Contents>,
  host: FlashHost,
): Promise<Outcome> {
  const touchPort = request.drive === undefined ? await picoPort(request, host) : undefined;
  const result = await flashBootsel(
    {
      fileName: `${facts.board}.uf2`,
      uf2: async () => writeUf2((await contents()).segments),
      waitMs: request.waitMs,
      ...(request.drive !== undefined && { drive: request.drive }),
      ...(touchPort !== undefined && { touchPort }),
    },
    host,
  );
  return {
    target: result.drive,
    chipId: null,
    verified: result.accepted,
    started: result.accepted === "rebooted",
  };
}

/** A port of a running firmware that can be sent into BOOTSEL: the named one, or the only Pico. */
async function picoPort(request: FlashRequest, host: FlashHost): Promise<string | undefined> {
  if (request.port !== undefined) return request.port;
  const picos = (await host.ports()).filter((port) => port.kind === "pico");
  return picos.length === 1 ? picos[0]?.path : undefined;
}

/** The report in words. */
export function describeReport(report: FlashReport): string[] {
  const would = report.dryRun;
  const wrote = would ? "Would write" : "Wrote";
  const parts = report.segments.map(({ address, bytes }) => `  ${address}  ${bytes} bytes`);
  const erase = report.erase.reduce((sum, unit) => sum + unit.bytes, 0);
  const summary = [
    `${wrote} ${report.bytes} bytes to ${report.board} by ${report.method}:`,
    ...parts,
    `${would ? "Would erase" : "Erased"} ${erase} bytes (${report.erase.length} units) first.`,
  ];
  if (would) return [...summary, "Nothing was touched."];
  const verdict = {
    "read-back": "Verified: what was read back equals the image.",
    rebooted: "The boot ROM took the whole image and started it.",
    file: `The file in ${report.target} equals the image (a folder, not a drive: no board has it).`,
    none: "Not verified.",
  }[report.verified ?? "none"];
  const restart =
    report.started || report.method === "bootsel" ? [] : ["Press reset to start the program."];
  return [...summary, verdict, ...restart];
}
