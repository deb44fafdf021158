/**
 * The telnet side of the console (RFC 854): text comes out of the stream, options that the client proposes are refused. Of its commands
 * "are you there" is answered, those that take back a character or a line do what the keys do; the others are passed over.
 */
import { text, textAddress, textBytes } from "as-tcpip/text";
import { sendBytes } from "./output";

const IAC: u32 = 255;
const DONT: u32 = 254;
const DO: u32 = 253;
const WONT: u32 = 252;
const WILL: u32 = 251;
const SB: u32 = 250;
const EL: u32 = 248;
const EC: u32 = 247;
const AYT: u32 = 246;
const IP: u32 = 244;
const SE: u32 = 240;

/** Characters that EC, and EL and IP, stand for. */
const BACKSPACE: i32 = 0x08;
export const KILL: i32 = 0x15;

/** Answers to the options of as many bytes as are read at a time. */
const ANSWERS_BYTES: u32 = 66;
const ANSWERS: usize = memory.data(ANSWERS_BYTES, 4);
let answersBytes: u32 = 0;

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
  answersBytes = 0;
}

/** Sends what is due to the options that have come. */
export function telnetAnswer(): void {
  if (answersBytes != 0) sendBytes(ANSWERS, answersBytes);
  answersBytes = 0;
}

/** One byte of the client's: a character, or -1 when it belongs to the protocol. */
export function telnetTake(byte: u32): i32 {
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
      return command(byte);
    case In.OPTION:
      state = In.TEXT;
      refuse(byte);
      return -1;
    case In.SUB:
      if (byte == IAC) state = In.SUB_COMMAND;
      return -1;
    default:
      state = byte == SE ? In.TEXT : In.SUB;
      return -1;
  }
}

/** A command without an option: the character that it stands for, or -1. */
function command(byte: u32): i32 {
  if (byte == EC) return BACKSPACE;
  if (byte == EL || byte == IP) return KILL;
  if (byte != AYT) return -1;
  const here = text("[yes]\r\n");
  telnetAnswer();
  sendBytes(textAddress(here), textBytes(here));
  return -1;
}

/** Everything is off and stays so: DO is answered with WONT, WILL with DONT; WONT and DONT say nothing new (RFC 1143). */
function refuse(option: u32): void {
  if (verb == WONT || verb == DONT) return;
  if (answersBytes + 3 > ANSWERS_BYTES) telnetAnswer();
  store<u8>(ANSWERS + <usize>answersBytes, <u8>IAC);
  store<u8>(ANSWERS + <usize>answersBytes, <u8>(verb == DO ? WONT : DONT), 1);
  store<u8>(ANSWERS + <usize>answersBytes, <u8>option, 2);
  answersBytes += 3;
}
