/**
 * Child process of the flasher: runs the flasher of the `espruino` package (EspruinoTools).
 *
 * The package loads its code into the global scope, prints through `console.log`, keeps one
 * connection in global state and never unloads, so it gets a process of its own. It sees a single
 * serial device, ours, whose bytes travel over the IPC channel: the port itself stays with the
 * parent.
 */
import { createRequire } from "node:module";
import type { FromChild, ToChild } from "./espruino-messages.js";

/** A backend as the package's `Espruino.Core.Serial.devices` holds them. */
interface SerialDevice {
  name: string;
  getPorts(callback: (ports: { path: string }[], instant: boolean) => void): void;
  open(
    path: string,
    opened: (info: object | undefined) => void,
    received: (data: ArrayBuffer) => void,
    disconnected: () => void,
  ): void;
  write(data: string, callback: () => void): void;
  close(): void;
}

/** The parts of the package's global object that are used here. */
interface Espruino {
  Config: Record<string, unknown>;
  Core: {
    Serial: {
      devices: SerialDevice[];
      open(path: string, connected: (info: object | undefined) => void, lost: () => void): void;
    };
    Status: {
      setStatus(text: string, total?: number): void;
      hasProgress(): boolean;
      incrementProgress(bytes: number): void;
    };
    Flasher: {
      flashBinaryToDevice(
        image: ArrayBuffer,
        offset: number,
        callback: (error?: string) => void,
      ): void;
    };
  };
}

const LINE = "as-tcpip";

function post(message: FromChild, sent?: () => void): void {
  process.send?.(message, undefined, {}, () => sent?.());
}

/** The one device: bytes to and from the parent. */
class ParentDevice implements SerialDevice {
  readonly name = LINE;
  private received: (data: ArrayBuffer) => void = () => undefined;
  private readonly waiting = new Map<number, () => void>();
  private writes = 0;

  getPorts(callback: (ports: { path: string }[], instant: boolean) => void): void {
    callback([{ path: LINE }], true);
  }

  open(_path: string, opened: (info: object) => void, received: (data: ArrayBuffer) => void): void {
    this.received = received;
    opened({});
  }

  /** The package writes strings in which each character is a byte. */
  write(data: string, callback: () => void): void {
    const write = this.writes++;
    this.waiting.set(write, callback);
    post({ kind: "write", write, bytes: Buffer.from(data, "latin1") });
  }

  close(): void {}

  handle(message: ToChild): void {
    if (message.kind === "received") {
      this.received(new Uint8Array(message.bytes).buffer);
    } else if (message.kind === "written") {
      this.waiting.get(message.write)?.();
      this.waiting.delete(message.write);
    }
  }
}

function finish(error?: string): void {
  // The package calls back twice after a NACK: the first word counts and the process ends with it.
  post(error === undefined ? { kind: "done" } : { kind: "done", error }, () => process.exit(0));
}

function run(espruino: Espruino, device: ParentDevice, image: Uint8Array, offset: number): void {
  const { Core, Config } = espruino;
  Core.Serial.devices.length = 0;
  Core.Serial.devices.push(device);
  // Asking for `process.env` costs seconds on a boot loader; bytes 0x11 and 0x13 are data here.
  Config["ENV_ON_CONNECT"] = false;
  Config["BLUETOOTH_LOW_ENERGY"] = false;
  Config["BLUETOOTH_LOW_ENERGY_DBUS"] = false;
  Config["SERIAL_FLOW_CONTROL"] = false;
  Core.Status.setStatus = (text, total) =>
    post(total === undefined ? { kind: "stage", text } : { kind: "stage", text, total });
  Core.Status.hasProgress = () => false;
  Core.Status.incrementProgress = (bytes) => post({ kind: "progress", bytes });
  const lost = (): void => finish("the connection closed");
  Core.Serial.open(
    LINE,
    (info) => {
      if (info === undefined) return finish("the connection did not open");
      const copy = new Uint8Array(image).buffer;
      Core.Flasher.flashBinaryToDevice(copy, offset, (error) => finish(error));
    },
    lost,
  );
}

function main(): void {
  const device = new ParentDevice();
  // The package talks through the console, much of it. Only what goes wrong is of interest.
  const listen = (...words: unknown[]): void => {
    const reason = /^Error (?:while |sending )?\w+\.? ?\((.*)\)/.exec(words.join(" "))?.[1];
    if (reason !== undefined) post({ kind: "trouble", text: reason.replace(/\.$/, "") });
  };
  Object.assign(console, { log: listen, info: listen, warn: listen, error: listen });
  const load = createRequire(import.meta.url);
  const { init } = load("espruino") as { init(callback: () => void): void };
  process.on("message", (message: ToChild) => {
    if (message.kind !== "start") return device.handle(message);
    const { image, offset } = message;
    init(() => {
      const { Espruino } = globalThis as unknown as { Espruino: Espruino };
      run(Espruino, device, image, offset);
    });
  });
  process.on("disconnect", () => process.exit(1));
  post({ kind: "ready" });
}

main();
