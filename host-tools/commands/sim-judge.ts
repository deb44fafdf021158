/** The end of a simulation as the end of the command. */
import { UserError } from "../errors.js";
import type { RunResult } from "../sim/world-device.js";
import type { SimOptions } from "./sim-options.js";

/**
 * Turns the end of a run into the end of the command. What the log has said comes first, then how the device ended, then what the
 * network had to say, and last whether an expected text is missing. `name` is that of the device, where there are several.
 *
 * @throws UserError unless the run was good.
 */
export function judge(
  options: Pick<SimOptions, "expect" | "failText" | "timeoutNs" | "limit">,
  result: RunResult,
  failure?: string,
  name?: string,
): void {
  switch (result.reason) {
    case "expected":
      return;
    case "failed":
    case "trap":
    case "hung":
    case "script":
      throw new UserError(endOf(result, name, options.failText));
  }
  if (failure !== undefined) throw new UserError(failure);
  if (options.expect === undefined) return;
  const limits = {
    timeout: `within ${(options.timeoutNs ?? 0) / 1e9} simulated seconds`,
    limit: `within ${options.limit} seconds`,
    stopped: "before the end",
  };
  throw new UserError(`'${options.expect}' did not come ${limits[result.reason]}`);
}

/** How a device has failed, in words. */
export function endOf(result: RunResult, name?: string, failText = ""): string {
  const who = name === undefined ? "the device" : `the device ${name}`;
  switch (result.reason) {
    case "failed":
      return `${who} said '${failText}': ${result.message}`;
    case "hung":
      return `${who} hangs: its firmware runs in a loop that never looks at the clock, a pin or the network`;
    case "script":
      return result.message ?? "";
    default:
      return `${who} has stopped: ${result.message}`;
  }
}
