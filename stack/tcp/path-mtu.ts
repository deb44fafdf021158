import { ICMP_ERRORS } from "../config";
import { now } from "../now";
import { Tcb } from "./connection";

/** The segment size follows the path: down when a router says so (RFC 1191 4, icmp.ts), and up again after a time (6.3). */

/** Ten minutes (RFC 1191 6.3) in units of 131 s, rounded up. */
const RAISE_AFTER: u32 = 5;

function mark(): u32 {
  return now() >>> 17;
}

/** What a router has asked for is believed now: the segment has not got through (RFC 5927 7.2). */
export function mssLower(tcb: Tcb): void {
  tcb.sndMss = <u16>((<u32>tcb.routerMss) << 3);
  tcb.routerMss = 0;
  tcb.mssLowered = <u8>mark();
}

/**
 * To be called now and then while text gets through. After ten minutes at a smaller size the full one is tried; if a router
 * still objects, another ten minutes pass.
 */
export function mssRaise(tcb: Tcb): void {
  if (!ICMP_ERRORS || tcb.sndMss >= tcb.peerMss) return;
  if (<u32>(<u8>(mark() - <u32>tcb.mssLowered)) >= RAISE_AFTER) tcb.sndMss = tcb.peerMss;
}
