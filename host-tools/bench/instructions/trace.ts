/**
 * A workload as a list of steps that any machine can repeat: frames for the stack, turns, calls, marks around what is
 * counted, and a digest of what has to come out. Recorded once in Node, where the peer lives; replayed by the C programs
 * of host-tools/bench/c, which are too simple to be wrong about TCP.
 *
 *     word  op | argument << 8
 *     END       no more
 *     TURN      argument: time, milliseconds
 *     FRAME     argument: bytes; then the frame, two bytes behind a word boundary, filled up to a word
 *     CHOOSE    arguments in two bytes: zeroCopy; closes (1) and borrows (2)
 *     MARK      argument: number; counting starts at odd ones and ends at even ones
 *     OUT       argument: frames sent so far, modulo 2^24; then the digest of all of them
 */
export enum Op {
  END,
  TURN,
  FRAME,
  CHOOSE,
  MARK,
  OUT,
}

/** Digest of bytes, continued: h * 31 + byte, modulo 2^32. */
export function digest(value: number, bytes: Uint8Array): number {
  for (const byte of bytes) value = (Math.imul(value, 31) + byte) >>> 0;
  return value;
}

/** Collects steps. */
export class Trace {
  private readonly chunks: Uint8Array[] = [];
  private taken = 0;

  put(op: Op, argument = 0): void {
    this.word(op | (argument << 8));
  }

  word(value: number): void {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, value >>> 0, true);
    this.chunks.push(bytes);
  }

  frame(frame: Uint8Array): void {
    this.put(Op.FRAME, frame.length);
    const padded = new Uint8Array((2 + frame.length + 3) & ~3);
    padded.set(frame, 2);
    this.chunks.push(padded);
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.chunks);
  }

  /** What has come since it was last taken. */
  take(): Uint8Array {
    const from = this.taken;
    this.taken = this.chunks.length;
    return Buffer.concat(this.chunks.slice(from));
  }
}
