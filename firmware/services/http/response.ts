/**
 * Responses: the head from the scratch, a file from where it lies in flash, the status document
 * piece by piece.
 */
import { MSG_DONTWAIT, MSG_ZEROCOPY, POLLIN, POLLOUT, send } from "../../net/sockets";
import { assetBytes, assetData } from "../../net/assets";
import { Client, Phase, enterPhase, progress } from "../client";
import { abandon, sayGoodbye } from "../endings";
import { othersWait } from "../patience";
import { SCRATCH, wouldBlock } from "../scratch";
import { composeHead } from "./head";
import { Flag, Method, Resource, has } from "./message";
import { statusTurn } from "./status";

/** Values of `Client.piece` in a response. */
const PIECE_HEAD: u16 = 0;
const PIECE_BODY: u16 = 1;

/** Answers with an error after which the bytes that follow mean nothing: the connection ends. */
export function refuse(c: Client, status: u32): void {
  c.status = <u16>status;
  c.flags &= ~(<u32>Flag.KEEP);
  responseBegin(c);
}

/** Answers a request that was read to its end. */
export function respond(c: Client): void {
  if (c.status < 400) {
    c.status = 200;
    if (c.resource == <i16>Resource.NONE) c.status = 404;
    else if (c.resource >= 0 && has(c, Flag.TAG_MATCH)) c.status = 304;
    else if (c.resource == <i16>Resource.STATUS && !has(c, Flag.VERSION_11))
      c.flags &= ~(<u32>Flag.KEEP);
  }
  if (othersWait()) c.flags &= ~(<u32>Flag.KEEP);
  responseBegin(c);
}

/** Begins to send the response that the client's record describes. */
export function responseBegin(c: Client): void {
  c.piece = PIECE_HEAD;
  c.row = 0;
  c.sent = 0;
  c.events = <u16>POLLOUT;
  enterPhase(c, Phase.RESPONSE);
  responseTurn(c);
}

/** One turn of a client that receives a response. */
export function responseTurn(c: Client): void {
  if (c.piece == PIECE_HEAD && !sendHead(c)) return;
  if (c.status == 100) {
    c.status = 200;
    c.events = <u16>POLLIN;
    return enterPhase(c, Phase.BODY);
  }
  if (c.status != 200 || c.method == <u8>Method.HEAD) return responseEnd(c);
  if (c.resource == <i16>Resource.STATUS) {
    if (statusTurn(c)) responseEnd(c);
    return;
  }
  const bytes = assetBytes(c.resource);
  if (bytes != 0 && !sendFile(c, bytes)) return;
  responseEnd(c);
}

/** Sends what is left of the head; true when all of it is on its way. */
function sendHead(c: Client): bool {
  const bytes = composeHead(c, SCRATCH);
  const sent = send(c.fd, SCRATCH + <usize>c.sent, bytes - c.sent, MSG_DONTWAIT);
  if (!took(c, sent) || c.sent != bytes) return false;
  c.sent = 0;
  c.piece = PIECE_BODY;
  // Whatever the buffer held of the request has served; the status document is made in it.
  c.bufferBytes = 0;
  return true;
}

/** Sends what is left of a file, from where it lies. */
function sendFile(c: Client, bytes: u32): bool {
  const from = assetData(c.resource) + <usize>c.sent;
  return took(c, send(c.fd, from, bytes - c.sent, MSG_ZEROCOPY | MSG_DONTWAIT)) && c.sent == bytes;
}

/** Books the result of a send: false when the client is gone or has no room. */
export function took(c: Client, sent: i32): bool {
  if (sent < 0) {
    if (!wouldBlock(sent)) abandon(c);
    return false;
  }
  c.sent += <u32>sent;
  progress(c, <u32>sent);
  return true;
}

/** The whole response is in the socket's hands: next request, or goodbye. */
export function responseEnd(c: Client): void {
  if (!has(c, Flag.KEEP)) return sayGoodbye(c, Phase.LINGER);
  c.events = <u16>POLLIN;
  enterPhase(c, Phase.IDLE);
}
