/**
 * What is kept of a request for its handler: the query, the rest of a path, fields that were asked for, the body of a form.
 * Entries of a kind and a length, one behind the other in the client's record:
 *
 *     0  bytes used (u16)   2  where the open entry begins (u16)   4  entries: kind, length (low, high byte), bytes …
 */
import { HTTP_KEEP_BYTES } from "../../../stack/config";
import { Client } from "../client";

/** Kinds of entry; a field of the request is `FIELD` and its number. */
export const enum Kept {
  QUERY,
  /** What a path has behind the route. */
  REST,
  BODY,
  FIELD,
}

const ENTRY_BYTES: u32 = 3;

let foundAt: usize = 0;
let foundBytes: u32 = 0;

/** Forgets what was kept. */
export function keptClear(c: Client): void {
  store<u32>(c.kept, 0);
}

function keptUsed(c: Client): u32 {
  return load<u16>(c.kept);
}

function entryAt(c: Client, offset: u32): usize {
  return c.kept + 4 + <usize>offset;
}

function entryLength(entry: usize): u32 {
  return (<u32>load<u8>(entry + 1)) | ((<u32>load<u8>(entry + 2)) << 8);
}

/** Something found no room: nothing more is kept, and `keptWhole` says no. */
const OVERFLOW: u32 = HTTP_KEEP_BYTES + 1;

/** True when all that was to be kept has found room. */
export function keptWhole(c: Client): bool {
  return keptUsed(c) != OVERFLOW;
}

/** Opens an entry. */
export function keepBegin(c: Client, kind: u32): void {
  const used = keptUsed(c);
  if (used + ENTRY_BYTES > HTTP_KEEP_BYTES) {
    store<u16>(c.kept, <u16>OVERFLOW);
    return;
  }
  const entry = entryAt(c, used);
  store<u8>(entry, <u8>kind);
  store<u8>(entry + 1, 0);
  store<u8>(entry + 2, 0);
  store<u16>(c.kept + 2, <u16>used);
  store<u16>(c.kept, <u16>(used + ENTRY_BYTES));
}

/** Appends a byte to the open entry. */
export function keepByte(c: Client, byte: u32): void {
  const used = keptUsed(c);
  if (used >= HTTP_KEEP_BYTES) {
    store<u16>(c.kept, <u16>OVERFLOW);
    return;
  }
  store<u8>(entryAt(c, used), <u8>byte);
  store<u16>(c.kept, <u16>(used + 1));
  const open = <u32>load<u16>(c.kept + 2);
  const bytes = used + 1 - open - ENTRY_BYTES;
  const entry = entryAt(c, open);
  store<u8>(entry + 1, <u8>bytes);
  store<u8>(entry + 2, <u8>(bytes >>> 8));
}

/** Appends bytes to the open entry; false when there is no room for all. */
export function keepBytes(c: Client, from: usize, bytes: u32): bool {
  for (let i: u32 = 0; i < bytes; i++) keepByte(c, load<u8>(from + <usize>i));
  return keptWhole(c);
}

/** Looks for the first entry of a kind; where it is says `keptAt` and `keptBytes`. */
export function keptFind(c: Client, kind: u32): bool {
  const used = min(keptUsed(c), HTTP_KEEP_BYTES);
  for (let at: u32 = 0; at + ENTRY_BYTES <= used;) {
    const entry = entryAt(c, at);
    const bytes = entryLength(entry);
    if (load<u8>(entry) == kind) {
      foundAt = entry + ENTRY_BYTES;
      foundBytes = bytes;
      return true;
    }
    at += ENTRY_BYTES + bytes;
  }
  foundAt = 0;
  foundBytes = 0;
  return false;
}

export function keptAt(): usize {
  return foundAt;
}

export function keptBytes(): u32 {
  return foundBytes;
}
