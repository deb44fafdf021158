/**
 * Telnet console on port 23: looks at the stack from inside (netstat, ifconfig, arp, ping, nslookup). Blocking style, one client
 * at a time. It has no password: only for networks where everybody may look.
 */
import { putText } from "as-tcpip/firmware/services/writer";
import { accept, close, netPoll, netStart, recv } from "as-tcpip/net";
import { text } from "as-tcpip/text";
import { listenOn, setPatience } from "../common";
import { command } from "./commands";
import { clientGone, lineBegin, lineSend, outputTo, say } from "./output";
import { KILL, telnetAnswer, telnetBegin, telnetTake } from "./telnet";

const PORT: u16 = 23;
/** A silent client is sent away. */
const PATIENCE_MS: u32 = 300_000;
const CHUNK_BYTES: u32 = 64;
const CHUNK: usize = memory.data(CHUNK_BYTES, 4);
const LINE_BYTES: u32 = 80;
const LINE: usize = memory.data(LINE_BYTES, 4);

let lineBytes: u32 = 0;
/** The last character was CR: a LF behind it is part of the same line end. */
let returned: bool = false;

function prompt(): void {
  lineBegin();
  putText(text("> "));
  lineSend();
}

/** Takes one character; false when the client wants to leave. */
function take(character: u32): bool {
  const second = returned && character == 0x0a;
  returned = character == 0x0d;
  if (second) return true;
  if (character == 0x0a || character == 0x0d) {
    const bytes = lineBytes;
    lineBytes = 0;
    const stays = command(LINE, bytes);
    if (stays) prompt();
    return stays;
  }
  const back = character == 0x08 || character == 0x7f;
  if (back && lineBytes != 0) lineBytes -= 1;
  if (character == <u32>KILL) lineBytes = 0;
  if (character < 0x20 || character > 0x7e || lineBytes == LINE_BYTES) return true;
  store<u8>(LINE + <usize>lineBytes, <u8>character);
  lineBytes += 1;
  return true;
}

function serve(client: i32): void {
  setPatience(client, PATIENCE_MS);
  outputTo(client);
  telnetBegin();
  lineBytes = 0;
  returned = false;
  say(text("as-tcpip console; help with any other word"));
  prompt();
  while (!clientGone()) {
    const bytes = recv(client, CHUNK, CHUNK_BYTES, 0);
    if (bytes <= 0) return;
    for (let i: u32 = 0; i < <u32>bytes && !clientGone(); i++) {
      const character = telnetTake(<u32>load<u8>(CHUNK + <usize>i));
      if (character < 0) continue;
      telnetAnswer();
      if (!take(<u32>character)) return;
    }
    telnetAnswer();
  }
}

export function main(): void {
  if (netStart() < 0) return;
  const listener = listenOn(PORT, 0);
  for (;;) {
    const client = accept(listener, null);
    if (client >= 0) {
      serve(client);
      close(client);
    } else netPoll(100);
  }
}
