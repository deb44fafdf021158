import { createHash } from "node:crypto";
import test from "ava";
import type { Firmware } from "../../host-tools/build/compile.js";
import { hostedFirmware } from "../../host-tools/net/hosted-stack.js";
import { runScenario } from "../../host-tools/simulate/run.js";
import {
  BUILDS,
  SCENARIOS,
  drawScenario,
  type Scenario,
} from "../../host-tools/simulate/scenario.js";

/** Everything that goes over the link in a run, with the time of each frame to the nanosecond. */
function trafficOf(firmware: Firmware, scenario: Scenario): { frames: number; hash: string } {
  const hash = createHash("sha256");
  let frames = 0;
  const { violation } = runScenario(firmware, scenario, (event, side, frame, nowNs) => {
    frames++;
    hash.update(`${event} ${side} ${nowNs} `).update(frame);
  });
  return { frames, hash: violation ? violation.message : hash.digest("hex") };
}

test("the fast path does what the general way does: same scenarios, same frames at the same times", async (t) => {
  const [fast, general] = await Promise.all([
    hostedFirmware(BUILDS.middle),
    hostedFirmware({ ...BUILDS.middle, TCP_FAST_PATH: 0 }),
  ]);
  let frames = 0;
  for (let run = 0; run < 60; run++) {
    const name = SCENARIOS[run % SCENARIOS.length] as string;
    const scenario = drawScenario(5, run, name, ["middle"]);
    const traffic = trafficOf(general, scenario);
    t.deepEqual(trafficOf(fast, scenario), traffic, JSON.stringify(scenario));
    frames += traffic.frames;
  }
  t.true(frames > 5000, `${frames} frames`);
});
