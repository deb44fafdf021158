import { TCP_ECN } from "../config";
import { congestionOnEcho } from "./congestion";
import { Tcb, TcbFlag } from "./connection";
import { Segment, TcpBit } from "./segment";
import { seqLess } from "./sequence";

/**
 * Explicit congestion notification (RFC 3168): a router that would have to drop a segment marks it, the receiver says so in its
 * acknowledgments, and the sender slows down as after a loss, without one.
 */

/** Bits of `Tcb.ecn`. */
const enum EcnBit {
  /** Both ends have agreed. */
  ON = 1,
  /** A mark has come: acknowledgments say so until the peer has heard of it. */
  ECHO = 2,
  /** The window was cut: the next new text says so. */
  REDUCED = 4,
}

/** What a SYN that offers it has set (RFC 3168 6.1.1); a SYN-ACK that agrees has only ECE. */
export const ECN_SETUP: u32 = TcpBit.ECE | TcpBit.CWR;
/** ECN field of text that may be marked: ECT(0). */
export const ECN_CAPABLE: u32 = 2;
/** ECN field of a packet that was marked. */
export const ECN_MARKED: u32 = 3;

/** True for a SYN that offers ECN, or a SYN-ACK (`agrees`) that takes it. */
export function ecnOffered(segment: Segment, agrees: bool): bool {
  return TCP_ECN && (segment.bits & ECN_SETUP) == (agrees ? <u32>TcpBit.ECE : ECN_SETUP);
}

/** Both ends have agreed. */
export function ecnBegin(tcb: Tcb): void {
  tcb.ecn = <u8>EcnBit.ON;
}

function used(tcb: Tcb): bool {
  return TCP_ECN && tcb.ecn != 0;
}

/** An acceptable segment: marks to be echoed, until the peer has cut its window (RFC 3168 6.1.3). */
export function ecnInput(tcb: Tcb, segment: Segment): void {
  if (!used(tcb)) return;
  let bits = <u32>tcb.ecn;
  if ((segment.bits & TcpBit.CWR) != 0) bits &= ~EcnBit.ECHO;
  if (segment.marked && segment.textBytes != 0) bits |= EcnBit.ECHO;
  tcb.ecn = <u8>bits;
}

/** An acknowledgment that counts: an echo cuts the window, once for each window of data (RFC 3168 6.1.2). */
export function ecnAcknowledged(tcb: Tcb, segment: Segment): void {
  if (used(tcb) && (segment.bits & TcpBit.ECE) != 0 && congestionOnEcho(tcb)) ecnReduced(tcb);
}

/** The window was cut, for a mark or a loss: the peer is told with the next new text (RFC 3168 6.1.2). */
export function ecnReduced(tcb: Tcb): void {
  if (used(tcb)) tcb.ecn |= <u8>EcnBit.REDUCED;
}

/** Control bits that a segment carries; `fresh` = it has text that was never sent, inside of the window. */
export function ecnBits(tcb: Tcb, fresh: bool): u32 {
  if (!used(tcb)) return 0;
  const echo: u32 = ((<u32>tcb.ecn) & EcnBit.ECHO) != 0 ? TcpBit.ECE : 0;
  return echo | (fresh && ((<u32>tcb.ecn) & EcnBit.REDUCED) != 0 ? <u32>TcpBit.CWR : 0);
}

/** True for text that may be marked: no retransmission, no window probe, no bare acknowledgment (RFC 3168 6.1.4 to 6.1.6). */
export function ecnFresh(tcb: Tcb, seq: u32, bytes: u32): bool {
  return used(tcb) && bytes != 0 && !seqLess(seq, tcb.sndMax) && (tcb.flags & TcbFlag.FORCE) == 0;
}

/** A segment with CWR has left. */
export function ecnTold(tcb: Tcb): void {
  tcb.ecn &= ~(<u8>EcnBit.REDUCED);
}
