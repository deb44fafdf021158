/** WebSocket (RFC 6455): the handshake, and what a handler writes, as frames. What comes is read in socket-frames.ts. */
import { text, textAddress, textBytes } from "board";
import { MSG_DONTWAIT, POLLIN, POLLOUT, send } from "../../net/sockets";
import { now, sendRoom } from "../../net/netstat";
import { HTTP_WEBSOCKET } from "../../../stack/config";
import { Be } from "../../net/inet";
import { Client, Phase, enterPhase, isConnected, progress } from "../client";
import { abandon } from "../endings";
import { SCRATCH } from "../scratch";
import { PIECE_AT, PIECE_BYTES, PIECE_END_BYTES } from "../sizes";
import { putCharacter, putText, writeTo, written } from "../writer";
import {
  answerDue,
  answerFields,
  answerWait,
  httpAnswer,
  httpAnswerField,
  httpError,
  streamPlace,
} from "./answer";
import { HttpEvent, called, httpEvent } from "./call";
import { WS_ABNORMAL } from "./close-frame";
import { requestType, requestTypeBytes } from "./fields";
import { statusLine } from "./head";
import { Flag, Method, has } from "./message";
import { SHA1_BYTES, sha1 } from "./sha1";
import { socketCall, socketEnd, socketStep } from "./socket-frames";
import {
  CODE,
  FIN,
  FIRST,
  Frame,
  HALF,
  HEADER,
  LAST,
  MESSAGE,
  OPEN,
  Opcode,
  isTextMessage,
  opcodeOf,
} from "./socket-state";

/** A client's key: 16 bytes in base64 (RFC 6455 4.1). */
const KEY_BYTES: u32 = 24;

const ROOM: u32 = PIECE_AT + PIECE_BYTES + PIECE_END_BYTES;

/** Steps of the parser in one turn of a client. */
const STEPS_A_TURN: u32 = 8;

let closing: u32 = 0;
/** What the handler has said that its message is: `Opcode.TEXT`, `Opcode.BINARY`, or nothing. */
let said: u32 = 0;

/**
 * Takes the request for a WebSocket, in the first call of its handler; false when it is none, or when half of the clients hold their
 * answers open already: then the refusal is written. The handler is called again when the socket is open (`httpStep` 1), for each piece of a message
 * (`HttpEvent.MESSAGE`), and when `httpWake` or a time of `httpWait` says so; what it writes then is a message.
 */
export function webSocketAccept(): bool {
  if (!HTTP_WEBSOCKET) ERROR("webSocketAccept needs HTTP_WEBSOCKET in app.json");
  const c = called();
  const asked = Flag.VERSION_11 | Flag.UPGRADE | Flag.WEBSOCKET | Flag.WS_KEY;
  if (!has(c, asked) || c.method != <u8>Method.GET || requestTypeBytes(c) != KEY_BYTES) {
    httpError(400);
    return false;
  }
  if (!has(c, Flag.WS_VERSION)) {
    httpAnswer(426, text("text/plain"));
    httpAnswerField(text("Sec-WebSocket-Version"), text("13"));
    return false;
  }
  if (!streamPlace()) {
    httpError(503);
    return false;
  }
  httpAnswer(101, 0);
  c.flags |= Flag.SOCKET;
  return true;
}

/** What the handler writes now is a binary message; without this it is text. It is sent also when it is empty. */
export function webSocketBinary(): void {
  said = isConnected(called()) ? <u32>Opcode.BINARY : 0;
}

/** What the handler writes now is a text message, and is sent also when it is empty; without this (and `webSocketBinary`) nothing written is no message. */
export function webSocketText(): void {
  said = isConnected(called()) ? <u32>Opcode.TEXT : 0;
}

/** Ends the connection with a status (1000 …), behind what the handler has written now; to a client that has gone it says nothing. */
export function webSocketClose(code: u32): void {
  closing = isConnected(called()) ? code : 0;
}

/** Of a piece: whether its message is text, and whether it is the first and the last one of it. */
export function webSocketIsText(): bool {
  return isTextMessage(called());
}

export function webSocketIsFirst(): bool {
  return load<u8>(called().buffer + FIRST) != 0;
}

export function webSocketIsLast(): bool {
  return load<u8>(called().buffer + LAST) != 0;
}

/** In `HttpEvent.GONE`: with which status the connection has ended (1005: none was given, 1006: no Close came). */
export function webSocketCode(): u32 {
  return load<u16>(called().buffer + CODE);
}

/** The handler of a WebSocket has returned; what it has said of its message is for no other client. */
export function socketReturned(c: Client): void {
  const code = closing;
  const kind = said;
  closing = 0;
  said = 0;
  if (!isConnected(c)) return;
  if (httpEvent() == HttpEvent.ANSWER && c.row == 0) return sayAccepted(c);
  const bytes = written();
  if (bytes != 0 || kind != 0 || hasOpenEnd(c))
    sendFrame(c, kind == 0 ? <u32>Opcode.TEXT : kind, bytes);
  if (!isConnected(c)) return;
  if (httpEvent() == HttpEvent.MESSAGE && load<u8>(c.buffer + LAST) != 0)
    store<u8>(c.buffer + MESSAGE, 0);
  if (c.row != 0xffff) c.row++;
  if (code != 0) return socketEnd(c, code);
  c.events = <u16>POLLIN;
  answerWait(c, httpEvent() == HttpEvent.ANSWER);
}

/** Who writes a message of many pieces: the pieces of one that comes are answered each, or the handler goes on by itself. */
function writer(): u32 {
  return httpEvent() == HttpEvent.MESSAGE ? 2 : 1;
}

/** A message of ours was begun, and its writer says that it ends here. */
function hasOpenEnd(c: Client): bool {
  return load<u8>(c.buffer + OPEN) == <u8>writer() && !answerDue();
}

/** The answer to the handshake (RFC 6455 4.2.2). */
function sayAccepted(c: Client): void {
  // The key lies behind the word, in the place of a content type; the digest is of it and the GUID.
  const guid = text("258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
  memory.copy(SCRATCH, requestType(c), KEY_BYTES);
  memory.copy(SCRATCH + KEY_BYTES, textAddress(guid), textBytes(guid));
  const digest = sha1(SCRATCH, KEY_BYTES + textBytes(guid));
  writeTo(SCRATCH, HALF);
  statusLine(101);
  putText(text("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "));
  putBase64(digest, SHA1_BYTES);
  putText(text("\r\n"));
  const headBytes = written();
  const bytes = headBytes + answerFields(SCRATCH + <usize>headBytes);
  if (send(c.fd, SCRATCH, bytes, MSG_DONTWAIT) != <i32>bytes) return abandon(c);
  enterPhase(c, Phase.EVENTS);
  memory.fill(c.buffer, 0, HEADER);
  store<u16>(c.buffer + CODE, <u16>WS_ABNORMAL);
  c.bufferBytes = 0;
  c.parse = <u8>Frame.HEADER;
  c.row = 1;
  // The handler is told at once that the socket is open.
  c.contentBytes = now();
  c.flags = (c.flags | Flag.WAITS) & ~(<u32>Flag.KEEP);
  c.events = <u16>POLLIN;
}

/** Base64 (RFC 4648 4). */
function putBase64(from: usize, bytes: u32): void {
  const digits = textAddress(
    text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"),
  );
  for (let i: u32 = 0; i < bytes; i += 3) {
    let group: u32 = 0;
    for (let k: u32 = 0; k < 3; k++)
      group = (group << 8) | (i + k < bytes ? <u32>load<u8>(from + <usize>(i + k)) : 0);
    for (let k: u32 = 0; k < 4; k++) {
      const digit = (group >>> (18 - 6 * k)) & 63;
      putCharacter(i + k > bytes ? 0x3d : <u32>load<u8>(digits + <usize>digit));
    }
  }
}

/** Sends what the handler has written as a frame: a message of this kind, or a part of one. */
function sendFrame(c: Client, kind: u32, bytes: u32): void {
  const goesOn = answerDue();
  const open = load<u8>(c.buffer + OPEN) != 0;
  const opcode: u32 = open ? Opcode.CONTINUATION : kind;
  store<u8>(c.buffer + OPEN, <u8>(goesOn ? writer() : 0));
  const headBytes: u32 = bytes < 126 ? 2 : 4;
  const at = SCRATCH + <usize>(HALF + PIECE_AT - headBytes);
  store<u8>(at, <u8>((goesOn ? 0 : FIN) | opcode));
  store<u8>(at + 1, <u8>(bytes < 126 ? bytes : 126));
  if (bytes >= 126) Be.store16(at + 2, bytes);
  const all = headBytes + bytes;
  if (send(c.fd, at, all, MSG_DONTWAIT) != <i32>all) return abandon(c);
  progress(c, all);
}

/** One turn of a client with an open WebSocket. */
export function socketTurn(c: Client): void {
  for (let i: u32 = 0; i < STEPS_A_TURN; i++) {
    // Whatever comes may have to be answered.
    c.flags &= ~(<u32>Flag.ROOM);
    if (sendRoom(c.fd) < ROOM) {
      c.events = <u16>POLLOUT;
      if (has(c, Flag.WAITS)) c.flags |= Flag.ROOM;
      return;
    }
    c.events = <u16>POLLIN;
    if (isCallDue(c)) return socketCall(c, HttpEvent.ANSWER, 0);
    if (!socketStep(c)) return;
  }
}

/** The handler may write: not within a ping that is being answered, though. */
function isCallDue(c: Client): bool {
  if (!has(c, Flag.WAITS) || <i32>(now() - c.contentBytes) < 0) return false;
  if (c.parse == <u8>Frame.PAYLOAD && opcodeOf(c) >= <u32>Opcode.CLOSE) {
    c.flags |= Flag.ROOM;
    return false;
  }
  c.flags &= ~(<u32>Flag.WAITS);
  return true;
}
