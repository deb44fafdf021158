import { readSync, writeSync } from "node:fs";
import type { HwImports } from "../hw-imports.js";
import { DeviceTrap } from "../machine.js";

/** Operations in the order of hal/stm32/bridge.ts, and the kind of answer that each waits for. */
const OPERATIONS = [
  ["spiSelect", "none"],
  ["spiDeselect", "none"],
  ["spiWrite", "none"],
  ["spiRead", "bytes"],
  ["spiPut", "none"],
  ["spiGet", "word"],
  ["delayNs", "none"],
  ["chipReset", "none"],
  ["chipInterrupt", "word"],
  ["clockMs", "word"],
  ["clockUs", "word"],
  ["sleepUntil", "word"],
  ["entropy", "word"],
  ["watchdogFeed", "none"],
  ["hello", "word"],
  ["gpioMode", "none"],
  ["gpioRead", "word"],
  ["gpioWrite", "none"],
  ["gpioArm", "word"],
  ["gpioEdges", "word"],
] as const;

const CALL_BYTES = 12;
/** More than a frame; a device moves no larger piece at once. */
const PAYLOAD_BYTES = 65536;

/** Where the bytes of `spiWrite` and `spiRead` lie between the FIFO and the chip. */
export function bridgeMemory(): WebAssembly.Memory {
  return { buffer: new ArrayBuffer(PAYLOAD_BYTES), grow: () => 1 };
}

/** What a bridge is made from. */
export interface BridgeOptions {
  /** FIFO that the device writes, opened for reading; its end means that the emulator has ended. */
  fromTarget: number;
  /** FIFO that the device reads. */
  toTarget: number;
  /** The hardware, over `memory`; and `hello`, which tells the device where its log goes. */
  imports: HwImports;
  memory: WebAssembly.Memory;
}

/**
 * The host's side of hal/stm32/bridge.ts: takes the device's calls one by one and answers them. Everything blocks, as the
 * calls of a virtual board do; the device stands still while simulated time passes here.
 */
export class Bridge {
  private readonly bytes: Buffer;
  private readonly buffer = Buffer.alloc(PAYLOAD_BYTES);
  private readonly answer = Buffer.alloc(4);
  private at = 0;
  private end = 0;

  constructor(private readonly options: BridgeOptions) {
    this.bytes = Buffer.from(options.memory.buffer);
  }

  /** Serves one call. @throws DeviceTrap when the device has ended or talks nonsense. */
  serve(): void {
    const { imports, toTarget } = this.options;
    this.need(CALL_BYTES);
    const operation = OPERATIONS[this.buffer.readUInt32LE(this.at)];
    const argument = this.buffer.readInt32LE(this.at + 4);
    const second = this.buffer.readInt32LE(this.at + 8);
    this.at += CALL_BYTES;
    if (!operation) throw new DeviceTrap("the device has sent an unknown call over the bridge");
    const [name, kind] = operation;
    const call = imports[name] as (...args: number[]) => number | void;
    if (name === "spiWrite") {
      this.take(this.checked(argument));
      call(0, argument);
    } else if (name === "spiRead") {
      call(0, this.checked(argument));
      writeAll(toTarget, this.bytes.subarray(0, argument));
    } else {
      const result = call(argument, second);
      if (kind !== "word") return;
      this.answer.writeInt32LE(Number(result ?? 0) | 0);
      writeAll(toTarget, this.answer);
    }
  }

  private checked(bytes: number): number {
    if (bytes >= 0 && bytes <= PAYLOAD_BYTES) return bytes;
    throw new DeviceTrap(`the device wants to move ${bytes >>> 0} bytes over SPI at once`);
  }

  /** Brings the payload of a call to address 0 of the memory. */
  private take(bytes: number): void {
    for (let done = 0; done < bytes;) {
      if (this.at === this.end) this.fill();
      const part = Math.min(bytes - done, this.end - this.at);
      this.buffer.copy(this.bytes, done, this.at, this.at + part);
      this.at += part;
      done += part;
    }
  }

  /** Waits until so many bytes lie in the buffer, one behind the other. */
  private need(bytes: number): void {
    if (this.at + bytes > this.buffer.length) {
      this.buffer.copyWithin(0, this.at, this.end);
      this.end -= this.at;
      this.at = 0;
    }
    while (this.end - this.at < bytes) this.fill();
  }

  private fill(): void {
    if (this.at === this.end) this.at = this.end = 0;
    const { fromTarget } = this.options;
    const bytes = readSync(fromTarget, this.buffer, this.end, this.buffer.length - this.end, null);
    if (bytes === 0) throw new DeviceTrap("the emulated device has stopped");
    this.end += bytes;
  }
}

function writeAll(fd: number, data: Uint8Array): void {
  for (let at = 0; at < data.length;) at += writeSync(fd, data, at);
}
