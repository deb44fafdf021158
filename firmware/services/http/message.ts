/**
 * What the parts of the HTTP server agree on: methods, states, flags, and the words of a request.
 */
import { Text, textAddress, textBytes } from "board";
import { Client } from "../client";

/** Methods that are told apart; one that is none of these is answered with 501. */
export const enum Method {
  UNKNOWN,
  GET,
  HEAD,
  POST,
  PUT,
  PATCH,
  DELETE,
  /** Known, but offered by no service here: OPTIONS, TRACE. */
  OTHER,
}

/** States of the parser of a request head, then those of a body. */
export const enum Parse {
  START,
  START_LF,
  METHOD,
  TARGET,
  SCHEME,
  AUTHORITY,
  PATH,
  ESCAPE_1,
  ESCAPE_2,
  QUERY,
  VERSION,
  LINE_LF,
  FIELD,
  NAME,
  BEFORE_VALUE,
  VALUE,
  VALUE_LF,
  END_LF,
  /** The head is complete and sound, or the body is. */
  DONE,
  /** `status` says why; nothing more may be read as a request. */
  FAILED,
  SIZE_FIRST,
  SIZE,
  EXTENSION,
  SIZE_LF,
  DATA,
  DATA_CR,
  DATA_LF,
  TRAILER,
  TRAILER_FIELD,
  TRAILER_LF,
  LAST_LF,
}

/** Bits of `Client.flags`. */
export const enum Flag {
  /** HTTP/1.1 (or a later 1.x). */
  VERSION_11 = 1,
  /** The connection stays open after the response. */
  KEEP = 2,
  /** `Connection: close`, `Connection: keep-alive`. */
  ASKS_CLOSE = 4,
  ASKS_KEEP = 8,
  HOST = 16,
  LENGTH = 32,
  /**
   * A Transfer-Encoding field was there; its last coding so far is chunked; it had a coding unknown
   * here.
   */
  CODING = 64,
  CHUNKED = 128,
  OTHER_CODING = 256,
  /** `Expect: 100-continue`. */
  EXPECT = 512,
  /** An entity tag of If-None-Match is ours. */
  TAG_MATCH = 1024,
  /** White space has followed a token or number. */
  GAP = 2048,
  /** The head of the response has begun: an error can no longer be reported by a status. */
  ANSWERED = 4096,
  /** Not HTTP/1.x. */
  OTHER_MAJOR = 8192,
  /** The answer of the application is sent in chunks. */
  CHUNKS = 32768,
  /** The application waits: until a time, or until it wakes its clients. */
  WAITS = 65536,
  /** The send ring has too little room for the next piece, but enough for poll() to say that it has some. */
  ROOM = 131072,
  /** The application is told when the client leaves. */
  TELLS = 262144,
  /** The body is for the application, piece by piece. */
  UPLOAD = 524288,
  /** The application answers. */
  ANSWERING = 1048576,
  /** What a request for a WebSocket has (RFC 6455 4.1), and that one is open. */
  UPGRADE = 2097152,
  WEBSOCKET = 4194304,
  WS_VERSION = 8388608,
  WS_KEY = 16777216,
  SOCKET = 33554432,
  /** Range: one was there; it is a good one; it is counted from the end; If-Range has another tag. */
  RANGE_SEEN = 67108864,
  RANGE = 134217728,
  SUFFIX = 268435456,
  RANGE_OLD = 536870912,
}

/** Values of `Client.resource` that are no assets; route n is `FIRST_ROUTE - n`. */
export const enum Resource {
  NONE = -1,
  FIRST_ROUTE = -2,
}

/** True for what the application answers. */
export function isRoute(c: Client): bool {
  return c.resource <= <i16>Resource.FIRST_ROUTE;
}

/** True when all bits of `flag` are set. */
export function has(c: Client, flag: u32): bool {
  return (c.flags & flag) == flag;
}

/** Ends parsing with the status to answer. */
export function fail(c: Client, status: u32): void {
  c.status = <u16>status;
  c.parse = <u8>Parse.FAILED;
}

/** True when a request announces a body. */
export function hasBody(c: Client): bool {
  return has(c, Flag.CHUNKED) || c.contentBytes != 0;
}

/** True when bytes are exactly a text. */
export function isText(at: usize, bytes: u32, t: Text): bool {
  if (bytes != textBytes(t)) return false;
  const from = textAddress(t);
  for (let i: u32 = 0; i < bytes; i++) {
    if (load<u8>(at + <usize>i) != load<u8>(from + <usize>i)) return false;
  }
  return true;
}

/** A capital letter as its small one, any other byte as it is. */
export function lower(byte: u32): u32 {
  return byte - 0x41 < 26 ? byte | 0x20 : byte;
}

/** True for the characters of a token (RFC 9110 5.6.2). */
export function isTokenCharacter(byte: u32): bool {
  const letter = byte | 0x20;
  if (letter - 0x61 < 26 || byte - 0x30 < 10) return true;
  switch (byte) {
    case 0x21: // ! # $ % & ' * + - . ^ _ ` | ~
    case 0x23:
    case 0x24:
    case 0x25:
    case 0x26:
    case 0x27:
    case 0x2a:
    case 0x2b:
    case 0x2d:
    case 0x2e:
    case 0x5e:
    case 0x5f:
    case 0x60:
    case 0x7c:
    case 0x7e:
      return true;
    default:
      return false;
  }
}

/**
 * True for the bytes of a field value (RFC 9110 5.5): visible ones, above 127 too, space and tab.
 */
export function isValueByte(byte: u32): bool {
  return byte >= 0x20 ? byte != 0x7f : byte == 0x09;
}

/** Value of a hexadecimal digit, or -1. */
export function hexValue(byte: u32): i32 {
  if (byte - 0x30 < 10) return <i32>(byte - 0x30);
  const letter = byte | 0x20;
  return letter - 0x61 < 6 ? <i32>(letter - 0x61 + 10) : -1;
}
