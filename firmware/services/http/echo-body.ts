/**
 * HTTP body echo: the body of a POST or PUT comes back with its type and length, or chunk by chunk,
 * while it arrives. Nothing is stored: what cannot be sent yet stays in the receive ring. A client
 * must therefore read while it sends, once a body is greater than the rings and its own buffers.
 */
import { MSG_DONTWAIT, POLLIN, POLLOUT, send } from "../../net/sockets";
import { text } from "board";
import { Client, Phase, enterPhase, progress } from "../client";
import { abandon, leave } from "../endings";
import { othersWait } from "../patience";
import { SCRATCH, peek, take, wouldBlock } from "../scratch";
import { SCRATCH_BYTES } from "../sizes";
import { putHex, putText, writeTo, written } from "../writer";
import { chunkByte, chunkDataEnd, chunksBegin } from "./chunks";
import { composeHead } from "./head";
import { Flag, Parse, has, hasBody } from "./message";
import { responseEnd, took } from "./finish";
import { refuse } from "./response";

/** What has to be sent before anything else: `Client.piece`. */
const enum Piece {
  NONE,
  /** `100 Continue`. */
  CONTINUE,
  HEAD,
  /** Size line of a chunk. */
  SIZE,
  /** CRLF behind its data. */
  DATA_END,
  /** The last chunk, without trailers. */
  LAST,
}

/**
 * Pieces and runs of data moved in one turn, so that tiny chunks do not keep the others waiting.
 */
const STEPS_A_TURN: u32 = 16;

/** Room for the size line of a chunk, or for the last one. */
const LINE_BYTES: u32 = 12;

/** Begins to answer a request whose head is complete. */
export function echoBegin(c: Client): void {
  if (othersWait()) c.flags &= ~(<u32>Flag.KEEP);
  c.sent = 0;
  c.left = c.contentBytes;
  c.piece = <u16>Piece.NONE;
  if (has(c, Flag.CHUNKED)) chunksBegin(c);
  else if (hasBody(c)) c.parse = <u8>Parse.DATA;
  else c.piece = <u16>Piece.HEAD;
  if (has(c, Flag.EXPECT) && hasBody(c)) {
    c.status = 100;
    c.piece = <u16>Piece.CONTINUE;
  }
  enterPhase(c, Phase.BODY);
  echoTurn(c);
}

/** One turn of a client whose body is being echoed. */
export function echoTurn(c: Client): void {
  for (let i: u32 = 0; i < STEPS_A_TURN; i++) {
    if (c.piece != <u16>Piece.NONE) {
      c.events = <u16>POLLOUT;
      if (!sendPiece(c)) return;
    } else if (c.parse == <u8>Parse.DONE) {
      return responseEnd(c);
    } else {
      c.events = <u16>POLLIN;
      if (!moveBody(c)) return;
    }
  }
}

/**
 * Sends what is left of the piece that is due; true when all of it is on its way and the next one
 * is chosen.
 */
function sendPiece(c: Client): bool {
  const bytes = compose(c);
  const sent = send(c.fd, SCRATCH + <usize>c.sent, bytes - c.sent, MSG_DONTWAIT);
  if (!took(c, sent) || c.sent != bytes) return false;
  c.sent = 0;
  const head = c.piece == <u16>Piece.HEAD;
  c.piece = <u16>Piece.NONE;
  c.status = 200;
  if (!head) return true;
  c.flags |= Flag.ANSWERED;
  if (has(c, Flag.CHUNKED)) chunkLine(c);
  return true;
}

/** Chooses the line that goes before the data of a chunk, or ends the body. */
function chunkLine(c: Client): void {
  c.piece = <u16>(c.parse == <u8>Parse.DONE ? Piece.LAST : Piece.SIZE);
}

function compose(c: Client): u32 {
  if (c.piece <= <u16>Piece.HEAD) return composeHead(c, SCRATCH);
  writeTo(SCRATCH, LINE_BYTES);
  switch (c.piece) {
    case <u16>Piece.SIZE:
      putHex(c.left, 8);
      putText(text("\r\n"));
      break;
    case <u16>Piece.DATA_END:
      putText(text("\r\n"));
      break;
    default:
      putText(text("0\r\n\r\n"));
  }
  return written();
}

/** Moves what has arrived of the body; true when the next step can be taken at once. */
function moveBody(c: Client): bool {
  const available = peek(c.fd, SCRATCH_BYTES);
  if (available <= 0) {
    if (wouldBlock(available)) return false;
    // A body that ends too early: what was echoed of it must not look complete.
    if (has(c, Flag.ANSWERED) || available < 0) abandon(c);
    else leave(c);
    return false;
  }
  if (c.parse != <u8>Parse.DATA) return moveLines(c, <u32>available);
  if (!has(c, Flag.ANSWERED)) {
    c.piece = <u16>Piece.HEAD;
    return true;
  }
  const sent = send(c.fd, SCRATCH, min(<u32>available, c.left), MSG_DONTWAIT);
  if (sent <= 0) {
    if (wouldBlock(sent)) c.events = <u16>POLLOUT;
    else abandon(c);
    return false;
  }
  take(c.fd, <u32>sent);
  progress(c, <u32>sent);
  c.left -= <u32>sent;
  if (c.left == 0) dataEnd(c);
  return true;
}

function dataEnd(c: Client): void {
  if (!has(c, Flag.CHUNKED)) {
    c.parse = <u8>Parse.DONE;
    return;
  }
  chunkDataEnd(c);
  c.piece = <u16>Piece.DATA_END;
}

/** Reads the bytes between the data of two chunks, and what follows the last. */
function moveLines(c: Client, available: u32): bool {
  let used: u32 = 0;
  while (used < available) {
    chunkByte(c, load<u8>(SCRATCH + <usize>used));
    used++;
    if (isResting(c.parse)) break;
  }
  take(c.fd, used);
  if (c.parse == <u8>Parse.FAILED) {
    if (has(c, Flag.ANSWERED)) abandon(c);
    else refuse(c, c.status);
    return false;
  }
  if (!isResting(c.parse)) return true;
  if (has(c, Flag.ANSWERED)) chunkLine(c);
  else c.piece = <u16>Piece.HEAD;
  return true;
}

/** True in the states in which no byte is read as part of a line. */
function isResting(parse: u32): bool {
  return parse == <u32>Parse.DATA || parse == <u32>Parse.DONE || parse == <u32>Parse.FAILED;
}
