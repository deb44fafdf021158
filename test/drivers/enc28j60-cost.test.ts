import test from "ava";
import { testFrame } from "../support/nic-harness.js";
import { QUIET, sendWaiting, startedBench, type DriverBench } from "./enc28j60-bench.js";

const BROADCAST = new Uint8Array(6).fill(0xff);

/** Lets frames arrive and waits until they are in the chip. */
function arrive({ nic, chip }: DriverBench, count: number, bytes: number): void {
  for (let i = 0; i < count; i++) chip.receive(testFrame(bytes, i));
  nic.clock.advance(count * ((8 + bytes + 4) * 800 + 9_600) + 10_000);
}

test("floor: one received frame of 1514 bytes costs L + 17 bytes in 4 transactions", async (t) => {
  const bench = await startedBench(QUIET);
  arrive(bench, 1, 1514);
  const cost = bench.nic.cost(() => t.deepEqual(bench.nic.drain(), [testFrame(1514)]));
  t.deepEqual(cost, { bytes: 1531, transactions: 4 });
});

test("floor: so does each of three that wait; their memory is given back at once", async (t) => {
  const bench = await startedBench(QUIET);
  arrive(bench, 3, 1514);
  const cost = bench.nic.cost(() => t.is(bench.nic.drain().length, 3));
  t.deepEqual(cost, { bytes: 3 * 1531, transactions: 12 });
});

test("floor: short frames that wait cost L + 13 bytes in 2 transactions, and 4 bytes for all", async (t) => {
  const bench = await startedBench(QUIET);
  arrive(bench, 1, 60);
  t.deepEqual(
    bench.nic.cost(() => void bench.nic.drain()),
    { bytes: 60 + 17, transactions: 4 },
  );
  arrive(bench, 14, 60);
  t.deepEqual(
    bench.nic.cost(() => t.is(bench.nic.drain().length, 14)),
    { bytes: 14 * (60 + 13) + 4, transactions: 30 },
  );
});

test("a frame of odd length costs one byte more: it is clocked out to its even end", async (t) => {
  const bench = await startedBench(QUIET);
  arrive(bench, 1, 1513);
  t.deepEqual(
    bench.nic.cost(() => void bench.nic.drain()),
    { bytes: 1513 + 18, transactions: 4 },
  );
});

test("a frame that is dropped after 14 bytes costs 31 bytes, not its length", async (t) => {
  const bench = await startedBench(QUIET);
  arrive(bench, 1, 1514);
  const cost = bench.nic.cost(() => {
    t.is(bench.nic.nic.rxBegin(), 1514);
    bench.nic.nic.rxRead(bench.nic.nic.buffer(), 14);
    bench.nic.nic.rxEnd();
  });
  // Opcode, header, 14 bytes; ERDPT; PKTDEC; ERXRDPT.
  t.deepEqual(cost, { bytes: 21 + 4 + 2 + 4, transactions: 6 });
});

test("floor: a frame of 1514 bytes is sent for L + 11 bytes while the wire keeps up", async (t) => {
  const bench = await startedBench(QUIET);
  const once = (): { bytes: number; transactions: number } =>
    bench.nic.cost(() => {
      t.true(bench.nic.send(testFrame(1514)));
      bench.nic.clock.advance(1_300_000);
      bench.nic.nic.nicPoll(bench.nic.nowMs);
    });
  // The first sets ETXND as well; the others find it as it must be.
  t.deepEqual(once(), { bytes: 1514 + 15, transactions: 8 });
  t.deepEqual(once(), { bytes: 1514 + 11, transactions: 6 });
  t.is(bench.sent.length, 2);
});

test("floor: back to back, through two slots, it is L + 15 bytes in 8 transactions", async (t) => {
  const bench = await startedBench(QUIET);
  sendWaiting(bench, testFrame(1514));
  sendWaiting(bench, testFrame(1514));
  const frames = 20;
  const cost = bench.nic.cost(() => {
    for (let i = 0; i < frames; i++) {
      while (!bench.nic.send(testFrame(1514, i))) bench.nic.clock.advance(2_000);
    }
  });
  t.deepEqual(cost, { bytes: frames * (1514 + 15), transactions: frames * 8 });
});

test("back to back, two slots keep the wire busy: 1233.6 us a frame with our gap", async (t) => {
  const bench = await startedBench(QUIET);
  const times: number[] = [];
  bench.chip.onTransmit = () => void times.push(bench.nic.clock.nowNs);
  for (let i = 0; i < 50; i++) {
    while (!bench.nic.send(testFrame(1514, i))) bench.nic.clock.advance(500);
  }
  bench.nic.run(5);
  const perFrame = ((times[39] ?? 0) - (times[9] ?? 0)) / 30 / 1000;
  // Starting the next frame takes five instructions, which fit into the gap.
  t.true(Math.abs(perFrame - 1233.6) < 0.1, `${perFrame} us`);
});

test("receiving while a frame is on the wire costs 2 bytes more: EIR tells packets from completion", async (t) => {
  const bench = await startedBench(QUIET, { options: { ENC28J60_FULL_DUPLEX: 1 } });
  arrive(bench, 1, 200);
  bench.nic.send(testFrame(1514));
  t.deepEqual(
    bench.nic.cost(() => t.is(bench.nic.receive()?.length, 200)),
    { bytes: 200 + 13 + 2, transactions: 3 },
  );
});

test("an echo in pieces of 64 bytes changes over from burst to burst for one byte each", async (t) => {
  const bench = await startedBench(QUIET);
  arrive(bench, 1, 1514);
  const { nic } = bench.nic;
  const cost = bench.nic.cost(() => {
    const length = nic.rxBegin();
    t.is(nic.txBegin(length), 1);
    for (let at = 0; at < length; at += 64) {
      nic.rxRead(nic.buffer(), Math.min(64, length - at));
      nic.txWrite(nic.buffer(), Math.min(64, length - at));
    }
    nic.rxEnd();
    nic.txEnd();
  });
  bench.nic.clock.advance(2_000_000);
  t.deepEqual(bench.sent, [testFrame(1514)]);
  // 24 pieces: the first read begins in the burst of the header, which EWRPT has ended.
  const bursts = 24 + 24;
  const receive = 6 + 1518 + 2 + 4;
  const send = 4 + 1514 + 2 + 2 + 2;
  t.is(cost.bytes, receive + send + bursts + 2);
});

test("an idle turn costs nothing; the look at chip and link costs 19 bytes every 250 ms", async (t) => {
  const bench = await startedBench(QUIET);
  // Up to the next look.
  bench.nic.run(bench.nic.nic.nicDeadline(bench.nic.nowMs) + 1);
  const turn = (): void => {
    bench.nic.nic.nicPoll(bench.nic.nowMs);
    t.is(bench.nic.nic.rxBegin(), 0);
    t.is(bench.nic.nic.txReady(), 1);
  };
  t.deepEqual(bench.nic.cost(turn), { bytes: 0, transactions: 0 });
  t.is(bench.nic.nic.nicDeadline(bench.nic.nowMs), 249);
  bench.nic.clock.advance(250e6);
  t.deepEqual(bench.nic.cost(turn), { bytes: 19, transactions: 9 });
});

test("line rate: frames of 1514 and of 60 bytes back to back are all received at 20 MHz", async (t) => {
  for (const [bytes, count] of [
    [1514, 60],
    [60, 120],
  ] as const) {
    const bench = await startedBench(QUIET);
    for (let i = 0; i < count; i++) bench.chip.receive(testFrame(bytes, i, BROADCAST));
    let received = 0;
    const endNs = bench.nic.clock.nowNs + count * 1.3e6;
    while (bench.nic.clock.nowNs < endNs && received < count) {
      received += bench.nic.drain().length;
      bench.nic.clock.advance(1_000);
    }
    t.is(received, count);
    t.is(bench.nic.counters.rxOverflow, 0);
  }
});
