/**
 * Frames that come over a WebSocket (RFC 6455 5). They are never stored: a header is gathered in the client's buffer, payload goes
 * from the receive ring to the handler, that of a ping back.
 */
import { MSG_DONTWAIT, recv, send } from "../../net/sockets";
import { Be } from "../../net/inet";
import { Client, Phase, progress } from "../client";
import { abandon, leave, sayGoodbye } from "../endings";
import { SCRATCH, wouldBlock } from "../scratch";
import { PIECE_AT } from "../sizes";
import { writeTo } from "../writer";
import { answerReset } from "./answer";
import { HttpEvent, callFor } from "./call";
import { WS_BAD_DATA, WS_NO_STATUS, WS_PROTOCOL_ERROR, WS_TOO_BIG, sendClose } from "./close-frame";
import {
  BEGINS,
  CODE,
  FIN,
  FIRST,
  FRAME,
  Frame,
  HALF,
  HEADER,
  KEY,
  LAST,
  MESSAGE,
  OPCODE,
  Opcode,
  PHASE,
  UTF8,
  WRITE_BYTES,
  isTextMessage,
  opcodeOf,
} from "./socket-state";
import { UTF8_BAD, utf8Next } from "../utf8";

const RSV: u32 = 0x70;
const MASK: u32 = 0x80;

/** Calls the handler of a socket; `bytes` of a message are in the scratch. */
export function socketCall(c: Client, what: HttpEvent, bytes: u32): void {
  answerReset();
  callFor(c, what, SCRATCH, bytes);
  writeTo(SCRATCH + <usize>(HALF + PIECE_AT), WRITE_BYTES);
}

/** Takes the next bytes; true when there may be more to take at once. */
export function socketStep(c: Client): bool {
  return c.parse == <u8>Frame.HEADER ? header(c) : payload(c);
}

/** Takes bytes out of the ring; 0 when there are none now, or the client is gone. */
function takeIn(c: Client, to: usize, bytes: u32): u32 {
  const got = recv(c.fd, to, bytes, MSG_DONTWAIT);
  if (got > 0) return <u32>got;
  if (got == 0) leave(c);
  else if (!wouldBlock(got)) abandon(c);
  return 0;
}

/** Bytes that a header has, as far as its second byte says. */
function headerBytes(c: Client): u32 {
  if (c.bufferBytes < 2) return 2;
  const length = load<u8>(c.buffer + HEADER + 1) & 127;
  const extended: u32 = length == 127 ? 8 : length == 126 ? 2 : 0;
  return 2 + extended + 4;
}

function header(c: Client): bool {
  const wanted = headerBytes(c) - <u32>c.bufferBytes;
  const got = takeIn(c, c.buffer + HEADER + <usize>c.bufferBytes, wanted);
  if (got == 0) return false;
  c.bufferBytes += <u8>got;
  if (c.bufferBytes == 2) {
    const wrong = headerError(c);
    if (wrong != 0) return fail(c, wrong);
  }
  if (<u32>c.bufferBytes < headerBytes(c)) return true;
  return headerEnd(c);
}

/** What the first two bytes say against a frame: the status of the Close, 0 = nothing. */
function headerError(c: Client): u32 {
  const first = <u32>load<u8>(c.buffer + HEADER);
  const second = <u32>load<u8>(c.buffer + HEADER + 1);
  const opcode = first & OPCODE;
  const open = load<u8>(c.buffer + MESSAGE) != 0;
  // No extension was agreed on, and a client masks (RFC 6455 5.1, 5.2).
  if ((first & RSV) != 0 || (second & MASK) == 0) return WS_PROTOCOL_ERROR;
  if (opcode >= <u32>Opcode.CLOSE) {
    // Control frames are whole and short (5.5).
    const whole = (first & FIN) != 0 && (second & 127) <= 125;
    return whole && opcode <= <u32>Opcode.PONG ? 0 : WS_PROTOCOL_ERROR;
  }
  if (opcode > <u32>Opcode.BINARY) return WS_PROTOCOL_ERROR;
  // A message goes on with continuations, and only one is open at a time (5.4).
  return open == (opcode == <u32>Opcode.CONTINUATION) ? 0 : WS_PROTOCOL_ERROR;
}

/** The header is complete: its length, in the shortest form (5.2), and the key. */
function headerEnd(c: Client): bool {
  const at = c.buffer + HEADER;
  const form = (<u32>load<u8>(at + 1)) & 127;
  let bytes = form;
  let key = at + 2;
  if (form == 126) {
    bytes = Be.load16(at + 2);
    key = at + 4;
    if (bytes < 126) return fail(c, WS_PROTOCOL_ERROR);
  } else if (form == 127) {
    bytes = Be.load32(at + 6);
    key = at + 10;
    if ((load<u8>(at + 2) & 0x80) != 0) return fail(c, WS_PROTOCOL_ERROR);
    if (Be.load32(at + 2) != 0 || bytes > 0x7fffffff) return fail(c, WS_TOO_BIG);
    if (bytes < 65536) return fail(c, WS_PROTOCOL_ERROR);
  }
  memory.copy(c.buffer + KEY, key, 4);
  store<u8>(c.buffer + PHASE, 0);
  const first = load<u8>(at);
  store<u8>(c.buffer + FRAME, first);
  c.left = bytes;
  c.bufferBytes = 0;
  c.parse = <u8>Frame.PAYLOAD;
  const opcode = (<u32>first) & OPCODE;
  if (opcode == <u32>Opcode.TEXT || opcode == <u32>Opcode.BINARY) {
    store<u8>(c.buffer + MESSAGE, <u8>opcode);
    store<u16>(c.buffer + UTF8, 0);
    store<u8>(c.buffer + BEGINS, 1);
  } else if (opcode == <u32>Opcode.PING) {
    store<u8>(SCRATCH, <u8>(FIN | (<u32>Opcode.PONG)));
    store<u8>(SCRATCH + 1, <u8>bytes);
    send(c.fd, SCRATCH, 2, MSG_DONTWAIT);
  } else if (opcode == <u32>Opcode.CLOSE) {
    store<u16>(c.buffer + CODE, <u16>WS_NO_STATUS);
    c.field = 0;
    if (bytes == 1) return fail(c, WS_PROTOCOL_ERROR);
  }
  return bytes == 0 ? payloadEnd(c, 0) : true;
}

/** Takes bytes of the payload. */
function payload(c: Client): bool {
  const got = takeIn(c, SCRATCH, min<u32>(c.left, WRITE_BYTES));
  if (got == 0) return false;
  unmask(c, got);
  c.left -= got;
  progress(c, got);
  switch (opcodeOf(c)) {
    case Opcode.PING:
      // Within the room of this turn: a control frame has 125 bytes at most.
      send(c.fd, SCRATCH, got, MSG_DONTWAIT);
      break;
    case Opcode.PONG:
      break;
    case Opcode.CLOSE:
      if (!closeBytes(c, got)) return fail(c, WS_BAD_DATA);
      break;
    default:
      if (isTextMessage(c) && !isUtf8(c, 0, got)) return fail(c, WS_BAD_DATA);
      if (c.left != 0) return piece(c, got, false);
  }
  return c.left == 0 ? payloadEnd(c, got) : true;
}

/** RFC 6455 5.3. */
function unmask(c: Client, bytes: u32): void {
  let phase = <u32>load<u8>(c.buffer + PHASE);
  for (let i: usize = 0; i < <usize>bytes; i++) {
    store<u8>(SCRATCH + i, load<u8>(SCRATCH + i) ^ load<u8>(c.buffer + KEY + <usize>phase));
    phase = (phase + 1) & 3;
  }
  store<u8>(c.buffer + PHASE, <u8>phase);
}

function isUtf8(c: Client, from: u32, bytes: u32): bool {
  let state = <u32>load<u16>(c.buffer + UTF8);
  for (let i = from; i < bytes && state != UTF8_BAD; i++)
    state = utf8Next(state, load<u8>(SCRATCH + <usize>i));
  store<u16>(c.buffer + UTF8, <u16>state);
  return state != UTF8_BAD;
}

/** The code and the reason of a Close, from whatever pieces they come in. `Client.field` counts; false when the reason is no UTF-8. */
function closeBytes(c: Client, bytes: u32): bool {
  for (let i: u32 = 0; i < bytes; i++) {
    const byte = <u32>load<u8>(SCRATCH + <usize>i);
    if (c.field == 0) store<u16>(c.buffer + CODE, <u16>(byte << 8));
    else if (c.field == 1) {
      store<u16>(c.buffer + CODE, <u16>((<u32>load<u16>(c.buffer + CODE)) | byte));
      store<u16>(c.buffer + UTF8, 0);
    } else if (!isUtf8(c, i, i + 1)) return false;
    c.field++;
  }
  return true;
}

/** The frame is complete, `bytes` of it are in the scratch. */
function payloadEnd(c: Client, bytes: u32): bool {
  c.parse = <u8>Frame.HEADER;
  const fin = (load<u8>(c.buffer + FRAME) & FIN) != 0;
  switch (opcodeOf(c)) {
    case Opcode.PING:
    case Opcode.PONG:
      return true;
    case Opcode.CLOSE: {
      const code = <u32>load<u16>(c.buffer + CODE);
      if (code != WS_NO_STATUS || c.field != 0) {
        if (!isCloseCode(code)) return fail(c, WS_PROTOCOL_ERROR);
        if (load<u16>(c.buffer + UTF8) != 0) return fail(c, WS_BAD_DATA);
      }
      sendClose(c.fd, code);
      sayGoodbye(c, Phase.LINGER);
      return false;
    }
    default:
      if (fin && isTextMessage(c) && load<u16>(c.buffer + UTF8) != 0) return fail(c, WS_BAD_DATA);
      // An empty part of a message says nothing.
      if (bytes == 0 && !fin) return true;
      return piece(c, bytes, fin);
  }
}

/** Status codes that may stand in a frame (RFC 6455 7.4). */
function isCloseCode(code: u32): bool {
  if (code >= 3000 && code < 5000) return true;
  return code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006;
}

/** Gives a piece of a message to the handler. */
function piece(c: Client, bytes: u32, last: bool): bool {
  store<u8>(c.buffer + FIRST, load<u8>(c.buffer + BEGINS));
  store<u8>(c.buffer + BEGINS, 0);
  store<u8>(c.buffer + LAST, <u8>last);
  socketCall(c, HttpEvent.MESSAGE, bytes);
  return false;
}

function fail(c: Client, code: u32): bool {
  socketEnd(c, code);
  return false;
}

/** Ends the connection with a Close of ours; what the client still says is dropped. */
export function socketEnd(c: Client, code: u32): void {
  store<u16>(c.buffer + CODE, <u16>code);
  sendClose(c.fd, code);
  sayGoodbye(c, Phase.LINGER);
}
