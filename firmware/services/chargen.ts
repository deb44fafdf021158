/**
 * Character generator (RFC 864) over TCP: lines of 72 characters from the ring of the 95 printing
 * ones, each line begun one further. The stream is made as the client takes it; what a client sends
 * is thrown away.
 */
import { MSG_DONTWAIT, send } from "../net/sockets";
import { Client, progress } from "./client";
import { abandon, leave } from "./endings";
import { SCRATCH, drop, wouldBlock } from "./scratch";
import { SCRATCH_BYTES } from "./sizes";

const FIRST_CHARACTER: u32 = 0x20;
const CHARACTERS: u32 = 95;
const LINE_CHARACTERS: u32 = 72;
const LINE_BYTES: u32 = LINE_CHARACTERS + 2;

/** One turn of a chargen client. */
export function chargenTurn(c: Client): void {
  const dropped = drop(c.fd, SCRATCH_BYTES);
  if (dropped == 0) return leave(c);
  if (dropped < 0 && !wouldBlock(dropped)) return abandon(c);
  generate(c.piece, c.row, SCRATCH_BYTES);
  const sent = send(c.fd, SCRATCH, SCRATCH_BYTES, MSG_DONTWAIT);
  if (sent > 0) {
    advance(c, <u32>sent);
    progress(c, <u32>sent);
  } else if (!wouldBlock(sent)) abandon(c);
}

/** Fills the scratch with the pattern from a place in it. */
function generate(line: u32, column: u32, bytes: u32): void {
  for (let i: u32 = 0; i < bytes; i++) {
    let character = line + column;
    if (character >= CHARACTERS) character -= CHARACTERS;
    character += FIRST_CHARACTER;
    if (column >= LINE_CHARACTERS) character = column == LINE_CHARACTERS ? 0x0d : 0x0a;
    store<u8>(SCRATCH + <usize>i, <u8>character);
    if (++column == LINE_BYTES) {
      column = 0;
      if (++line == CHARACTERS) line = 0;
    }
  }
}

/** Moves a client's place in the pattern. */
function advance(c: Client, bytes: u32): void {
  let column = <u32>c.row + bytes;
  let line = <u32>c.piece;
  for (; column >= LINE_BYTES; column -= LINE_BYTES) {
    if (++line == CHARACTERS) line = 0;
  }
  c.row = <u16>column;
  c.piece = <u16>line;
}
