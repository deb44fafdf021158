/** Lines to the client of the console: composed in one buffer, then sent. */
import { putCharacter, putText, writeTo, written } from "as-tcpip/firmware/services/writer";
import { send } from "as-tcpip/net";
import { Text, text } from "as-tcpip/text";

const LINE_BYTES: u32 = 160;
const LINE: usize = memory.data(LINE_BYTES, 4);

let fd: i32 = -1;
let gone: bool = false;

/** Begins a session. */
export function outputTo(client: i32): void {
  fd = client;
  gone = false;
}

/** True when the client takes nothing any more. */
export function clientGone(): bool {
  return gone;
}

/** Begins a line; it is put with the writer, and `lineEnd` sends it. */
export function lineBegin(): void {
  writeTo(LINE, LINE_BYTES);
}

/** Sends bytes. A client that has not taken them all in the time of its patience is gone. */
export function sendBytes(from: usize, bytes: u32): void {
  if (!gone && send(fd, from, bytes, 0) != <i32>bytes) gone = true;
}

/** Sends what was put, without a line end. */
export function lineSend(): void {
  sendBytes(LINE, written());
}

export function lineEnd(): void {
  putText(text("\r\n"));
  lineSend();
}

/** A whole line. */
export function say(words: Text): void {
  lineBegin();
  putText(words);
  lineEnd();
}

/** Fills up with spaces, up to a column. */
export function putColumn(column: u32): void {
  do putCharacter(0x20);
  while (written() < column);
}
