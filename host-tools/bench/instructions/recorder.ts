import { compileFirmware } from "../../build/compile.js";
import type { Options } from "../../../stack/options.js";
import {
  MASK,
  PEER,
  STACK,
  arpRequest,
  resetConnections,
  resetPeer,
  segmentIn,
  type PeerConnection,
} from "./peer.js";
import { Op, Trace, digest } from "./trace.js";

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
  choose(zeroCopy: number, closes: number): void;
  turn(nowMs: number): void;
}

/** Constant bytes that the servers send, at the end of the memory. */
export const BODY_BYTES = 2048;

/** Time between two workloads: longer than TIME-WAIT. */
const REST_MS = 130_000;

/** One measured stretch of a recording. */
export interface Measure {
  name: string;
  /** Number of its opening mark; the closing one follows it. */
  mark: number;
  /** Segments, messages, datagrams or transactions. */
  units: number;
  framesOut: number;
}

/** A finished recording. */
export interface Recording {
  trace: Uint8Array;
  measures: Measure[];
  /** Frames that the stack has sent in all. */
  framesOut: number;
}

/** Runs the stack in Node in lock step with the peer, and writes down every step of it. */
export class Recorder {
  readonly trace = new Trace();
  readonly measures: Measure[] = [];
  /** Connections that take part in what the stack sends. */
  readonly connections: PeerConnection[] = [];
  framesOut = 0;
  private now = 1000;
  private digest = 0;
  private marks = 0;
  private rx: Uint8Array | undefined;
  private rxAt = 0;
  private tx: number[] = [];
  private sent: Uint8Array[] = [];

  private constructor(private wasm: BenchExports) {}

  /** Compiles the firmware and starts it, the peer in its ARP table. */
  static async start(options?: Partial<Options>): Promise<Recorder> {
    const firmware = await compileFirmware({
      board: "hosted",
      app: "bench",
      bind: { nic: "firmware/bench/nic" },
      ...(options ? { options } : {}),
    });
    // The peer is one for all recordings: from here to the end of one nothing waits, so that no two can mix.
    resetPeer();
    resetConnections();
    const recorder = new Recorder(undefined as unknown as BenchExports);
    const instance = new WebAssembly.Instance(new WebAssembly.Module(firmware.wasm), {
      hw: recorder.device(),
    });
    recorder.wasm = instance.exports as unknown as BenchExports;
    recorder.begin();
    return recorder;
  }

  private begin(): void {
    const { wasm } = this;
    const body = wasm.memory.buffer.byteLength;
    wasm.memory.grow(1);
    const high = (STACK.mac[0] as number) * 256 + (STACK.mac[1] as number);
    wasm.begin(high, STACK.mac[5] as number, STACK.address, MASK, PEER.address, body);
    this.turn();
    this.give(arpRequest());
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
      txEnd: () => {
        const frame = Uint8Array.from(this.tx);
        this.digest = digest(this.digest, frame);
        this.framesOut++;
        this.sent.push(frame);
      },
      txCancel: () => undefined,
    };
  }

  /** Gives the stack a frame, lets it run to the end, and returns what it has sent. */
  give(frame: Uint8Array): Uint8Array[] {
    this.trace.frame(frame);
    this.rx = frame;
    this.rxAt = 0;
    return this.turn();
  }

  /** A turn at the present time. */
  turn(): Uint8Array[] {
    this.sent = [];
    this.trace.put(Op.TURN, this.now);
    this.wasm.turn(this.now);
    const sent = this.sent;
    for (const bytes of sent) {
      const segment = segmentIn(bytes);
      if (segment) for (const connection of this.connections) connection.take(segment);
    }
    return sent;
  }

  /** Lets time pass between workloads, so that what closes has closed, and makes the peer known again. */
  rest(): void {
    this.connections.length = 0;
    this.now += REST_MS;
    for (let turns = 0; turns < 8; turns++) this.turn();
    this.give(arpRequest());
  }

  choose(zeroCopy: boolean, closes: boolean): void {
    this.trace.put(Op.CHOOSE, Number(zeroCopy) | (Number(closes) << 8));
    this.wasm.choose(Number(zeroCopy), Number(closes));
  }

  /** Counts what `run` does. */
  measure(name: string, units: number, run: () => void): void {
    const mark = ++this.marks;
    const before = this.framesOut;
    this.trace.put(Op.MARK, mark);
    run();
    this.trace.put(Op.MARK, ++this.marks);
    this.trace.put(Op.OUT, this.framesOut & 0xffffff);
    this.trace.word(this.digest);
    this.measures.push({ name, mark, units, framesOut: this.framesOut - before });
  }

  finish(): Recording {
    this.trace.put(Op.END);
    return { trace: this.trace.bytes(), measures: this.measures, framesOut: this.framesOut };
  }
}
