/**
 * Request line of HTTP/1.x (RFC 9112 3), a byte at a time: the method, the decoded path in the
 * client's buffer, the version. Only CRLF ends a line; the path is decoded once.
 */
import { text, textAddress } from "board";
import { Client } from "../client";
import { HTTP_KEEP_BYTES } from "../../../stack/config";
import { PATH_BYTES } from "../sizes";
import { Kept, keepBegin, keepByte } from "./kept";
import {
  Flag,
  Method,
  Parse,
  fail,
  has,
  hexValue,
  isText,
  isTokenCharacter,
  lower,
} from "./message";

const SP: u32 = 0x20;
const CR: u32 = 0x0d;
const LF: u32 = 0x0a;

/** Longest method that is looked at. */
const METHOD_BYTES: u32 = 16;
const SCHEME_BYTES: u32 = 7;
const VERSION_BYTES: u32 = 8;

/** Empty lines before a request are skipped (RFC 9112 2.2), but not for ever. */
const EMPTY_LINES: u32 = 4;

/** Feeds one byte to the request line. */
export function requestLineByte(c: Client, byte: u32): void {
  switch (c.parse) {
    case <u8>Parse.START:
      return start(c, byte);
    case <u8>Parse.START_LF:
      if (byte != LF || ++c.position > EMPTY_LINES) return fail(c, 400);
      c.parse = <u8>Parse.START;
      return;
    case <u8>Parse.METHOD:
      return method(c, byte);
    case <u8>Parse.TARGET:
      return target(c, byte);
    case <u8>Parse.SCHEME:
      return scheme(c, byte);
    case <u8>Parse.AUTHORITY:
      return authority(c, byte);
    case <u8>Parse.PATH:
      return path(c, byte);
    case <u8>Parse.ESCAPE_1:
    case <u8>Parse.ESCAPE_2:
      return escape(c, byte);
    case <u8>Parse.QUERY:
      if (byte == SP) return toVersion(c);
      if (!isTargetByte(byte)) return fail(c, 400);
      if (HTTP_KEEP_BYTES != 0) keepByte(c, byte);
      return;
    case <u8>Parse.VERSION:
      return version(c, byte);
    default:
      if (byte != LF) return fail(c, 400);
      c.parse = <u8>Parse.FIELD;
  }
}

function start(c: Client, byte: u32): void {
  if (byte == CR) {
    c.parse = <u8>Parse.START_LF;
    return;
  }
  c.parse = <u8>Parse.METHOD;
  c.position = 0;
  method(c, byte);
}

function method(c: Client, byte: u32): void {
  if (byte != SP) {
    if (!isTokenCharacter(byte)) return fail(c, 400);
    if (c.bufferBytes == METHOD_BYTES) return fail(c, 501);
    return keep(c, byte);
  }
  if (c.bufferBytes == 0) return fail(c, 400);
  c.method = methodOf(c.buffer, c.bufferBytes);
  if (c.method == <u8>Method.UNKNOWN) return fail(c, 501);
  c.bufferBytes = 0;
  c.parse = <u8>Parse.TARGET;
}

/** Methods are case-sensitive (RFC 9110 9.1). */
function methodOf(at: usize, bytes: u32): u8 {
  if (isText(at, bytes, text("GET"))) return <u8>Method.GET;
  if (isText(at, bytes, text("HEAD"))) return <u8>Method.HEAD;
  if (isText(at, bytes, text("POST"))) return <u8>Method.POST;
  if (isText(at, bytes, text("PUT"))) return <u8>Method.PUT;
  if (isText(at, bytes, text("PATCH"))) return <u8>Method.PATCH;
  if (isText(at, bytes, text("DELETE"))) return <u8>Method.DELETE;
  const known = isText(at, bytes, text("OPTIONS")) || isText(at, bytes, text("TRACE"));
  return known ? <u8>Method.OTHER : <u8>Method.UNKNOWN;
}

/** Origin form, absolute form, or the asterisk (RFC 9112 3.2). */
function target(c: Client, byte: u32): void {
  if (byte == 0x2f) {
    c.parse = <u8>Parse.PATH;
    return keep(c, byte);
  }
  if (byte == 0x2a && c.method == <u8>Method.OTHER) {
    c.parse = <u8>Parse.QUERY;
    return;
  }
  c.parse = <u8>Parse.SCHEME;
  c.position = 0;
  scheme(c, byte);
}

function scheme(c: Client, byte: u32): void {
  const expected = load<u8>(textAddress(text("http://")) + <usize>c.position);
  if (lower(byte) != expected) return fail(c, 400);
  if (++c.position < SCHEME_BYTES) return;
  c.parse = <u8>Parse.AUTHORITY;
  c.position = 0;
}

/**
 * Host and port of the absolute form; there is one host here, so it is only checked for its
 * characters.
 */
function authority(c: Client, byte: u32): void {
  if (byte == 0x2f || byte == 0x3f || byte == SP) {
    if (c.position == 0) return fail(c, 400);
    keep(c, 0x2f);
    c.parse = <u8>Parse.PATH;
    if (byte != 0x2f) path(c, byte);
    return;
  }
  c.position = 1;
  if (!isHostByte(byte)) fail(c, 400);
}

/**
 * Characters of a host with its port (RFC 3986 3.2): unreserved, sub-delims, ":", "[", "]" and "%".
 */
export function isHostByte(byte: u32): bool {
  if (byte <= SP || byte >= 0x7f) return false;
  switch (byte) {
    case 0x22: // " # / < > ? @ \ ^ ` { | }
    case 0x23:
    case 0x2f:
    case 0x3c:
    case 0x3e:
    case 0x3f:
    case 0x40:
    case 0x5c:
    case 0x5e:
    case 0x60:
    case 0x7b:
    case 0x7c:
    case 0x7d:
      return false;
    default:
      return true;
  }
}

function path(c: Client, byte: u32): void {
  if (byte == SP) return toVersion(c);
  if (byte == 0x3f) {
    c.parse = <u8>Parse.QUERY;
    if (HTTP_KEEP_BYTES != 0) keepBegin(c, Kept.QUERY);
    return;
  }
  if (byte == 0x25) {
    c.parse = <u8>Parse.ESCAPE_1;
    return;
  }
  if (!isTargetByte(byte)) return fail(c, 400);
  keepPath(c, byte);
}

/** Two hexadecimal digits (RFC 3986 2.1). A control character in a path is nobody's file. */
function escape(c: Client, byte: u32): void {
  const digit = hexValue(byte);
  if (digit < 0) return fail(c, 400);
  if (c.parse == <u8>Parse.ESCAPE_1) {
    c.position = <u8>digit;
    c.parse = <u8>Parse.ESCAPE_2;
    return;
  }
  const decoded = (((<u32>c.position) << 4) | (<u32>digit)) & 0xff;
  if (decoded < 0x20 || decoded == 0x7f) return fail(c, 400);
  c.parse = <u8>Parse.PATH;
  keepPath(c, decoded);
}

function keepPath(c: Client, byte: u32): void {
  if (c.bufferBytes == PATH_BYTES) return fail(c, 414);
  keep(c, byte);
}

function keep(c: Client, byte: u32): void {
  store<u8>(c.buffer + <usize>c.bufferBytes, <u8>byte);
  c.bufferBytes++;
}

/** A request target is visible ASCII without a fragment (RFC 9112 3.2). */
function isTargetByte(byte: u32): bool {
  return byte > SP && byte < 0x7f && byte != 0x23;
}

function toVersion(c: Client): void {
  c.parse = <u8>Parse.VERSION;
  c.position = 0;
}

/**
 * `HTTP/` digit `.` digit, then CR (RFC 9112 2.3): an unknown major version is refused, a later
 * minor one is 1.1 to us.
 */
function version(c: Client, byte: u32): void {
  const position = <u32>c.position;
  c.position++;
  if (position == VERSION_BYTES) {
    if (byte != CR) return fail(c, 400);
    if (has(c, Flag.OTHER_MAJOR)) return fail(c, 505);
    c.parse = <u8>Parse.LINE_LF;
    return;
  }
  if (position == 5 || position == 7) {
    if (byte - 0x30 >= 10) return fail(c, 400);
    if (position == 5 && byte != 0x31) c.flags |= Flag.OTHER_MAJOR;
    if (position == 7 && byte != 0x30) c.flags |= Flag.VERSION_11;
    return;
  }
  if (byte != load<u8>(textAddress(text("HTTP/x.x")) + <usize>position)) fail(c, 400);
}
