/**
 * Domain names as they stand in a message (RFC 1035 3.1, 4.1.4): labels behind their lengths, an empty one at the end, or a
 * pointer to the rest. Everything that is read from the wire is checked here (RFC 9267): a length never leads out of the
 * message, and a pointer only to bytes before all those that the name has used, so no name is without an end.
 */

/** Longest name on the wire, with all lengths (RFC 1035 2.3.4). */
export const NAME_BYTES_MAX: u32 = 255;
const LABEL_BYTES_MAX: u32 = 63;
const POINTER: u32 = 0xc0;
/** Bytes of a message header: no name stands before. */
export const DNS_HEADER_BYTES: u32 = 12;

/** A capital letter as a small one; anything else as it is. */
export function lower(character: u32): u32 {
  return character - 0x41 < 26 ? character | 0x20 : character;
}

/**
 * Writes the name of `bytes` characters at `from`, dots between its labels and perhaps one at the end, to `to` in wire form,
 * in small letters. Returns the bytes written, at most `capacity`; 0 = it is no name, or too long.
 */
export function nameEncode(from: usize, bytes: u32, to: usize, capacity: u32): u32 {
  if (bytes != 0 && load<u8>(from + bytes - 1) == 0x2e) bytes -= 1;
  if (bytes == 0 || bytes + 2 > min(capacity, NAME_BYTES_MAX)) return 0;
  let labelAt = to;
  let length: u32 = 0;
  for (let i: u32 = 0; i < bytes; i++) {
    const character = <u32>load<u8>(from + i);
    if (character == 0x2e) {
      if (length == 0) return 0;
      store<u8>(labelAt, <u8>length);
      labelAt += length + 1;
      length = 0;
      continue;
    }
    if (character - 0x21 > 0x7e - 0x21 || length == LABEL_BYTES_MAX) return 0;
    length += 1;
    store<u8>(labelAt + length, <u8>lower(character));
  }
  if (length == 0) return 0;
  store<u8>(labelAt, <u8>length);
  store<u8>(labelAt + length + 1, 0);
  return bytes + 2;
}

/** Where the next label of a name stands; 0 = the name is bad. `nameStep` moves on. */
let at: u32 = 0;
/** A pointer must lead to before this. */
let before: u32 = 0;

/**
 * Finds the label at offset `at` of the message of `bytes` at `message`, by way of pointers: its length, or -1 when the name
 * is bad.
 */
function labelFind(message: usize, bytes: u32): i32 {
  // Each pointer leads further back, so there are fewer of them than bytes; the bound is for the reader.
  for (let hops: u32 = 0; hops < NAME_BYTES_MAX; hops++) {
    if (at >= bytes) return -1;
    const length = <u32>load<u8>(message + at);
    if (length <= LABEL_BYTES_MAX) return at + length < bytes ? <i32>length : -1;
    if (length < POINTER || at + 1 >= bytes) return -1;
    const target = ((length & 0x3f) << 8) | (<u32>load<u8>(message + at + 1));
    if (target >= before || target < DNS_HEADER_BYTES) return -1;
    before = target;
    at = target;
  }
  return -1;
}

/** Offset behind the name at `offset`; 0 = the name is bad. */
export function nameSkip(message: usize, bytes: u32, offset: u32): u32 {
  at = offset;
  before = offset;
  let end: u32 = 0;
  let total: u32 = 1;
  for (let labels: u32 = 0; labels < NAME_BYTES_MAX; labels++) {
    const here = at;
    const length = labelFind(message, bytes);
    if (length < 0) return 0;
    if (end == 0 && at != here) end = here + 2;
    if (length == 0) return end != 0 ? end : at + 1;
    total += <u32>length + 1;
    if (total > NAME_BYTES_MAX) return 0;
    at += <u32>length + 1;
  }
  return 0;
}

/** Offset of the label at `offset` of a name that has been skipped before: behind its pointers, which are known to be good. */
function labelAt(message: usize, offset: u32): u32 {
  for (let hops: u32 = 0; hops < NAME_BYTES_MAX; hops++) {
    const length = <u32>load<u8>(message + offset);
    if (length < POINTER) break;
    offset = ((length & 0x3f) << 8) | (<u32>load<u8>(message + offset, 1));
  }
  return offset;
}

/** True when the name at `offset` is the one in plain wire form at `name`, capitals or not. It has been skipped before: it is good. */
export function nameEquals(message: usize, offset: u32, name: usize): bool {
  return namesEqual(message, offset, name, 0);
}

/**
 * True when the name at `offset` of a message is the one at `otherOffset` of another, or of the same, capitals or not. A name in
 * plain wire form is a message of its own. Both have been skipped before: they are good.
 */
export function namesEqual(message: usize, offset: u32, other: usize, otherOffset: u32): bool {
  for (let labels: u32 = 0; labels < NAME_BYTES_MAX; labels++) {
    offset = labelAt(message, offset);
    otherOffset = labelAt(other, otherOffset);
    const length = <u32>load<u8>(message + offset);
    // The lengths as well: they are below the letters.
    for (let left = length + 1; left > 0; left--) {
      if (lower(<u32>load<u8>(message + offset)) != lower(<u32>load<u8>(other + otherOffset))) {
        return false;
      }
      offset += 1;
      otherOffset += 1;
    }
    if (length == 0) return true;
  }
  return false;
}

/**
 * The name in plain wire form at `name` against the one at `offset` of a message, which has been skipped before, as their bytes
 * without pointers are ordered, capitals before small letters: below 0 = `name` comes first, 0 = they are the same.
 */
export function nameOrder(message: usize, offset: u32, name: usize): i32 {
  for (let labels: u32 = 0; labels < NAME_BYTES_MAX; labels++) {
    offset = labelAt(message, offset);
    const length = <u32>load<u8>(message + offset);
    const order = memory.compare(name, message + offset, length + 1);
    if (order != 0 || length == 0) return order;
    offset += length + 1;
    name += length + 1;
  }
  return 0;
}
