import type { Options } from "../../../stack/options.js";
import { arpRequest, resetConnections, resetPeer, segmentIn, type PeerConnection } from "./peer.js";
import { Op, Trace, digest } from "./trace.js";
import { type BenchProgram, WasmSubject } from "./wasm-subject.js";

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

/** The stack that is recorded. */
export interface Subject {
  /**
   * Takes a frame, if there is one, runs to the end, and returns the frames that it has sent. `steps` is what was written
   * down since the last call, this turn included.
   */
  turn(now: number, frame: Uint8Array | undefined, steps: Uint8Array): Uint8Array[];
  choose(zeroCopy: boolean, closes: boolean, borrows: boolean): void;
}

/** Runs a stack in lock step with the peer, and writes down every step of it. */
export class Recorder {
  readonly trace = new Trace();
  readonly measures: Measure[] = [];
  /** Connections that take part in what the stack sends. */
  readonly connections: PeerConnection[] = [];
  framesOut = 0;
  private now = 1000;
  private digest = 0;
  private marks = 0;

  private constructor(private readonly subject: Subject) {}

  /** Starts with the stack in Node (compiled with `options`), or with another; the peer is in its ARP table. */
  static async start(
    options?: Partial<Options>,
    other?: Subject,
    program?: BenchProgram,
  ): Promise<Recorder> {
    const subject = other ?? (await WasmSubject.start(options, program));
    // The peer is one for all recordings: from here to the end of one nothing waits, so that no two can mix.
    resetPeer();
    resetConnections();
    const recorder = new Recorder(subject);
    recorder.turn();
    recorder.give(arpRequest());
    return recorder;
  }

  /** Gives the stack a frame, lets it run to the end, and returns what it has sent. */
  give(frame: Uint8Array): Uint8Array[] {
    this.trace.frame(frame);
    return this.turn(frame);
  }

  /** A turn at the present time. */
  turn(frame?: Uint8Array): Uint8Array[] {
    this.trace.put(Op.TURN, this.now);
    const sent = this.subject.turn(this.now, frame, this.trace.take());
    this.framesOut += sent.length;
    for (const bytes of sent) this.digest = digest(this.digest, bytes);
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

  choose(zeroCopy: boolean, closes: boolean, borrows = false): void {
    this.trace.put(Op.CHOOSE, Number(zeroCopy) | (Number(closes) << 8) | (Number(borrows) << 9));
    this.subject.choose(zeroCopy, closes, borrows);
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
    // One more turn, in which a stack that reads the steps comes to the last mark.
    this.turn();
    this.trace.put(Op.END);
    return { trace: this.trace.bytes(), measures: this.measures, framesOut: this.framesOut };
  }
}
