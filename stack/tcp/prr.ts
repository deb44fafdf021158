import { TCP_TCBS } from "../config";
import { Tcb } from "./connection";
import { sackedBytes } from "./sack";
import { seqLess } from "./sequence";

/**
 * Proportional rate reduction (RFC 9937): in a recovery the window shrinks with what arrives, part by part, so that sending neither
 * stops for half a round trip nor begins again with a burst. What has left when the recovery ends is what the congestion control
 * wants to be in flight.
 */
@unmanaged
class Reduction {
  /** RecoverFS: what was to arrive when the recovery began. */
  recoverBytes: u32;
  /** SND.UNA and the reported bytes, summed, then and after the latest acknowledgment: what has arrived since. */
  began: u32;
  latest: u32;
  /** prr_out: sent since. */
  outBytes: u32;
  /** On the way, as far as was known then, with what was sent since. */
  pipeBytes: u32;
}

function reductionOf(tcb: Tcb): Reduction {
  // In the function, so that a build without PRR has no such table.
  const REDUCTIONS: usize = memory.data(TCP_TCBS * offsetof<Reduction>(), 4);
  return changetype<Reduction>(REDUCTIONS + <u32>tcb.id * offsetof<Reduction>());
}

/** A recovery begins with `pipe` bytes on the way; the window holds them, and the segment that is sent again at once. */
export function prrBegin(tcb: Tcb, pipe: u32): void {
  const it = reductionOf(tcb);
  const sacked = sackedBytes(tcb);
  it.recoverBytes = max<u32>(tcb.sndMax - tcb.sndUna - sacked, 1);
  it.began = tcb.sndUna + sacked;
  it.latest = it.began;
  it.outBytes = 0;
  it.pipeBytes = pipe;
  tcb.cwnd = pipe + <u32>tcb.sndMss;
}

/** `bytes` leave in a recovery. */
export function prrSent(tcb: Tcb, bytes: u32): void {
  const it = reductionOf(tcb);
  it.outBytes += bytes;
  it.pipeBytes += bytes;
}

/** An acknowledgment has come in a recovery, `pipe` bytes are on the way now; `advances`: it has moved SND.UNA. */
export function prrAcknowledged(tcb: Tcb, pipe: u32, advances: bool): void {
  const it = reductionOf(tcb);
  const mss = <u32>tcb.sndMss;
  const delivered = tcb.sndUna + sackedBytes(tcb);
  if (!seqLess(it.latest, delivered)) return;
  const deliveredBytes = delivered - it.latest;
  it.latest = delivered;
  const arrived = delivered - it.began;
  // More has gone than has arrived: further losses were found.
  const further = pipe + deliveredBytes < it.pipeBytes;
  it.pipeBytes = pipe;
  let more: u32;
  if (pipe > tcb.ssthresh) {
    // "sndcnt = CEIL(prr_delivered * ssthresh / RecoverFS) - prr_out", in units of 8 bytes: no flight is longer than a ring of 32 KB.
    const all = (it.recoverBytes >>> 3) + 1;
    const part = (((arrived >>> 3) * (tcb.ssthresh >>> 3) + all - 1) / all) << 3;
    more = part > it.outBytes ? part - it.outBytes : 0;
  } else {
    more = max<u32>(arrived > it.outBytes ? arrived - it.outBytes : 0, deliveredBytes);
    // "safeACK": it has moved SND.UNA, and tells of no further loss.
    if (advances && !further) more += mss;
    more = min<u32>(more, tcb.ssthresh - pipe);
  }
  tcb.cwnd = max<u32>(pipe + more, mss);
}
