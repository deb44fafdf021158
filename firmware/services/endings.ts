/** The ways in which a client's connection ends. */
import {
  POLLIN,
  SHUT_WR,
  SOL_SOCKET,
  SO_LINGER,
  close,
  setsockopt,
  shutdown,
} from "../net/sockets";
import { Client, Phase, enterPhase } from "./client";
import { Flag, has } from "./http/message";
import { drop, wouldBlock } from "./scratch";
import { SCRATCH_BYTES } from "./sizes";

const LINGER: usize = memory.data(8, 4);

/** Closes a client in good order and frees its record, at once or when the application has been told. */
export function leave(c: Client): void {
  close(c.fd);
  c.phase = <u8>(has(c, Flag.TELLS) ? Phase.GONE : Phase.FREE);
}

/**
 * Resets a client's connection (RFC 9293 3.10.5) and frees its record: nothing of it stays in the
 * stack.
 */
export function abandon(c: Client): void {
  store<u32>(LINGER, 1);
  store<u32>(LINGER + 4, 0);
  setsockopt(c.fd, SOL_SOCKET, SO_LINGER, LINGER, 8);
  leave(c);
}

/**
 * Sends our FIN and goes on reading until the client's FIN comes: closing at once would answer text
 * that is still on its way with a reset, which can destroy the response in the client's hands (RFC
 * 9112 9.6).
 */
export function sayGoodbye(c: Client, phase: Phase): void {
  if (shutdown(c.fd, SHUT_WR) < 0) {
    abandon(c);
    return;
  }
  c.events = <u16>POLLIN;
  enterPhase(c, phase);
}

/** Reads and drops what a client says after our FIN; its own FIN ends the connection. */
export function lingerTurn(c: Client): void {
  const dropped = drop(c.fd, SCRATCH_BYTES);
  if (dropped == 0) leave(c);
  else if (dropped < 0 && !wouldBlock(dropped)) abandon(c);
}
