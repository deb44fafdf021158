import type { LogLine } from "../log/decode.js";
import type { Clock } from "./types.js";

/** Distinct violations that are told; a driver that makes more has been understood. */
const DISTINCT_MAX = 100;

/**
 * Tells of illegal accesses in the device's log, each distinct one once: a driver that breaks a rule does it with every frame.
 */
export function violationLog(
  clock: Clock,
  log: (line: LogLine) => void,
): (message: string) => void {
  const told = new Set<string>();
  return (message) => {
    if (told.has(message) || told.size >= DISTINCT_MAX) return;
    told.add(message);
    log({ timeMs: clock.nowNs / 1e6, level: "error", text: message });
  };
}
