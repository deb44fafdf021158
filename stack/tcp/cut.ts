import { TCP_TCBS } from "../config";
import { now } from "../now";
import { Tcb } from "./connection";
import { seqMax } from "./sequence";

/**
 * The latest cut of the congestion window, as long as it may turn out to have been for nothing (spurious.ts): what the window was, and
 * what has been sent again for it.
 */

/** What would show that the cut was for nothing. */
export const enum Doubt {
  NONE = 0,
  /** After a fast retransmit: the echo of the first acknowledgment that advances (RFC 3522). */
  RECOVERY = 1,
  /** That all of what was sent again is reported as duplicate (RFC 3708); so it is in the other cases, too. */
  DUPLICATES = 2,
  /** After a timeout without timestamps: step 2 and step 3 of F-RTO (RFC 5682 3.1). */
  TIMEOUT = 3,
  PROBING = 4,
}

@unmanaged
export class Cut {
  /** What was sent again lies from here to there. */
  from: u32;
  to: u32;
  /** Bytes sent again, less those that were reported as duplicates. */
  bytes: u16;
  /** When the first was: the low 16 bits. */
  sentMs: u16;
  /** pipe_prev (RFC 4015 3.2 step 1) in units of 64 bytes. */
  before: u16;
  /** Doubt. */
  doubt: u16;
}

const BEFORE_SHIFT: u32 = 6;

/** The record of a connection. */
export function cutOf(tcb: Tcb): Cut {
  // In the function, so that a build without has no such table.
  const CUTS: usize = memory.data(TCP_TCBS * offsetof<Cut>(), 4);
  return changetype<Cut>(CUTS + <u32>tcb.id * offsetof<Cut>());
}

/** The window, `before` bytes, is about to be cut. */
export function cutBegin(tcb: Tcb, before: u32, doubt: Doubt): void {
  const cut = cutOf(tcb);
  cut.from = tcb.sndUna;
  cut.to = tcb.sndUna;
  cut.bytes = 0;
  cut.before = <u16>(before >>> BEFORE_SHIFT);
  cut.doubt = <u16>doubt;
}

/** Bytes that the window had before. */
export function cutBefore(cut: Cut): u32 {
  return (<u32>cut.before) << BEFORE_SHIFT;
}

/** There is no doubt. */
export function cutForget(tcb: Tcb): void {
  cutOf(tcb).doubt = <u16>Doubt.NONE;
}

/** Text [seq, seq + bytes) leaves again. */
export function cutSentAgain(tcb: Tcb, seq: u32, bytes: u32): void {
  const cut = cutOf(tcb);
  if (cut.doubt == Doubt.NONE) return;
  if (cut.to == cut.from) cut.sentMs = <u16>now();
  cut.to = seqMax(cut.to, seq + bytes);
  const sum = <u32>cut.bytes + bytes;
  if (sum > 0xffff) cut.doubt = <u16>Doubt.NONE;
  cut.bytes = <u16>sum;
}
