import test from "../conformance/proves.js";
import { PHY } from "../../host-tools/sim/chips/enc28j60/phy.js";
import { testFrame } from "../support/nic-harness.js";
import {
  driverBench,
  sendWaiting,
  QUIET,
  startedBench,
  type DriverBench,
} from "./enc28j60-bench.js";

const BROADCAST = new Uint8Array(6).fill(0xff);

/** A frame each way still works: gives what does not. */
function works(bench: DriverBench, seed = 50): string | undefined {
  const { nic, chip, sent } = bench;
  const before = sent.length;
  const down = testFrame(700, seed);
  const up = testFrame(800, seed + 1, BROADCAST);
  chip.receive(down);
  sendWaiting(bench, up);
  const got: Uint8Array[] = [];
  for (let i = 0; i < 600 && (got.length < 1 || sent.length === before); i++) {
    nic.run(1);
    got.push(...nic.drain());
  }
  if (got.length !== 1 || Buffer.compare(got[0] as Uint8Array, down) !== 0) return "receiving";
  if (Buffer.compare(sent.at(-1) as Uint8Array, up) !== 0) return "sending";
  return undefined;
}

test("L-4: a next packet pointer that makes no sense: receive reset, and the frames after it come", async (t) => {
  const bench = await startedBench({ faults: { badNextPointers: 1 } });
  for (let i = 0; i < 3; i++) bench.chip.receive(testFrame(300, i));
  bench.nic.clock.advance(2e6);
  t.deepEqual(bench.nic.drain(), []);
  t.like(bench.nic.counters, { rxBadHeader: 1, rxResets: 1, reinits: 0 });
  t.is(works(bench), undefined);
});

test("L-4: a byte count that makes no sense: receive reset", async (t) => {
  const bench = await startedBench({ faults: { badByteCounts: 1 } });
  bench.chip.receive(testFrame(300));
  bench.nic.clock.advance(1e6);
  t.deepEqual(bench.nic.drain(), []);
  t.like(bench.nic.counters, { rxBadHeader: 1, rxResets: 1 });
  t.is(works(bench), undefined);
});

test("a receive reset while another frame is arriving does not disturb what follows", async (t) => {
  const bench = await startedBench({ faults: { badNextPointers: 1 } });
  bench.chip.receive(testFrame(300, 0));
  bench.chip.receive(testFrame(1514, 1));
  bench.nic.clock.advance(0.8e6);
  t.deepEqual(bench.nic.drain(), []);
  bench.nic.clock.advance(2e6);
  t.is(works(bench), undefined);
});

test("headers that never make sense: after three receive resets the chip is started again", async (t) => {
  const bench = await startedBench({ faults: { badNextPointers: 3 } });
  for (let i = 0; i < 3; i++) {
    bench.chip.receive(testFrame(300, i));
    bench.nic.clock.advance(1e6);
    bench.nic.drain();
  }
  bench.nic.run(200);
  t.like(bench.nic.counters, { rxBadHeader: 3, rxResets: 3, reinits: 1 });
  t.is(works(bench), undefined);
});

test("a send that does not end is begun anew with the usual gap after 25 ms; then reset after 400 ms, longer than any backoff, and sent again", async (t) => {
  for (const [stuck, afterMs, timeouts] of [
    [1, 25, 0],
    [2, 425, 1],
  ] as const) {
    const bench = await startedBench({ faults: { stuckTransmits: stuck } });
    sendWaiting(bench, testFrame(400, 1));
    sendWaiting(bench, testFrame(400, 2));
    bench.nic.run(afterMs - 5);
    t.is(bench.sent.length, 0);
    bench.nic.run(60);
    t.deepEqual(bench.sent, [testFrame(400, 1), testFrame(400, 2)]);
    t.like(bench.nic.counters, {
      txTimeouts: timeouts,
      txResets: stuck,
      txErrors: 0,
      reinits: 0,
    });
  }
});

test("a transmitter that stays stuck: the frame is given up, then the chip is started again", async (t) => {
  const bench = await startedBench({ faults: { stuckTransmits: 4 } });
  sendWaiting(bench, testFrame(400, 1));
  sendWaiting(bench, testFrame(400, 2));
  bench.nic.run(1500);
  t.like(bench.nic.counters, { txTimeouts: 3, reinits: 1 });
  t.is(works(bench), undefined);
});

test("excessive collisions: the frame is given up, the next goes out", async (t) => {
  const bench = await startedBench({ faults: { collisions: 1000 } });
  sendWaiting(bench, testFrame(400, 1));
  sendWaiting(bench, testFrame(400, 2));
  for (let ms = 0; ms < 600 && bench.nic.counters.txErrors === 0; ms++) bench.nic.run(1);
  bench.chip.faults.collisions = 0;
  bench.nic.run(100);
  t.deepEqual(bench.sent, [testFrame(400, 2)]);
  // Begun anew once with the usual gap, and reset when it was given up.
  t.like(bench.nic.counters, { txErrors: 1, txTimeouts: 0, txResets: 2 });
});

test("erratum 13: a frame is sent again at most 16 times", async (t) => {
  const bench = await startedBench({ errata: [], faults: { lateCollisions: 1000 } });
  sendWaiting(bench, testFrame(400, 1));
  for (let i = 0; i < 400; i++) {
    bench.nic.poll();
    bench.nic.clock.advance(100_000);
  }
  t.is(bench.chip.faults.lateCollisions, 1000 - 17);
  t.like(bench.nic.counters, { txRetries: 16, txErrors: 1, txFrames: 0 });
});

test("a late collision while a frame is being read does not disturb the reading", async (t) => {
  const bench = await startedBench({ faults: { lateCollisions: 1 } });
  const { nic } = bench.nic;
  bench.chip.receive(testFrame(1000, 3));
  bench.nic.clock.advance(1e6);
  sendWaiting(bench, testFrame(1514, 4));
  t.is(nic.rxBegin(), 1000);
  nic.rxRead(nic.buffer(), 300);
  bench.nic.clock.advance(1e6);
  bench.nic.poll();
  t.is(bench.nic.counters.txRetries, 1);
  nic.rxRead(nic.buffer() + 300, 700);
  t.deepEqual(bench.nic.bytes(nic.buffer(), 1000).slice(), testFrame(1000, 3));
  nic.rxEnd();
  bench.nic.run(5);
  t.deepEqual(bench.sent, [testFrame(1514, 4)]);
  t.is(works(bench), undefined);
});

test("INT wire broken: the driver notices within 250 ms and polls", async (t) => {
  const bench = await startedBench();
  bench.chip.faults.interruptStuckHigh = true;
  bench.chip.refreshInterrupt();
  bench.chip.receive(testFrame(200));
  bench.nic.run(260);
  t.deepEqual(bench.nic.drain(), [testFrame(200)]);
  for (let i = 0; i < 5; i++) t.is(works(bench, i * 2), undefined);
  t.is(bench.nic.nic.nicDeadline(bench.nic.nowMs), 1);
  t.is(bench.nic.counters.reinits, 0);
});

test("INT wire broken: sends are noticed all the same", async (t) => {
  const bench = await startedBench();
  bench.chip.faults.interruptStuckHigh = true;
  bench.chip.refreshInterrupt();
  for (let i = 0; i < 6; i++) sendWaiting(bench, testFrame(300, i));
  bench.nic.run(100);
  t.is(bench.sent.length, 6);
  t.is(bench.nic.counters.txTimeouts, 0);
});

test("INT shorted to ground: no frame is invented, and those that come are received", async (t) => {
  const bench = await startedBench();
  bench.chip.faults.interruptStuckHigh = false;
  bench.chip.refreshInterrupt();
  for (let i = 0; i < 50; i++) {
    bench.nic.run(1);
    t.deepEqual(bench.nic.drain(), []);
  }
  for (let i = 0; i < 5; i++) t.is(works(bench, i * 2), undefined);
  t.like(bench.nic.counters, { rxBadHeader: 0, rxResets: 0, reinits: 0 });
});

test("broadcast storm: what does not fit is lost and counted, what fits comes whole, then all is well", async (t) => {
  const bench = await startedBench();
  for (let i = 0; i < 100; i++) bench.chip.receive(testFrame(60 + ((i * 97) % 1400), i, BROADCAST));
  bench.nic.run(300);
  const frames = bench.nic.drain();
  t.true(frames.length >= 3 && frames.length < 100);
  const came = Array.from({ length: 100 }, (_, i) =>
    testFrame(60 + ((i * 97) % 1400), i, BROADCAST),
  );
  let at = -1;
  for (const frame of frames) {
    const next = came.findIndex((sent, i) => i > at && Buffer.compare(sent, frame) === 0);
    t.true(next > at, "whole and in order");
    at = next;
  }
  bench.nic.run(300);
  t.true(bench.nic.counters.rxOverflow > 0);
  t.like(bench.nic.counters, { rxBadHeader: 0, rxResets: 0, reinits: 0 });
  t.is(works(bench), undefined);
});

test("a storm of the shortest frames fills the buffer, not EPKTCNT", async (t) => {
  const bench = await startedBench({ lineFrames: 1000 });
  for (let i = 0; i < 400; i++) bench.chip.receive(testFrame(60, i, BROADCAST));
  bench.nic.run(60);
  t.is(bench.nic.drain().length, Math.floor((4680 - 2) / 70));
  t.is(works(bench), undefined);
});

test("link flap: nicLink follows within 250 ms of the PHY, each change is counted", async (t) => {
  const bench = await startedBench();
  t.is(bench.nic.nic.nicLink(), 1);
  for (let i = 0; i < 3; i++) {
    bench.chip.setLink(false);
    bench.nic.run(400);
    t.is(bench.nic.nic.nicLink(), 0);
    sendWaiting(bench, testFrame(60, i));
    bench.chip.setLink(true);
    bench.nic.run(150);
    t.is(bench.nic.nic.nicLink(), 1);
  }
  t.is(bench.nic.counters.linkChanges, 7);
  t.is(bench.sent.length, 0);
  t.is(works(bench), undefined);
});

test("the chip is reset under the driver: it is started again within 250 ms", async (t) => {
  for (const reset of ["pin", "power"] as const) {
    const bench = await startedBench();
    t.is(works(bench), undefined);
    if (reset === "power") bench.chip.powerCycle();
    else {
      bench.chip.reset(true);
      bench.nic.clock.advance(1000);
      bench.chip.reset(false);
    }
    bench.nic.clock.advance(2e6);
    bench.nic.run(400);
    t.is(bench.nic.counters.reinits, 1);
    t.is(bench.nic.nic.nicLink(), 1);
    t.is(works(bench), undefined);
  }
});

test("the chip is reset while a frame is being read and another written: both calls end, then it is started again", async (t) => {
  const bench = await startedBench();
  const { nic } = bench.nic;
  bench.chip.receive(testFrame(1000));
  bench.nic.clock.advance(1e6);
  t.is(nic.rxBegin(), 1000);
  t.is(nic.txBegin(1000), 1);
  bench.chip.powerCycle();
  bench.nic.clock.advance(2e6);
  nic.rxRead(nic.buffer(), 500);
  nic.txWrite(nic.buffer(), 500);
  bench.nic.run(400);
  t.is(bench.nic.counters.reinits, 1);
  nic.txWrite(nic.buffer(), 500);
  nic.txEnd();
  nic.rxRead(nic.buffer(), 500);
  nic.rxEnd();
  t.is(works(bench), undefined);
});

test("the chip vanishes and comes back: no call hangs, it is tried once a second, and the log tells of it twice", async (t) => {
  for (const level of [0x00, 0xff]) {
    const bench = await startedBench();
    sendWaiting(bench, testFrame(1514));
    bench.chip.faults.misoStuck = level;
    bench.nic.run(5000, 5);
    bench.nic.drain();
    t.is(bench.nic.nic.nicLink(), 0);
    t.is(bench.nic.nic.txReady(), 0);
    t.true(bench.nic.counters.reinits >= 4 && bench.nic.counters.reinits <= 6);
    bench.chip.faults.misoStuck = undefined;
    bench.nic.run(1500, 5);
    t.is(bench.nic.nic.nicLink(), 1);
    t.is(works(bench), undefined);
    const told = bench.nic.log.filter((line) => line.includes("started again"));
    t.deepEqual(
      told.map((line) => line.endsWith(" 0")),
      [false, true],
      told.join("; "),
    );
  }
});

test("nicInit may be called again", async (t) => {
  const bench = await driverBench();
  bench.chip.setLink(true);
  for (let i = 0; i < 3; i++) {
    t.is(bench.nic.init(), 0);
    bench.nic.run(200);
    t.is(works(bench, i), undefined);
  }
});

for (const [register, bits] of [
  ["MACON1", 0x01],
  ["MACON3", 0x10],
  ["MACON4", 0x40],
  ["MABBIPG", 0x01],
  ["MAIPGL", 0x10],
  ["MAIPGH", 0x04],
  ["MACLCON1", 0x0f],
  ["MACLCON2", 0x20],
  ["MAMXFLH", 0x04],
  ["MAMXFLL", 0x80],
  ["MAADR1", 0x80],
  ["MAADR6", 0x01],
  ["ERXFCON", 0x20],
  ["ERXFCON", 0x80],
  ["EFLOCON", 0x01],
  ["ERXNDH", 0x08],
  ["ERXSTH", 0x01],
  ["ECON2", 0x80],
  ["ECON2", 0x20],
  ["EIE", 0x40],
  ["ECON1", 0x04],
  ["ECON1", 0x40],
  ["ECON1", 0x80],
  ["ETXSTL", 0x02],
  ["ETXSTH", 0x04],
  ["MIREGADR", 0x01],
  ["MICMD", 0x02],
  ["PHCON1", 0x4000],
  ["PHCON1", 0x0800],
  ["PHCON1", 0x0100],
  ["PHCON2", 0x2000],
  ["PHCON2", 0x0100],
] as const) {
  test(`G5: ${register} upset by ${bits.toString(16)} is found within 4.3 s, counted, and all is well`, async (t) => {
    const bench = await startedBench(QUIET);
    const { nic, chip } = bench;
    const before = nic.counters.reinits;
    if (register === "PHCON1" || register === "PHCON2") chip.upsetPhy(PHY[register], bits);
    else chip.upset(register, bits);
    nic.run(4500, 5);
    const scan = register === "MIREGADR" || register === "MICMD";
    t.is(nic.counters.reinits - before, scan ? 0 : 1);
    t.is(nic.nic.nicLink() & 1, 1);
    t.is(works(bench), undefined);
    nic.run(5000, 10);
    t.is(nic.counters.reinits - before, scan ? 0 : 1);
  });
}

for (const slot of [0x1248, 0x129e, 0x12f4, 0x134a, 0x13a0, 0x140a, 0x1a0a]) {
  test(`G5: the control byte at ${slot.toString(16)} upset, so that frames go out without FCS: found within 4.3 s, counted`, async (t) => {
    const bench = await startedBench(QUIET);
    const { nic, chip } = bench;
    chip.memory[slot] = 0x01;
    nic.run(4500, 5);
    t.is(nic.counters.reinits, 1);
    for (let i = 0; i < 4; i++) t.is(works(bench, i * 2), undefined);
    nic.run(5000, 10);
    t.is(nic.counters.reinits, 1);
  });
}
