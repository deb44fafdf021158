import test from "ava";
import type { Enc28j60Options } from "../../host-tools/sim/chips/enc28j60/index.js";
import { ERRATA_OF } from "../../host-tools/sim/chips/enc28j60/index.js";
import {
  Bench,
  ECON1,
  ECON2,
  EIR,
  ERXRDPT,
  ERXST,
  ESTAT,
  EWRPT,
  MAC,
  frame,
} from "./enc28j60-bench.js";

/** A bench with one erratum that always strikes, and one without it. */
function pair(
  erratum: (typeof ERRATA_OF.B1)[number] | 13,
  rest: Partial<Enc28j60Options> = {},
): [Bench, Bench] {
  const rates = Object.fromEntries(
    ["macAccess", "writePointer", "pktif", "loopback", "stall", "linkPulse", "evenReadPointer", "latecol", "pattern"]
      .map((name) => [name, 1]),
  ); // prettier-ignore
  return [
    new Bench({ errata: [erratum], rates: { ...rates, linkPulseStuck: 0 }, ...rest }),
    new Bench(rest),
  ];
}

test("DS80349C table 1: B1 and B4 have erratum 1 and not 13, B5 and B7 the other way round", (t) => {
  for (const revision of ["B1", "B4"] as const) {
    t.true(ERRATA_OF[revision].includes(1));
    t.false(ERRATA_OF[revision].includes(13));
  }
  for (const revision of ["B5", "B7"] as const) {
    t.false(ERRATA_OF[revision].includes(1));
    t.true(ERRATA_OF[revision].includes(13));
  }
});

for (const [revision, value] of [
  ["B1", 2],
  ["B4", 4],
  ["B5", 5],
  ["B7", 6],
] as const) {
  test(`DS80349C table 1: EREVID of ${revision} is ${value}`, (t) => {
    const bench = new Bench({ revision }).settle();
    t.is(
      bench.inBank(3, () => bench.read(0x12)),
      value,
    );
  });
}

test("erratum 1: below 8 MHz MAC registers are unreliable, ETH registers are not", (t) => {
  const [sick, well] = pair(1, { spiHz: 4_000_000 });
  for (const bench of [sick, well]) {
    bench.settle();
    bench.write(EWRPT, 0x5a);
    t.is(bench.read(EWRPT), 0x5a);
    bench.bank(2);
    bench.write(0x0a, 0xee);
    t.is(bench.readMac(0x0a) === 0xee, bench === well);
  }
  const fast = pair(1)[0].settle();
  fast.bank(2);
  fast.write(0x0a, 0xee);
  t.is(fast.readMac(0x0a), 0xee);
});

test("erratum 2: after a system reset CLKRDY is set at once, but the PHY takes 1 ms", (t) => {
  const [sick, well] = pair(2);
  for (const bench of [sick, well]) {
    bench.settle();
    bench.spi([0xff]);
    t.is(bench.read(ESTAT) & 1, bench === sick ? 1 : 0);
    bench.advanceUs(400);
    t.is(bench.read(ESTAT) & 1, 1);
    bench.inBank(2, () => bench.readMac(0x0a));
    t.is(bench.violations.length, bench === sick ? 1 : 0);
    bench.advanceUs(700);
    bench.inBank(2, () => bench.readMac(0x0a));
    t.is(bench.violations.length, bench === sick ? 1 : 0);
  }
});

test("erratum 2: a host that does not wait after a system reset is reported, but its settings arrive", (t) => {
  const [sick] = pair(2);
  sick.settle();
  sick.spi([0xff]);
  sick.inBank(2, () => {
    sick.write(0x00, 0x0d);
    t.is(sick.readMac(0x00), 0x0d);
    sick.write(0x14, 0x10);
    sick.write(0x16, 0x00);
    sick.write(0x17, 0x01);
  });
  t.is(sick.inBank(3, () => sick.readMac(0x0a)) & 1, 1, "the PHY's clock stands still");
  sick.advanceUs(1100);
  t.is(sick.inBank(3, () => sick.readMac(0x0a)) & 1, 0);
  t.is(sick.phyRead(0x10), 0x0100);
  t.true(sick.violations.length > 0);
});

test("erratum 5: writing ERXST loads 0000 into the write pointer", (t) => {
  for (const bench of pair(5)) {
    bench.start();
    bench.clear(ECON1, 0x04);
    bench.write16(ERXST, 0x0100);
    bench.set(ECON1, 0x04);
    bench.chip.memory.fill(0, 0, 0x200);
    bench.arrive(frame(60));
    const at = bench.chip.memory[6] === MAC[0] ? 0 : 0x100;
    t.is(at === 0, bench.violations.length > 0);
  }
});

test("erratum 6: PKTIF reads 0 although a packet waits; the INT pin tells", (t) => {
  for (const bench of pair(6)) {
    bench.start();
    bench.write(0x1b, 0xc0);
    bench.arrive(frame(60));
    t.is(bench.packets(), 1);
    t.true(bench.chip.interrupt);
  }
  const [sick, well] = pair(6);
  for (const bench of [sick, well]) {
    bench.start();
    bench.arrive(frame(60));
    bench.arrive(frame(60));
    // Hosts in the field that look at PKTIF once per edge of INT and then drain by EPKTCNT work.
    t.is(bench.read(EIR) & 0x40, 0x40);
    bench.set(ECON2, 0x40);
    t.is(bench.read(EIR) & 0x40, bench === sick ? 0 : 0x40);
    bench.set(ECON2, 0x40);
    bench.arrive(frame(60));
    t.is(bench.read(EIR) & 0x40, 0x40);
  }
});

test("errata 9 and 10: loopback loses frames", (t) => {
  for (const [erratum, register, value] of [
    [9, 0x10, 0],
    [10, 0x00, 0x4000],
  ] as const) {
    const [sick, well] = pair(erratum);
    for (const bench of [sick, well]) {
      bench.start();
      bench.phyWrite(register, value);
      bench.send(frame(60, MAC));
      t.is(bench.packets(), bench === sick ? 0 : 1);
    }
  }
});

test("erratum 12: after an abort in half duplex nothing is sent until TXRST, which sets TXERIF", (t) => {
  const [sick, well] = pair(12, { faults: { lateCollisions: 1 } });
  for (const bench of [sick, well]) {
    bench.start();
    bench.send(frame(300));
    bench.clear(EIR, 0x0a);
    bench.set(ECON1, 0x08);
    bench.advanceUs(20_000);
    t.is(bench.read(ECON1) & 0x08, bench === sick ? 0x08 : 0);
    bench.set(ECON1, 0x80);
    bench.clear(ECON1, 0x80);
    t.is(bench.read(EIR) & 0x02, bench === sick ? 0x02 : 0);
    bench.clear(EIR, 0x0a);
    bench.set(ECON1, 0x08);
    bench.advanceUs(1000);
    t.is(bench.sent.length, bench === sick ? 1 : 2);
  }
});

test("erratum 12: in full duplex an abort does not stall", (t) => {
  const [sick] = pair(12);
  sick.start({ fullDuplex: true });
  sick.send(frame(1600));
  sick.clear(EIR, 0x0a);
  sick.send(frame(60));
  t.is(sick.sent.length, 1);
});

test("erratum 13: a link pulse during a frame in half duplex is taken for a collision", (t) => {
  const [sick, well] = pair(13);
  for (const bench of [sick, well]) {
    bench.start();
    let late = 0;
    let collided = 0;
    // Link pulses come every 16 ms: one of 13 frames in a row meets one.
    for (let i = 0; i < 26; i++) {
      const status = bench.send(frame(1514));
      late += ((status[3] ?? 0) >> 5) & 1;
      collided += (status[2] ?? 0) & 0x0f;
    }
    t.is(late + collided > 0, bench === sick);
    t.is(bench.sent.length, 26 - late);
  }
  const full = pair(13)[0].start({ fullDuplex: true });
  for (let i = 0; i < 26; i++) full.send(frame(1514));
  t.is(full.sent.length, 26);
});

test("erratum 13: TXRTS may stay set and TXIF may not come; TXERIF does", (t) => {
  const bench = new Bench({ errata: [13], rates: { linkPulse: 1, linkPulseStuck: 1 } }).start();
  let stuck = false;
  for (let i = 0; i < 26 && !stuck; i++) {
    bench.send(frame(1514));
    stuck = (bench.read(ECON1) & 0x08) !== 0;
  }
  t.true(stuck);
  t.is(bench.read(EIR) & 0x0a, 0x02);
  t.is(((bench.status()[3] ?? 0) >> 5) & 1, 1);
});

test("erratum 14: an even ERXRDPT is a violation and corrupts the next packet pointer as the buffer gets full", (t) => {
  const [sick, well] = pair(14);
  for (const bench of [sick, well]) {
    bench.start();
    bench.write16(ERXRDPT, 0x0100);
    t.is(bench.violations.length, bench === sick ? 1 : 0);
    bench.arrive(frame(60));
    t.is(bench.take(0).next === 70, bench === well);
  }
  const roomy = pair(14)[0].start();
  roomy.write16(ERXRDPT, 0x13fe);
  roomy.arrive(frame(60));
  t.is(roomy.take(0).next, 70);
  const odd = pair(14)[0].start();
  odd.arrive(frame(60));
  t.is(odd.take(0).next, 70);
});

test("erratum 12: a transmit reset takes TXABRT and LATECOL with it, the next frame is good", (t) => {
  const bench = new Bench({ faults: { lateCollisions: 1 } }).start();
  bench.send(frame(300));
  t.is(bench.read(ESTAT) & 0x12, 0x12);
  bench.set(ECON1, 0x80);
  bench.clear(ECON1, 0x80);
  t.is(bench.read(ESTAT) & 0x12, 0);
  bench.send(frame(300));
  t.is(bench.read(ESTAT) & 0x12, 0);
  t.is(bench.sent.length, 1);
});

test("erratum 15: LATECOL does not tell, bit 29 of the status vector does", (t) => {
  const [sick] = pair(15, { faults: { lateCollisions: 1 } });
  const status = sick.start().send(frame(300));
  t.is(sick.read(ESTAT) & 0x12, 0x02);
  t.is(((status[3] ?? 0) >> 5) & 1, 1);
});

test("erratum 17: a DMA checksum aborts the frame that is arriving; a copy does not", (t) => {
  const [sick, well] = pair(17);
  for (const [bench, mode, lost] of [
    [sick, 0x30, true],
    [well, 0x30, false],
    [pair(17)[0], 0x20, false],
  ] as const) {
    bench.start();
    bench.write(0x12, 20);
    bench.chip.receive(frame(500));
    bench.advanceUs(100);
    bench.set(ECON1, mode);
    bench.advanceUs(500);
    t.is(bench.packets(), lost ? 0 : 1);
    t.is(bench.read(EIR) & 0x01, lost ? 1 : 0);
    t.is(bench.read(ESTAT) & 0x40, lost ? 0x40 : 0);
  }
});

test("erratum 17: so is a frame that begins to arrive while the checksum runs, and only that one", (t) => {
  const [sick, well] = pair(17);
  for (const [bench, mode, packets] of [
    [sick, 0x30, 1],
    [well, 0x30, 2],
    [pair(17)[0], 0x20, 2],
  ] as const) {
    bench.start();
    bench.write16(0x12, 4999);
    bench.write16(0x14, 0x1a00);
    bench.set(ECON1, mode);
    bench.arrive(frame(500));
    t.is(bench.read(EIR) & 0x01, packets === 1 ? 1 : 0);
    bench.arrive(frame(500));
    t.is(bench.packets(), packets);
  }
});

test("erratum 18: the pattern filter lets other frames pass", (t) => {
  const [sick, well] = pair(18);
  for (const bench of [sick, well]) {
    bench.start({ filter: 0x30 });
    bench.inBank(1, () => bench.write(0x08, 1));
    bench.arrive(frame(100));
    t.is(bench.packets(), bench === sick ? 1 : 0);
  }
});

test("erratum 19: in power save a system reset is ignored", (t) => {
  const [sick, well] = pair(19);
  for (const bench of [sick, well]) {
    bench.settle();
    bench.write16(EWRPT, 0x0100);
    bench.set(ECON2, 0x20);
    bench.spi([0xff]);
    t.is(bench.read16(EWRPT), bench === sick ? 0x0100 : 0);
    t.is(bench.read(ECON2) & 0x20, bench === sick ? 0x20 : 0);
  }
});
