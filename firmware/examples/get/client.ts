/**
 * HTTP/1.1 client (RFC 9112), blocking: one GET, then the body piece by piece, however the server marks its end (length, chunks,
 * or the end of the connection):
 *
 *     const status = httpGet(server, 80, text("example.com"), text("/"));
 *     for (let bytes = httpRead(BUFFER, 512); bytes > 0; bytes = httpRead(BUFFER, 512)) …
 *     httpClose();
 */
import {
  AF_INET,
  ECONNRESET,
  EINVAL,
  ETIMEDOUT,
  MSG_MORE,
  SOCK_STREAM,
  close,
  recv,
  send,
  socket,
} from "as-tcpip/net";
import { Text, text, textAddress, textBytes } from "as-tcpip/text";
import { clockMs } from "as-tcpip/time";
import { connectTo, setPatience } from "../common";

const PATIENCE_MS: u32 = 10_000;
/** The head must be there by then, however slowly it comes. */
const HEAD_MS: u32 = 30_000;
/** Longest head, with interim responses, and longest framing of a chunk, bytes. */
const HEAD_BYTES: u32 = 8192;
const LINE_BYTES: u32 = 128;
/** A line of the head; what is longer is cut off, and no field that counts here is. */
const LINE: usize = memory.data(LINE_BYTES, 4);
const CHUNK_BYTES: u32 = 256;
const CHUNK: usize = memory.data(CHUNK_BYTES, 4);

/** How the end of the body is known. */
const enum Body {
  NONE,
  LENGTH,
  CHUNKS,
  CLOSE,
}

let fd: i32 = -1;
// What has been received and not been read.
let at: u32 = 0;
let end: u32 = 0;
let lineBytes: u32 = 0;
let body: Body = Body.NONE;
/** Bytes of the body, or of the chunk, that are still to come. */
let left: u32 = 0;
/** The line end behind a chunk's text is due. */
let behindChunk: bool = false;
let askedMs: u32 = 0;

function say(words: Text, flags: i32): void {
  send(fd, textAddress(words), textBytes(words), flags);
}

/** Receives more when all has been read: bytes that are there, 0 at the end, or a negative errno. */
function fill(): i32 {
  if (at == end) {
    const bytes = recv(fd, CHUNK, CHUNK_BYTES, 0);
    if (bytes <= 0) return bytes;
    at = 0;
    end = <u32>bytes;
  }
  return <i32>(end - at);
}

/** Reads a line, without its end and white space before that, to LINE: 0 or a negative errno. */
function readLine(limit: u32): i32 {
  lineBytes = 0;
  for (let seen: u32 = 0; seen < limit; seen++) {
    const there = fill();
    if (there <= 0) return there == 0 ? -ECONNRESET : there;
    const character = load<u8>(CHUNK + <usize>at);
    at += 1;
    if (character == 0x0a) {
      if (lineBytes != 0 && load<u8>(LINE + <usize>(lineBytes - 1)) == 0x0d) lineBytes -= 1;
      while (lineBytes != 0 && isBlank(lineBytes - 1)) lineBytes -= 1;
      return 0;
    }
    if (lineBytes == LINE_BYTES) continue;
    store<u8>(LINE + <usize>lineBytes, character);
    lineBytes += 1;
  }
  return -EINVAL;
}

function isBlank(column: u32): bool {
  const character = load<u8>(LINE + <usize>column);
  return character == 0x20 || character == 0x09;
}

/** True when the line begins with a word, in capitals or not. */
function begins(word: Text): bool {
  const bytes = textBytes(word);
  if (lineBytes < bytes) return false;
  for (let i: u32 = 0; i < bytes; i++) {
    const wanted = load<u8>(textAddress(word) + <usize>i);
    const character = load<u8>(LINE + <usize>i);
    const small = character >= 0x41 && character <= 0x5a ? character | 0x20 : character;
    if (small != wanted) return false;
  }
  return true;
}

/** True when the line ends with a word: the last of the transfer codings counts. */
function ends(word: Text): bool {
  const bytes = textBytes(word);
  if (lineBytes < bytes) return false;
  for (let i: u32 = 0; i < bytes; i++) {
    if (
      (load<u8>(LINE + <usize>(lineBytes - bytes + i)) | 0x20) !=
      load<u8>(textAddress(word) + <usize>i)
    )
      return false;
  }
  return true;
}

/**
 * The number that begins in a column, behind spaces, and ends with the line or at `delimiter` or a space, where one is given; -1 = there
 * is none, or it is too large.
 */
function number(column: u32, radix: u32, delimiter: u32): i32 {
  let value: u32 = 0;
  let digits: u32 = 0;
  for (let i = column; i < lineBytes; i++) {
    const character = <u32>load<u8>(LINE + <usize>i);
    if (digits == 0 && isBlank(i)) continue;
    const letter = (character | 0x20) - 0x61;
    const digit = character - 0x30 <= 9 ? character - 0x30 : letter < 6 ? letter + 10 : 16;
    if (digit >= radix) {
      if (delimiter == 0 || (character != delimiter && !isBlank(i))) return -1;
      break;
    }
    if (value > 0x07ff_ffff) return -1;
    value = value * radix + digit;
    digits += 1;
  }
  return digits == 0 ? -1 : <i32>value;
}

/** The status of the head that begins here, or a negative errno. */
function readHead(): i32 {
  let failed = readLine(HEAD_BYTES);
  if (failed < 0) return failed;
  // HTTP/1.1 200 OK
  const status = begins(text("http/1.")) ? number(8, 10, 0x20) : -1;
  if (status < 100 || status > 999) return -EINVAL;
  body = Body.CLOSE;
  left = 0;
  let length: i32 = -1;
  for (let seen: u32 = 0; seen < HEAD_BYTES; seen += lineBytes + 1) {
    failed = readLine(HEAD_BYTES);
    if (failed < 0) return failed;
    if (clockMs() - askedMs >= HEAD_MS) return -ETIMEDOUT;
    if (lineBytes == 0) return status;
    if (begins(text("transfer-encoding:"))) body = ends(text("chunked")) ? Body.CHUNKS : Body.CLOSE;
    else if (begins(text("content-length:"))) {
      const bytes = number(15, 10, 0);
      // One that is no number, or two that differ: nobody knows where the body ends (RFC 9112 6.3).
      if (bytes < 0 || (length >= 0 && bytes != length)) return -EINVAL;
      length = bytes;
      if (body == Body.CHUNKS) continue;
      body = Body.LENGTH;
      left = <u32>bytes;
    }
  }
  return -EINVAL;
}

/** Asks for a path: the status, or a negative errno (-EINVAL: what answers is no HTTP). */
export function httpGet(server: u32, port: u16, host: Text, path: Text): i32 {
  fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0) return fd;
  setPatience(fd, PATIENCE_MS);
  at = 0;
  end = 0;
  behindChunk = false;
  askedMs = clockMs();
  const failed = connectTo(fd, server, port);
  if (failed < 0) return failed;
  say(text("GET "), MSG_MORE);
  say(path, MSG_MORE);
  say(text(" HTTP/1.1\r\nHost: "), MSG_MORE);
  say(host, MSG_MORE);
  say(text("\r\nConnection: close\r\n\r\n"), 0);
  let status = readHead();
  // Interim responses (RFC 9110 15.2) come before the real one.
  for (let i: u32 = 0; i < 8 && status >= 100 && status < 200; i++) status = readHead();
  if (status == 204 || status == 304) body = Body.NONE;
  return status;
}

/** The size of the next chunk, 0 behind the last one, or a negative errno. */
function nextChunk(): i32 {
  if (behindChunk) {
    if (readLine(LINE_BYTES) < 0) return -ECONNRESET;
    // More text than the chunk was to have.
    if (lineBytes != 0) return -EINVAL;
  }
  behindChunk = true;
  const failed = readLine(HEAD_BYTES);
  if (failed < 0) return failed;
  // Behind it may stand an extension.
  const bytes = number(0, 16, 0x3b);
  if (bytes < 0) return -EINVAL;
  if (bytes != 0) return bytes;
  body = Body.NONE;
  // Trailers, up to an empty line.
  for (let seen: u32 = 0; seen < HEAD_BYTES; seen += lineBytes + 1) {
    if (readLine(HEAD_BYTES) < 0) return -ECONNRESET;
    if (lineBytes == 0) return 0;
  }
  return -EINVAL;
}

/** A piece of the body: bytes, 0 at its end, or a negative errno (-ECONNRESET: it is not whole). */
export function httpRead(to: usize, capacity: u32): i32 {
  if (body == Body.CHUNKS && left == 0) {
    const bytes = nextChunk();
    if (bytes <= 0) return bytes;
    left = <u32>bytes;
  }
  if (body == Body.NONE || (body == Body.LENGTH && left == 0)) return 0;
  const there = fill();
  if (there < 0) return there;
  if (there == 0) return body == Body.CLOSE ? 0 : -ECONNRESET;
  let bytes = min<u32>(<u32>there, capacity);
  if (body != Body.CLOSE) bytes = min<u32>(bytes, left);
  memory.copy(to, CHUNK + <usize>at, bytes);
  at += bytes;
  if (body != Body.CLOSE) left -= bytes;
  return <i32>bytes;
}

export function httpClose(): void {
  close(fd);
  fd = -1;
}
