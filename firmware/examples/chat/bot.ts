/** A part of the same firmware that takes part in the chat by AF_UNIX: who says "uptime?" is told. */
import { putNumber, putText, writeTo, written } from "as-tcpip/firmware/services/writer";
import { MSG_DONTWAIT, recv, send } from "as-tcpip/net";
import { uptimeSeconds } from "as-tcpip/netstat";
import { text, textAddress, textBytes } from "as-tcpip/text";

const CHUNK_BYTES: u32 = 64;
const CHUNK: usize = memory.data(CHUNK_BYTES, 4);
const OUT_BYTES: u32 = 48;
const OUT: usize = memory.data(OUT_BYTES, 4);

/** How much of the question has been heard. */
let heard: u32 = 0;

export function botEnter(fd: i32): void {
  const nick = text("/nick clock\n");
  send(fd, textAddress(nick), textBytes(nick), MSG_DONTWAIT);
}

/** Hears what is said, and answers. */
export function botHear(fd: i32): void {
  const bytes = recv(fd, CHUNK, CHUNK_BYTES, MSG_DONTWAIT);
  const question = text("uptime?");
  for (let i: i32 = 0; i < bytes; i++) {
    const character = load<u8>(CHUNK + <usize>i);
    if (character != load<u8>(textAddress(question) + <usize>heard)) heard = 0;
    if (character == load<u8>(textAddress(question) + <usize>heard)) heard += 1;
    if (heard != textBytes(question)) continue;
    heard = 0;
    writeTo(OUT, OUT_BYTES);
    putText(text("up for "));
    putNumber(uptimeSeconds());
    putText(text(" s\n"));
    send(fd, OUT, written(), MSG_DONTWAIT);
  }
}
