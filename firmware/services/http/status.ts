/**
 * The status document: JSON that is made while it is sent, a few fields at a time in the client's
 * buffer, so that it may be as long as the tables are and needs no memory of its own. Each field is
 * true at the moment it is made.
 */
import { text } from "board";
import { MSG_DONTWAIT, send } from "../../net/sockets";
import { CLIENT_BUFFER_BYTES, Client, progress } from "../client";
import { abandon } from "../endings";
import { wouldBlock } from "../scratch";
import { putHex, putText, writeTo, written } from "../writer";
import { Flag, has } from "./message";
import { FIELD_BYTES, FIELDS_END, putField } from "./status-fields";

/** Size of a chunk, in two digits, and the ends of lines around its data (RFC 9112 7.1). */
const SIZE_LINE_BYTES: u32 = 4;
const DATA_BYTES: u32 = CLIENT_BUFFER_BYTES - SIZE_LINE_BYTES - 2;
if (FIELD_BYTES > DATA_BYTES) ERROR("the buffer of a client must hold a field of the status");

/** Buffers filled in one turn: the rest of the document comes with the next turns. */
const BUFFERS_A_TURN: u32 = 24;

/** Marks the end of the document in `Client.piece`. */
const ENDED: u16 = 0xffff;

/** One turn of a client that receives the status; true when all of it is on its way. */
export function statusTurn(c: Client): bool {
  for (let i: u32 = 0; i < BUFFERS_A_TURN; i++) {
    if (c.bufferBytes == 0) {
      if (c.piece == ENDED) return true;
      c.bufferBytes = <u8>compose(c);
    }
    if (!sendBuffer(c)) return false;
  }
  return c.bufferBytes == 0 && c.piece == ENDED;
}

/** Sends what the buffer holds, and keeps what the socket does not take. */
function sendBuffer(c: Client): bool {
  const sent = send(c.fd, c.buffer, c.bufferBytes, MSG_DONTWAIT);
  if (sent < 0) {
    if (!wouldBlock(sent)) abandon(c);
    return false;
  }
  progress(c, <u32>sent);
  c.bufferBytes -= <u8>sent;
  memory.copy(c.buffer, c.buffer + <usize>sent, c.bufferBytes);
  return c.bufferBytes == 0;
}

/**
 * Fills the buffer with as many fields as it surely holds: as one chunk for HTTP/1.1, as they are
 * for HTTP/1.0.
 */
function compose(c: Client): u32 {
  const chunked = has(c, Flag.VERSION_11);
  if (c.piece == FIELDS_END) {
    c.piece = ENDED;
    if (!chunked) return 0;
    writeTo(c.buffer, CLIENT_BUFFER_BYTES);
    putText(text("0\r\n\r\n"));
    return written();
  }
  const before: u32 = chunked ? SIZE_LINE_BYTES : 0;
  const data = c.buffer + <usize>before;
  writeTo(data, DATA_BYTES);
  while (c.piece != FIELDS_END && written() + FIELD_BYTES <= DATA_BYTES) putField(c);
  const bytes = written();
  if (!chunked) return bytes;
  writeTo(data + <usize>bytes, 2);
  putText(text("\r\n"));
  writeTo(c.buffer, SIZE_LINE_BYTES);
  putHex(bytes, 2);
  putText(text("\r\n"));
  return SIZE_LINE_BYTES + bytes + 2;
}
