/**
 * A part of a file (RFC 9110 14): one range of bytes. More than one, another unit, or what is no range at all gives the whole file, as a
 * server may. While the head is read `Client.sent` and `left` are the first and the last position, those of the answer are `contentBytes` and `left`.
 */
import { text, textAddress } from "board";
import { Client } from "../client";
import { Flag, hasBody, lower } from "./message";

/** States in `Client.position`: how much of `bytes=` has come, then these. */
const UNIT_BYTES: u32 = 6;
const FIRST: u32 = 6;
const FIRST_DIGITS: u32 = 7;
const LAST: u32 = 8;
const LAST_DIGITS: u32 = 9;
const NONE: u32 = 255;

/** Begins the value of Range; of two of them none counts. */
export function rangeBegin(c: Client): void {
  const again = (c.flags & Flag.RANGE_SEEN) != 0;
  c.flags = (c.flags & ~(<u32>(Flag.RANGE | Flag.SUFFIX))) | Flag.RANGE_SEEN;
  c.position = <u8>(again ? NONE : 0);
  c.sent = 0;
  c.left = 0;
}

export function rangeByte(c: Client, byte: u32): void {
  const state = <u32>c.position;
  if (state < UNIT_BYTES) {
    const expected = load<u8>(textAddress(text("bytes=")) + <usize>state);
    c.position = <u8>(lower(byte) == expected ? state + 1 : NONE);
    return;
  }
  if (byte == 0x20 || byte == 0x09) return;
  const digit = byte - 0x30;
  if (digit < 10 && state <= FIRST_DIGITS) {
    c.sent = withDigit(c.sent, digit);
    c.position = <u8>FIRST_DIGITS;
  } else if (digit < 10 && state <= LAST_DIGITS) {
    c.left = withDigit(c.left, digit);
    c.position = <u8>LAST_DIGITS;
  } else if (byte == 0x2d && state <= FIRST_DIGITS) {
    if (state == FIRST) c.flags |= Flag.SUFFIX;
    c.position = <u8>LAST;
  } else c.position = <u8>NONE;
}

/** A number that is too great for 32 bits is behind every file. */
function withDigit(value: u32, digit: u32): u32 {
  return value > (0xffffffff - digit) / 10 ? 0xffffffff : value * 10 + digit;
}

export function rangeEnd(c: Client): void {
  const suffix = (c.flags & Flag.SUFFIX) != 0;
  if (c.position == <u8>LAST && !suffix) c.left = 0xffffffff;
  else if (c.position != <u8>LAST_DIGITS || (!suffix && c.left < c.sent)) return;
  c.flags |= Flag.RANGE;
}

/** The head is complete: a body would need the places of the range. */
export function rangeKeep(c: Client): void {
  if (hasBody(c)) c.flags &= ~(<u32>Flag.RANGE);
}

/** Fits the range to a file of `bytes`; false when nothing of it is there. */
export function rangeFit(c: Client, bytes: u32): bool {
  if ((c.flags & Flag.SUFFIX) != 0) {
    if (c.left == 0 || bytes == 0) return false;
    c.contentBytes = bytes - min(c.left, bytes);
    c.left = bytes - 1;
    return true;
  }
  c.contentBytes = c.sent;
  if (c.contentBytes >= bytes) return false;
  c.left = min(c.left, bytes - 1);
  return true;
}
