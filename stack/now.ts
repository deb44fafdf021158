/** Time of the present turn, milliseconds, wraps after 49 days. The stack reads no clock: `stackPoll` is given the time. */
let current: u32 = 0;

/** The time of this turn, ms; it wraps. */
export function now(): u32 {
  return current;
}

/** Sets the time of this turn; only the poll loop does. */
export function setNow(nowMs: u32): void {
  current = nowMs;
}

/** True when `dueMs` has come, across the wrap. */
export function isDue(dueMs: u32): bool {
  return <i32>(current - dueMs) >= 0;
}
