/**
 * What is kept of an open WebSocket, in the client's buffer:
 *
 *     0  masking key (4)   4  state of UTF-8 (u16)   6  opcode of the message, 0 = none   7  place in the key
 *     8  a message of ours is open, and who writes it   9  first byte of the frame   10  status of the Close (u16)
 *     12  the next piece is the first of its message   13  this piece is the last   14  this piece is the first   16  header
 */
import { Client } from "../client";
import { PIECE_AT, PIECE_BYTES, SCRATCH_BYTES } from "../sizes";

/** Opcodes (RFC 6455 5.2); from CLOSE on they are control frames. */
export const enum Opcode {
  CONTINUATION = 0,
  TEXT = 1,
  BINARY = 2,
  CLOSE = 8,
  PING = 9,
  PONG = 10,
}

export const FIN: u32 = 0x80;
export const OPCODE: u32 = 0x0f;

export const KEY: usize = 0;
export const UTF8: usize = 4;
export const MESSAGE: usize = 6;
export const PHASE: usize = 7;
export const OPEN: usize = 8;
export const FRAME: usize = 9;
export const CODE: usize = 10;
export const BEGINS: usize = 12;
export const LAST: usize = 13;
export const FIRST: usize = 14;
export const HEADER: usize = 16;

/** States in `Client.parse`. */
export const enum Frame {
  HEADER,
  PAYLOAD,
}

/** The scratch holds a piece that came, room for a header, and what the handler writes, which may be as much as came. */
export const HALF: u32 = SCRATCH_BYTES / 2;
export const WRITE_BYTES: u32 = min<u32>(PIECE_BYTES, HALF - PIECE_AT);

export function opcodeOf(c: Client): u32 {
  return (<u32>load<u8>(c.buffer + FRAME)) & OPCODE;
}

/** The open message is text. */
export function isTextMessage(c: Client): bool {
  return load<u8>(c.buffer + MESSAGE) == <u8>Opcode.TEXT;
}
