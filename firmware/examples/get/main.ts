/** HTTP client: gets `/` of the host `web`, or of the router, each minute and tells what came. */
import { log1, log4 } from "as-tcpip/log";
import { netStart } from "as-tcpip/net";
import { text } from "as-tcpip/text";
import { clockMs } from "as-tcpip/time";
import { pause, serverOf } from "../common";
import { httpClose, httpGet, httpRead } from "./client";

const PERIOD_MS: u32 = 60_000;
const PIECE_BYTES: u32 = 256;
const PIECE: usize = memory.data(PIECE_BYTES, 4);

/** Length and FNV-1a of the body. */
let bodyBytes: u32 = 0;
let digest: u32 = 0;

/** Reads the body: 0 or a negative errno. */
function readBody(): i32 {
  bodyBytes = 0;
  digest = 0x811c9dc5;
  let bytes = httpRead(PIECE, PIECE_BYTES);
  for (; bytes > 0; bytes = httpRead(PIECE, PIECE_BYTES)) {
    bodyBytes += <u32>bytes;
    for (let i: u32 = 0; i < <u32>bytes; i++) {
      digest = (digest ^ (<u32>load<u8>(PIECE + <usize>i))) * 0x01000193;
    }
  }
  return bytes;
}

export function main(): void {
  if (netStart() < 0) return;
  const server = serverOf(text("web"));
  for (;;) {
    const start = clockMs();
    const status = httpGet(server, 80, text("web"), text("/"));
    const result = status < 0 ? status : readBody();
    httpClose();
    if (result < 0) log1("warn: GET failed (error %d)", <u32>-result);
    else
      log4(
        "info: GET %u: %u bytes, digest %x, %u ms",
        <u32>status,
        bodyBytes,
        digest,
        clockMs() - start,
      );
    pause(PERIOD_MS);
  }
}
