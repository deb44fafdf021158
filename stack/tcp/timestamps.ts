import { TCP_TIMESTAMPS } from "../config";
import { now } from "../now";
import { keyedHash } from "../random";
import { Tcb, TcbFlag } from "./connection";
import { Segment, TIMESTAMP_BYTES } from "./segment";
import { seqAtMost } from "./sequence";

/**
 * The timestamps option (RFC 7323 3 to 5): each segment carries the time of its sender's clock and the latest of its peer's. An
 * acknowledgment so tells the round trip whatever was sent again, and a segment of a bygone turn of the sequence numbers is
 * known by its age (PAWS).
 */

/** TS.Recent is kept for 24 days (RFC 7323 5.5), here in units of 2^24 ms. */
const AGE_SHIFT: u32 = 24;
const OUTDATED: u32 = 124;

/** The tuple that was asked for last, and its number: a handshake asks twice. */
let askedLocal: u32 = 0;
let askedRemote: u32 = 0;
let askedPorts: u32 = 0;
let answered: u32 = 0;

/** Clock of a connection: milliseconds beside a secret number of its own, so that it does not tell the time since the start. */
export function timestampOffset(localAddress: u32, remoteAddress: u32, ports: u32): u32 {
  if (remoteAddress != askedRemote || ports != askedPorts || localAddress != askedLocal) {
    askedLocal = localAddress;
    askedRemote = remoteAddress;
    askedPorts = ports;
    // No local address is the complement of one, nor are three bytes of two in one network: these numbers say nothing of initial
    // sequence numbers.
    answered = keyedHash(remoteAddress, ports, ~localAddress);
  }
  return answered;
}

/** True when both ends send timestamps. */
export function timestampsUsed(tcb: Tcb): bool {
  return TCP_TIMESTAMPS && (tcb.flags & TcbFlag.TIMESTAMPS) != 0;
}

/**
 * Both ends have agreed; `recent` is the peer's clock, if `known`. The option's room comes off the text of every segment (RFC 6691 2).
 */
export function timestampsBegin(tcb: Tcb, recent: u32, known: bool): void {
  tcb.flags |= TcbFlag.TIMESTAMPS;
  tcb.sndMss = <u16>(<u32>tcb.sndMss - TIMESTAMP_BYTES);
  tcb.peerMss = tcb.sndMss;
  tcb.tsRecent = recent;
  const age = now() >>> AGE_SHIFT;
  tcb.tsAge = <u8>(known ? age : age - OUTDATED);
}

function outdated(tcb: Tcb): bool {
  return <u32>(<u8>((now() >>> AGE_SHIFT) - <u32>tcb.tsAge)) >= OUTDATED;
}

/** PAWS (RFC 7323 5.3 R1): true for a segment that is older than what the peer has sent since. */
export function timestampIsOld(tcb: Tcb, segment: Segment): bool {
  return <i32>(segment.tsVal - tcb.tsRecent) < 0 && !outdated(tcb);
}

/** An acceptable segment: its time is TS.Recent if it reaches back to the last acknowledgment (RFC 7323 4.3). */
export function timestampTake(tcb: Tcb, segment: Segment): void {
  if (!segment.stamped || !seqAtMost(segment.seq, tcb.rcvNxt - <u32>tcb.unackedBytes)) return;
  if (timestampIsOld(tcb, segment)) return;
  tcb.tsRecent = segment.tsVal;
  tcb.tsAge = <u8>(now() >>> AGE_SHIFT);
}

/** Our clock as this connection's segments show it. */
export function timestampNow(tcb: Tcb): u32 {
  return now() + tcb.tsOffset;
}
