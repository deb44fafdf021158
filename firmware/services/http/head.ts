/**
 * Heads of responses. A head is composed whole in the scratch each time a part of it can be sent,
 * always the same from what the client's record says, so it needs no memory of its own when the
 * send ring is short of room.
 */
import { Text, text, textAddress, textBytes } from "board";
import { HTTP_ECHO, HTTP_WEBSOCKET } from "../../../stack/config";
import {
  ASSETS_TAG_BYTES,
  assetBytes,
  assetType,
  assetTypeBytes,
  assetsTag,
} from "../../net/assets";
import { lineAt } from "../../net/lines";
import { Client, Service } from "../client";
import { putBytes, putCharacter, putNumber, putText, writeTo, written } from "../writer";
import { requestType, requestTypeBytes } from "./fields";
import { Flag, Method, has, isRoute } from "./message";
import { HTTP_DELETE, HTTP_GET, HTTP_PATCH, HTTP_POST, HTTP_PUT, routeMethods } from "./routes";

/** Room that a head with its short body takes at most. */
export const HEAD_BYTES: u32 = 384;

/** The reasons of one class of statuses, the most frequent first. */
function reasons(status: u32): Text {
  if (status < 400)
    return text(
      "200 OK\n304 Not Modified\n206 Partial Content\n201 Created\n204 No Content\n303 See Other\n",
    );
  if (status >= 500)
    return text(
      "500 Internal Server Error\n501 Not Implemented\n503 Service Unavailable\n505 HTTP Version Not Supported\n",
    );
  return text(
    "404 Not Found\n401 Unauthorized\n403 Forbidden\n405 Method Not Allowed\n408 Request Timeout\n409 Conflict\n413 Content Too Large\n414 URI Too Long\n416 Range Not Satisfiable\n417 Expectation Failed\n431 Request Header Fields Too Large\n",
  );
}

/** Reason of a status, which is also the text of its body. */
export function statusText(status: u32): Text {
  if (HTTP_WEBSOCKET) {
    if (status == 101) return text("101 Switching Protocols");
    if (status == 426) return text("426 Upgrade Required");
  }
  const list = reasons(status);
  for (let begin: u32 = 0; begin < textBytes(list);) {
    const line = lineAt(list, begin);
    if (numberAt(textAddress(line)) == status) return line;
    begin += textBytes(line) + 1;
  }
  return text("400 Bad Request");
}

/** The number that three digits make. */
function numberAt(at: usize): u32 {
  return <u32>load<u8>(at) * 100 + <u32>load<u8>(at, 1) * 10 + <u32>load<u8>(at, 2) - 0x30 * 111;
}

/**
 * Composes the head of a client's response at `to` and returns its bytes; an error brings its body
 * along.
 */
export function composeHead(c: Client, to: usize): u32 {
  writeTo(to, HEAD_BYTES);
  if (c.status == 100) {
    putText(text("HTTP/1.1 100 Continue\r\n\r\n"));
    return written();
  }
  const reason = statusText(c.status);
  statusLine(c.status);
  if (c.status == 200 || c.status == 206) contentFields(c);
  else if (c.status == 304) tagFields();
  else errorFields(c, reason);
  connectionField(c);
  putText(text("\r\n"));
  if (c.status >= 400 && c.method != <u8>Method.HEAD) {
    putText(reason);
    putCharacter(0x0a);
  }
  return written();
}

/** The status line, and the field that every response has. */
export function statusLine(status: u32): void {
  putText(text("HTTP/1.1 "));
  putText(statusText(status));
  putText(text("\r\nServer: as-tcpip\r\n"));
}

function contentFields(c: Client): void {
  if (HTTP_ECHO && c.service == <u8>Service.HTTP_ECHO) {
    putText(text("Content-Type: "));
    if (requestTypeBytes(c) == 0) putText(text("application/octet-stream"));
    else putBytes(requestType(c), requestTypeBytes(c));
    if (has(c, Flag.CHUNKED)) putText(text("\r\nTransfer-Encoding: chunked\r\n"));
    else lengthField(c.contentBytes);
  } else {
    const asset = <u32>c.resource;
    putText(text("Content-Type: "));
    putBytes(assetType(asset), assetTypeBytes(asset));
    const part = c.status == 206;
    lengthField(part ? c.left + 1 - c.contentBytes : assetBytes(asset));
    if (part) {
      rangeField();
      putNumber(c.contentBytes);
      putCharacter(0x2d);
      putNumber(c.left);
      rangeSize(asset);
    }
    tagFields();
  }
}

/** The methods of a route (RFC 9110 10.2.1). */
function allowField(methods: u32): void {
  putText(text("Allow:"));
  let comma = false;
  for (let bit: u32 = HTTP_GET; bit <= HTTP_DELETE; bit <<= 1) {
    if ((methods & bit) == 0) continue;
    if (comma) putCharacter(0x2c);
    comma = true;
    putCharacter(0x20);
    putText(methodName(bit));
  }
  putText(text("\r\n"));
}

function methodName(bit: u32): Text {
  switch (bit) {
    case HTTP_GET:
      return text("GET, HEAD");
    case HTTP_POST:
      return text("POST");
    case HTTP_PUT:
      return text("PUT");
    case HTTP_PATCH:
      return text("PATCH");
    default:
      return text("DELETE");
  }
}

function rangeField(): void {
  putText(text("Content-Range: bytes "));
}

function rangeSize(asset: u32): void {
  putCharacter(0x2f);
  putNumber(assetBytes(asset));
  putText(text("\r\n"));
}

function lengthField(bytes: u32): void {
  putText(text("\r\nContent-Length: "));
  putNumber(bytes);
  putText(text("\r\n"));
}

/**
 * The client may keep a file, but asks each time whether it still holds: a new image brings new
 * files.
 */
function tagFields(): void {
  putText(text("Cache-Control: no-cache\r\nETag: "));
  putBytes(assetsTag(), ASSETS_TAG_BYTES);
  putText(text("\r\n"));
}

function errorFields(c: Client, reason: Text): void {
  if (c.status == 405) {
    if (HTTP_ECHO && c.service == <u8>Service.HTTP_ECHO) putText(text("Allow: POST, PUT\r\n"));
    else if (isRoute(c)) allowField(routeMethods(c));
    else putText(text("Allow: GET, HEAD\r\n"));
  }
  if (c.status == 416) {
    rangeField();
    putCharacter(0x2a);
    rangeSize(<u32>c.resource);
  }
  putText(text("Content-Type: text/plain"));
  lengthField(textBytes(reason) + 1);
}

/**
 * HTTP/1.1 stays open unless told otherwise, HTTP/1.0 closes unless told otherwise (RFC 9112 9.3).
 */
export function connectionField(c: Client): void {
  if (!has(c, Flag.KEEP)) putText(text("Connection: close\r\n"));
  else if (!has(c, Flag.VERSION_11)) putText(text("Connection: keep-alive\r\n"));
}
