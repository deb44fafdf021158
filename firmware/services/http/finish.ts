/** What follows each piece that was sent, and each response. */
import { POLLIN } from "../../net/sockets";
import { Client, Phase, enterPhase, progress } from "../client";
import { abandon, sayGoodbye } from "../endings";
import { wouldBlock } from "../scratch";
import { Flag, has } from "./message";

/** Books the result of a send: false when the client is gone or has no room. */
export function took(c: Client, sent: i32): bool {
  if (sent < 0) {
    if (!wouldBlock(sent)) abandon(c);
    return false;
  }
  c.sent += <u32>sent;
  progress(c, <u32>sent);
  return true;
}

/** The whole response is in the socket's hands: next request, or goodbye. */
export function responseEnd(c: Client): void {
  if (!has(c, Flag.KEEP)) return sayGoodbye(c, Phase.LINGER);
  c.events = <u16>POLLIN;
  enterPhase(c, Phase.IDLE);
}
