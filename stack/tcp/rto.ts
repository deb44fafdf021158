import { TCP_RTO_MIN_MS } from "../config";
import { Tcb } from "./connection";

/** Retransmission timeout (RFC 6298), in milliseconds: the clock's granularity G is 1. */
export const RTO_INITIAL_MS: u32 = 1000;
/** When the SYN had to be sent again (RFC 6298 5.7). */
export const RTO_AFTER_SYN_LOSS_MS: u32 = 3000;
export const RTO_MAX_MS: u32 = 60000;

/** Takes a round-trip sample. `srtt` is kept times 8 and `rttvar` times 4, so that the filters are shifts. */
export function rtoSample(tcb: Tcb, rttMs: u32): void {
  if (tcb.srtt == 0) {
    rtoBegin(tcb, rttMs);
    return;
  }
  rttMs = min<u32>(rttMs, RTO_MAX_MS);
  const srtt = tcb.srtt >>> 3;
  const error = srtt > rttMs ? srtt - rttMs : rttMs - srtt;
  tcb.rttvar = tcb.rttvar - (tcb.rttvar >>> 2) + error;
  tcb.srtt = max<u32>(tcb.srtt - srtt + rttMs, 1);
  rtoRestore(tcb);
}

/**
 * True for a sample that would change nothing, as most are on a link that takes less than a millisecond: no further from the mean than the
 * filters can tell, and the timeout is the shortest.
 */
export function rtoConfirms(tcb: Tcb, rttMs: u32): bool {
  return (
    tcb.srtt != 0 && tcb.srtt >>> 3 == rttMs && tcb.rttvar < 4 && tcb.rto == <u16>TCP_RTO_MIN_MS
  );
}

/** A first sample, or one that makes those before it worthless (RFC 6298 2.2, RFC 4015 3.2 step 7). */
export function rtoBegin(tcb: Tcb, rttMs: u32): void {
  rttMs = min<u32>(rttMs, RTO_MAX_MS);
  tcb.srtt = max<u32>(rttMs << 3, 1);
  tcb.rttvar = rttMs << 1;
  rtoRestore(tcb);
}

/** The timeout by what was measured, without back-off: SRTT + max(G, 4 * RTTVAR) (RFC 6298 2.2, 2.3). */
export function rtoRestore(tcb: Tcb): void {
  const rto = tcb.srtt == 0 ? RTO_INITIAL_MS : (tcb.srtt >>> 3) + max<u32>(1, tcb.rttvar);
  tcb.rto = <u16>min<u32>(max<u32>(rto, TCP_RTO_MIN_MS), RTO_MAX_MS);
}

/** Doubles the timeout after an expiry (RFC 6298 5.5). */
export function rtoBackOff(tcb: Tcb): void {
  tcb.rto = <u16>min<u32>((<u32>tcb.rto) << 1, RTO_MAX_MS);
}
