/**
 * Packed text files of a device's flash (ASSETS_PACKED): pairs of bytes that are frequent become one byte, again and again (byte pair
 * encoding; J. Larsson, A. Moffat, "Off-line dictionary-based compression", 2000). What undoes it on the device is a few dozen
 * instructions and needs no window (firmware/net/assets.ts); HTML, CSS and JavaScript take little more than half.
 *
 * A byte that some file has stands for itself; one that no file has may stand for the two codes of its row in the table:
 *
 *     row      0 … 127    128 … 159
 *     code   128 … 255      0 … 31      a row that begins with its own code: it stands for itself
 */

/** Rows of the table, two bytes each. */
export const PAIR_ROWS = 160;
/** Codes that may wait for their turn on the device while a pair is taken apart (PAIRS_DEEP in firmware/net/assets.ts). */
export const PAIRS_DEEP = 8;

/** Files, packed with one table for all. */
export interface Packed {
  table: Uint8Array;
  files: Uint8Array[];
}

function rowOf(code: number): number {
  return (code + 128) & 255;
}

/** Packs files. */
export function pack(files: readonly Uint8Array[]): Packed {
  const used = new Set(files.flatMap((file) => [...file]));
  const table = new Uint8Array(2 * PAIR_ROWS);
  const free: number[] = [];
  for (let row = 0; row < PAIR_ROWS; row++) {
    const code = rowOf(row);
    table[2 * row] = code;
    if (!used.has(code)) free.push(code);
  }
  /** Of each code: how many pairs lie in one another. */
  const depth = new Uint8Array(256);
  let packed = files.map((file) => [...file]);
  for (const code of free) {
    const pair = mostFrequent(packed, depth);
    if (pair === undefined) break;
    const [first, second] = [pair >> 8, pair & 255];
    table.set([first, second], 2 * rowOf(code));
    depth[code] = 1 + Math.max(depth[first] as number, depth[second] as number);
    packed = packed.map((file) => replaced(file, first, second, code));
  }
  return { table, files: packed.map((file) => Uint8Array.from(file)) };
}

/** The pair that is there most often, and more than twice: a row takes two bytes. */
function mostFrequent(files: number[][], depth: Uint8Array): number | undefined {
  const counts = new Uint32Array(65536);
  for (const file of files) {
    for (let at = 0; at + 1 < file.length; at++) {
      const [first, second] = [file[at] as number, file[at + 1] as number];
      counts[first * 256 + second]!++;
      // Of three equal ones two make a pair.
      if (first === second && file[at + 2] === first) at++;
    }
  }
  let best: number | undefined;
  let most = 2;
  for (let pair = 0; pair < counts.length; pair++) {
    const count = counts[pair] as number;
    if (count <= most) continue;
    if (Math.max(depth[pair >> 8] as number, depth[pair & 255] as number) >= PAIRS_DEEP - 1)
      continue;
    [best, most] = [pair, count];
  }
  return best;
}

function replaced(file: number[], first: number, second: number, code: number): number[] {
  const result: number[] = [];
  for (let at = 0; at < file.length; at++) {
    const here = file[at] as number;
    if (here === first && file[at + 1] === second) {
      result.push(code);
      at++;
    } else result.push(here);
  }
  return result;
}

/** Undoes `pack` as the device does. */
export function unpack(file: Uint8Array, table: Uint8Array): Uint8Array {
  const result: number[] = [];
  const waiting: number[] = [];
  for (const byte of file) {
    waiting.push(byte);
    while (waiting.length > 0) {
      if (waiting.length > PAIRS_DEEP) throw new Error("pairs lie too deep in one another");
      const code = waiting.pop() as number;
      const row = 2 * rowOf(code);
      if (row >= table.length || table[row] === code) result.push(code);
      else waiting.push(table[row + 1] as number, table[row] as number);
    }
  }
  return Uint8Array.from(result);
}
