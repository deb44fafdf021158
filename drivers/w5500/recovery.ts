/**
 * What has to be mended, and what is known of the chip. Faults are found in the middle of frames, but only `nicPoll`
 * mends them, when no stream is open.
 */

/** Rungs of the ladder, from cheap to dear. */
export const enum Recovery {
  NONE = 0,
  /** CLOSE and OPEN of the socket: both directions are emptied. */
  REOPEN = 1,
  /** Reset by register and set up anew; the link stays. */
  REINIT = 2,
  /** Reset by pin and set up anew. */
  RESET = 3,
}

let needed: Recovery = Recovery.NONE;

/** Asks for a repair; the dearest one asked for is made. */
export function needRecovery(rung: Recovery): void {
  if (rung > needed) needed = rung;
}

/** The repair that is asked for. */
export function recoveryNeeded(): Recovery {
  return needed;
}

export function recoveryDone(): void {
  needed = Recovery.NONE;
}
