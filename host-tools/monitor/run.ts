/** The `monitor` command. */
import { closeSync } from "node:fs";
import { UserError } from "../errors.js";
import type { ElfSymbol } from "../build/device/elf.js";
import type { LogLevel } from "../log/decode.js";
import { describeLastWords } from "../log/last-words.js";
import { LogDecoder, type Entry } from "../log/serial-log.js";
import { PcapWriter } from "../net/pcap.js";
import { openForWriting, writeAll } from "../project/write-file.js";
import { OpenError, SerialLine, type SerialBinding } from "../serial/line.js";
import { choosePort, type Port } from "../serial/ports.js";
import { releaseBoard, type ModemLines } from "../flash/modem-lines.js";
import { DeviceTime } from "./device-time.js";
import { fileLine, jsonLine, passes, terminalLine, type TimedLine } from "./render.js";
import { runSession } from "./session.js";

/** What the person asked for. */
export interface MonitorRequest {
  /** Chosen by itself when absent. */
  port?: string;
  baudRate: number;
  /** Formats by number. */
  messages?: readonly string[];
  /** Functions of the image by address, to name the place of a failure. */
  functions?: readonly ElfSymbol[];
  /** File that every line is appended to. */
  log?: string;
  /** Capture file for frames that the board mirrors. */
  pcap?: string;
  timestamps: boolean;
  color: boolean;
  level: LogLevel;
  json: boolean;
  /** The port may still have to come: a board that was just flashed starts anew. */
  awaitPort: boolean;
  /** Modem lines that lead to the board's pins. */
  lines?: ModemLines;
}

/** What the monitor needs of the machine; tests bring their own. */
export interface MonitorHost {
  binding(): Promise<SerialBinding>;
  ports(): Promise<Port[]>;
  /** A line of output. */
  print(line: string): void;
  /** A word to the person. */
  say(line: string): void;
  /** Milliseconds since 1970. */
  now(): number;
  signal: AbortSignal;
  retryMs: number;
  firstTries: number;
  /** Text without a line end is shown after this long. */
  idleMs: number;
}

/** Follows a board's log until the host's signal. @throws UserError when no port can be opened. */
export async function monitor(request: MonitorRequest, host: MonitorHost): Promise<void> {
  const sink = new Sink(request, host);
  try {
    await follow(request, host, sink);
  } finally {
    sink.close();
  }
}

async function follow(request: MonitorRequest, host: MonitorHost, sink: Sink): Promise<void> {
  let decoder = new LogDecoder(request.messages);
  let idle: NodeJS.Timeout | undefined;
  await runSession({
    signal: host.signal,
    retryMs: host.retryMs,
    firstTries: host.firstTries,
    awaitPort: request.awaitPort,
    open: async () => {
      const line = await SerialLine.open({
        path: await portOf(request, host),
        baudRate: request.baudRate,
        binding: await host.binding(),
      });
      if (request.lines) await releaseBoard(line, request.lines);
      return line;
    },
    onConnect: (path) => {
      decoder = new LogDecoder(request.messages);
      sink.event("connected", path, `Connected to ${path} at ${request.baudRate} baud`);
    },
    onBytes: (bytes) => {
      clearTimeout(idle);
      sink.put(decoder.push(bytes));
      if (decoder.pending) idle = setTimeout(() => sink.put(decoder.flush()), host.idleMs);
    },
    onLost: (path) => {
      clearTimeout(idle);
      sink.put(decoder.end());
      sink.event("lost", path, `${path} went away; waiting for it (Ctrl-C ends)`);
    },
  });
  clearTimeout(idle);
  sink.put(decoder.end());
}

/** The port for the next connection. That none fits may change, like a port that is not there. */
async function portOf(request: MonitorRequest, host: MonitorHost): Promise<string> {
  if (request.port !== undefined) return request.port;
  try {
    return choosePort(await host.ports(), ["adapter", "pico", "espruino", "stlink"]).path;
  } catch (error) {
    if (error instanceof UserError) throw new OpenError(error.message, "missing");
    throw error;
  }
}

/** Where entries go: terminal, log file, capture. */
class Sink {
  private readonly time = new DeviceTime();
  private readonly logFile: number | undefined;
  private readonly pcap: PcapWriter | undefined;

  constructor(
    private readonly request: MonitorRequest,
    private readonly host: MonitorHost,
  ) {
    if (request.log !== undefined) this.logFile = openForWriting(request.log, "a");
    if (request.pcap !== undefined) this.pcap = new PcapWriter(request.pcap);
  }

  put(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (entry.kind === "line") this.line(entry);
      else if (entry.kind === "ethernet") this.frame(entry.timeUs, entry.frame, entry.bytes);
      else {
        const text = describeLastWords(entry.words, this.request.functions ?? []);
        this.line({ level: "error", text });
      }
    }
    this.pcap?.flush();
  }

  event(event: string, port: string, text: string): void {
    if (this.request.json) this.host.print(JSON.stringify({ event, port }));
    else this.host.say(text);
  }

  close(): void {
    if (this.logFile !== undefined) closeSync(this.logFile);
    this.pcap?.close();
  }

  private line(entry: { level?: LogLevel; text: string }): void {
    const line: TimedLine = { timeMs: this.host.now(), text: entry.text };
    if (entry.level) line.level = entry.level;
    if (this.logFile !== undefined) {
      writeAll(this.logFile, this.request.log ?? "", Buffer.from(`${fileLine(line)}\n`));
    }
    if (!passes(entry.level, this.request.level)) return;
    this.host.print(this.request.json ? jsonLine(line) : terminalLine(line, this.request));
  }

  private frame(timeUs: number, frame: Uint8Array, bytes: number): void {
    const hostUs = this.time.toHostUs(timeUs, this.host.now() * 1000);
    this.pcap?.write(hostUs * 1000, frame, bytes);
  }
}
