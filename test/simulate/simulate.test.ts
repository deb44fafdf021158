import test from "ava";
import { chipRun } from "../../host-tools/simulate/chips.js";
import { PERFECT } from "../../host-tools/net/link.js";
import {
  BUILDS,
  drawScenario,
  readScenario,
  type Scenario,
} from "../../host-tools/simulate/scenario.js";
import { firmwareOf, runScenario } from "../../host-tools/simulate/run.js";
import { shortConnections } from "../../host-tools/simulate/short.js";
import { shrink } from "../../host-tools/simulate/shrink.js";
import { Violation } from "../../host-tools/simulate/violation.js";
import { WireWatch } from "../../host-tools/simulate/wire-watch.js";
import { runCli } from "../support/cli.js";
import { Peer } from "../support/wire-peer.js";
import { ip } from "../support/wire.js";

/** Builds that other tests have compiled, too (test/support/option-sets.ts). */
const SHARED = ["tight", "big"] as const;

test("300 runs of mixed trouble, both directions: no violation", async (t) => {
  let whole = 0;
  for (let run = 0; run < 300; run++) {
    const scenario = drawScenario(1, run, "mixed", SHARED);
    const outcome = runScenario(await firmwareOf(scenario.build), scenario);
    t.is(outcome.violation?.message, undefined, `run ${run}: ${JSON.stringify(scenario)}`);
    whole += outcome.whole;
  }
  t.true(whole > 500, `${whole} ends had all of their data`);
});

test("a run repeats to the frame, and its scenario is plain data", async (t) => {
  const scenario = drawScenario(3, 7, "mixed", SHARED);
  const copy = JSON.parse(JSON.stringify(scenario)) as Scenario;
  const firmware = await firmwareOf(scenario.build);
  const { frames, simulatedMs } = runScenario(firmware, scenario);
  t.like(runScenario(firmware, copy), { frames, simulatedMs });
  t.notDeepEqual(drawScenario(3, 8, "mixed", SHARED), scenario);
});

test("both clocks and sequence numbers wrap where a scenario says so", async (t) => {
  const scenario = drawScenario(1, 0, "sequenceWrap", ["big"]);
  scenario.bytes = [30_000, 30_000];
  const lows = [false, false];
  const highs = [false, false];
  const outcome = runScenario(await firmwareOf("big"), scenario, (event, side, frame) => {
    if (event !== "sent" || frame[23] !== 6) return;
    const seq = Buffer.from(frame).readUInt32BE(38);
    if (seq > 0xffff_0000) highs[side] = true;
    if (seq < 0x1_0000 && highs[side]) lows[side] = true;
  });
  t.is(outcome.violation, undefined);
  t.deepEqual(lows, [true, true]);
});

test("a violation is told by its scenario, which is made as short as it can be", async (t) => {
  const scenario = drawScenario(1, 3, "mixed", SHARED);
  Object.assign(scenario.link, { lossPercent: 1, corruptPercent: 2 });
  const firmware = await firmwareOf(scenario.build);
  const big = await firmwareOf("big");
  const fails = (form: Scenario): boolean => {
    const { violation } = runScenario(form.build === "big" ? big : firmware, form, (event) => {
      if (event === "sent" && form.link.lossPercent === 1) throw new Violation("made up");
    });
    return violation?.kind === "made up";
  };
  const { link, mishaps, bytes, connections } = shrink(scenario, fails);
  t.deepEqual(
    { link, mishaps, bytes, connections },
    {
      link: { lossPercent: 1 },
      mishaps: {},
      bytes: [0, 0],
      connections: 1,
    },
  );
});

test("3,000 short connections: tables come back to their level, TIME-WAIT stays within its table", async (t) => {
  const { connections, most } = shortConnections(await firmwareOf("big"), 3000);
  t.is(connections, 3000);
  t.true(most.tcbs <= BUILDS.big.TCP_TCBS && most.sockets <= 10, JSON.stringify(most));
});

test("over the models of both chips what is lost, doubled, overtaken or corrupt comes back whole", async (t) => {
  const link = {
    ...PERFECT,
    lossPercent: 5,
    reorderPercent: 5,
    duplicatePercent: 5,
    corruptPercent: 2,
  };
  for (const run of [0, 1]) {
    const { board, bytes, simulatedMs } = await chipRun(1, run, { bytes: 30_000, link });
    t.is(bytes, 30_000);
    t.true(simulatedMs < 60_000, `${board}: ${simulatedMs} ms`);
  }
});

test("what is seen on the wire: a window that shrinks, text beyond the window", (t) => {
  const peer = new Peer("02:00:00:00:00:01", ip("10.0.0.1"), "02:00:00:00:00:02", ip("10.0.0.2"));
  const segment = (seq: number, ack: number, window: number, bytes = 0): Uint8Array =>
    peer.tcp(
      { sourcePort: 1, destinationPort: 2, flags: 16, seq, ack, window },
      new Uint8Array(bytes),
    );
  const watch = new WireWatch();
  watch.sent(0, segment(1, 0xffff_fff0, 100));
  watch.sent(0, segment(1, 0xffff_fffe, 86));
  t.throws(() => watch.sent(0, segment(1, 0, 83)), { message: /does not shrink: by 1 bytes/ });
  const back = new Peer("02:00:00:00:00:02", ip("10.0.0.2"), "02:00:00:00:00:01", ip("10.0.0.1"));
  watch.taken(
    0,
    back.tcp({ sourcePort: 2, destinationPort: 1, flags: 16, seq: 5, ack: 1, window: 50 }),
  );
  watch.sent(0, segment(1, 5, 100, 50));
  watch.sent(0, segment(51, 5, 100, 1));
  t.throws(() => watch.sent(0, segment(2, 5, 100, 50)), { message: /not overrun: by 1 bytes/ });
  // The other side's restart takes nothing from what this one knows, though an older segment of it still comes; its own takes all.
  watch.forget(1);
  watch.taken(
    0,
    back.tcp({ sourcePort: 2, destinationPort: 1, flags: 16, seq: 5, ack: 1, window: 20 }),
  );
  watch.sent(0, segment(1, 5, 100, 50));
  watch.forget(0);
  t.notThrows(() => watch.sent(0, segment(2, 5, 100, 50)));
});

test("what --replay is given is the JSON of a failure, or one clear line", (t) => {
  const scenario = drawScenario(1, 2);
  t.deepEqual(readScenario(JSON.stringify(scenario)), scenario);
  t.throws(() => readScenario("{bad"), { message: /^--replay is not JSON: / });
  for (const text of ["5", "null", "{}", JSON.stringify({ ...scenario, bytes: [1] })]) {
    t.throws(() => readScenario(text), { message: /^--replay needs the line of JSON/ }, text);
  }
});

test("a seed that is no whole number is refused", async (t) => {
  for (const seed of ["", "1e3", "4294967296"]) {
    const { code, stderr } = await runCli("simulate", "--seed", seed);
    t.is(code, 1);
    t.regex(stderr, /^as-tcpip: option '--seed <n>' argument '.*' is invalid/);
  }
});

test("a scenario that there is not is one clear line", async (t) => {
  const { code, stderr } = await runCli("simulate", "--scenario", "rain");
  t.not(code, 0);
  t.regex(stderr, /there is no scenario 'rain'; there are: mixed, loss, burst, /);
});
