/**
 * HTTP/1.1 server for the files of the image and the routes of the application: what a client's turn does in
 * each phase. Requests stay in the receive ring until they are parsed, so pipelined ones are
 * answered one after the other without being stored.
 */
import { text, textAddress, textBytes } from "board";
import { MSG_DONTWAIT, POLLIN, recv, send } from "../../net/sockets";
import { sendRoom } from "../../net/netstat";
import { HTTP_ECHO, HTTP_KEEP_BYTES, HTTP_WEBSOCKET } from "../../../stack/config";
import { Client, Phase, Service, enterPhase, progress } from "../client";
import { abandon, leave, lingerTurn } from "../endings";
import { dismiss } from "../patience";
import { SCRATCH, peek, take, wouldBlock } from "../scratch";
import { DROPPED_BODY_BYTES, SCRATCH_BYTES } from "../sizes";
import {
  answerBegin,
  answerFinish,
  answerGiven,
  answerReset,
  answerTurn,
  isAnswering,
} from "./answer";
import { HttpEvent, callClose, callFor, callIsOpen, called, httpEvent } from "./call";
import { chunkByte, chunkDataEnd, chunksBegin } from "./chunks";
import { echoBegin, echoTurn } from "./echo-body";
import { Kept, keepBegin, keepBytes } from "./kept";
import { Flag, Method, Parse, fail, has, hasBody, isRoute } from "./message";
import { requestBegin, requestFeed } from "./request";
import { refuse, respond, responseBegin, responseTurn } from "./response";
import { socketReturned, socketTurn } from "./websocket";
import { HTTP_GET, HTTP_TELL, HTTP_UPLOAD, methodBit, routeMethods } from "./routes";

/** One turn of a client of either HTTP service. */
export function httpTurn(c: Client): void {
  switch (c.phase) {
    case <u8>Phase.FRESH:
    case <u8>Phase.IDLE:
    case <u8>Phase.HEAD:
      return headTurn(c);
    case <u8>Phase.BODY:
      if (HTTP_ECHO && c.service == <u8>Service.HTTP_ECHO) return echoTurn(c);
      return bodyTurn(c);
    case <u8>Phase.EVENTS:
      if (HTTP_WEBSOCKET && has(c, Flag.SOCKET)) return socketTurn(c);
      return answerTurn(c);
    case <u8>Phase.RESPONSE:
      if (isAnswering(c)) return answerTurn(c);
      return responseTurn(c);
    default:
      lingerTurn(c);
  }
}

/** The handler has returned; what it has written is sent. */
export function httpReturned(): void {
  if (!callIsOpen()) return;
  const c = called();
  callClose();
  if (c.phase == <u8>Phase.GONE) c.phase = <u8>Phase.FREE;
  if (c.phase == <u8>Phase.FREE || c.service > <u8>Service.HTTP_ECHO) return;
  if (HTTP_WEBSOCKET && has(c, Flag.SOCKET)) socketReturned(c);
  else if (httpEvent() == HttpEvent.ANSWER) answerFinish(c);
  else uploadGoesOn(c);
}

/**
 * A client's time is used up: in the middle of a request it is told so, where that is possible (RFC
 * 9110 15.5.9).
 */
export function httpExpired(c: Client): void {
  const asking = c.phase == <u8>Phase.HEAD || c.phase == <u8>Phase.BODY;
  if (asking && !has(c, Flag.ANSWERED)) refuse(c, 408);
  else dismiss(c);
}

function headTurn(c: Client): void {
  c.events = <u16>POLLIN;
  const available = peek(c.fd, SCRATCH_BYTES);
  if (available == 0) return leave(c);
  if (available < 0) {
    if (!wouldBlock(available)) abandon(c);
    return;
  }
  if (c.phase != <u8>Phase.HEAD) {
    requestBegin(c);
    enterPhase(c, Phase.HEAD);
  }
  take(c.fd, requestFeed(c, SCRATCH, <u32>available));
  if (c.parse == <u8>Parse.FAILED) refuse(c, c.status);
  else if (c.parse == <u8>Parse.DONE) requestDone(c);
}

function requestDone(c: Client): void {
  const echo = HTTP_ECHO && c.service == <u8>Service.HTTP_ECHO;
  if (!isAllowed(c, echo)) {
    // A body that nobody wants is not read: the connection ends instead.
    if (hasBody(c)) return refuse(c, 405);
    c.status = 405;
    return respond(c);
  }
  if (HTTP_ECHO && echo) return echoBegin(c);
  if (!hasBody(c)) return bodyDone(c);
  if (isRoute(c) && (routeMethods(c) & HTTP_UPLOAD) != 0) return uploadBegin(c);
  if (c.contentBytes > bodyLimit(c)) return refuse(c, 413);
  if (collects(c)) keepBegin(c, Kept.BODY);
  bodyBegin(c);
  if (!has(c, Flag.EXPECT)) return;
  c.status = 100;
  responseBegin(c);
}

function isAllowed(c: Client, echo: bool): bool {
  if (echo) return c.method == <u8>Method.POST || c.method == <u8>Method.PUT;
  const allowed = isRoute(c) ? routeMethods(c) : HTTP_GET;
  return (methodBit(c.method) & allowed) != 0;
}

function bodyBegin(c: Client): void {
  if (has(c, Flag.CHUNKED)) chunksBegin(c);
  else {
    c.parse = <u8>Parse.DATA;
    c.left = c.contentBytes;
  }
  c.events = <u16>POLLIN;
  enterPhase(c, Phase.BODY);
}

/** The body of a request to a handler is kept for it; that of a GET means nothing (RFC 9110 9.3.1). */
function collects(c: Client): bool {
  return HTTP_KEEP_BYTES != 0 && isRoute(c) && methodBit(c.method) != HTTP_GET;
}

function bodyLimit(c: Client): u32 {
  if (!isRoute(c) || methodBit(c.method) == HTTP_GET) return DROPPED_BODY_BYTES;
  return HTTP_KEEP_BYTES;
}

/** The request was read to its end. */
function bodyDone(c: Client): void {
  if (isRoute(c)) answerBegin(c);
  else respond(c);
}

/** Asks the handler whether it wants the body. */
function uploadBegin(c: Client): void {
  c.flags |= Flag.UPLOAD;
  if ((routeMethods(c) & HTTP_TELL) != 0) c.flags |= Flag.TELLS;
  c.row = 0;
  answerReset();
  callFor(c, HttpEvent.HEAD, 0, 0);
}

/** The handler has returned from `HttpEvent.HEAD` or `BODY`. */
function uploadGoesOn(c: Client): void {
  if (answerGiven()) {
    // Refused: the rest of the body is not read.
    c.flags = (c.flags & ~(<u32>Flag.KEEP)) | Flag.ANSWERING;
    enterPhase(c, Phase.RESPONSE);
    return answerFinish(c);
  }
  if (c.phase == <u8>Phase.BODY) {
    if (c.parse == <u8>Parse.DONE) bodyDone(c);
    return;
  }
  bodyBegin(c);
  if (has(c, Flag.EXPECT)) sayContinue(c);
}

/** Without room for it the client goes on after a while by itself (RFC 9110 10.1.1). */
function sayContinue(c: Client): void {
  const words = text("HTTP/1.1 100 Continue\r\n\r\n");
  if (sendRoom(c.fd) >= textBytes(words))
    send(c.fd, textAddress(words), textBytes(words), MSG_DONTWAIT);
}

/**
 * A body: dropped, as it means nothing to GET (RFC 9110 9.3.1), but its bytes must not be taken for the next request; kept as a
 * whole; or given to the handler piece by piece.
 */
function bodyTurn(c: Client): void {
  c.events = <u16>POLLIN;
  const available = peek(c.fd, SCRATCH_BYTES);
  if (available == 0) return leave(c);
  if (available < 0) {
    if (!wouldBlock(available)) abandon(c);
    return;
  }
  if (has(c, Flag.UPLOAD) && c.parse == <u8>Parse.DATA) return uploadPiece(c);
  const used = readBody(c, <u32>available);
  take(c.fd, used);
  progress(c, used);
  if (c.parse == <u8>Parse.FAILED) refuse(c, c.status);
  else if (c.parse == <u8>Parse.DONE) bodyDone(c);
}

/** Takes the next piece of the body out of the ring for the handler. */
function uploadPiece(c: Client): void {
  const got = recv(c.fd, SCRATCH, min<u32>(c.left, SCRATCH_BYTES), MSG_DONTWAIT);
  if (got <= 0) return abandon(c);
  progress(c, <u32>got);
  dataTaken(c, <u32>got);
  answerReset();
  callFor(c, HttpEvent.BODY, SCRATCH, <u32>got);
}

function dataTaken(c: Client, bytes: u32): void {
  c.left -= bytes;
  if (c.left != 0) return;
  if (has(c, Flag.CHUNKED)) chunkDataEnd(c);
  else c.parse = <u8>Parse.DONE;
}

function readBody(c: Client, available: u32): u32 {
  let used: u32 = 0;
  while (used < available && c.parse != <u8>Parse.DONE && c.parse != <u8>Parse.FAILED) {
    if (c.parse != <u8>Parse.DATA) {
      chunkByte(c, load<u8>(SCRATCH + <usize>used));
      used++;
      if (c.parse == <u8>Parse.DATA && !has(c, Flag.UPLOAD)) countBody(c);
      continue;
    }
    if (has(c, Flag.UPLOAD)) break;
    const data = min(available - used, c.left);
    if (HTTP_KEEP_BYTES != 0 && collects(c)) {
      if (!keepBytes(c, SCRATCH + <usize>used, data)) fail(c, 413);
    }
    used += data;
    if (c.parse == <u8>Parse.DATA) dataTaken(c, data);
    if (c.parse == <u8>Parse.DATA) break;
  }
  return used;
}

/** Chunks count together. */
function countBody(c: Client): void {
  const limit = bodyLimit(c);
  if (c.contentBytes > limit || c.left > limit - c.contentBytes) fail(c, 413);
  else c.contentBytes += c.left;
}
