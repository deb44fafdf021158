/**
 * Chunked transfer coding of request bodies (RFC 9112 7.1): the bytes between the data, one at a
 * time. In `Parse.DATA` the caller takes `left` bytes itself and then calls `chunkDataEnd`.
 */
import { Client } from "../client";
import { CHUNK_EXTENSION_BYTES, TRAILER_BYTES } from "../sizes";
import { Flag, Parse, fail, has, hexValue, isTokenCharacter, isValueByte } from "./message";

const CR: u32 = 0x0d;
const LF: u32 = 0x0a;
const SEMICOLON: u32 = 0x3b;

/** Most digits of a size, leading zeros included: what 32 bits hold. */
const SIZE_DIGITS: u32 = 8;

/** Readies a client for the first chunk. */
export function chunksBegin(c: Client): void {
  c.parse = <u8>Parse.SIZE_FIRST;
  c.left = 0;
}

/** The data of a chunk has been taken. */
export function chunkDataEnd(c: Client): void {
  c.parse = <u8>Parse.DATA_CR;
}

/** Feeds one byte that is no data. */
export function chunkByte(c: Client, byte: u32): void {
  switch (c.parse) {
    case <u8>Parse.SIZE_FIRST:
      c.left = 0;
      c.position = 0;
      c.headBytes = 0;
      if (hexValue(byte) < 0) return fail(c, 400);
      c.parse = <u8>Parse.SIZE;
      return size(c, byte);
    case <u8>Parse.SIZE:
      return size(c, byte);
    case <u8>Parse.EXTENSION:
      return extension(c, byte);
    case <u8>Parse.SIZE_LF:
      if (byte != LF) return fail(c, 400);
      c.headBytes = 0;
      c.parse = <u8>(c.left != 0 ? Parse.DATA : Parse.TRAILER);
      return;
    case <u8>Parse.DATA_CR:
      if (byte != CR) return fail(c, 400);
      c.parse = <u8>Parse.DATA_LF;
      return;
    case <u8>Parse.DATA_LF:
      if (byte != LF) return fail(c, 400);
      c.parse = <u8>Parse.SIZE_FIRST;
      return;
    default:
      trailer(c, byte);
  }
}

function size(c: Client, byte: u32): void {
  const digit = hexValue(byte);
  if (digit >= 0) {
    if (++c.position > SIZE_DIGITS) return fail(c, 400);
    c.left = (c.left << 4) | (<u32>digit);
  } else if (byte == CR) c.parse = <u8>Parse.SIZE_LF;
  else if (byte == SEMICOLON || isBlank(byte)) {
    c.parse = <u8>Parse.EXTENSION;
    c.flags &= ~(<u32>Flag.GAP);
    if (byte != SEMICOLON) c.flags |= Flag.GAP;
  } else fail(c, 400);
}

function isBlank(byte: u32): bool {
  return byte == 0x20 || byte == 0x09;
}

/** Extensions are ignored, but not for ever (RFC 9112 7.1.1). */
function extension(c: Client, byte: u32): void {
  if (!isValueByte(byte) && byte != CR) return fail(c, 400);
  if (++c.headBytes > CHUNK_EXTENSION_BYTES) return fail(c, 400);
  if (has(c, Flag.GAP)) {
    // White space may stand before the semicolon, and nowhere else outside an extension.
    if (byte == SEMICOLON) c.flags &= ~(<u32>Flag.GAP);
    else if (!isBlank(byte)) fail(c, 400);
    return;
  }
  if (byte == CR) c.parse = <u8>Parse.SIZE_LF;
}

/** Trailer fields are dropped (RFC 9112 7.1.2): nothing here has a use for them. */
function trailer(c: Client, byte: u32): void {
  if (++c.headBytes > TRAILER_BYTES) return fail(c, 431);
  switch (c.parse) {
    case <u8>Parse.TRAILER:
      if (byte == CR) c.parse = <u8>Parse.LAST_LF;
      else if (isTokenCharacter(byte)) c.parse = <u8>Parse.TRAILER_FIELD;
      else fail(c, 400);
      return;
    case <u8>Parse.TRAILER_FIELD:
      if (byte == CR) c.parse = <u8>Parse.TRAILER_LF;
      else if (!isValueByte(byte)) fail(c, 400);
      return;
    case <u8>Parse.TRAILER_LF:
      if (byte != LF) return fail(c, 400);
      c.parse = <u8>Parse.TRAILER;
      return;
    default:
      if (byte != LF) return fail(c, 400);
      c.parse = <u8>Parse.DONE;
  }
}
