import { UserError } from "../../errors.js";

/** Bytes and the address at which they belong. */
export interface Segment {
  /** Address of the first byte, as the MCU sees it. */
  address: number;
  data: Uint8Array;
}

/** `0x08000000`: eight digits, as in a datasheet's memory map. */
export function hex(address: number): string {
  return `0x${address.toString(16).padStart(8, "0")}`;
}

/** Address behind the last byte. */
export function segmentEnd(segment: Segment): number {
  return segment.address + segment.data.length;
}

/** Sum of all bytes. */
export function totalBytes(segments: readonly Segment[]): number {
  return segments.reduce((sum, segment) => sum + segment.data.length, 0);
}

/**
 * The same bytes sorted by address, empty segments dropped and touching ones joined.
 *
 * @throws UserError when two segments claim the same address.
 */
export function joinSegments(segments: readonly Segment[]): Segment[] {
  const sorted = segments
    .filter((segment) => segment.data.length > 0)
    .sort((a, b) => a.address - b.address);
  const joined: Segment[] = [];
  let run: Segment[] = [];
  const flush = (): void => {
    const first = run[0];
    if (first) {
      joined.push({ address: first.address, data: Buffer.concat(run.map((s) => s.data)) });
    }
    run = [];
  };
  for (const segment of sorted) {
    const last = run.at(-1);
    if (last && segment.address < segmentEnd(last)) {
      throw new UserError(`the image has two contents for ${hex(segment.address)}; build it again`);
    }
    if (last && segment.address !== segmentEnd(last)) flush();
    run.push(segment);
  }
  flush();
  return joined;
}

/**
 * Extends segments to whole blocks of `bytes`, filled with `fill`, and joins those that then touch.
 * Needed where a memory is written in units: UF2 sectors, pages of a boot loader.
 */
export function padToBlocks(segments: readonly Segment[], bytes: number, fill = 0xff): Segment[] {
  const blocks = new Map<number, Uint8Array>();
  for (const segment of joinSegments(segments)) {
    let done = 0;
    while (done < segment.data.length) {
      const address = segment.address + done;
      const base = address - (address % bytes);
      const count = Math.min(base + bytes - address, segment.data.length - done);
      let block = blocks.get(base);
      if (!block) blocks.set(base, (block = new Uint8Array(bytes).fill(fill)));
      block.set(segment.data.subarray(done, done + count), address - base);
      done += count;
    }
  }
  return joinSegments([...blocks].map(([address, data]) => ({ address, data })));
}

/** The bytes from `start` to `end` as one array; gaps hold `fill`, what lies outside is left out. */
export function flatten(
  segments: readonly Segment[],
  start: number,
  end: number,
  fill = 0xff,
): Uint8Array {
  const flat = new Uint8Array(end - start).fill(fill);
  for (const segment of segments) {
    const from = Math.max(start, segment.address);
    const to = Math.min(end, segmentEnd(segment));
    if (from < to) {
      flat.set(segment.data.subarray(from - segment.address, to - segment.address), from - start);
    }
  }
  return flat;
}
