import { now } from "./now";
import { random32 } from "./random";

/**
 * Token bucket for answers that strangers can ask for. While it is at least half full an answer costs one token; below that
 * the price is 1 to 4 at random, so that nobody can count what others have used up (SAD DNS, CVE-2020-25705).
 */
@unmanaged
export class RateLimit {
  /** Tokens used up; 0 = full. */
  used: u32;
  /** Time up to which tokens were given back. */
  lastMs: u32;
}

/** Takes from a bucket of `burst` tokens that gets one back each 2^`shift` ms; false when it is empty. */
export function rateLimitTake(limit: RateLimit, burst: u32, shift: u32): bool {
  const back = (now() - limit.lastMs) >>> shift;
  limit.lastMs += back << shift;
  let used = limit.used;
  used = used > back ? used - back : 0;
  const price: u32 = used * 2 <= burst ? 1 : 1 + (random32() & 3);
  const granted = used + price <= burst;
  limit.used = granted ? used + price : used;
  return granted;
}
