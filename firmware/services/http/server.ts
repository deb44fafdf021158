/**
 * HTTP/1.1 server for the files of the image and the status document: what a client's turn does in
 * each phase. Requests stay in the receive ring until they are parsed, so pipelined ones are
 * answered one after the other without being stored.
 */
import { POLLIN } from "../../net/sockets";
import { Client, Phase, Service, enterPhase, progress } from "../client";
import { abandon, leave, lingerTurn } from "../endings";
import { dismiss } from "../patience";
import { SCRATCH, peek, take, wouldBlock } from "../scratch";
import { DROPPED_BODY_BYTES, SCRATCH_BYTES } from "../sizes";
import { chunkByte, chunkDataEnd, chunksBegin } from "./chunks";
import { echoBegin, echoTurn } from "./echo-body";
import { entityTagStart } from "./entity-tag";
import { Flag, Method, Parse, has, hasBody } from "./message";
import { requestBegin, requestFeed } from "./request";
import { refuse, respond, responseBegin, responseTurn } from "./response";

/** Readies the server; once, before its first client. */
export function httpStart(): void {
  entityTagStart();
}

/** One turn of a client of either HTTP service. */
export function httpTurn(c: Client): void {
  switch (c.phase) {
    case <u8>Phase.FRESH:
    case <u8>Phase.IDLE:
    case <u8>Phase.HEAD:
      return headTurn(c);
    case <u8>Phase.BODY:
      if (c.service == <u8>Service.HTTP_ECHO) return echoTurn(c);
      return dropBodyTurn(c);
    case <u8>Phase.RESPONSE:
      return responseTurn(c);
    default:
      lingerTurn(c);
  }
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
  const echo = c.service == <u8>Service.HTTP_ECHO;
  const low = <u8>(echo ? Method.POST : Method.GET);
  const high = <u8>(echo ? Method.PUT : Method.HEAD);
  if (c.method < low || c.method > high) {
    // A body that nobody wants is not read: the connection ends instead.
    if (hasBody(c)) return refuse(c, 405);
    c.status = 405;
    return respond(c);
  }
  if (echo) return echoBegin(c);
  if (!hasBody(c)) return respond(c);
  if (c.contentBytes > DROPPED_BODY_BYTES) return refuse(c, 413);
  if (has(c, Flag.CHUNKED)) chunksBegin(c);
  else {
    c.parse = <u8>Parse.DATA;
    c.left = c.contentBytes;
  }
  if (has(c, Flag.EXPECT)) {
    c.status = 100;
    return responseBegin(c);
  }
  enterPhase(c, Phase.BODY);
}

/**
 * A body means nothing to GET (RFC 9110 9.3.1), but its bytes must not be taken for the next
 * request.
 */
function dropBodyTurn(c: Client): void {
  c.events = <u16>POLLIN;
  const available = peek(c.fd, SCRATCH_BYTES);
  if (available == 0) return leave(c);
  if (available < 0) {
    if (!wouldBlock(available)) abandon(c);
    return;
  }
  const used = dropBody(c, <u32>available);
  take(c.fd, used);
  progress(c, used);
  if (c.parse == <u8>Parse.FAILED) refuse(c, c.status);
  else if (c.parse == <u8>Parse.DONE) respond(c);
}

function dropBody(c: Client, available: u32): u32 {
  let used: u32 = 0;
  while (used < available && c.parse != <u8>Parse.DONE && c.parse != <u8>Parse.FAILED) {
    if (c.parse != <u8>Parse.DATA) {
      chunkByte(c, load<u8>(SCRATCH + <usize>used));
      used++;
      if (c.parse == <u8>Parse.DATA) countDropped(c);
      continue;
    }
    const data = min(available - used, c.left);
    used += data;
    c.left -= data;
    if (c.left != 0) break;
    if (has(c, Flag.CHUNKED)) chunkDataEnd(c);
    else c.parse = <u8>Parse.DONE;
  }
  return used;
}

/** Chunks count together. */
function countDropped(c: Client): void {
  if (c.left > DROPPED_BODY_BYTES - c.contentBytes) {
    c.status = 413;
    c.parse = <u8>Parse.FAILED;
  } else c.contentBytes += c.left;
}
