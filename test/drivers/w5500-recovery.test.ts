import test, { type ExecutionContext } from "ava";
import type { W5500 } from "../../host-tools/sim/chips/w5500/index.js";
import { Random } from "../../host-tools/sim/random.js";
import { compareFrames, NicHarness, testFrame } from "../support/nic-harness.js";
import { makeW5500, w5500Harness } from "../support/w5500.js";

interface Bench {
  bench: NicHarness<W5500>;
  chip: W5500;
  sent: Uint8Array[];
}

/** Some frames each way must pass whole. */
function flows(t: ExecutionContext, { bench, chip, sent }: Bench, seed = 100): void {
  const frames = [testFrame(60, seed), testFrame(1514, seed + 1), testFrame(200, seed + 2)];
  sent.length = 0;
  for (const frame of frames) {
    chip.receive(frame);
    t.true(bench.send(frame));
  }
  t.is(compareFrames(bench.drain(), frames), "same");
  bench.run(10);
  t.is(compareFrames(sent, frames), "same");
}

/** A turn of the main loop every millisecond, frames taken and dropped. */
function live(bench: NicHarness<W5500>, ms: number): void {
  for (let i = 0; i < ms; i++) {
    bench.poll();
    bench.drain();
    bench.clock.advance(1e6);
  }
}

test("Field: a lost SENDOK is found out by TX_RD within 3 ms, and nothing is reset", async (t) => {
  const made = await w5500Harness();
  const { bench, chip, sent } = made;
  chip.faults.loseSendOk = 1;
  t.true(bench.send(testFrame(1514, 1)));
  t.true(bench.send(testFrame(1514, 2)));
  bench.run(3);
  t.is(compareFrames(sent, [testFrame(1514, 1), testFrame(1514, 2)]), "same");
  const { txTimeouts, txResets, txFrames } = bench.counters;
  t.deepEqual({ txTimeouts, txResets, txFrames }, { txTimeouts: 1, txResets: 0, txFrames: 2 });
  flows(t, made);
});

test("Field: a frame that hangs is given up after 20 ms, and the socket is opened anew", async (t) => {
  const made = await w5500Harness();
  const { bench, chip } = made;
  chip.faults.hangSend = 1;
  t.true(bench.send(testFrame(1514, 1)));
  t.true(bench.send(testFrame(60, 2)));
  bench.run(23);
  const { txTimeouts, txResets, txErrors, reinits } = bench.counters;
  t.deepEqual({ txTimeouts, txResets, reinits }, { txTimeouts: 1, txResets: 1, reinits: 0 });
  t.is(txErrors, 1, "the frame that waited is lost with it");
  t.is(bench.nic.nicLink(), 7);
  flows(t, made);
});

test("Field: hanging again at once calls for stronger remedies: software reset, then RSTn", async (t) => {
  const made = await w5500Harness();
  const { bench, chip } = made;
  for (let i = 0; i < 3; i++) {
    chip.faults.hangSend = 1;
    t.true(bench.send(testFrame(60, i)));
    live(bench, 40);
    t.is(bench.counters.reinits, i);
  }
  live(bench, 100);
  t.is(bench.counters.txResets, 3);
  flows(t, made);
});

test("Field: the cable is pulled while a frame is on the wire; it is plugged in again and all is well", async (t) => {
  const made = await w5500Harness();
  const { bench, chip, sent } = made;
  for (let round = 0; round < 5; round++) {
    for (let i = 0; i < 4; i++) bench.send(testFrame(1514, i));
    chip.setLink(false);
    live(bench, 150);
    t.is(bench.nic.nicLink(), 0);
    // Frames are taken and lost, as on a cut cable: nothing above has to wait.
    const before = bench.counters.txErrors;
    for (let i = 0; i < 50; i++) {
      t.is(bench.nic.txReady(), 1);
      t.true(bench.send(testFrame(60, i)));
    }
    t.is(bench.counters.txErrors, before + 50);
    chip.setLink(true);
    live(bench, 150);
    t.is(bench.nic.nicLink(), 7);
    sent.length = 0;
    flows(t, made);
  }
  t.is(bench.counters.linkChanges, 11);
});

test("Field: a length that cannot be throws away what is there, once; the next frames are good", async (t) => {
  const made = await w5500Harness();
  const { bench, chip } = made;
  chip.faults.corruptLength = 1;
  chip.receive(testFrame(100, 1));
  chip.receive(testFrame(100, 2));
  t.is(bench.drain().length, 0);
  const { rxBadHeader, rxResets, reinits } = bench.counters;
  t.deepEqual({ rxBadHeader, rxResets, reinits }, { rxBadHeader: 1, rxResets: 1, reinits: 0 });
  flows(t, made);
});

test("Field: bad lengths again and again climb the ladder: resynchronise, open anew, set up anew", async (t) => {
  const made = await w5500Harness();
  const { bench, chip } = made;
  chip.faults.corruptLength = 3;
  const seen: number[][] = [];
  for (let i = 0; i < 3; i++) {
    chip.receive(testFrame(100, i));
    bench.drain();
    bench.poll();
    seen.push([bench.counters.rxBadHeader, bench.counters.rxResets, bench.counters.reinits]);
  }
  t.deepEqual(seen, [
    [1, 1, 0],
    [2, 1, 0],
    [3, 1, 1],
  ]);
  flows(t, made);
});

test("W5500 datasheet 4.2 Sn_RX_RSR: torn reads lose nothing", async (t) => {
  const { bench, chip } = await w5500Harness();
  for (let i = 0; i < 50; i++) {
    chip.faults.tornRsr = i % 3;
    const frames = [testFrame(200, i), testFrame(300, i + 1)];
    for (const frame of frames) chip.receive(frame);
    t.is(compareFrames(bench.drain(), frames), "same");
  }
  t.is(bench.counters.rxBadHeader, 0);
});

test("Field: a lost interrupt costs 250 ms, not the connection", async (t) => {
  const made = await w5500Harness();
  const { bench, chip } = made;
  bench.drain();
  chip.faults.loseInterrupt = 1;
  chip.receive(testFrame(60, 1));
  t.is(bench.receive(), undefined, "INTn says that there is nothing");
  bench.run(251);
  t.deepEqual(bench.receive(), testFrame(60, 1));
  flows(t, made);
});

test("INTn not connected: after the first frame the chip is asked at each turn", async (t) => {
  const bench = await NicHarness.create({
    board: "virtual-w5500",
    chip: (clock) => {
      const chip = makeW5500(clock, { autoNegotiationMs: 20 });
      Object.defineProperty(chip, "interrupt", { get: () => false });
      return chip;
    },
  });
  t.is(bench.init(), 0);
  bench.run(200, 10);
  bench.drain();
  bench.chip.receive(testFrame(60, 1));
  bench.run(251);
  t.deepEqual(bench.receive(), testFrame(60, 1));
  for (let i = 0; i < 50; i++) {
    t.true(bench.nic.nicDeadline(bench.nowMs) <= 1);
    bench.chip.receive(testFrame(60, i));
    t.deepEqual(bench.receive(), testFrame(60, i));
    t.is(bench.receive(), undefined);
  }
});

for (const level of [0x00, 0xff]) {
  test(`A chip that vanishes (bus reads ${level}) and returns is set up anew`, async (t) => {
    const made = await w5500Harness();
    const { bench, chip } = made;
    chip.receive(testFrame(60, 1));
    chip.faults.absentLevel = level;
    chip.faults.absent = true;
    live(bench, 500);
    t.is(bench.nic.nicLink(), 0);
    t.is(bench.nic.txReady(), 1, "frames are lost, nothing waits");
    t.true(bench.send(testFrame(60, 2)));
    const deadline = bench.nic.nicDeadline(bench.nowMs);
    t.true(deadline > 0 && deadline <= 1000, "called now and then, without hurry");
    const spent = bench.cost(() => live(bench, 3000)).transactions;
    t.true(spent < 100, `${spent} transactions in 3 s`);
    chip.faults.absent = false;
    chip.powerCycle();
    live(bench, 1200);
    t.is(bench.nic.nicLink(), 7);
    t.is(bench.counters.reinits, 1);
    flows(t, made);
  });
}

test("A chip that resets by itself is noticed by the next look at its pointers, or within 250 ms", async (t) => {
  const made = await w5500Harness();
  const { bench, chip } = made;
  for (let round = 1; round <= 3; round++) {
    chip.powerCycle();
    live(bench, 260);
    t.is(bench.counters.reinits, round);
    flows(t, made);
    live(bench, 1000);
  }
});

test("Field: VERSIONR 0 for the first 50 ms after reset", async (t) => {
  const made = await w5500Harness({ faults: { versionZeroNs: 50e6 } });
  t.is(made.bench.nic.nicVersion(), 4);
  flows(t, made);
});

test("Field: a chip that shows VERSIONR late comes back also where only RSTn helps", async (t) => {
  const made = await w5500Harness();
  const { bench, chip } = made;
  chip.faults.versionZeroNs = 50e6;
  // PHYCFGR.RST turns over: the PHY stays in reset.
  chip.upset(0x2e, 0x80);
  live(bench, 7000);
  t.is(bench.nic.nicLink(), 7);
  t.is(bench.counters.reinits, 1);
  flows(t, made);
});

test("A link partner that is exchanged for one of 10 Mbit/s half duplex and back: frames flow, each change is counted", async (t) => {
  const made = await w5500Harness({ autoNegotiationMs: 400 });
  const { bench, chip } = made;
  live(bench, 500);
  const before = bench.counters.linkChanges;
  for (const [partner, link] of [
    [{ mbits: 10, fullDuplex: false }, 1],
    [{ mbits: 10, fullDuplex: true }, 5],
    [{ mbits: 100, fullDuplex: false }, 3],
    [{ mbits: 100, fullDuplex: true }, 7],
  ] as const) {
    for (let i = 0; i < 4; i++) bench.send(testFrame(1514, i));
    chip.setPartner(partner);
    live(bench, 700);
    t.is(bench.nic.nicLink(), link);
    made.sent.length = 0;
    flows(t, made);
  }
  t.is(bench.counters.linkChanges - before, 8);
});

test("A chip that needs 2.2 us to take a command is never given the next too early", async (t) => {
  const made = await w5500Harness({ commandNs: 2200 });
  for (let i = 0; i < 50; i++) flows(t, made, i);
});

test("A slow SPI bus, where SENDOK comes while it is cleared for the last frame: TX_RD tells", async (t) => {
  const made = await w5500Harness({ spiHz: 400_000 });
  const { bench, sent } = made;
  const frames = Array.from({ length: 20 }, (_, i) => testFrame(60, i));
  for (const frame of frames) {
    t.true(bench.send(frame));
    bench.run(3);
  }
  t.is(compareFrames(sent, frames), "same");
  t.true(bench.counters.txTimeouts > 0);
  t.is(bench.counters.txResets, 0);
});

test("Seeded faults of every kind, thousands of frames: what is delivered is true, and it always heals", async (t) => {
  for (const seed of [1, 2, 3]) {
    const made = await w5500Harness({ seed });
    const { bench, chip, sent } = made;
    const random = new Random(seed);
    const { faults } = chip;
    let number = 0;
    let last = -1;
    const faulty = [
      () => void (faults.loseSendOk = 1),
      () => void (faults.hangSend = 1),
      () => void (faults.tornRsr = 1),
      () => void (faults.corruptLength = 1),
      () => void (faults.loseInterrupt = 1),
      () => chip.setLink(random.chance(0.5)),
      () => void (faults.absent = random.chance(0.3)),
      () => void (random.chance(0.2) && chip.powerCycle()),
    ];
    for (let step = 0; step < 3000; step++) {
      if (random.chance(0.02)) faulty[random.below(faulty.length)]?.();
      for (let i = random.below(4); i > 0; i--) {
        const frame = testFrame(60 + random.below(1455));
        Buffer.from(frame.buffer).writeUInt32BE(++number, 14);
        chip.receive(frame);
      }
      for (const frame of bench.drain()) {
        const got = Buffer.from(frame.buffer).readUInt32BE(14);
        t.true(got > last && got <= number, "frames come once and in order");
        last = got;
        const expected = testFrame(frame.length);
        Buffer.from(expected.buffer).writeUInt32BE(got, 14);
        if (!Buffer.from(frame).equals(expected)) t.fail(`frame ${got} is not what was sent`);
      }
      for (let i = random.below(3); i > 0; i--) bench.send(testFrame(60 + random.below(1455), i));
      bench.poll();
      bench.clock.advance(random.below(3_000_000));
    }
    chip.setLink(true);
    Object.assign(faults, { absent: false, hangSend: 0, corruptLength: 0, loseInterrupt: 0 });
    Object.assign(faults, { loseSendOk: 0, tornRsr: 0 });
    live(bench, 3000);
    sent.length = 0;
    flows(t, made);
    t.true(last > 1000, `${last} frames came`);
  }
});

for (const [what, address, bits, socket] of [
  ["MR.PB", 0x00, 0x10],
  ["MR.WOL", 0x00, 0x20],
  ["SHAR0", 0x09, 0x80],
  ["SHAR5", 0x0e, 0x01],
  ["SIPR0", 0x0f, 0x40],
  ["SIPR3", 0x12, 0x01],
  ["INTLEVEL", 0x13, 0x80],
  ["IMR", 0x16, 0x80],
  ["SIMR", 0x18, 0x01],
  ["PHYCFGR.RST", 0x2e, 0x80],
  ["PHYCFGR.OPMD", 0x2e, 0x40],
  ["S0_MR.MFEN", 0x00, 0x80, 0],
  ["S0_MR.BCASTB", 0x00, 0x40, 0],
  ["S0_IMR.RECV", 0x2c, 0x04, 0],
  ["S0_RXBUF_SIZE", 0x1e, 0x10, 0],
  ["S3_TXBUF_SIZE", 0x1f, 0x02, 3],
] as const satisfies readonly (readonly [string, number, number, number?])[]) {
  test(`G5: an upset ${what} is found within 4.3 s, counted, and all is well`, async (t) => {
    const made = await w5500Harness();
    const { bench, chip } = made;
    chip.upset(address, bits, socket);
    live(bench, 4500);
    t.is(bench.counters.reinits, 1);
    live(bench, 2000);
    t.is(bench.nic.nicLink(), 7);
    flows(t, made);
    live(bench, 5000);
    t.is(bench.counters.reinits, 1);
  });
}
