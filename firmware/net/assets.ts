/**
 * Files of the application (`firmware/<app>/assets`), read from the read-only blob, which lies in flash on a device (layout:
 * host-tools/build/blob.ts). With ASSETS_PACKED text files are packed there (host-tools/build/pack.ts).
 */
import { flashBase, textAddress, textBytes, Text, text } from "board";
import { ASSETS_PACKED } from "../../stack/config";

/** Bytes of one record of the directory, and its fields. */
const RECORD_BYTES: u32 = 16;
const PATH: usize = 0;
const TYPE: usize = 4;
const DATA: usize = 8;
const BYTES: usize = 12;

/** Set in the offset of the data: they are packed. */
const PACKED: u32 = 0x80000000;

/** Number of assets in the image. */
export function assetCount(): u32 {
  return load<u32>(flashBase() + 4);
}

function directory(): usize {
  return flashBase() + <usize>load<u32>(flashBase());
}

function record(index: u32): usize {
  assert(index < assetCount());
  return directory() + <usize>(index * RECORD_BYTES);
}

/**
 * Address of the file's bytes; they never change, so they may be sent without copying. With ASSETS_PACKED text files have none, which traps:
 * read them with `assetRead`.
 */
export function assetData(index: u32): usize {
  const at = load<u32>(record(index) + DATA);
  if (ASSETS_PACKED) assert(at < PACKED);
  return flashBase() + <usize>at;
}

/** Length of the file in bytes. */
export function assetBytes(index: u32): u32 {
  return load<u32>(record(index) + BYTES);
}

/** Address of the content type. */
export function assetType(index: u32): usize {
  return textAddress(load<u32>(record(index) + TYPE));
}

/** Length of the content type in bytes. */
export function assetTypeBytes(index: u32): u32 {
  return textBytes(load<u32>(record(index) + TYPE));
}

/** Entity tag of all assets, quotes included (RFC 9110 8.8.3): it changes when any of them does, with the image. */
export function assetsTag(): usize {
  return flashBase() + 8;
}

/** Bytes of the entity tag. */
export const ASSETS_TAG_BYTES: u32 = 10;

/**
 * Number of the asset with that path (decoded, with its leading slash), or -1. `index.html` is
 * stored under the name of its folder, so it is found under both names.
 */
export function assetFind(path: usize, bytes: u32): i32 {
  const length = bytes - indexBytes(path, bytes);
  for (let i: u32 = 0, n = assetCount(); i < n; i++) {
    const name: Text = load<u32>(record(i) + PATH);
    if (textBytes(name) == length && sameBytes(path, textAddress(name), length)) return <i32>i;
  }
  return -1;
}

/** Bytes of a closing "index.html" that has the folder's slash before it, or 0. */
function indexBytes(path: usize, bytes: u32): u32 {
  const name: Text = text("/index.html");
  const nameBytes = textBytes(name);
  if (bytes < nameBytes) return 0;
  return sameBytes(path + <usize>(bytes - nameBytes), textAddress(name), nameBytes)
    ? nameBytes - 1
    : 0;
}

/** True when two runs of bytes are equal. */
export function sameBytes(a: usize, b: usize, bytes: u32): bool {
  for (let i: u32 = 0; i < bytes; i++) {
    if (load<u8>(a + <usize>i) != load<u8>(b + <usize>i)) return false;
  }
  return true;
}

/** Rows of the table of pairs, which lies before the directory. */
const PAIR_ROWS: u32 = 160;
/** Codes that may wait for their turn while a pair is taken apart. */
const PAIRS_DEEP: u32 = 8;
const WAITING: usize = memory.data(PAIRS_DEEP, 4);

// Where the last reading of a packed file has ended: the next one goes on there.
let file: u32 = 0xffffffff;
let reached: u32 = 0;
let source: usize = 0;
let waiting: usize = WAITING;

/**
 * Copies `bytes` bytes of a file, `from` bytes behind its first, which must be there. Of a packed file it costs all bytes before as well,
 * unless the reading goes on where the last one has ended.
 */
export function assetRead(index: u32, from: u32, to: usize, bytes: u32): void {
  assert(from + bytes <= assetBytes(index));
  const at = load<u32>(record(index) + DATA);
  if (!ASSETS_PACKED || at < PACKED) {
    memory.copy(to, flashBase() + <usize>(at + from), bytes);
    return;
  }
  if (index != file || from < reached) {
    file = index;
    reached = 0;
    source = flashBase() + <usize>(at & ~PACKED);
    waiting = WAITING;
  }
  unpack(from, to, from + bytes);
}

/** Unpacks up to position `end`, and keeps what lies behind `from`. */
function unpack(from: u32, to: usize, end: u32): void {
  while (reached < end) {
    const code = <u32>load<u8>(waiting == WAITING ? source++ : --waiting);
    const row = (code + 128) & 255;
    const pair = directory() - 2 * PAIR_ROWS + 2 * row;
    if (row < PAIR_ROWS && load<u8>(pair) != code) {
      store<u8>(waiting, load<u8>(pair, 1));
      store<u8>(waiting, load<u8>(pair), 1);
      waiting += 2;
      continue;
    }
    if (reached >= from) store<u8>(to + <usize>(reached - from), <u8>code);
    reached++;
  }
}
