/**
 * Answers of the application: a handler writes a piece of one where there is room for it, and the piece leaves when the handler
 * returns. An answer of one piece has its length, a longer one is sent in chunks (RFC 9112 7.1).
 */
import { Text, text } from "board";
import { MSG_DONTWAIT, POLLIN, POLLOUT, send } from "../../net/sockets";
import { now, sendRoom } from "../../net/netstat";
import { Client, Phase, clientAt, enterPhase, isConnected, progress } from "../client";
import { abandon, leave } from "../endings";
import { othersWait } from "../patience";
import { SCRATCH, drop, wouldBlock } from "../scratch";
import {
  ANSWER_HEAD_BYTES,
  CLIENTS,
  FIRST_PIECE_BYTES,
  PIECE_AT,
  PIECE_BYTES,
  PIECE_END_BYTES,
  SCRATCH_BYTES,
} from "../sizes";
import { putHex, putNumber, putText, roomLeft, takeBack, writeAfter, writeTo } from "../writer";
import { lastCharacter, written } from "../writer";
import { HttpEvent, callFor, called, httpEvent } from "./call";
import { connectionField, statusLine, statusText } from "./head";
import { Flag, Method, has, isRoute } from "./message";
import { responseEnd } from "./finish";
import { HTTP_TELL, routeHandler, routeMethods } from "./routes";

/** For `httpWait`: until the application wakes the client. */
export const HTTP_FOREVER: u32 = 0x7fffffff;

/** Places of clients that answers without an end may take, so that others find one. */
const STREAMS: u32 = CLIENTS / 2;

// What the handler has said of the answer.
let status: u32 = 0;
let type: Text = 0;
let fieldsBytes: u32 = 0;
let goesOn: bool = false;
let waitMs: u32 = 0;

/** Begins the application's answer to a request that was read to its end. */
export function answerBegin(c: Client): void {
  if (othersWait()) c.flags &= ~(<u32>Flag.KEEP);
  if ((routeMethods(c) & HTTP_TELL) != 0) c.flags |= Flag.TELLS;
  c.flags |= Flag.ANSWERING;
  c.row = 0;
  c.contentBytes = now();
  c.events = <u16>POLLOUT;
  enterPhase(c, Phase.RESPONSE);
  answerTurn(c);
}

/** True while the answer of a client is the application's. */
export function isAnswering(c: Client): bool {
  return isRoute(c) && has(c, Flag.ANSWERING);
}

/** The handler has begun an answer. */
export function answerGiven(): bool {
  return status != 0;
}

/** Calls the handler when there is room for what it may write. */
export function answerTurn(c: Client): void {
  if (has(c, Flag.WAITS)) {
    if (!isDue(c)) return watchSilent(c);
    c.flags &= ~(<u32>Flag.WAITS);
  }
  const first = c.row == 0;
  const needed: u32 = PIECE_AT + PIECE_END_BYTES + PIECE_BYTES + (first ? ANSWER_HEAD_BYTES : 0);
  c.events = <u16>POLLOUT;
  c.flags &= ~(<u32>Flag.ROOM);
  if (sendRoom(c.fd) < needed) {
    // poll() may call less than this room already.
    if (first) c.flags |= Flag.ROOM;
    return;
  }
  callFor(c, HttpEvent.ANSWER, 0, 0);
  answerReady(c);
}

/** Forgets the answer before: nothing is written yet. */
export function answerReset(): void {
  status = 0;
  goesOn = false;
  waitMs = 0;
}

/** Readies the writer for what the handler may write. */
function answerReady(c: Client): void {
  answerReset();
  if (c.row == 0) return;
  writeTo(SCRATCH + PIECE_AT, PIECE_BYTES);
  writeAfter(c.position);
}

/** The time of a client that waits has come, or it was woken. */
function isDue(c: Client): bool {
  return <i32>(now() - c.contentBytes) >= 0;
}

/** An answer of the application is under way; a client that was sent away may still have its marks. */
function isOpen(c: Client): bool {
  return c.phase == <u8>Phase.RESPONSE || c.phase == <u8>Phase.EVENTS;
}

/** Milliseconds until a client that waits is due. */
export function answerLeftMs(c: Client): u32 {
  if (!isOpen(c)) return HTTP_FOREVER;
  if (has(c, Flag.ROOM)) return ROOM_LOOK_MS;
  if (!has(c, Flag.WAITS)) return HTTP_FOREVER;
  return isDue(c) ? 0 : c.contentBytes - now();
}

/** Room that poll() does not tell of is looked for this often, ms. */
const ROOM_LOOK_MS: u32 = 10;

/** True when a client's answer goes on without an event of its socket. */
export function answerIsDue(c: Client): bool {
  return isOpen(c) && (has(c, Flag.ROOM) || answerLeftMs(c) == 0);
}

/** Who takes events has nothing to say; it may leave, though. */
function watchSilent(c: Client): void {
  if (c.phase != <u8>Phase.EVENTS) return;
  const dropped = drop(c.fd, SCRATCH_BYTES);
  if (dropped == 0) leave(c);
  else if (dropped < 0 && !wouldBlock(dropped)) abandon(c);
}

/**
 * Begins an answer: its status (200 …) and content type. Then the handler writes the body with `put…` and `json…`, as long as
 * there is `httpRoom`.
 */
export function httpAnswer(code: u32, contentType: Text): void {
  if (httpEvent() == HttpEvent.GONE) return;
  status = code;
  type = contentType;
  fieldsBytes = 2;
  writeTo(SCRATCH + ANSWER_HEAD_BYTES, FIRST_PIECE_BYTES);
  putText(text("\r\n"));
}

/** Adds a field to the head of the answer, right behind `httpAnswer`: `httpAnswerField(text("Location"), text("/"))`. */
export function httpAnswerField(name: Text, value: Text): void {
  takeBack(2);
  putText(name);
  putText(text(": "));
  putText(value);
  putText(text("\r\n\r\n"));
  fieldsBytes = written();
}

/** Answers with a status and its words. */
export function httpError(code: u32): void {
  httpAnswer(code, text("text/plain"));
  putText(statusText(code));
  putText(text("\n"));
}

/** Bytes that this piece may still hold. */
export function httpRoom(): u32 {
  return roomLeft();
}

/** The answer is not complete: the handler is called again when there is room for the next piece. */
export function httpMore(): void {
  goesOn = true;
}

/**
 * The answer goes on `ms` milliseconds after the last such time (HTTP_FOREVER: not by itself), or when `httpWake` is called.
 */
export function httpWait(ms: u32): void {
  goesOn = true;
  waitMs = max(ms, <u32>1);
}

/** Lets the answers of a handler go on that wait; also from elsewhere than a handler. */
export function httpWake(handler: u32): void {
  for (let i: u32 = 0; i < CLIENTS; i++) {
    const c = clientAt(i);
    if (isConnected(c) && has(c, Flag.WAITS) && isRoute(c) && routeHandler(c) == handler)
      c.contentBytes = now();
  }
}

/** True while one more client may hold its answer open. */
export function streamPlace(): bool {
  let streams: u32 = 0;
  for (let i: u32 = 0; i < CLIENTS; i++) {
    if (clientAt(i).phase == <u8>Phase.EVENTS) streams++;
  }
  return streams < STREAMS;
}

/**
 * Begins an answer that goes on as events (`text/event-stream`, WHATWG HTML 9.2). At most half of all clients may have one; for
 * more the answer is 503, and false comes back.
 */
export function httpEvents(): bool {
  if (!streamPlace()) {
    httpError(503);
    return false;
  }
  httpAnswer(200, text("text/event-stream"));
  called().flags &= ~(<u32>Flag.KEEP);
  enterPhase(called(), Phase.EVENTS);
  return true;
}

/** Begins and ends one event; between them is its data, without an end of line. */
export function eventBegin(): void {
  putText(text("data: "));
}

export function eventEnd(): void {
  putText(text("\n\n"));
}

/** The handler has returned: sends what it has written. */
export function answerFinish(c: Client): void {
  if (!isConnected(c)) return;
  const first = c.row == 0;
  if (first && status == 0) httpError(500);
  const last = !goesOn || (first && c.method == <u8>Method.HEAD);
  c.position = <u8>lastCharacter();
  const bytes = first ? firstPiece(c) : nextPiece(c, last);
  if (bytes != 0) {
    const line: u32 = has(c, Flag.CHUNKS) ? CHUNK_LINE_BYTES : 0;
    const skipped: u32 = first ? 0 : PIECE_AT - line;
    const sent = send(c.fd, SCRATCH + <usize>skipped, bytes, MSG_DONTWAIT);
    if (sent != <i32>bytes) return abandon(c);
    progress(c, bytes);
  }
  if (c.row != 0xffff) c.row++;
  if (last) return answerEnd(c);
  if (waitMs == 0) return;
  sleep(c);
  // What comes behind a request that is being answered is the next request, and stays where it is.
  c.events = <u16>(c.phase == <u8>Phase.EVENTS ? POLLIN : 0);
}

/** Lets a client wait as the handler has said. */
function sleep(c: Client): void {
  // Counted from the time before, so that many pieces do not make a period longer.
  c.contentBytes += waitMs;
  if (isDue(c)) c.contentBytes = now() + waitMs;
  c.flags |= Flag.WAITS;
}

/** Of a WebSocket: the handler has said `httpMore`, the message goes on at once. */
export function answerDue(): bool {
  return goesOn && waitMs == 0;
}

/** Of a WebSocket: it goes on at once, after a time, or as it was said before; else when somebody wakes it. */
export function answerWait(c: Client, mayGoOn: bool): void {
  if (waitMs != 0) return sleep(c);
  if (goesOn && mayGoOn) c.contentBytes = now();
  else if (!has(c, Flag.WAITS)) c.contentBytes = now() + HTTP_FOREVER;
  c.flags |= Flag.WAITS;
}

/** Copies the field lines of the handler, with the empty line behind them; bytes. */
export function answerFields(to: usize): u32 {
  memory.copy(to, SCRATCH + ANSWER_HEAD_BYTES, fieldsBytes);
  return fieldsBytes;
}

function answerEnd(c: Client): void {
  c.flags &= ~(<u32>(Flag.TELLS | Flag.WAITS | Flag.ROOM));
  responseEnd(c);
}

/** Size line of a chunk, in three digits. */
const CHUNK_LINE_BYTES: u32 = 5;

/** Puts the head before the fields and the body that the handler has written; bytes of all. */
function firstPiece(c: Client): u32 {
  const from = SCRATCH + ANSWER_HEAD_BYTES;
  const bodyBytes = written() - fieldsBytes;
  const hasBody = c.method != <u8>Method.HEAD;
  if (goesOn) {
    if (has(c, Flag.VERSION_11)) c.flags |= Flag.CHUNKS;
    // HTTP/1.0 sees the end of what has no length by the end of the connection.
    else c.flags &= ~(<u32>Flag.KEEP);
  }
  writeTo(SCRATCH, ANSWER_HEAD_BYTES);
  statusLine(status);
  if (status != 204) {
    putText(text("Content-Type: "));
    putText(type);
    putText(text("\r\n"));
    if (has(c, Flag.CHUNKS)) putText(text("Transfer-Encoding: chunked\r\n"));
    else if (!goesOn) {
      putText(text("Content-Length: "));
      putNumber(bodyBytes);
      putText(text("\r\n"));
    }
  }
  putText(text("Cache-Control: no-store\r\n"));
  connectionField(c);
  const at = SCRATCH + <usize>written();
  memory.copy(at, from, fieldsBytes);
  const bodyAt = at + <usize>fieldsBytes;
  const headBytes = <u32>(bodyAt - SCRATCH);
  if (!hasBody || status == 204 || bodyBytes == 0) return headBytes;
  const chunked = has(c, Flag.CHUNKS);
  const before: u32 = chunked ? CHUNK_LINE_BYTES : 0;
  memory.copy(bodyAt + <usize>before, from + <usize>fieldsBytes, bodyBytes);
  return headBytes + (chunked ? chunkAround(bodyAt, bodyBytes) : bodyBytes);
}

/** Frames the piece that lies at PIECE_AT; bytes of all. */
function nextPiece(c: Client, last: bool): u32 {
  const bytes = written();
  if (!has(c, Flag.CHUNKS)) return bytes;
  const at = SCRATCH + (PIECE_AT - CHUNK_LINE_BYTES);
  const framed = bytes == 0 ? 0 : chunkAround(at, bytes);
  if (!last) return framed;
  // An empty piece has nothing before the last chunk, so that lies where its size line would.
  writeTo(at + <usize>framed, PIECE_END_BYTES);
  putText(text("0\r\n\r\n"));
  return framed + written();
}

/** Writes the size line before a chunk's data and the end behind it; bytes of all. */
function chunkAround(at: usize, bytes: u32): u32 {
  writeTo(at, CHUNK_LINE_BYTES);
  putHex(bytes, 3);
  putText(text("\r\n"));
  writeTo(at + CHUNK_LINE_BYTES + <usize>bytes, 2);
  putText(text("\r\n"));
  return CHUNK_LINE_BYTES + bytes + 2;
}
