import { closeSync } from "node:fs";
import { openForWriting, writeAll } from "../project/write-file.js";

const BUFFER_BYTES = 1 << 16;
/** Records hold whole frames; this is only what the header announces. */
const SNAP_LENGTH = 65535;
/** LINKTYPE_ETHERNET. */
const LINK_TYPE = 1;
/** Magic number of files with time stamps in nanoseconds. */
const MAGIC_NS = 0xa1b23c4d;

/**
 * Writes a pcap file (nanosecond time stamps, little-endian). Time stamps are simulated time since the start, so that
 * one seed gives one file. Everything is synchronous: it also works in a thread that never returns to its event loop.
 */
export class PcapWriter {
  private readonly file: number;
  private readonly buffer = Buffer.alloc(BUFFER_BYTES);
  private used = 0;
  private open = true;

  constructor(readonly path: string) {
    this.file = openForWriting(path);
    this.buffer.writeUInt32LE(MAGIC_NS, 0);
    this.buffer.writeUInt16LE(2, 4);
    this.buffer.writeUInt16LE(4, 6);
    this.buffer.writeUInt32LE(SNAP_LENGTH, 16);
    this.buffer.writeUInt32LE(LINK_TYPE, 20);
    this.used = 24;
  }

  /** Appends a frame (without FCS) at an instant; `wholeBytes` is more than its length when it was cut. */
  write(nowNs: number, frame: Uint8Array, wholeBytes = frame.length): void {
    if (!this.open) return;
    const bytes = Math.min(frame.length, SNAP_LENGTH);
    if (this.used + 16 + bytes > BUFFER_BYTES) this.flush();
    const at = this.used;
    this.buffer.writeUInt32LE(Math.floor(nowNs / 1e9), at);
    this.buffer.writeUInt32LE(Math.floor(nowNs % 1e9), at + 4);
    this.buffer.writeUInt32LE(bytes, at + 8);
    this.buffer.writeUInt32LE(wholeBytes, at + 12);
    const target = at + 16;
    if (target + bytes <= BUFFER_BYTES) {
      this.buffer.set(bytes === frame.length ? frame : frame.subarray(0, bytes), target);
      this.used = target + bytes;
    } else {
      this.used = target;
      this.flush();
      writeAll(this.file, this.path, frame.subarray(0, bytes));
    }
  }

  /** Brings everything so far into the file. */
  flush(): void {
    writeAll(this.file, this.path, this.buffer.subarray(0, this.used));
    this.used = 0;
  }

  close(): void {
    if (!this.open) return;
    this.flush();
    this.open = false;
    closeSync(this.file);
  }
}

/** One record of a capture. */
export interface PcapRecord {
  timeNs: number;
  frame: Uint8Array;
}

/** Reads the frames of a pcap file that `PcapWriter` has written. */
export function readPcap(data: Uint8Array): PcapRecord[] {
  const view = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (view.length < 24 || view.readUInt32LE(0) !== MAGIC_NS) throw new Error("not a pcap file");
  const records: PcapRecord[] = [];
  for (let at = 24; at + 16 <= view.length;) {
    const timeNs = view.readUInt32LE(at) * 1e9 + view.readUInt32LE(at + 4);
    const bytes = view.readUInt32LE(at + 8);
    records.push({ timeNs, frame: view.subarray(at + 16, at + 16 + bytes) });
    at += 16 + bytes;
  }
  return records;
}
