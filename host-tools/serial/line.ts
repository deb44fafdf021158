import { statSync } from "node:fs";
import type { SerialPortStream } from "@serialport/stream";
import { UserError } from "../errors.js";

/** Access to the serial ports of an operating system; tests bring their own. */
export type SerialBinding = ConstructorParameters<typeof SerialPortStream>[0]["binding"];

/** How to open a port. Eight data bits and one stop bit always. */
export interface LineOptions {
  path: string;
  baudRate: number;
  parity?: "none" | "even";
  /** Ports of this machine when absent. */
  binding?: SerialBinding;
}

/** The port went away while it was in use: unplugged, or the board took another USB identity. */
export class LineLost extends Error {
  constructor(path: string) {
    super(`${path} went away`);
    this.name = "LineLost";
  }
}

/** Nothing, or not enough, came in time. */
export class LineSilent extends Error {
  constructor(readonly received: Uint8Array) {
    super(`only ${received.length} bytes came in time`);
    this.name = "LineSilent";
  }
}

/** Why a port could not be opened. */
export class OpenError extends UserError {
  constructor(
    message: string,
    readonly reason: "busy" | "missing" | "forbidden" | "other",
  ) {
    super(message);
    this.name = "OpenError";
  }
}

/** How often an open port is looked after in /dev. */
const WATCH_MS = 500;

/** Which device node a path leads to; undefined where ports are no files. */
function nodeOf(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path);
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}

/** The serial ports of this machine. Loaded late: the package holds native code. */
export async function systemBinding(): Promise<SerialBinding> {
  const { autoDetect } = await import("@serialport/bindings-cpp");
  return autoDetect() as SerialBinding;
}

function openError(path: string, error: Error): OpenError {
  const text = error.message;
  if (/lock|busy|temporarily unavailable|access denied/i.test(text)) {
    return new OpenError(
      `${path} is in use by another program; close it (another monitor?) and try again`,
      "busy",
    );
  }
  if (/no such file|not exist|file not found|ENOENT|ENXIO|no such device/i.test(text)) {
    return new OpenError(
      `there is no port ${path}; plug the board in, or leave --port out to see what there is`,
      "missing",
    );
  }
  if (/permission|EACCES|EPERM/i.test(text)) {
    return new OpenError(
      `no right to open ${path}; on Linux join the port's group (often: dialout) and log in again`,
      "forbidden",
    );
  }
  if (/ioctl|ENOTTY|not a tty|not a directory|is a directory/i.test(text)) {
    return new OpenError(`${path} is no serial port; give another --port`, "other");
  }
  return new OpenError(
    `cannot open ${path}: ${text.replace(/^(Error: )+/, "")}; give another --port`,
    "other",
  );
}

/**
 * An open serial port for request and answer. One object is one connection: after a loss or `close`
 * it stays dead, because a stream of the serialport package that is opened again would deliver what
 * was written in between.
 */
export class SerialLine {
  private chunks: Buffer[] = [];
  private buffered = 0;
  private listener: ((bytes: Uint8Array) => void) | undefined;
  private wake: (() => void) | undefined;
  /** Ends a write that the port will never finish. */
  private giveUp: (() => void) | undefined;
  private closed = false;
  private readonly watch: NodeJS.Timeout | undefined;
  private lostError: LineLost | undefined;
  /** Called once when the port goes away by itself. */
  onLost: (error: LineLost) => void = () => undefined;

  private constructor(
    readonly path: string,
    private readonly stream: SerialPortStream,
  ) {
    stream.on("data", (bytes: Buffer) => this.take(bytes));
    stream.on("close", () => this.lose());
    stream.on("error", () => this.lose());
    // A terminal that was hung up just before a read gives 0 bytes for ever, which the binding
    // takes for "try again": the loss goes unnoticed. The device node tells.
    const node = nodeOf(path);
    if (node !== undefined) {
      this.watch = setInterval(() => {
        if (nodeOf(path) !== node) this.lose();
      }, WATCH_MS).unref();
    }
  }

  /** Opens a port. @throws OpenError with one line for the person. */
  static async open(options: LineOptions): Promise<SerialLine> {
    const { SerialPortStream } = await import("@serialport/stream");
    const binding = options.binding ?? (await systemBinding());
    const stream = new SerialPortStream({
      binding,
      path: options.path,
      baudRate: options.baudRate,
      dataBits: 8,
      stopBits: 1,
      parity: options.parity ?? "none",
      autoOpen: false,
    });
    await new Promise<void>((resolve, reject) => {
      stream.open((error) => (error ? reject(openError(options.path, error)) : resolve()));
    });
    return new SerialLine(options.path, stream);
  }

  /** False after a loss or `close`. */
  get alive(): boolean {
    return !this.closed && this.lostError === undefined;
  }

  /** All bytes go to `listener` from now on (what was waiting first), or into the buffer again. */
  listen(listener: ((bytes: Uint8Array) => void) | undefined): void {
    this.listener = listener;
    if (listener && this.buffered > 0) {
      const waiting = Buffer.concat(this.chunks);
      this.discard();
      listener(waiting);
    }
  }

  /** Sends bytes and waits until they have left. @throws LineLost */
  async write(bytes: Uint8Array): Promise<void> {
    this.refuseDead();
    await new Promise<void>((resolve, reject) => {
      this.giveUp = resolve;
      this.stream.write(Buffer.from(bytes), (error) => (error ? reject(error) : undefined));
      this.stream.drain((error) => (error ? reject(error) : resolve()));
    }).catch(() => this.lose());
    this.giveUp = undefined;
    this.refuseDead();
  }

  /**
   * The next `count` bytes.
   *
   * @throws LineSilent when they do not come within `timeoutMs`; what came stays readable.
   * @throws LineLost
   */
  async read(count: number, timeoutMs: number): Promise<Uint8Array> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.wake?.();
    }, timeoutMs);
    try {
      while (this.buffered < count) {
        this.refuseDead();
        if (late) throw new LineSilent(Buffer.concat(this.chunks));
        await new Promise<void>((resolve) => (this.wake = resolve));
      }
    } finally {
      clearTimeout(timer);
      this.wake = undefined;
    }
    const all = Buffer.concat(this.chunks);
    this.chunks = all.length > count ? [all.subarray(count)] : [];
    this.buffered = all.length - count;
    return all.subarray(0, count);
  }

  /** Drops what has come so far. */
  discard(): void {
    this.chunks = [];
    this.buffered = 0;
  }

  /** Drops what comes until nothing comes for `quietMs`, at most `limitMs`. @throws LineLost */
  async settle(quietMs: number, limitMs: number): Promise<void> {
    const end = performance.now() + limitMs;
    do {
      this.discard();
      try {
        await this.read(1, quietMs);
      } catch (error) {
        if (error instanceof LineSilent) return;
        throw error;
      }
    } while (performance.now() < end);
  }

  /** Sets the modem lines; ports without them (pseudo-terminals, some adapters) ignore it. */
  async setLines(lines: { dtr?: boolean; rts?: boolean }): Promise<void> {
    this.refuseDead();
    await new Promise<void>((resolve) => this.stream.set(lines, () => resolve()));
  }

  /** Closes the port and returns when the system has it back: another program can open it then. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    clearInterval(this.watch);
    this.wake?.();
    this.giveUp?.();
    if (!this.stream.isOpen) return;
    await new Promise<void>((resolve) => this.stream.close(() => resolve()));
  }

  private take(bytes: Buffer): void {
    if (this.listener) return this.listener(bytes);
    this.chunks.push(bytes);
    this.buffered += bytes.length;
    this.wake?.();
  }

  private lose(): void {
    if (!this.alive) return;
    clearInterval(this.watch);
    this.lostError = new LineLost(this.path);
    if (this.stream.isOpen) this.stream.close(() => undefined);
    this.wake?.();
    this.giveUp?.();
    this.onLost(this.lostError);
  }

  private refuseDead(): void {
    if (this.lostError) throw this.lostError;
    if (this.closed) throw new LineLost(this.path);
  }
}
