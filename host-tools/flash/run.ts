/** The `flash` command: what is to be written, where, and by which way. */
import { UserError } from "../errors.js";
import { choosePort, type PortKind } from "../serial/ports.js";
import { METHODS, touchedFlash, type FlashFacts, type Method } from "./board-facts.js";
import { flashBootsel } from "./bootsel.js";
import { flashEspruino } from "./espruino.js";
import type { FlashHost } from "./host.js";
import { checkRange, loadImage } from "./image/load.js";
import { hex, joinSegments, totalBytes, type Segment } from "./image/segments.js";
import { writeUf2 } from "./image/uf2.js";
import { parseModemLines } from "./modem-lines.js";
import {
  settingsSegment,
  wantsSettings,
  withSettings,
  type SettingsRequest,
} from "./settings-segment.js";
import { flashStm32 } from "./stm32.js";

/** What the person asked for. */
export interface FlashRequest {
  /** Image file; with `settingsOnly` none. */
  image?: string;
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

/** The bytes that the request stands for, checked against the board's flash. */
function contents(request: FlashRequest, facts: FlashFacts): Segment[] {
  if (request.settingsOnly) {
    if (facts.method === "espruino") {
      throw new UserError(
        "the Espruino boot loader erases everything; write the settings together with the program",
      );
    }
    return [settingsSegment(request.settings, facts)];
  }
  if (request.image === undefined) throw new UserError("no image; give --app NAME or --image FILE");
  const image = loadImage(request.image, facts).segments;
  checkRange(image, facts);
  if (!wantsSettings(request.settings)) return joinSegments(image);
  return withSettings(image, settingsSegment(request.settings, facts));
}

async function portFor(request: FlashRequest, facts: FlashFacts, host: FlashHost): Promise<string> {
  if (request.port !== undefined) return request.port;
  const port = choosePort(await host.ports(), PORT_KINDS[facts.method]);
  host.say(`Using ${port.path} (${port.name})`);
  return port.path;
}

/** Writes what the request says, or with `dryRun` only says it. */
export async function flash(
  request: FlashRequest,
  facts: FlashFacts,
  host: FlashHost,
): Promise<FlashReport> {
  const method = methodOf(request, facts);
  const segments = contents(request, facts);
  const lines = request.lines === undefined ? undefined : parseModemLines(request.lines);
  // The Espruino boot loader knows only "erase all", and its Go is not a reset.
  const espruino = facts.method === "espruino";
  const erase = espruino ? "all" : request.erase;
  const guarded = facts.appOrigin > facts.origin;
  const erased = erase === "all" ? facts.units : touchedFlash(facts, segments);
  const describe = ({
    address,
    bytes,
  }: {
    address: number;
    bytes: number;
  }): {
    address: string;
    bytes: number;
  } => ({ address: hex(address), bytes });
  const report: FlashReport = {
    board: facts.board,
    method,
    image: request.image ?? null,
    dryRun: request.dryRun,
    segments: segments.map((s) => describe({ address: s.address, bytes: s.data.length })),
    bytes: totalBytes(segments),
    // A boot loader in front of the programs spares its own unit, and only that.
    erase: erased.filter((unit) => unit.address > facts.origin || !guarded).map(describe),
    target: request.drive ?? request.port ?? null,
    chipId: null,
    verified: null,
    started: false,
  };
  if (request.dryRun) return report;
  if (method === "bootsel") return viaDrive(request, facts, segments, report, host);
  const port = await portFor(request, facts, host);
  const job = {
    facts,
    segments,
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
            erase,
            go: request.go && !espruino,
            settingsOnly: request.settingsOnly,
            unprotect: request.unprotect ?? false,
            ...(lines && { lines }),
          },
          host,
        );
  return {
    ...report,
    target: port,
    chipId: `0x${result.chipId.toString(16)}`,
    verified: result.verified ? "read-back" : null,
    started: result.started,
  };
}

async function viaDrive(
  request: FlashRequest,
  facts: FlashFacts,
  segments: Segment[],
  report: FlashReport,
  host: FlashHost,
): Promise<FlashReport> {
  const touchPort = request.drive === undefined ? await picoPort(request, host) : undefined;
  const result = await flashBootsel(
    {
      fileName: `${facts.board}.uf2`,
      uf2: writeUf2(segments),
      waitMs: request.waitMs,
      ...(request.drive !== undefined && { drive: request.drive }),
      ...(touchPort !== undefined && { touchPort }),
    },
    host,
  );
  return {
    ...report,
    target: result.drive,
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
