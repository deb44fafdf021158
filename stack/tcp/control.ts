import { SOCKET_MORE_OPTIONS, TCP_CONGESTION_CONTROL, TCP_CUBIC } from "../config";
import { Tcb } from "./connection";

/**
 * The two congestion controls, by the two questions in which they differ: what a loss leaves of the window, and what a round trip
 * without one adds. NewReno (RFC 5681, 6582) is always there; with TCP_CUBIC an image has CUBIC, too, which is the rule then, and
 * TCP_CONGESTION chooses for each connection. Of CUBIC (RFC 9438) it is the Reno-friendly region (4.3): for windows of 32 KB, our
 * rings at most, the cubic is not faster before round trips of more than 100 ms.
 */

/** An application can choose. */
const CHOICE: bool = TCP_CUBIC && SOCKET_MORE_OPTIONS && TCP_CONGESTION_CONTROL;

/** CUBIC's part of 64 that a loss leaves, beta_cubic = 0.7 (RFC 9438 4.6), and NewReno's (RFC 5681 equation 4). */
const CUBIC_KEEPS: u32 = 45;
const RENO_KEEPS: u32 = 32;

/** The connection is CUBIC's. */
function isCubic(tcb: Tcb): bool {
  return CHOICE ? !tcb.reno : TCP_CUBIC;
}

/** TCP_CONGESTION: this connection is NewReno's, or the image's rule holds. */
export function controlChoose(tcb: Tcb, reno: bool): void {
  if (CHOICE) tcb.reno = reno;
}

/**
 * What a loss leaves, with `flight` bytes on the way. CUBIC counts the part of a segment, too, for which the window had grown already:
 * of ten segments half a one, lost at each cut, is a twentieth of all that is sent.
 */
export function controlKeeps(tcb: Tcb, flight: u32): u32 {
  if (!isCubic(tcb)) return (flight >>> 6) * RENO_KEEPS;
  const whole = tcb.cwnd - flight < <u32>tcb.sndMss ? tcb.cwnd : flight;
  return (whole >>> 6) * CUBIC_KEEPS;
}

/**
 * Bytes by which the window grows in a round trip of congestion avoidance, by the bytes acknowledged, however many segments an ACK
 * stands for: one segment (RFC 5681 3.1, RFC 3465 2.1). With CUBIC 0.53 of one as long as the window is not where it was before
 * the loss (RFC 9438 4.3).
 */
export function controlAdds(tcb: Tcb): u32 {
  const mss = <u32>tcb.sndMss;
  if (!isCubic(tcb) || tcb.cwnd >= (tcb.ssthresh >>> 6) * 91) return mss;
  return (mss * 17) >>> 5;
}
