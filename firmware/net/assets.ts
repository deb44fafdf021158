/**
 * Files of the application (`firmware/<app>/assets`), read in place from the read-only blob, which
 * lies in flash on a device (layout: host-tools/build/blob.ts).
 */
import { flashBase, textAddress, textBytes, Text, text } from "board";

/** Bytes of one record of the directory, and its fields: offset and bytes of each part. */
const RECORD_BYTES: u32 = 24;
const PATH: usize = 0;
const TYPE: usize = 8;
const DATA: usize = 16;

/** Number of assets in the image. */
export function assetCount(): u32 {
  return load<u32>(flashBase() + 4);
}

function record(index: u32): usize {
  assert(index < assetCount());
  return flashBase() + <usize>(load<u32>(flashBase()) + index * RECORD_BYTES);
}

/** Address of the file's bytes; they never change, so they may be sent without copying. */
export function assetData(index: u32): usize {
  return flashBase() + <usize>load<u32>(record(index) + DATA);
}

/** Length of the file in bytes. */
export function assetBytes(index: u32): u32 {
  return load<u32>(record(index) + DATA + 4);
}

/** Address of the content type. */
export function assetType(index: u32): usize {
  return flashBase() + <usize>load<u32>(record(index) + TYPE);
}

/** Length of the content type in bytes. */
export function assetTypeBytes(index: u32): u32 {
  return load<u32>(record(index) + TYPE + 4);
}

/**
 * Number of the asset with that path (decoded, with its leading slash), or -1. `index.html` is
 * stored under the name of its folder, so it is found under both names.
 */
export function assetFind(path: usize, bytes: u32): i32 {
  const length = bytes - indexBytes(path, bytes);
  for (let i: u32 = 0, n = assetCount(); i < n; i++) {
    const at = record(i);
    if (load<u32>(at + PATH + 4) != length) continue;
    if (sameBytes(path, flashBase() + <usize>load<u32>(at + PATH), length)) return <i32>i;
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

/**
 * A number that changes when any asset does: FNV-1a over the words of all of them, for entity tags.
 * Reads every asset, so it is computed once, at the start.
 */
export function assetsDigest(): u32 {
  let digest: u32 = 0x811c9dc5;
  for (let i: u32 = 0, n = assetCount(); i < n; i++) {
    const data = assetData(i);
    const bytes = assetBytes(i);
    digest = (digest ^ bytes) * 0x01000193;
    let at: u32 = 0;
    for (; at + 4 <= bytes; at += 4) digest = (digest ^ load<u32>(data + <usize>at)) * 0x01000193;
    for (; at < bytes; at++) digest = (digest ^ load<u8>(data + <usize>at)) * 0x01000193;
  }
  return digest;
}
