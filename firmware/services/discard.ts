/** Discard (RFC 863) over TCP; `iperf` sends to the same service. */
import { POLLIN } from "../net/sockets";
import { Client, progress } from "./client";
import { abandon, leave } from "./endings";
import { drop, wouldBlock } from "./scratch";
import { SCRATCH_BYTES } from "./sizes";

/** Reads in one turn: as much as a receive ring holds, at most. */
const READS_A_TURN: u32 = 8;

/** One turn of a discard client. */
export function discardTurn(c: Client): void {
  c.events = <u16>POLLIN;
  for (let i: u32 = 0; i < READS_A_TURN; i++) {
    const dropped = drop(c.fd, SCRATCH_BYTES);
    if (dropped == 0) return leave(c);
    if (wouldBlock(dropped)) return;
    if (dropped < 0) return abandon(c);
    progress(c, <u32>dropped);
  }
}
