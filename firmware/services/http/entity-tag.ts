/**
 * The entity tag of the files: one for all of them, as they change together, with the image (RFC
 * 9110 8.8.3).
 */
import { text } from "board";
import { assetsDigest } from "../../net/assets";
import { isText } from "./message";

/** A tag with its quotes: eight hexadecimal digits. */
const TAG_BYTES: u32 = 10;
const TAG: usize = memory.data(TAG_BYTES, 4);

/** Computes the tag; once, at the start. */
export function entityTagStart(): void {
  const digest = assetsDigest();
  store<u8>(TAG, 0x22);
  for (let i: u32 = 0; i < 8; i++) {
    const digit = (digest >>> (28 - 4 * i)) & 15;
    store<u8>(TAG + 1 + <usize>i, <u8>(digit < 10 ? 0x30 + digit : 0x57 + digit));
  }
  store<u8>(TAG + 9, 0x22);
}

/** Address and length of the tag, quotes included. */
export function entityTag(): usize {
  return TAG;
}

export function entityTagBytes(): u32 {
  return TAG_BYTES;
}

/**
 * True when an element of If-None-Match is our tag, the weak form of it, or `*` (RFC 9110 13.1.2:
 * weak comparison).
 */
export function entityTagIs(at: usize, bytes: u32): bool {
  if (isText(at, bytes, text("*"))) return true;
  const weak = bytes > 2 && isText(at, 2, text("w/"));
  const from = weak ? at + 2 : at;
  if ((weak ? bytes - 2 : bytes) != TAG_BYTES) return false;
  for (let i: usize = 0; i < TAG_BYTES; i++) {
    if (load<u8>(from + i) != load<u8>(TAG + i)) return false;
  }
  return true;
}
