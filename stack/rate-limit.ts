import { now } from "./now";
import { random32 } from "./random";

/**
 * Limits answers that strangers can ask for: a bucket of credit that fills by 16 units each millisecond. While it is at least
 * half full an answer has its price; below that 1 to 4 times that at random, so that nobody can count what others have used
 * up (SAD DNS, CVE-2020-25705).
 */
@unmanaged
export class RateLimit {
  /** Credit used up; 0 = full. */
  used: u32;
  /** Time up to which credit was given back. */
  lastMs: u32;
}

/** Takes `price` from a bucket that holds `burst`; false when there is not enough in it. */
export function rateLimitTake(limit: RateLimit, burst: u32, price: u32): bool {
  const back = (now() - limit.lastMs) << 4;
  limit.lastMs = now();
  let used = limit.used;
  used = used > back ? used - back : 0;
  if (used * 2 > burst) price *= 1 + (random32() & 3);
  const granted = used + price <= burst;
  limit.used = granted ? used + price : used;
  return granted;
}
