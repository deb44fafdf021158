import test, { type ExecutionContext } from "ava";
import { Random } from "../../host-tools/sim/random.js";
import {
  ERRATA,
  type Enc28j60Options,
  type Revision,
} from "../../host-tools/sim/chips/enc28j60/index.js";
import { NicHarness, testFrame, type NicHarnessOptions } from "../support/nic-harness.js";
import type { Enc28j60 } from "../../host-tools/sim/chips/enc28j60/index.js";
import { driverBench, sendWaiting, startedBench, type DriverBench } from "./enc28j60-bench.js";

const BROADCAST = new Uint8Array(6).fill(0xff);

/** Frames both ways, of random lengths, taken and given in random pieces: gives what went wrong, or nothing. */
function exchange(bench: DriverBench, frames: number, seed: number): string | undefined {
  const random = new Random(seed);
  const { nic, chip, sent } = bench;
  const first = sent.length;
  const length = (): number => (random.chance(0.3) ? 1514 : 60 + random.below(1455));
  const toChip = Array.from({ length: frames }, (_, i) => testFrame(length(), i));
  const fromChip = Array.from({ length: frames }, (_, i) =>
    testFrame(length(), i + 100, BROADCAST),
  );
  const got: Uint8Array[] = [];
  let given = 0;
  let taken = 0;
  const endNs = nic.clock.nowNs + frames * 50e6;
  while ((got.length < frames || sent.length - first < frames) && nic.clock.nowNs < endNs) {
    nic.poll();
    // The link partner never has more on its way than the receive buffer holds.
    if (given < frames && given - got.length < 2 && random.chance(0.5)) {
      chip.receive(toChip[given++] as Uint8Array);
    }
    if (taken < frames && nic.send(fromChip[taken] as Uint8Array, 1 + random.below(1514))) taken++;
    const frame = nic.receive(1 + random.below(1514));
    if (frame) got.push(frame);
    nic.clock.advance(random.below(100_000));
  }
  const same = (a: Uint8Array[], b: Uint8Array[]): boolean =>
    a.length === b.length && a.every((f, i) => Buffer.compare(f, b[i] as Uint8Array) === 0);
  if (!same(got, toChip)) return `received ${got.length} of ${frames}, or not as they were`;
  if (!same(sent.slice(first), fromChip)) return `sent ${sent.length - first} of ${frames}`;
  return undefined;
}

/** The same with the chip under all of its rates at their worst. */
const WORST = {
  macAccess: 1 / 8,
  writePointer: 1,
  pktif: 1,
  loopback: 0,
  stall: 1,
  linkPulse: 1,
  linkPulseStuck: 1 / 2,
  evenReadPointer: 1,
  latecol: 1,
  pattern: 1,
};

for (const revision of ["B1", "B4", "B5", "B7"] as Revision[]) {
  test(`frames both ways arrive whole and in order on revision ${revision}`, async (t) => {
    const bench = await startedBench({ revision });
    t.is(exchange(bench, 150, 11), undefined);
    t.is(bench.nic.counters.rxBadHeader, 0);
    t.is(bench.nic.counters.reinits, 0);
    t.is(bench.nic.nic.nicVersion(), { B1: 2, B4: 4, B5: 5, B7: 6 }[revision]);
  });
}

for (const erratum of ERRATA) {
  test(`erratum ${erratum} at its worst: frames both ways arrive whole and in order`, async (t) => {
    // Erratum 1 shows below 8 MHz only; at 4 MHz the driver is slower, not wrong.
    const options: Partial<Enc28j60Options> = { errata: [erratum], rates: WORST };
    const harness: Partial<NicHarnessOptions<Enc28j60>> = {};
    if (erratum === 1) {
      options.spiHz = 7_000_000;
      options.rates = { ...WORST, macAccess: 1 / 64 };
      harness.spiHz = 7_000_000;
    }
    const bench = await startedBench(options, harness);
    t.is(exchange(bench, 60, erratum), undefined);
    t.is(bench.nic.counters.reinits, 0);
    t.is(bench.nic.counters.txErrors, 0);
  });
}

for (const ledB of ["full", "none"] as const) {
  test(`erratum 16: a LED that makes the strap say "${ledB}" does not decide on the duplex mode`, async (t) => {
    const bench = await startedBench({ ledB });
    t.is(bench.nic.nic.nicLink(), 1);
    t.is(exchange(bench, 40, 16), undefined);
  });
}

test("errata 12, 13 and 15 together: late collisions, true and false, are retried and nothing stalls", async (t) => {
  const bench = await startedBench({
    errata: [12, 13, 15],
    rates: WORST,
    faults: { lateCollisions: 5 },
  });
  t.is(exchange(bench, 120, 3), undefined);
  const { txRetries, txResets, txErrors, txTimeouts } = bench.nic.counters;
  t.true(txRetries >= 5);
  t.true(txResets >= txRetries);
  t.is(txErrors, 0);
  t.is(txTimeouts, 0);
});

test("full duplex: frames both ways arrive whole and in order", async (t) => {
  const bench = await startedBench({}, { options: { ENC28J60_FULL_DUPLEX: 1 } });
  t.is(bench.nic.nic.nicLink(), 1 | 4);
  t.is(exchange(bench, 100, 5), undefined);
  t.is(bench.nic.counters.txRetries, 0);
});

test("full duplex: a PAUSE frame delays a send and does not count as its failure", async (t) => {
  const bench = await startedBench({}, { options: { ENC28J60_FULL_DUPLEX: 1 } });
  const pause = testFrame(60, 0, Uint8Array.of(1, 0x80, 0xc2, 0, 0, 1));
  // 400 quanta: 20 ms.
  pause.set([0x88, 0x08, 0, 1, 1, 144], 12);
  bench.chip.receive(pause);
  bench.nic.clock.advance(1e6);
  bench.nic.send(testFrame(60));
  bench.nic.run(15);
  t.is(bench.sent.length, 0);
  bench.nic.run(10);
  t.is(bench.sent.length, 1);
  t.is(bench.nic.counters.txTimeouts, 0);
});

test("frames below 60 bytes are padded with zeros by the chip", async (t) => {
  const bench = await startedBench();
  // What an earlier, longer frame left in the slot must not show.
  sendWaiting(bench, testFrame(1514, 1));
  bench.nic.run(5);
  sendWaiting(bench, testFrame(14, 2));
  bench.nic.run(5);
  t.deepEqual(bench.sent[1]?.slice(0, 14), testFrame(14, 2));
  t.deepEqual(bench.sent[1]?.slice(14), new Uint8Array(46));
});

test("txBegin takes 14 to 1514 bytes and one frame at a time", async (t) => {
  const { nic } = (await startedBench()).nic;
  t.is(nic.txBegin(13), 0);
  t.is(nic.txBegin(1515), 0);
  t.is(nic.txBegin(14), 1);
  t.is(nic.txReady(), 0);
  t.is(nic.txBegin(14), 0);
  nic.txCancel();
  t.is(nic.txReady(), 1);
});

test("a frame that is cancelled is not sent, and its slot is used again", async (t) => {
  const bench = await startedBench();
  const { nic } = bench.nic;
  nic.txBegin(500);
  nic.txWrite(nic.buffer(), 200);
  nic.txCancel();
  bench.nic.run(3);
  t.is(bench.sent.length, 0);
  sendWaiting(bench, testFrame(100, 4));
  bench.nic.run(3);
  t.deepEqual(bench.sent, [testFrame(100, 4)]);
});

test("short frames have slots of their own beside two long ones; all go out in the order in which they were given", async (t) => {
  const bench = await startedBench();
  const { nic } = bench.nic;
  const frames = [1514, 1514, 98, 60, 78, 60, 60].map((bytes, i) => testFrame(bytes, i));
  for (const frame of frames.slice(0, 2)) t.true(bench.nic.send(frame));
  t.is(nic.txReady(), 0);
  for (const bytes of [99, 1514]) t.is(nic.txBegin(bytes), 0);
  for (const frame of frames.slice(2)) t.true(bench.nic.send(frame));
  t.is(nic.txBegin(60), 0);
  bench.nic.run(9);
  t.deepEqual(bench.sent, frames);
});

test("while one long slot holds a long frame the other is kept for the next; without one short frames take both", async (t) => {
  const bench = await startedBench();
  const { nic } = bench.nic;
  t.true(bench.nic.send(testFrame(1514)));
  for (let i = 0; i < 5; i++) t.true(bench.nic.send(testFrame(i === 0 ? 98 : 60, i)));
  t.is(nic.txBegin(60), 0);
  t.is(nic.txReady(), 1);
  t.true(bench.nic.send(testFrame(1514, 1)));
  bench.nic.run(9);
  t.is(bench.sent.length, 7);
  // The partner has the wire, so that nothing leaves meanwhile.
  bench.chip.receive(testFrame(1514));
  for (let i = 0; i < 7; i++) t.true(bench.nic.send(testFrame(60, i)));
  t.is(nic.txReady(), 0);
});

test("an answer is not waited for when the memory for received frames is nearly full", async (t) => {
  const bench = await startedBench();
  const { nic } = bench.nic;
  for (let i = 0; i < 2; i++) t.true(bench.nic.send(testFrame(1514, i)));
  for (let i = 0; i < 5; i++) t.true(bench.nic.send(testFrame(60, i)));
  bench.chip.receive(testFrame(60));
  for (const bytes of [1514, 1514, 60]) bench.chip.receive(testFrame(bytes));
  // The partner goes first, with what it has.
  bench.nic.clock.advance(1.4e6);
  t.is(nic.rxBegin(), 60);
  t.is(nic.txAnswers(), 0);
  nic.rxPutBack();
  bench.nic.clock.advance(2.6e6);
  t.is(nic.txAnswers(), 1);
});

test("a short frame that waits goes out while a long one is being written, or read", async (t) => {
  for (const reading of [false, true]) {
    const bench = await startedBench();
    const { nic, clock } = bench.nic;
    bench.chip.receive(testFrame(1514, 9));
    clock.advance(1.5e6);
    for (let i = 0; i < 3; i++) t.true(bench.nic.send(testFrame(60, i)));
    // Each takes 57.6 us and a gap, a long frame 606 us on SPI.
    const buffer = nic.buffer();
    if (reading) {
      t.is(nic.rxBegin(), 1514);
      nic.rxRead(buffer, 1514);
      t.deepEqual(bench.nic.bytes(buffer, 1514).slice(), testFrame(1514, 9));
    } else {
      t.is(nic.txBegin(1514), 1);
      bench.nic.bytes(buffer, 1514).set(testFrame(1514, 4));
      nic.txWrite(buffer, 1514);
    }
    t.deepEqual(
      bench.sent,
      [0, 1, 2].map((i) => testFrame(60, i)),
    );
    if (reading) nic.rxEnd();
    else nic.txEnd();
    bench.nic.run(3);
    if (!reading) t.deepEqual(bench.sent[3], testFrame(1514, 4));
    t.is(bench.nic.counters.rxBadHeader, 0);
  }
});

test("rxSkip, short and long, and rxEnd in the middle leave the next frame where it is", async (t) => {
  const bench = await startedBench();
  const random = new Random(21);
  const { nic } = bench.nic;
  const buffer = nic.buffer();
  for (let i = 0; i < 120; i++) {
    const frame = testFrame(60 + random.below(1400), i);
    bench.chip.receive(frame);
    bench.nic.clock.advance(1.4e6);
    t.is(nic.rxBegin(), frame.length);
    let at = 0;
    const operations = random.below(6);
    for (let k = 0; k < operations; k++) {
      const bytes = random.chance(0.5) ? random.below(12) : random.below(600);
      const end = Math.min(frame.length, at + bytes);
      if (random.chance(0.5)) nic.rxSkip(bytes);
      else {
        nic.rxRead(buffer, bytes);
        t.deepEqual(bench.nic.bytes(buffer, end - at).slice(), frame.slice(at, end));
      }
      at = end;
    }
    nic.rxEnd();
  }
  t.is(bench.nic.counters.rxBadHeader, 0);
});

test("rxRead never goes past the end of the frame", async (t) => {
  const bench = await startedBench();
  const { nic } = bench.nic;
  const buffer = nic.buffer();
  bench.chip.receive(testFrame(100));
  bench.chip.receive(testFrame(90, 1));
  bench.nic.clock.advance(1e6);
  nic.rxBegin();
  bench.nic.bytes(buffer, 400).fill(0xee);
  nic.rxRead(buffer, 300);
  t.deepEqual(bench.nic.bytes(buffer, 100).slice(), testFrame(100));
  t.true(bench.nic.bytes(buffer + 100, 300).every((b) => b === 0xee));
  nic.rxSkip(1000);
  nic.rxEnd();
  t.deepEqual(bench.nic.receive(), testFrame(90, 1));
});

test("memory that was read goes back to the chip with the next turn, even if nothing is received then", async (t) => {
  const bench = await startedBench();
  bench.chip.receive(testFrame(100));
  bench.nic.clock.advance(1e6);
  t.deepEqual(bench.nic.receive(), testFrame(100));
  const pointer = (): number => bench.chip.peek("ERXRDPTL") | (bench.chip.peek("ERXRDPTH") << 8);
  t.is(pointer(), 0x1247);
  bench.nic.poll();
  t.is(pointer(), 109);
});

test("802.3: frames below 64 bytes with FCS are dropped, those for others and with bad FCS never seen", async (t) => {
  const bench = await startedBench();
  bench.chip.receive(testFrame(30));
  bench.chip.receive(testFrame(59));
  bench.chip.receive(testFrame(100), false);
  bench.chip.receive(testFrame(100, 0, Uint8Array.of(2, 9, 9, 9, 9, 9)));
  bench.chip.receive(testFrame(60, 1));
  bench.chip.receive(testFrame(60, 2, BROADCAST));
  bench.nic.clock.advance(2e6);
  t.deepEqual(bench.nic.drain(), [testFrame(60, 1), testFrame(60, 2, BROADCAST)]);
  t.is(bench.nic.counters.rxFrames, 2);
});

test("MAMXFL 1518: a frame of 1515 bytes without FCS is not received", async (t) => {
  const bench = await startedBench();
  bench.chip.receive(testFrame(1515));
  bench.chip.receive(testFrame(1514));
  bench.nic.clock.advance(4e6);
  t.deepEqual(bench.nic.drain(), [testFrame(1514)]);
});

test("the driver's clock may wrap", async (t) => {
  const bench = await startedBench({ faults: { stuckTransmits: 1 } }, { startMs: 0xffff_ff00 });
  t.is(exchange(bench, 40, 9), undefined);
  t.is(bench.nic.counters.reinits, 0);
  bench.chip.setLink(false);
  bench.nic.run(500);
  t.is(bench.nic.nic.nicLink(), 0);
});

test("nicInit gives -ENODEV on an empty bus, and the device stays silent", async (t) => {
  for (const level of [0x00, 0xff]) {
    const bench = await driverBench({ faults: { misoStuck: level } });
    t.is(bench.nic.init(), -19);
    t.is(bench.nic.nic.nicLink(), 0);
    t.is(bench.nic.nic.rxBegin(), 0);
    t.is(bench.nic.nic.txReady(), 0);
    t.is(bench.nic.nic.txBegin(60), 0);
  }
});

test("erratum 1: a chip whose MAC registers do not hold what is written is refused", async (t) => {
  const bench = await driverBench(
    { revision: "B4", spiHz: 2_000_000, rates: { macAccess: 1 } },
    { spiHz: 2_000_000 },
  );
  t.is(bench.nic.init(), -19);
});

test("the MAC of nicInit is the one that the filter knows", async (t) => {
  const bench = await startedBench();
  const [a, b, c, d, e, f] = ["MAADR1", "MAADR2", "MAADR3", "MAADR4", "MAADR5", "MAADR6"] as const;
  t.deepEqual(
    [a, b, c, d, e, f].map((name) => bench.chip.peek(name)),
    [...NicHarness.MAC],
  );
});

test("on a wire that the partner never leaves free frames go out all the same, nothing starts anew, and none waits once it is quiet", async (t) => {
  // How many depends on backoff, thus on chance: from 12 to 40 in one run.
  let all = 0;
  for (const seed of [1, 2, 3]) {
    const during = await onAFullWire(t, seed);
    t.true(during > 10, `${during} frames in two seconds`);
    all += during;
  }
  t.true(all > 3 * 20, `${all} frames in six seconds`);
});

/** Two seconds on a full wire, then a quiet one; gives the frames that went out in the former. */
async function onAFullWire(t: ExecutionContext, seed: number): Promise<number> {
  const bench = await startedBench({ lineFrames: 1000, seed });
  const { nic, chip, sent } = bench;
  const startNs = nic.clock.nowNs;
  let given = 0;
  // A frame of 64 bytes and its gap take 67.2 us, of which there is always another.
  while (nic.clock.nowNs - startNs < 2e9) {
    for (; given < (nic.clock.nowNs - startNs) / 60_000; given++)
      chip.receive(testFrame(60, given, BROADCAST));
    nic.poll();
    nic.drain();
    nic.send(testFrame(60, sent.length));
    nic.clock.advance(200_000);
  }
  const during = sent.length;
  const gaps = (): number[] =>
    (["MABBIPG", "MAIPGL", "MAIPGH"] as const).map((name) => chip.peek(name));
  t.deepEqual(gaps(), [0x12, 0x12, 0x0c], "as the data sheet recommends them");
  nic.run(5000);
  t.like(nic.counters, { reinits: 0, txTimeouts: 0 });
  t.deepEqual(gaps(), [0x1a, 0x1a, 0x1a], "the partner goes first again");
  const before = sent.length;
  const frame = testFrame(60, 5);
  nic.drain();
  t.true(nic.send(frame));
  nic.run(1);
  t.is(sent.length, before + 1);
  return during;
}

test("frames to groups pass the filter where somebody may join one: multicast DNS, or a socket", async (t) => {
  const group = Uint8Array.of(1, 0, 0x5e, 1, 2, 3);
  for (const [MULTICAST_GROUPS, heard] of [
    [0, false],
    [1, true],
  ] as const) {
    const { nic, chip } = await startedBench({}, { options: { MDNS: 0, MULTICAST_GROUPS } });
    chip.receive(testFrame(100, 1, group));
    nic.run(1);
    t.is(nic.receive() !== undefined, heard);
  }
});
