import test from "ava";
import { compileFirmware } from "../../host-tools/build/compile.js";
import { judge } from "../../host-tools/commands/sim-judge.js";
import { UserError } from "../../host-tools/errors.js";
import { encodeSettings } from "../../host-tools/settings.js";
import type { RunResult } from "../../host-tools/sim/world-device.js";
import { startVirtual } from "../../host-tools/sim/world-threads.js";

const OPTIONS = { expect: "lease", failText: "error", timeoutNs: 5e9, limit: 7 };

/** What the user is told; undefined for a good end. */
function said(reason: RunResult["reason"], failure?: string, name?: string): string | undefined {
  try {
    judge(OPTIONS, { reason, message: "what happened", simulatedMs: 1 }, failure, name);
    return undefined;
  } catch (error) {
    return error instanceof UserError ? error.message : String(error);
  }
}

test("the end of a run is judged in order: the log, the device, the network, what is missing", (t) => {
  t.is(said("expected", "the stream has ended"), undefined);
  t.is(said("failed", "x"), "the device said 'error': what happened");
  t.is(said("trap", "x", "web"), "the device web has stopped: what happened");
  t.regex(said("hung", "x") ?? "", /^the device hangs: /);
  t.is(said("stopped", "the stream has ended"), "the stream has ended");
  t.is(said("timeout"), "'lease' did not come within 5 simulated seconds");
  t.is(said("limit"), "'lease' did not come within 7 seconds");
  t.is(said("stopped"), "'lease' did not come before the end");
});

test("without --expect every end but a failure is good", (t) => {
  for (const reason of ["stopped", "timeout", "limit"] as const) {
    const options = { ...OPTIONS, expect: undefined };
    t.notThrows(() => judge(options, { reason, simulatedMs: 1 }));
  }
});

test("H6: a firmware that never looks at its hardware is found out", async (t) => {
  const firmware = await compileFirmware({ board: "virtual-w5500", app: "test/device/spin" });
  const spec = { firmware, settings: encodeSettings({}), seed: 1, timeoutNs: 1e9 };
  const thread = startVirtual(spec, { dhcp: false }, {}, 200);
  t.is((await thread.ended).reason, "hung");
});
