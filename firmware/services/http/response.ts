/** Responses of the server itself: errors, and files from where they lie in flash. */
import { MSG_DONTWAIT, MSG_ZEROCOPY, POLLIN, POLLOUT, send } from "../../net/sockets";
import { sendRoom } from "../../net/netstat";
import { assetBytes, assetData, assetRead } from "../../net/assets";
import { ASSETS_PACKED } from "../../../stack/config";
import { Client, Phase, enterPhase } from "../client";
import { othersWait } from "../patience";
import { SCRATCH } from "../scratch";
import { SCRATCH_BYTES } from "../sizes";
import { responseEnd, took } from "./finish";
import { composeHead } from "./head";
import { Flag, Method, Resource, has } from "./message";
import { rangeFit } from "./ranges";

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
    else if (has(c, Flag.TAG_MATCH)) c.status = 304;
    else if (wantsPart(c)) c.status = rangeFit(c, assetBytes(c.resource)) ? 206 : 416;
  }
  if (othersWait()) c.flags &= ~(<u32>Flag.KEEP);
  responseBegin(c);
}

/** A range is for GET alone, and for the file that the client knows (RFC 9110 14.2, 13.1.5). */
function wantsPart(c: Client): bool {
  return c.method == <u8>Method.GET && (c.flags & (Flag.RANGE | Flag.RANGE_OLD)) == <u32>Flag.RANGE;
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
  const part = c.status == 206;
  if ((c.status != 200 && !part) || c.method == <u8>Method.HEAD) return responseEnd(c);
  const first = part ? c.contentBytes : 0;
  const bytes = part ? c.left + 1 - first : assetBytes(c.resource);
  if (bytes != 0 && !sendFile(c, first, bytes)) return;
  responseEnd(c);
}

/** Sends what is left of the head; true when all of it is on its way. */
function sendHead(c: Client): bool {
  const bytes = composeHead(c, SCRATCH);
  const sent = send(c.fd, SCRATCH + <usize>c.sent, bytes - c.sent, MSG_DONTWAIT);
  if (!took(c, sent) || c.sent != bytes) return false;
  c.sent = 0;
  c.piece = PIECE_BODY;
  return true;
}

/** Sends what is left of a file, from where it lies; packed, a scratch at a time. */
function sendFile(c: Client, first: u32, bytes: u32): bool {
  if (ASSETS_PACKED) {
    do {
      // No more than there is room for, so that nothing is unpacked twice; without room, one byte to hear why.
      const room = max<u32>(min<u32>(sendRoom(c.fd), SCRATCH_BYTES), 1);
      const piece = min<u32>(bytes - c.sent, room);
      assetRead(c.resource, first + c.sent, SCRATCH, piece);
      if (!took(c, send(c.fd, SCRATCH, piece, MSG_DONTWAIT))) return false;
    } while (c.sent != bytes);
    return true;
  }
  const from = assetData(c.resource) + <usize>(first + c.sent);
  return took(c, send(c.fd, from, bytes - c.sent, MSG_ZEROCOPY | MSG_DONTWAIT)) && c.sent == bytes;
}
