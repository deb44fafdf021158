/** What each rule of `firmware/hosted/invariants.ts` says, by its number. */
export const RULES: readonly string[] = [
  "",
  "a record is found by its four-tuple",
  "a record of the SYN queue or of TIME-WAIT has a timer",
  "SND.UNA =< SND.NXT =< the highest number sent",
  "no more is in flight than is queued, and the FIN",
  "the send ring holds what it has room for",
  "an open connection has a congestion window",
  "a FIN that was sent was asked for",
  "the scoreboard is in order and within the flight",
  "RCV.NXT is behind the FIN that was taken",
  "what was read =< RCV.NXT, and the ring holds what lies between",
  "no more was taken than was announced",
  "the announced window fits the ring",
  "no more ranges than there is room for",
  "ranges out of order are in order, beyond RCV.NXT, and do not touch",
  "ranges out of order lie within the ring",
  "what is in flight or waits to be sent has a timer",
  "an armed deadline has its timer",
  "a timer comes no later than the deadline",
  "the times of sending are in order and cover the flight",
];

/** The result of `brokenRule()` in words; undefined when all rules hold. */
export function describeRule(result: number): string | undefined {
  if (result === 0) return undefined;
  return `does not hold of record ${result >>> 8}: ${RULES[result & 0xff] ?? `rule ${result & 0xff}`}`;
}
