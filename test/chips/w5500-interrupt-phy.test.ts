import test from "ava";
import { VirtualClock } from "../../host-tools/sim/virtual-clock.js";
import type { W5500 } from "../../host-tools/sim/chips/w5500/index.js";
import { testFrame } from "../support/nic-harness.js";
import { COMMON, makeW5500, S0, SpiMaster } from "../support/w5500.js";

function make(options: Parameters<typeof makeW5500>[1] = {}): {
  spi: SpiMaster;
  chip: W5500;
  clock: VirtualClock;
} {
  const clock = new VirtualClock();
  const chip = makeW5500(clock, options);
  return { spi: new SpiMaster(clock, chip), chip, clock };
}

function open(
  intLevel = 0,
  options: Parameters<typeof makeW5500>[1] = {},
): ReturnType<typeof make> & { edges: boolean[] } {
  const made = make({ autoNegotiationMs: 1, ...options });
  made.spi.openMacraw();
  made.spi.waitForLink();
  made.spi.write16(COMMON, 0x13, intLevel);
  const edges: boolean[] = [];
  made.chip.onInterrupt = (low) => void edges.push(low);
  return { ...made, edges };
}

test("W5500 datasheet 4.1 SIR and SIMR: INTn is low while an enabled socket has an enabled flag", (t) => {
  const { spi, chip, edges } = open();
  chip.receive(testFrame(60));
  t.is(spi.read8(COMMON, 0x17), 0x01);
  t.false(chip.interrupt, "SIMR is 0");
  spi.write(COMMON, 0x18, 0x01);
  t.true(chip.interrupt);
  spi.write(S0, 0x2c, 0x10);
  t.false(chip.interrupt, "Sn_IMR leaves RECV out");
  t.is(spi.read8(COMMON, 0x17), 0x00);
  spi.write(S0, 0x2c, 0x04);
  spi.write(S0, 0x02, 0x04);
  t.false(chip.interrupt);
  t.deepEqual(edges, [true, false, true, false]);
});

test("W5500 datasheet 4.2 Sn_IMR (1.0.9): flags of Sn_IR are set regardless of the mask", (t) => {
  const { spi, chip, clock } = open();
  spi.write(S0, 0x2c, 0x00);
  chip.receive(testFrame(60));
  spi.send(testFrame(60));
  clock.advance(20_000);
  t.is(spi.read8(S0, 0x02), 0x14);
  t.is(spi.read8(COMMON, 0x17), 0x00);
});

test("W5500 datasheet 4.2 Sn_IR RECV: clearing it while frames are left does not set it again", (t) => {
  const { spi, chip } = open();
  chip.receive(testFrame(60));
  chip.receive(testFrame(60));
  spi.write(S0, 0x02, 0x04);
  t.is(spi.read8(S0, 0x02), 0x00);
  t.is(spi.read16(S0, 0x26), 124);
  chip.receive(testFrame(60));
  t.is(spi.read8(S0, 0x02), 0x04);
});

test("W5100 datasheet Sn_IR RECV, family behaviour: set again if data remains after the RECV command", (t) => {
  const { spi, chip, edges } = open();
  spi.write(COMMON, 0x18, 0x01);
  for (let i = 0; i < 5; i++) chip.receive(testFrame(100, i));
  // A host that takes one frame per interrupt must get them all.
  for (let i = 0; i < 5; i++) {
    t.true(chip.interrupt, `frame ${i}`);
    spi.write(S0, 0x02, 0x04);
    t.false(chip.interrupt, `frame ${i}`);
    t.deepEqual(spi.receive(), testFrame(100, i));
  }
  t.false(chip.interrupt);
  t.is(edges.filter((low) => low).length, 5);
});

test("W5500 datasheet 4.2 Sn_IR RECV, recvRemains off: only a frame sets it, and who takes one for each waits for the next", (t) => {
  const { spi, chip } = open(0, { recvRemains: false });
  for (let i = 0; i < 2; i++) chip.receive(testFrame(100, i));
  spi.write(S0, 0x02, 0x04);
  t.deepEqual(spi.receive(), testFrame(100, 0));
  t.is(spi.read8(S0, 0x02), 0x00);
  chip.receive(testFrame(100, 2));
  t.is(spi.read8(S0, 0x02), 0x04);
  t.deepEqual(spi.receive(), testFrame(100, 1));
});

test("W5500 datasheet 4.1 INTLEVEL: INTn waits (N+1) * 4 / 150 MHz before it is low again", (t) => {
  const { spi, chip, clock, edges } = open(0xffff);
  spi.write(COMMON, 0x18, 0x01);
  chip.receive(testFrame(60));
  t.true(chip.interrupt);
  spi.send(testFrame(60));
  clock.advance(20_000);
  spi.write(S0, 0x02, 0x04);
  t.false(chip.interrupt, "SENDOK is still pending, but the wait runs");
  clock.advance(1_747_000);
  t.false(chip.interrupt);
  clock.advance(1_000);
  t.true(chip.interrupt);
  t.deepEqual(edges, [true, false, true]);
});

test("W5500 datasheet 4.1 INTLEVEL 0: with more pending INTn stays low", (t) => {
  const { spi, chip, clock, edges } = open();
  spi.write(COMMON, 0x18, 0x01);
  chip.receive(testFrame(60));
  spi.send(testFrame(60));
  clock.advance(20_000);
  spi.write(S0, 0x02, 0x04);
  t.true(chip.interrupt);
  t.deepEqual(edges, [true]);
});

test("W5500 datasheet 4.1 IMR: IR & IMR pulls INTn as well", (t) => {
  const { spi, chip } = open();
  spi.write(COMMON, 0x0f, 10, 0, 0, 2);
  const claim = new Uint8Array(60);
  claim.set([255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 9, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1]);
  claim.set([2, 0, 0, 0, 0, 9, 10, 0, 0, 2], 22);
  chip.receive(claim);
  t.false(chip.interrupt);
  spi.write(COMMON, 0x16, 0x80);
  t.true(chip.interrupt);
});

test("Field: an interrupt can be lost until the next event", (t) => {
  const { spi, chip } = open();
  spi.write(COMMON, 0x18, 0x01);
  chip.faults.loseInterrupt = 1;
  chip.receive(testFrame(60));
  t.false(chip.interrupt);
  t.is(spi.read8(S0, 0x02), 0x04);
  chip.receive(testFrame(60));
  t.true(chip.interrupt);
});

const PHYCFGR = 0x2e;

test("W5500 datasheet 4.1 PHYCFGR: all capable by the pins, the link comes after negotiation", (t) => {
  const { spi, clock } = make();
  clock.advance(1499e6);
  t.is(spi.read8(COMMON, PHYCFGR), 0xb8);
  clock.advance(1e6);
  t.is(spi.read8(COMMON, PHYCFGR), 0xbf);
});

test("W5500 datasheet 4.1 PHYCFGR: DPX and SPD show what was negotiated", (t) => {
  for (const [mbits, fullDuplex, bits] of [
    [100, true, 7],
    [100, false, 3],
    [10, true, 5],
    [10, false, 1],
  ] as const) {
    const { spi, clock } = make({ partner: { mbits, fullDuplex } });
    clock.advance(1501e6);
    t.is(spi.read8(COMMON, PHYCFGR) & 7, bits);
  }
});

test("W5500 datasheet 4.1 PHYCFGR: OPMD and OPMDC take effect when RST goes from 0 to 1", (t) => {
  const { spi, clock } = make();
  clock.advance(1501e6);
  spi.write(COMMON, PHYCFGR, 0xc8);
  t.is(spi.read8(COMMON, PHYCFGR) & 7, 7, "still the old link");
  spi.write(COMMON, PHYCFGR, 0x48);
  t.is(spi.read8(COMMON, PHYCFGR), 0x48, "in reset, no link");
  spi.write(COMMON, PHYCFGR, 0xc8);
  clock.advance(301e6);
  t.is(spi.read8(COMMON, PHYCFGR), 0xcd, "10 Mbit/s full duplex without negotiation");
});

test("W5500 datasheet 4.1 PHYCFGR: power down has no link; 100 Mbit/s forced has none with a 10 Mbit/s peer", (t) => {
  const { spi, clock } = make({ partner: { mbits: 10, fullDuplex: true } });
  for (const mode of [0x70, 0x58]) {
    spi.write(COMMON, PHYCFGR, mode);
    spi.write(COMMON, PHYCFGR, mode | 0x80);
    clock.advance(3e9);
    t.is(spi.read8(COMMON, PHYCFGR) & 1, 0);
  }
  t.throws(() => spi.write(COMMON, PHYCFGR, 0x68), { message: /reserved-value/ });
});

test("W5500: pulling the cable drops the link at once, plugging it in negotiates again", (t) => {
  const { spi, chip, clock } = make();
  clock.advance(1501e6);
  chip.setLink(false);
  t.is(spi.read8(COMMON, PHYCFGR) & 1, 0);
  chip.receive(testFrame(60));
  t.is(chip.drops.noLink, 1);
  chip.setLink(true);
  t.is(spi.read8(COMMON, PHYCFGR) & 1, 0);
  clock.advance(1501e6);
  t.is(spi.read8(COMMON, PHYCFGR) & 1, 1);
});

test("W5500 datasheet 4.1 MR: a software reset keeps the link, RSTn does not", (t) => {
  const { spi, chip, clock } = make();
  clock.advance(1501e6);
  spi.write(COMMON, 0x00, 0x80);
  clock.advance(2000);
  t.is(spi.read8(COMMON, PHYCFGR), 0xbf);
  chip.reset(true);
  clock.advance(500_000);
  chip.reset(false);
  clock.advance(1e6);
  t.is(spi.read8(COMMON, PHYCFGR), 0xb8);
  clock.advance(1500e6);
  t.is(spi.read8(COMMON, PHYCFGR), 0xbf);
});
