/**
 * Head of a request: the line, then the fields, from whatever pieces the client sends (RFC 9112 2).
 */
import { HTTP_KEEP_BYTES } from "../../../stack/config";
import { Client } from "../client";
import { REQUEST_HEAD_BYTES, REQUEST_LINE_BYTES } from "../sizes";
import { fieldByte, fieldsBegin } from "./fields";
import { keptClear } from "./kept";
import { Method, Parse, Resource, fail } from "./message";
import { requestLineByte } from "./request-line";
import { resourceFind } from "./resource";

/** Readies a client for its next request. */
export function requestBegin(c: Client): void {
  c.parse = <u8>Parse.START;
  c.position = 0;
  c.method = <u8>Method.UNKNOWN;
  c.flags = 0;
  c.status = 200;
  c.headBytes = 0;
  c.resource = <i16>Resource.NONE;
  c.fields = 0;
  c.bufferBytes = 0;
  c.contentBytes = 0;
  c.left = 0;
  c.piece = 0;
  c.row = 0;
  c.sent = 0;
  if (HTTP_KEEP_BYTES != 0) keptClear(c);
}

/**
 * Feeds bytes to the head until it ends or fails; returns how many were used. Bytes behind the head
 * are not touched: they belong to the body or to the next request.
 */
export function requestFeed(c: Client, from: usize, bytes: u32): u32 {
  let used: u32 = 0;
  while (used < bytes && c.parse != <u8>Parse.DONE && c.parse != <u8>Parse.FAILED) {
    headByte(c, load<u8>(from + <usize>used));
    used++;
  }
  return used;
}

function headByte(c: Client, byte: u32): void {
  const inLine = c.parse <= <u8>Parse.LINE_LF;
  if (++c.headBytes > (inLine ? REQUEST_LINE_BYTES : REQUEST_HEAD_BYTES)) {
    // Where nothing of a target was read, the method is at fault; there is no status for that.
    return fail(c, inLine ? 414 : 431);
  }
  if (!inLine) return fieldByte(c, byte);
  requestLineByte(c, byte);
  if (c.parse != <u8>Parse.FIELD) return;
  // The buffer holds the path up to here, field lines from here on.
  if (!resourceFind(c)) return fail(c, 414);
  fieldsBegin(c);
}
