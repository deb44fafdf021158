import test from "ava";
import { Random } from "../../host-tools/sim/random.js";
import { compareFrames, testFrame } from "../support/nic-harness.js";
import { w5500Harness } from "../support/w5500.js";

test("W5500 datasheet 4.2: 500 frames of all sizes come in order and whole, through many wraps of memory", async (t) => {
  const { bench, chip } = await w5500Harness();
  const random = new Random(7);
  for (let i = 0; i < 500;) {
    const batch = 1 + random.below(8);
    const frames = Array.from({ length: batch }, () => testFrame(60 + random.below(1455), i++));
    for (const frame of frames) chip.receive(frame);
    for (const frame of frames) t.deepEqual(bench.receive(1 + random.below(1600)), frame);
    t.is(bench.receive(), undefined);
    t.false(chip.interrupt);
  }
  t.is(bench.counters.rxBadHeader, 0);
});

test("W5500 datasheet 4.2: 500 frames of all sizes are sent in order and whole, in pieces of any size", async (t) => {
  const { bench, sent } = await w5500Harness();
  const random = new Random(8);
  const expected: Uint8Array[] = [];
  while (expected.length < 500) {
    const frame = testFrame(14 + random.below(1501), expected.length);
    if (!bench.send(frame, 1 + random.below(1600))) {
      bench.clock.advance(20_000);
      continue;
    }
    const padded = new Uint8Array(Math.max(60, frame.length));
    padded.set(frame);
    expected.push(padded);
  }
  bench.run(10);
  t.is(compareFrames(sent, expected), "same");
  t.is(bench.counters.txFrames, 500);
});

for (const recvRemains of [true, false])
  test(`Frames that arrive at any instant are all seen, and INTn is high when the driver says there is none${recvRemains ? "" : ", also where RECV is not set again for what is left"}`, async (t) => {
    const { bench, chip } = await w5500Harness({ recvRemains });
    const random = new Random(9);
    const expected: Uint8Array[] = [];
    const got: Uint8Array[] = [];
    for (let i = 0; i < 2000; i++) {
      const frame = testFrame(60 + random.below(100), i);
      expected.push(frame);
      bench.clock.schedule(i * 45_000 + random.below(40_000), () => chip.receive(frame));
    }
    // As a device does, but without the regular look of nicPoll: sleep until INTn is low, then take all there is.
    while (got.length < expected.length) {
      const asleep = bench.nic.nicDeadline(bench.nowMs) > 0 && !chip.interrupt;
      if (asleep && !bench.clock.runNext()) break;
      got.push(...bench.drain());
    }
    t.is(chip.drops.full, 0);
    t.is(compareFrames(got, expected), "same");
  });

test("Frames that arrive while the pointer is read, and while the chip still takes a RECV, are taken whole and once", async (t) => {
  for (const commandNs of [0, 500, 12_000]) {
    const { bench, chip } = await w5500Harness({ commandNs });
    const random = new Random(11);
    const expected: Uint8Array[] = [];
    const got: Uint8Array[] = [];
    for (let i = 0; i < 400; i++) {
      const frame = testFrame(60 + random.below(random.below(4) === 0 ? 1455 : 300), i);
      expected.push(frame);
      chip.receive(frame);
      // The next one at each instant of what the driver does at the end of this one.
      if (i % 3 !== 0) {
        const another = testFrame(60 + random.below(500), i + 7);
        expected.push(another);
        const delayNs = 2_000 + frame.length * 240 + (i % 100) * 60;
        bench.clock.schedule(delayNs, () => chip.receive(another));
      }
      for (let spin = 0; got.length < expected.length && spin < 200; spin++) {
        got.push(...bench.drain());
        bench.clock.advance(200);
      }
    }
    t.is(compareFrames(got, expected), "same");
    const { rxBadHeader, rxResets, reinits } = bench.counters;
    t.deepEqual({ rxBadHeader, rxResets, reinits }, { rxBadHeader: 0, rxResets: 0, reinits: 0 });
  }
});

test("Both directions at once: receiving, sending and an echo that reads and writes in turn", async (t) => {
  const { bench, chip, sent } = await w5500Harness();
  const random = new Random(10);
  const { nic } = bench;
  const at = nic.buffer();
  const expected: Uint8Array[] = [];
  for (let i = 0; i < 200; i++) {
    const frame = testFrame(60 + random.below(1455), i);
    chip.receive(frame);
    const length = nic.rxBegin();
    t.is(length, frame.length);
    while (!nic.txBegin(length)) bench.clock.advance(10_000);
    for (let left = length; left > 0;) {
      const piece = Math.min(left, 1 + random.below(700));
      nic.rxRead(at, piece);
      nic.txWrite(at, piece);
      left -= piece;
    }
    nic.rxEnd();
    nic.txEnd();
    expected.push(frame);
  }
  bench.run(10);
  t.is(compareFrames(sent, expected), "same");
});

test("A frame that is read in part, skipped or not read at all does not disturb the next", async (t) => {
  const { bench, chip } = await w5500Harness();
  const { nic } = bench;
  const at = nic.buffer();
  for (let i = 0; i < 60; i++) {
    const frames = [testFrame(100 + i, 1), testFrame(200, 2), testFrame(300, 3), testFrame(64, 4)];
    for (const frame of frames) chip.receive(frame);
    nic.rxBegin(); // skipped whole
    nic.rxBegin(); // begun without an end before: the first is ended
    nic.rxRead(at, 14);
    nic.rxSkip(i);
    nic.rxRead(at + 14, 20);
    t.deepEqual(
      [...bench.bytes(at + 14, 20)],
      [...(frames[1] as Uint8Array).subarray(14 + i, 34 + i)],
    );
    nic.rxEnd();
    t.is(nic.rxBegin(), 300);
    nic.rxRead(at, 290);
    nic.rxEnd();
    t.deepEqual(bench.receive(), frames[3]);
  }
});

test("Reading and skipping stop at the end of the frame", async (t) => {
  const { bench, chip } = await w5500Harness();
  const { nic } = bench;
  const at = nic.buffer();
  const frames = [testFrame(60, 1), testFrame(60, 2)] as const;
  for (const frame of frames) chip.receive(frame);
  nic.rxBegin();
  bench.bytes(at, 128).fill(0xee);
  nic.rxRead(at, 128);
  t.deepEqual([...bench.bytes(at, 60)], [...frames[0]]);
  t.true(bench.bytes(at + 60, 68).every((byte) => byte === 0xee));
  nic.rxSkip(1000);
  nic.rxRead(at, 1);
  nic.rxEnd();
  t.deepEqual(bench.receive(), frames[1]);
});

test("IEEE 802.3: frames are padded to 60 bytes with zeros, never with old memory", async (t) => {
  const { bench, sent } = await w5500Harness();
  for (let bytes = 14; bytes <= 61; bytes++) {
    bench.send(testFrame(bytes, bytes));
    bench.clock.advance(20_000);
    const frame = sent.at(-1) as Uint8Array;
    t.is(frame.length, Math.max(60, bytes));
    t.deepEqual(frame.subarray(0, bytes), testFrame(bytes, bytes));
    t.true(frame.subarray(bytes).every((byte) => byte === 0));
  }
});

test("Lengths that are no Ethernet frame are refused; a cancelled frame leaves no trace", async (t) => {
  const { bench, sent } = await w5500Harness();
  const { nic } = bench;
  for (const bytes of [0, 13, 1515, 65535]) t.is(nic.txBegin(bytes), 0);
  t.is(nic.txBegin(100), 1);
  t.is(nic.txBegin(100), 0, "one at a time");
  t.is(nic.txReady(), 0);
  nic.txWrite(nic.buffer(), 50);
  nic.txCancel();
  t.is(nic.txReady(), 1);
  bench.send(testFrame(200, 1));
  bench.clock.advance(100_000);
  t.deepEqual(sent, [testFrame(200, 1)]);
});

test("On a 10 Mbit/s link frames queue in the chip, up to 5, and then there is no room", async (t) => {
  const { bench, sent } = await w5500Harness({ partner: { mbits: 10, fullDuplex: true } });
  t.is(bench.nic.nicLink(), 5);
  const frames = Array.from({ length: 12 }, (_, i) => testFrame(60, i));
  let at = 0;
  while (bench.send(frames[at] as Uint8Array)) at++;
  t.is(at, 5);
  t.is(bench.nic.txReady(), 0);
  // Asleep: only INTn, by SENDOK, wakes the device for the frames that wait.
  while (sent.length < 5) {
    t.true(bench.nic.nicDeadline(bench.nowMs) > 0);
    while (!bench.chip.interrupt && bench.clock.runNext());
    bench.poll();
  }
  bench.run(10);
  t.is(compareFrames(sent, frames.slice(0, 5)), "same");
  t.is(bench.nic.txReady(), 1);
  t.false(bench.chip.interrupt, "SENDOK does not wake an idle device");
});

test("The device's clocks may wrap at any moment: milliseconds after 49 days, microseconds after 71 minutes", async (t) => {
  for (const startMs of [0xffff_ffff - 400, 4_294_967 - 400]) {
    const { bench, chip, sent } = await w5500Harness({ startMs });
    for (let i = 0; i < 400; i++) {
      chip.receive(testFrame(60, i));
      t.deepEqual(bench.drain(), [testFrame(60, i)]);
      t.true(bench.send(testFrame(1514, i)));
      bench.run(1);
      t.is(sent.length, i + 1);
    }
    t.is(bench.counters.txTimeouts + bench.counters.reinits, 0);
  }
});

test("W5500: frames to groups pass the filter where somebody may join one: multicast DNS, or a socket; broadcasts always", async (t) => {
  const group = Uint8Array.of(1, 0, 0x5e, 1, 2, 3);
  for (const [MULTICAST_GROUPS, heard] of [
    [0, 0],
    [1, 1],
  ] as const) {
    const { bench, chip } = await w5500Harness({ build: { MDNS: 0, MULTICAST_GROUPS } });
    chip.receive(testFrame(100, 1, group));
    chip.receive(testFrame(100, 2, new Uint8Array(6).fill(255)));
    t.is(bench.drain().length, 1 + heard);
  }
});
