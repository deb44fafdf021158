/**
 * Field lines of a request head (RFC 9112 5), a byte at a time. The fields that decide where a
 * message ends are read strictly: whatever two readers could understand differently is refused (RFC
 * 9112 6.3, 11.2).
 */
import { Text, text, textBytes } from "board";
import { HTTP_FIELDS, HTTP_KEEP_BYTES, HTTP_WEBSOCKET } from "../../../stack/config";
import { EINVAL, ENOBUFS } from "../../../stack/errors";
import { CLIENT_BUFFER_BYTES, Client } from "../client";
import { REQUEST_FIELDS } from "../sizes";
import { entityTagIs } from "./entity-tag";
import { Kept, keepBegin, keepByte, keptWhole } from "./kept";
import {
  Flag,
  Parse,
  fail,
  has,
  isRoute,
  isText,
  isTokenCharacter,
  isValueByte,
  lower,
} from "./message";
import { rangeBegin, rangeByte, rangeEnd, rangeKeep } from "./ranges";
import { isHostByte } from "./request-line";

/** Fields that matter here. */
const enum Field {
  OTHER,
  HOST,
  CONTENT_LENGTH,
  CONTENT_TYPE,
  TRANSFER_ENCODING,
  CONNECTION,
  EXPECT,
  IF_NONE_MATCH,
  IF_RANGE,
  RANGE,
  UPGRADE,
  WS_VERSION,
  WS_KEY,
  /** From here on: fields that the application has asked for. */
  ASKED,
}

const SP: u32 = 0x20;
const HTAB: u32 = 0x09;
const CR: u32 = 0x0d;
const LF: u32 = 0x0a;

/** Names and tokens lie at the start of the buffer; longer ones are none of those looked for. */
const WORD_BYTES: u32 = 24;
const WORD_TOO_LONG: u32 = WORD_BYTES + 1;

/** The content type of the request lies behind them: one byte of length, then its bytes. */
const TYPE_AT: usize = 24;
export const CONTENT_TYPE_BYTES: u32 = CLIENT_BUFFER_BYTES - 25;

/**
 * Address and length of the content type of the request; length 0 when it has none, or a longer one
 * than fits.
 */
export function requestType(c: Client): usize {
  return c.buffer + TYPE_AT + 1;
}

export function requestTypeBytes(c: Client): u32 {
  const bytes = <u32>load<u8>(c.buffer + TYPE_AT);
  return bytes > CONTENT_TYPE_BYTES ? 0 : bytes;
}

let asked: u32 = 0;

/** Names of the fields that the application has asked for. */
function askedAt(index: u32): usize {
  const ASKED: usize = memory.data(HTTP_FIELDS * 4, 4);
  return ASKED + <usize>(index * 4);
}

/**
 * Has a field of requests kept for handlers: its number for `httpField`, or -ENOBUFS (HTTP_FIELDS). `name` in small letters, 24
 * bytes at most. Not for the fields that the server reads itself (Host, Content-Length, Content-Type, Transfer-Encoding,
 * Connection, Expect, If-None-Match, If-Range, Range of a file).
 */
export function httpKeepField(name: Text): i32 {
  if (HTTP_KEEP_BYTES == 0) ERROR("httpKeepField needs HTTP_KEEP_BYTES in app.json");
  if (textBytes(name) > WORD_BYTES) return -EINVAL;
  if (asked == HTTP_FIELDS) return -ENOBUFS;
  store<u32>(askedAt(asked), name);
  asked += 1;
  return <i32>(asked - 1);
}

/** Number of a field among those asked for, as a value of `Field`. */
function askedField(c: Client): u32 {
  for (let i: u32 = 0; i < asked; i++) {
    if (wordIs(c, load<u32>(askedAt(i)))) return <u32>Field.ASKED + i;
  }
  return Field.OTHER;
}

/** Readies the buffer for field lines. */
export function fieldsBegin(c: Client): void {
  c.bufferBytes = 0;
  store<u8>(c.buffer + TYPE_AT, 0);
}

/** Feeds one byte to the field lines. */
export function fieldByte(c: Client, byte: u32): void {
  switch (c.parse) {
    case <u8>Parse.FIELD:
      return fieldStart(c, byte);
    case <u8>Parse.NAME:
      return name(c, byte);
    case <u8>Parse.BEFORE_VALUE:
      if (byte == SP || byte == HTAB) return;
      c.parse = <u8>Parse.VALUE;
      return value(c, byte);
    case <u8>Parse.VALUE:
      return value(c, byte);
    case <u8>Parse.VALUE_LF:
      if (byte != LF) return fail(c, 400);
      c.parse = <u8>Parse.FIELD;
      return;
    default:
      if (byte != LF) return fail(c, 400);
      headEnd(c);
  }
}

/**
 * A line that begins with white space is an obsolete fold (RFC 9112 5.2): refused, as it is no
 * token.
 */
function fieldStart(c: Client, byte: u32): void {
  if (byte == CR) {
    c.parse = <u8>Parse.END_LF;
    return;
  }
  if (++c.fields > REQUEST_FIELDS) return fail(c, 431);
  c.parse = <u8>Parse.NAME;
  c.bufferBytes = 0;
  name(c, byte);
}

/** White space before the colon is no token either (RFC 9112 5.1). */
function name(c: Client, byte: u32): void {
  if (byte == 0x3a && c.bufferBytes != 0) {
    c.field = <u8>fieldOf(c);
    c.bufferBytes = 0;
    c.flags &= ~(<u32>Flag.GAP);
    c.parse = <u8>Parse.BEFORE_VALUE;
    return valueBegin(c);
  }
  if (!isTokenCharacter(byte)) return fail(c, 400);
  keepWord(c, byte);
}

function keepWord(c: Client, byte: u32): void {
  if (c.bufferBytes < WORD_BYTES) store<u8>(c.buffer + <usize>c.bufferBytes, <u8>lower(byte));
  if (c.bufferBytes < WORD_TOO_LONG) c.bufferBytes++;
}

function wordIs(c: Client, t: u32): bool {
  return isText(c.buffer, c.bufferBytes, t);
}

function fieldOf(c: Client): u32 {
  if (wordIs(c, text("host"))) return Field.HOST;
  if (wordIs(c, text("content-length"))) return Field.CONTENT_LENGTH;
  if (wordIs(c, text("content-type"))) return Field.CONTENT_TYPE;
  if (wordIs(c, text("transfer-encoding"))) return Field.TRANSFER_ENCODING;
  if (wordIs(c, text("connection"))) return Field.CONNECTION;
  if (wordIs(c, text("expect"))) return Field.EXPECT;
  if (wordIs(c, text("if-none-match"))) return Field.IF_NONE_MATCH;
  if (wordIs(c, text("if-range"))) return Field.IF_RANGE;
  // Of a handler the place of the range is its state.
  if (c.resource >= 0 && wordIs(c, text("range"))) return Field.RANGE;
  if (HTTP_WEBSOCKET) {
    if (wordIs(c, text("upgrade"))) return Field.UPGRADE;
    if (wordIs(c, text("sec-websocket-version"))) return Field.WS_VERSION;
    if (wordIs(c, text("sec-websocket-key"))) return Field.WS_KEY;
  }
  return HTTP_KEEP_BYTES != 0 ? askedField(c) : <u32>Field.OTHER;
}

/** A second Host or Content-Length is refused, equal or not (RFC 9112 3.2, 6.3). */
function valueBegin(c: Client): void {
  if (c.field == <u8>Field.HOST) {
    if (has(c, Flag.HOST)) return fail(c, 400);
    c.flags |= Flag.HOST;
  } else if (c.field == <u8>Field.CONTENT_LENGTH) {
    if (has(c, Flag.LENGTH)) return fail(c, 400);
    c.flags |= Flag.LENGTH;
  } else if (c.field == <u8>Field.TRANSFER_ENCODING) {
    c.flags |= Flag.CODING;
  } else if (c.field == <u8>Field.RANGE) {
    rangeBegin(c);
  } else if (c.field == <u8>Field.CONTENT_TYPE) {
    store<u8>(c.buffer + TYPE_AT, 0);
    c.flags &= ~(<u32>Flag.WS_KEY);
  } else if (HTTP_WEBSOCKET && c.field == <u8>Field.WS_KEY) {
    // The key lies where a content type would: a request for a WebSocket has none.
    store<u8>(c.buffer + TYPE_AT, 0);
    c.flags |= Flag.WS_KEY;
  } else if (HTTP_KEEP_BYTES != 0 && isAsked(c)) {
    keepBegin(c, <u32>Kept.FIELD + <u32>c.field - <u32>Field.ASKED);
  }
}

/** True for a field that the handler of this request wants to see. */
function isAsked(c: Client): bool {
  return c.field >= <u8>Field.ASKED && isRoute(c);
}

function value(c: Client, byte: u32): void {
  if (byte == CR) {
    c.parse = <u8>Parse.VALUE_LF;
    return valueEnd(c);
  }
  if (!isValueByte(byte)) return fail(c, 400);
  switch (c.field) {
    case <u8>Field.OTHER:
      return;
    case <u8>Field.CONTENT_TYPE:
    case <u8>Field.WS_KEY:
      return keepType(c, byte);
    case <u8>Field.RANGE:
      return rangeByte(c, byte);
    default:
      if (HTTP_KEEP_BYTES != 0 && c.field >= <u8>Field.ASKED) {
        if (isAsked(c)) keepByte(c, byte);
        return;
      }
      wordByte(c, byte);
  }
}

/**
 * A byte of a number, a host or a list of tokens. White space may stand around each, not within.
 */
function wordByte(c: Client, byte: u32): void {
  const list = c.field >= <u8>Field.TRANSFER_ENCODING;
  if (byte == SP || byte == HTAB) {
    if (c.bufferBytes != 0) c.flags |= Flag.GAP;
    return;
  }
  if (list && byte == 0x2c) return tokenEnd(c);
  if (has(c, Flag.GAP)) {
    if (!list) return fail(c, 400);
    c.bufferBytes = <u8>WORD_TOO_LONG;
    return;
  }
  if (c.field == <u8>Field.CONTENT_LENGTH) {
    if (!lengthDigit(c, byte)) return fail(c, 400);
  } else if (c.field == <u8>Field.HOST && !isHostByte(byte)) return fail(c, 400);
  keepWord(c, byte);
}

/** Digits only, and no more than 32 bits hold (RFC 9110 8.6). */
function lengthDigit(c: Client, byte: u32): bool {
  const digit = byte - 0x30;
  if (digit >= 10) return false;
  if (c.contentBytes > 429496729 || (c.contentBytes == 429496729 && digit > 5)) return false;
  c.contentBytes = c.contentBytes * 10 + digit;
  return true;
}

function keepType(c: Client, byte: u32): void {
  const at = c.buffer + TYPE_AT;
  const bytes = <u32>load<u8>(at);
  if (bytes < CONTENT_TYPE_BYTES) store<u8>(at + 1 + <usize>bytes, <u8>byte);
  if (bytes <= CONTENT_TYPE_BYTES) store<u8>(at, <u8>(bytes + 1));
}

function valueEnd(c: Client): void {
  switch (c.field) {
    case <u8>Field.CONTENT_LENGTH:
      if (c.bufferBytes == 0) fail(c, 400);
      return;
    case <u8>Field.CONTENT_TYPE:
    case <u8>Field.WS_KEY:
      return trimType(c);
    case <u8>Field.RANGE:
      return rangeEnd(c);
    case <u8>Field.TRANSFER_ENCODING:
    case <u8>Field.CONNECTION:
    case <u8>Field.EXPECT:
    case <u8>Field.IF_NONE_MATCH:
    case <u8>Field.IF_RANGE:
    case <u8>Field.UPGRADE:
    case <u8>Field.WS_VERSION:
      return tokenEnd(c);
    default:
      return;
  }
}

function trimType(c: Client): void {
  const at = c.buffer + TYPE_AT;
  let bytes = <u32>load<u8>(at);
  if (bytes > CONTENT_TYPE_BYTES) return;
  for (; bytes > 0; bytes--) {
    const last = load<u8>(at + <usize>bytes);
    if (last != SP && last != HTAB) break;
  }
  store<u8>(at, <u8>bytes);
}

/** End of one element of a list; empty ones do not count (RFC 9110 5.6.1). */
function tokenEnd(c: Client): void {
  const empty = c.bufferBytes == 0;
  if (!empty) token(c);
  c.bufferBytes = 0;
  c.flags &= ~(<u32>Flag.GAP);
}

function token(c: Client): void {
  switch (c.field) {
    case <u8>Field.TRANSFER_ENCODING:
      // Chunked is the last coding, and once only (RFC 9112 6.1).
      if (has(c, Flag.CHUNKED)) fail(c, 400);
      else if (wordIs(c, text("chunked"))) c.flags |= Flag.CHUNKED;
      else c.flags |= Flag.OTHER_CODING;
      return;
    case <u8>Field.CONNECTION:
      if (wordIs(c, text("close"))) c.flags |= Flag.ASKS_CLOSE;
      else if (wordIs(c, text("keep-alive"))) c.flags |= Flag.ASKS_KEEP;
      else if (HTTP_WEBSOCKET && wordIs(c, text("upgrade"))) c.flags |= Flag.UPGRADE;
      return;
    case <u8>Field.IF_RANGE:
      // A strong comparison: W/ does not count (RFC 9110 13.1.5).
      if (load<u8>(c.buffer) != 0x22 || !entityTagIs(c.buffer, c.bufferBytes))
        c.flags |= Flag.RANGE_OLD;
      return;
    case <u8>Field.UPGRADE:
      if (HTTP_WEBSOCKET && wordIs(c, text("websocket"))) c.flags |= Flag.WEBSOCKET;
      return;
    case <u8>Field.WS_VERSION:
      if (HTTP_WEBSOCKET && wordIs(c, text("13"))) c.flags |= Flag.WS_VERSION;
      return;
    case <u8>Field.EXPECT:
      if (wordIs(c, text("100-continue"))) c.flags |= Flag.EXPECT;
      else fail(c, 417);
      return;
    default:
      if (entityTagIs(c.buffer, c.bufferBytes)) c.flags |= Flag.TAG_MATCH;
  }
}

/**
 * What only the whole head shows: Host (RFC 9112 3.2), the framing of the body (6.1, 6.3),
 * persistence (9.3).
 */
function headEnd(c: Client): void {
  const version11 = has(c, Flag.VERSION_11);
  if (version11 && !has(c, Flag.HOST)) return fail(c, 400);
  if (has(c, Flag.CODING)) {
    if (!version11 || has(c, Flag.LENGTH) || !has(c, Flag.CHUNKED)) return fail(c, 400);
    if (has(c, Flag.OTHER_CODING)) return fail(c, 501);
  }
  if (HTTP_KEEP_BYTES != 0 && !keptWhole(c)) return fail(c, 431);
  // An expectation in HTTP/1.0 is ignored (RFC 9110 10.1.1).
  if (!version11) c.flags &= ~(<u32>Flag.EXPECT);
  rangeKeep(c);
  const keeps = version11 ? !has(c, Flag.ASKS_CLOSE) : has(c, Flag.ASKS_KEEP);
  if (keeps && !has(c, Flag.ASKS_CLOSE)) c.flags |= Flag.KEEP;
  c.parse = <u8>Parse.DONE;
}
