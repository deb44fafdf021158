import { join } from "node:path";
import type { Options } from "../../../stack/options.js";
import { compileFirmware, type Firmware } from "../../build/compile.js";
import { packageRoot } from "../../root.js";
import { MASK, PEER, STACK } from "./peer.js";
import type { Subject } from "./recorder.js";

/** What the bench's firmware exports. */
interface BenchExports {
  memory: WebAssembly.Memory;
  begin(
    macHigh: number,
    macLow: number,
    address: number,
    mask: number,
    gateway: number,
    constantBytes: number,
  ): void;
  choose(zeroCopy: number, manner: number): void;
  turn(nowMs: number): void;
}

/** A program of the bench. */
export interface BenchProgram {
  app: string;
  bind: { board?: string; nic: string };
}

/** The servers of most workloads. */
export const SERVERS: BenchProgram = { app: "bench", bind: { nic: "firmware/bench/nic" } };

/** Who waits for many connections by epollWait() or poll(). */
export const WAITING: BenchProgram = {
  app: join(packageRoot, "firmware/bench/waiting"),
  bind: { board: "firmware/bench/waiting/board", nic: "firmware/bench/nic" },
};

/** The bench's firmware for Node. */
export function compileBench(options?: Partial<Options>, program = SERVERS): Promise<Firmware> {
  return compileFirmware({
    board: "hosted",
    ...program,
    ...(options ? { options } : {}),
  });
}

/** Our stack in Node, with a frame device of one frame. */
export class WasmSubject implements Subject {
  private wasm!: BenchExports;
  private rx: Uint8Array | undefined;
  private rxAt = 0;
  private tx: number[] = [];
  private sent: Uint8Array[] = [];

  private constructor() {}

  /** Compiles the firmware and starts it. */
  static async start(options?: Partial<Options>, program?: BenchProgram): Promise<WasmSubject> {
    const firmware = await compileBench(options, program);
    const subject = new WasmSubject();
    const module = new WebAssembly.Module(firmware.wasm);
    const instance = new WebAssembly.Instance(module, { hw: subject.device() });
    const wasm = (subject.wasm = instance.exports as unknown as BenchExports);
    const body = wasm.memory.buffer.byteLength;
    wasm.memory.grow(1);
    const high = (STACK.mac[0] as number) * 256 + (STACK.mac[1] as number);
    wasm.begin(high, STACK.mac[5] as number, STACK.address, MASK, PEER.address, body);
    return subject;
  }

  private device(): Record<string, (...args: number[]) => number | void> {
    const memory = (at: number, bytes: number): Uint8Array =>
      new Uint8Array(this.wasm.memory.buffer, at, bytes);
    return {
      rxBegin: () => this.rx?.length ?? 0,
      rxRead: (to, bytes) => {
        const from = this.rxAt;
        this.rxAt += bytes as number;
        const rx = this.rx as Uint8Array;
        memory(to as number, bytes as number).set(rx.subarray(from, this.rxAt));
      },
      rxSkip: (bytes) => void (this.rxAt += bytes as number),
      rxEnd: () => void (this.rx = undefined),
      txReady: () => 1,
      txBegin: () => {
        this.tx = [];
        return 1;
      },
      txWrite: (from, bytes) => {
        for (const byte of memory(from as number, bytes as number)) this.tx.push(byte);
      },
      txEnd: () => void this.sent.push(Uint8Array.from(this.tx)),
      txCancel: () => undefined,
    };
  }

  turn(now: number, frame: Uint8Array | undefined): Uint8Array[] {
    this.sent = [];
    this.rx = frame;
    this.rxAt = 0;
    this.wasm.turn(now);
    return this.sent;
  }

  choose(zeroCopy: boolean, closes: boolean, borrows: boolean): void {
    this.wasm.choose(Number(zeroCopy), Number(closes) | (Number(borrows) << 1));
  }
}
