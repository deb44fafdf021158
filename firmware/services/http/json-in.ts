/**
 * JSON (RFC 8259) that was received, read one token after the other where it lies: nothing is copied, nothing recurses. Whatever is not
 * JSON is JSON_BAD from there on; so is what is nested deeper than 32.
 *
 *     if (httpBody()) jsonRead(httpKeptAt(), httpKeptBytes());
 *     while (jsonNext() == JSON_KEY) {
 *       if (jsonIs(text("on"))) on = jsonNext() == JSON_TRUE;
 *       else jsonSkip();
 *     }
 */
import { Text, textAddress, textBytes } from "board";
import { hexValue } from "./message";
import { UTF8_BAD, utf8Next } from "../utf8";

/** Tokens. */
export const JSON_BAD: u32 = 0;
/** The document is complete. */
export const JSON_END: u32 = 1;
export const JSON_OBJECT: u32 = 2;
export const JSON_OBJECT_END: u32 = 3;
export const JSON_ARRAY: u32 = 4;
export const JSON_ARRAY_END: u32 = 5;
/** The name of a member; its value is the next token. */
export const JSON_KEY: u32 = 6;
export const JSON_TEXT: u32 = 7;
export const JSON_NUMBER: u32 = 8;
export const JSON_TRUE: u32 = 9;
export const JSON_FALSE: u32 = 10;
export const JSON_NULL: u32 = 11;

/** What may come next. */
const enum Expect {
  VALUE,
  VALUE_OR_END,
  KEY,
  KEY_OR_END,
  COMMA_OR_END,
  NOTHING,
  BROKEN,
}

const DEPTH_MAX: u32 = 32;

let at: usize = 0;
let end: usize = 0;
let expected: Expect = Expect.NOTHING;
let depth: u32 = 0;
/** One bit for each level: an object. */
let objects: u32 = 0;
/** The text or number of the last token. */
let tokenAt: usize = 0;
let tokenEnd: usize = 0;

/** Where a text is decoded, and the bytes of an escape that are still to come, the next one lowest. */
let readAt: usize = 0;
let pending: u32 = 0;

/** Begins to read a document. */
export function jsonRead(from: usize, bytes: u32): void {
  at = from;
  end = from + <usize>bytes;
  expected = Expect.VALUE;
  depth = 0;
  objects = 0;
}

/** The next byte that is no white space; 0 at the end. */
function visible(): u32 {
  while (at < end) {
    const byte = <u32>load<u8>(at);
    if (byte != 0x20 && byte != 0x09 && byte != 0x0a && byte != 0x0d) return byte;
    at++;
  }
  return 0;
}

function bad(): u32 {
  expected = Expect.BROKEN;
  return JSON_BAD;
}

/** Reads the next token. */
export function jsonNext(): u32 {
  let byte = visible();
  switch (expected) {
    case Expect.BROKEN:
      return JSON_BAD;
    case Expect.NOTHING:
      return at < end ? bad() : JSON_END;
    case Expect.KEY_OR_END:
      return byte == 0x7d ? close() : key(byte);
    case Expect.KEY:
      return key(byte);
    case Expect.VALUE_OR_END:
      return byte == 0x5d ? close() : value(byte);
    case Expect.VALUE:
      return value(byte);
    default:
      if (byte == (inObject() ? 0x7d : 0x5d)) return close();
      if (byte != 0x2c) return bad();
      at++;
      byte = visible();
      return inObject() ? key(byte) : value(byte);
  }
}

function inObject(): bool {
  return ((objects >>> (depth - 1)) & 1) != 0;
}

function close(): u32 {
  const object = inObject();
  at++;
  depth--;
  afterValue();
  return object ? JSON_OBJECT_END : JSON_ARRAY_END;
}

function afterValue(): void {
  expected = depth == 0 ? Expect.NOTHING : Expect.COMMA_OR_END;
}

function open(object: bool): u32 {
  if (depth == DEPTH_MAX) return bad();
  at++;
  objects = (objects & ~(1 << depth)) | ((object ? 1 : 0) << depth);
  depth++;
  expected = object ? Expect.KEY_OR_END : Expect.VALUE_OR_END;
  return object ? JSON_OBJECT : JSON_ARRAY;
}

function key(byte: u32): u32 {
  if (byte != 0x22 || !readText() || visible() != 0x3a) return bad();
  at++;
  expected = Expect.VALUE;
  return JSON_KEY;
}

function value(byte: u32): u32 {
  if (byte == 0x7b) return open(true);
  if (byte == 0x5b) return open(false);
  let token = JSON_BAD;
  if (byte == 0x22) token = readText() ? JSON_TEXT : JSON_BAD;
  else if (byte == 0x2d || byte - 0x30 < 10) token = readNumber() ? JSON_NUMBER : JSON_BAD;
  // "true", "fals", "null" as little-endian words.
  else if (isWord(0x65757274)) token = JSON_TRUE;
  else if (isWord(0x736c6166) && at < end && load<u8>(at) == 0x65) {
    at++;
    token = JSON_FALSE;
  } else if (isWord(0x6c6c756e)) token = JSON_NULL;
  if (token == JSON_BAD) return bad();
  afterValue();
  return token;
}

function isWord(word: u32): bool {
  if (end - at < 4) return false;
  for (let i: usize = 0; i < 4; i++) {
    if (load<u8>(at + i) != <u8>(word >>> (<u32>i * 8))) return false;
  }
  at += 4;
  return true;
}

/** Checks a text from its quote to its quote. */
function readText(): bool {
  at++;
  tokenAt = at;
  let utf8: u32 = 0;
  while (at < end) {
    const byte = <u32>load<u8>(at++);
    if (byte == 0x22) {
      tokenEnd = at - 1;
      return utf8 == 0;
    }
    if (byte < 0x20) return false;
    utf8 = utf8Next(utf8, byte);
    if (utf8 == UTF8_BAD) return false;
    if (byte == 0x5c && !readEscape()) return false;
  }
  return false;
}

/** What follows a backslash. Halves of a surrogate pair come together (RFC 8259 7). */
function readEscape(): bool {
  if (at >= end) return false;
  const kind = <u32>load<u8>(at++);
  if (kind != 0x75) return plainEscape(kind) != 0;
  const unit = readUnit();
  if (unit < 0 || (unit >= 0xdc00 && unit < 0xe000)) return false;
  if (unit < 0xd800 || unit >= 0xe000) return true;
  if (end - at < 2 || load<u8>(at) != 0x5c || load<u8>(at + 1) != 0x75) return false;
  at += 2;
  const low = readUnit();
  return low >= 0xdc00 && low < 0xe000;
}

/** Four hexadecimal digits; -1 = they are none. */
function readUnit(): i32 {
  if (end - at < 4) return -1;
  const unit = unitAt(at);
  at += 4;
  return unit;
}

function unitAt(from: usize): i32 {
  let unit: i32 = 0;
  for (let i: usize = 0; i < 4; i++) {
    const digit = hexValue(load<u8>(from + i));
    if (digit < 0) return -1;
    unit = (unit << 4) | digit;
  }
  return unit;
}

/** The character of a short escape; 0 = there is none. */
function plainEscape(kind: u32): u32 {
  switch (kind) {
    case 0x22: // " \ /
    case 0x5c:
    case 0x2f:
      return kind;
    case 0x62:
      return 0x08;
    case 0x66:
      return 0x0c;
    case 0x6e:
      return 0x0a;
    case 0x72:
      return 0x0d;
    case 0x74:
      return 0x09;
    default:
      return 0;
  }
}

function digits(): u32 {
  const from = at;
  while (at < end && <u32>load<u8>(at) - 0x30 < 10) at++;
  return <u32>(at - from);
}

function readNumber(): bool {
  tokenAt = at;
  if (load<u8>(at) == 0x2d) at++;
  const zero = at < end && load<u8>(at) == 0x30;
  const whole = digits();
  if (whole == 0 || (zero && whole > 1)) return false;
  if (at < end && load<u8>(at) == 0x2e) {
    at++;
    if (digits() == 0) return false;
  }
  if (at < end && (load<u8>(at) | 0x20) == 0x65) {
    at++;
    if (at < end && (load<u8>(at) == 0x2b || load<u8>(at) == 0x2d)) at++;
    if (digits() == 0) return false;
  }
  tokenEnd = at;
  return true;
}

/** Passes over a value: the next one after JSON_KEY, or what has just been opened. False when it is bad. */
export function jsonSkip(): bool {
  const outside = expected == Expect.VALUE || expected == Expect.COMMA_OR_END ? depth : depth - 1;
  let token = jsonNext();
  while (depth > outside && token != JSON_BAD) token = jsonNext();
  return token != JSON_BAD;
}

function decodeBegin(): void {
  readAt = tokenAt;
  pending = 0;
}

/** The next byte of a text, decoded to UTF-8; -1 at its end. */
function decodeNext(): i32 {
  if (pending != 0) {
    const byte = pending & 0xff;
    pending >>>= 8;
    return <i32>byte;
  }
  if (readAt >= tokenEnd) return -1;
  const byte = <u32>load<u8>(readAt++);
  if (byte != 0x5c) return <i32>byte;
  const kind = <u32>load<u8>(readAt++);
  if (kind != 0x75) return <i32>plainEscape(kind);
  let point = <u32>unitAt(readAt);
  readAt += 4;
  if (point >= 0xd800 && point < 0xe000) {
    point = 0x10000 + ((point - 0xd800) << 10) + (<u32>unitAt(readAt + 2) - 0xdc00);
    readAt += 6;
  }
  return encode(point);
}

/** First byte of a code point in UTF-8; the others are pending, none of which is 0. */
function encode(point: u32): i32 {
  const last = 0x80 | (point & 63);
  if (point < 0x80) return <i32>point;
  if (point < 0x800) {
    pending = last;
    return <i32>(0xc0 | (point >>> 6));
  }
  const third = 0x80 | ((point >>> 6) & 63);
  if (point < 0x10000) {
    pending = third | (last << 8);
    return <i32>(0xe0 | (point >>> 12));
  }
  pending = 0x80 | ((point >>> 12) & 63) | (third << 8) | (last << 16);
  return <i32>(0xf0 | (point >>> 18));
}

/** True when the last key or text is, decoded, a text. */
export function jsonIs(wanted: Text): bool {
  decodeBegin();
  const from = textAddress(wanted);
  for (let i: u32 = 0, n = textBytes(wanted); i < n; i++) {
    if (decodeNext() != <i32>load<u8>(from + <usize>i)) return false;
  }
  return decodeNext() < 0;
}

/** Copies the last key or text, decoded: its bytes, or -1 when it is longer. */
export function jsonCopy(to: usize, capacity: u32): i32 {
  decodeBegin();
  let bytes: u32 = 0;
  let byte = decodeNext();
  while (byte >= 0 && bytes < capacity) {
    store<u8>(to + <usize>bytes, <u8>byte);
    bytes++;
    byte = decodeNext();
  }
  return byte < 0 ? <i32>bytes : -1;
}

/** The last number, when it is a whole one that fits; else `otherwise`. */
export function jsonInt(otherwise: i32): i32 {
  const negative = load<u8>(tokenAt) == 0x2d;
  // Counted below zero, where one number more has room.
  let result: i32 = 0;
  for (let from = negative ? tokenAt + 1 : tokenAt; from < tokenEnd; from++) {
    const digit = <i32>load<u8>(from) - 0x30;
    if (digit < 0 || digit > 9 || result < (i32.MIN_VALUE + digit) / 10) return otherwise;
    result = result * 10 - digit;
  }
  if (negative) return result;
  return result == i32.MIN_VALUE ? otherwise : -result;
}
