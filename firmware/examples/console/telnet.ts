/**
 * The telnet side of the console (RFC 854): text comes out of the stream, options that the client proposes are refused, its
 * other commands are passed over.
 */
import { MSG_MORE, send } from "as-tcpip/net";

const IAC: u32 = 255;
const DONT: u32 = 254;
const DO: u32 = 253;
const WONT: u32 = 252;
const WILL: u32 = 251;
const SB: u32 = 250;
const SE: u32 = 240;

const ANSWER: usize = memory.data(4, 4);

const enum In {
  TEXT,
  /** Behind an IAC. */
  COMMAND,
  /** Behind WILL, WONT, DO or DONT. */
  OPTION,
  /** In a subnegotiation, and behind an IAC there. */
  SUB,
  SUB_COMMAND,
}

let state: In = In.TEXT;
let verb: u32 = 0;

export function telnetBegin(): void {
  state = In.TEXT;
}

/** One byte of the client's: a character, or -1 when it belongs to the protocol. */
export function telnetTake(fd: i32, byte: u32): i32 {
  switch (state) {
    case In.TEXT:
      if (byte != IAC) return <i32>byte;
      state = In.COMMAND;
      return -1;
    case In.COMMAND:
      // Twice: the byte 255.
      state = In.TEXT;
      if (byte == IAC) return <i32>byte;
      if (byte == SB) state = In.SUB;
      else if (byte >= WILL) {
        verb = byte;
        state = In.OPTION;
      }
      return -1;
    case In.OPTION:
      state = In.TEXT;
      refuse(fd, byte);
      return -1;
    case In.SUB:
      if (byte == IAC) state = In.SUB_COMMAND;
      return -1;
    default:
      state = byte == SE ? In.TEXT : In.SUB;
      return -1;
  }
}

/** Everything is off and stays so: DO is answered with WONT, WILL with DONT; WONT and DONT say nothing new (RFC 1143). */
function refuse(fd: i32, option: u32): void {
  if (verb == WONT || verb == DONT) return;
  store<u8>(ANSWER, <u8>IAC);
  store<u8>(ANSWER, <u8>(verb == DO ? WONT : DONT), 1);
  store<u8>(ANSWER, <u8>option, 2);
  send(fd, ANSWER, 3, MSG_MORE);
}
