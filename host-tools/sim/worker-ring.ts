/** Header of a ring: where the writer and the reader are, and whether the reader has been called. */
const WRITE = 0;
const READ = 1;
const HEADER_BYTES = 16;

/** Bit of a record's length word: the frame's FCS is wrong. */
const BAD_FCS = 0x8000_0000;

/**
 * A ring of frames in shared memory between one writing and one reading thread, without locks. A record is a 32-bit
 * length (highest bit: wrong FCS) and the frame, padded to four bytes; records wrap at the end.
 */
export class FrameRing {
  /** Was the FCS of the frame that `take` gave good? */
  fcsGood = true;
  private readonly state: Int32Array;
  private readonly data: Uint8Array;
  private readonly words: Int32Array;
  private readonly mask: number;

  /** A new ring's memory; `bytes` is a power of two. */
  static allocate(bytes: number): SharedArrayBuffer {
    if (bytes < 4096 || (bytes & (bytes - 1)) !== 0) throw new RangeError("a power of two, please");
    return new SharedArrayBuffer(HEADER_BYTES + bytes);
  }

  constructor(memory: SharedArrayBuffer) {
    const bytes = memory.byteLength - HEADER_BYTES;
    this.state = new Int32Array(memory, 0, HEADER_BYTES / 4);
    this.data = new Uint8Array(memory, HEADER_BYTES, bytes);
    this.words = new Int32Array(memory, HEADER_BYTES, bytes / 4);
    this.mask = bytes - 1;
  }

  get empty(): boolean {
    return Atomics.load(this.state, WRITE) === Atomics.load(this.state, READ);
  }

  /** Writer: appends a frame; false when there is no room. */
  put(frame: Uint8Array, fcsGood = true): boolean {
    const write = this.state[WRITE] as number;
    const used = (write - Atomics.load(this.state, READ)) | 0;
    const bytes = (frame.length + 3) & ~3;
    if (used + 4 + bytes > this.data.length) return false;
    this.words[(write & this.mask) >>> 2] = frame.length | (fcsGood ? 0 : BAD_FCS);
    const at = (write + 4) & this.mask;
    const first = Math.min(frame.length, this.data.length - at);
    if (first === frame.length) {
      this.data.set(frame, at);
    } else {
      this.data.set(frame.subarray(0, first), at);
      this.data.set(frame.subarray(first), 0);
    }
    Atomics.store(this.state, WRITE, (write + 4 + bytes) | 0);
    return true;
  }

  /** Reader: takes the oldest frame, as a copy of its own; null when there is none. */
  take(): Uint8Array | null {
    const read = this.state[READ] as number;
    if (Atomics.load(this.state, WRITE) === read) return null;
    const word = this.words[(read & this.mask) >>> 2] as number;
    const length = word & ~BAD_FCS;
    this.fcsGood = (word & BAD_FCS) === 0;
    const frame = new Uint8Array(length);
    const at = (read + 4) & this.mask;
    const first = Math.min(length, this.data.length - at);
    frame.set(this.data.subarray(at, at + first));
    if (first < length) frame.set(this.data.subarray(0, length - first), first);
    Atomics.store(this.state, READ, (read + 4 + ((length + 3) & ~3)) | 0);
    return frame;
  }
}
