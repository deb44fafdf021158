/** The one file in RAM, with the name that its uploader gave it. */
import { sameBytes } from "as-tcpip/assets";

export const FILE_BYTES: u32 = 2048;
const NAME_BYTES: u32 = 32;
const NAME: usize = memory.data(NAME_BYTES, 4);
const DATA: usize = memory.data(FILE_BYTES, 4);

let nameBytes: u32 = 0;
let bytes: u32 = 0;
/** Transfers that read it, and whether one writes it. */
let readers: u32 = 0;
let writing: bool = false;

/** True for the name of the file that is there. */
export function isFile(name: usize, length: u32): bool {
  return !writing && nameBytes != 0 && length == nameBytes && sameBytes(name, NAME, length);
}

export function fileData(): usize {
  return DATA;
}

export function fileBytes(): u32 {
  return bytes;
}

/** Begins a new file; false while the old one is in use, or when the name is too long. */
export function fileBegin(name: usize, length: u32): bool {
  if (writing || readers != 0 || length > NAME_BYTES) return false;
  memory.copy(NAME, name, length);
  nameBytes = length;
  bytes = 0;
  writing = true;
  return true;
}

/** Appends a block; false when there is no room. */
export function fileAppend(from: usize, length: u32): bool {
  if (bytes + length > FILE_BYTES) return false;
  memory.copy(DATA + <usize>bytes, from, length);
  bytes += length;
  return true;
}

/** Ends the writing; a file that is not whole is none. */
export function fileEnd(whole: bool): void {
  writing = false;
  if (!whole) nameBytes = 0;
}

/** A transfer begins, or ends, to read it. */
export function fileReaders(more: i32): void {
  readers += more;
}
