/** UDP time client: asks the router for the time (SNTP, RFC 4330) every five minutes, and tells it each minute. */
import { log1, log3 } from "as-tcpip/log";
import { netGateway, netPoll, netStart, sntpSync, wallClock, wallClockKnown } from "as-tcpip/net";
import { clockMs } from "as-tcpip/time";

const MINUTE_MS: u32 = 60_000;
/** After a question without an answer; it doubles, up to five minutes. */
const RETRY_MS: u32 = 15_000;
const AGAIN_MS: u32 = 300_000;

/** Tells date and time. Days to a date of the calendar, in eras of 400 years that begin in March. */
function tell(): void {
  const seconds = wallClock();
  const days = seconds / 86400 + 719468;
  const day = days % 146097;
  const year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
  const dayOfYear = day - (365 * year + year / 4 - year / 100);
  const part = (5 * dayOfYear + 2) / 153;
  const month = part < 10 ? part + 3 : part - 9;
  const civil = (days / 146097) * 400 + year + (month <= 2 ? 1 : 0);
  log3("info: date %u-%u-%u", civil, month, dayOfYear - (153 * part + 2) / 5 + 1);
  log3("info: time %u:%u:%u UTC", (seconds / 3600) % 24, (seconds / 60) % 60, seconds % 60);
}

/** Waits, and tells the time each minute once it is known. */
function pause(ms: u32): void {
  const start = clockMs();
  let told = start;
  for (let passed: u32 = 0; passed < ms; passed = clockMs() - start) {
    netPoll(min<u32>(ms - passed, MINUTE_MS));
    if (!wallClockKnown() || clockMs() - told < MINUTE_MS) continue;
    told += MINUTE_MS;
    tell();
  }
}

export function main(): void {
  if (netStart() < 0) return;
  while (netGateway() == 0) netPoll(1000);
  let retryMs = RETRY_MS;
  for (;;) {
    const result = sntpSync(netGateway());
    if (result == 0) {
      tell();
      retryMs = RETRY_MS;
      pause(AGAIN_MS);
    } else {
      log1("warn: no time (error %d)", <u32>-result);
      pause(retryMs);
      retryMs = min<u32>(retryMs << 1, AGAIN_MS);
    }
  }
}
