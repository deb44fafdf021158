import test from "ava";
import { Bench, ECON1, ECON2, EIE, EIR, ESTAT, frame } from "./enc28j60-bench.js";

const PHSTAT1 = 0x01;
const PHSTAT2 = 0x11;
const PHIE = 0x12;
const PHIR = 0x13;

test("DS39662E figure 12-1: INT is low while INTIE and an enabled flag are set", (t) => {
  const bench = new Bench().start();
  const edges: boolean[] = [];
  bench.chip.onInterrupt = (low) => void edges.push(low);
  bench.arrive(frame(60));
  t.false(bench.chip.interrupt);
  bench.write(EIE, 0x40);
  t.false(bench.chip.interrupt);
  t.is(bench.read(ESTAT) & 0x80, 0x80);
  bench.set(EIE, 0x80);
  t.true(bench.chip.interrupt);
  bench.clear(EIE, 0x80);
  t.false(bench.chip.interrupt);
  bench.set(EIE, 0x80);
  bench.set(ECON2, 0x40);
  t.false(bench.chip.interrupt);
  t.deepEqual(edges, [true, false, true, false]);
});

test("DS39662E 12.1: TXIF, DMAIF and RXERIF are set without being enabled and cleared by BFC", (t) => {
  const bench = new Bench().start({ rxEnd: 0x03ff });
  bench.send(frame(60));
  bench.arrive(frame(1200));
  bench.write(0x12, 10);
  bench.set(ECON1, 0x20);
  bench.advanceUs(10);
  t.is(bench.read(EIR), 0x29);
  bench.clear(EIR, 0x29);
  t.is(bench.read(EIR), 0);
});

test("DS39662E 12.1.5: LINKIF comes only with PLNKIE and PGEIE and goes when PHIR is read", (t) => {
  const bench = new Bench().start();
  bench.chip.setLink(false);
  bench.advanceUs(150_000);
  t.is(bench.read(EIR) & 0x10, 0);
  t.is(bench.phyRead(PHIR) & 0x14, 0x10);
  bench.phyWrite(PHIE, 0x0012);
  t.is(bench.read(EIR) & 0x10, 0);
  bench.chip.setLink(true);
  bench.advanceUs(100_000);
  t.is(bench.read(EIR) & 0x10, 0x10);
  bench.clear(EIR, 0x10);
  t.is(bench.read(EIR) & 0x10, 0x10);
  // PLNKIF and PGIF.
  t.is(bench.phyRead(PHIR) & 0x14, 0x14);
  t.is(bench.read(EIR) & 0x10, 0);
  t.is(bench.phyRead(PHIR) & 0x14, 0);
});

test("DS39662E 3.3.4: LSTAT is the link now, LLSTAT remembers that it was lost", (t) => {
  const bench = new Bench().start();
  bench.phyRead(PHSTAT1);
  t.is(bench.phyRead(PHSTAT1) & 0x04, 0x04);
  bench.chip.setLink(false);
  bench.advanceUs(150_000);
  t.is(bench.phyRead(PHSTAT2) & 0x0400, 0);
  bench.chip.setLink(true);
  bench.advanceUs(100_000);
  t.is(bench.phyRead(PHSTAT2) & 0x0400, 0x0400);
  t.is(bench.phyRead(PHSTAT1) & 0x04, 0);
  t.is(bench.phyRead(PHSTAT1) & 0x04, 0x04);
});

test("802.3 14.2.1.7: the link comes after some link pulses and is lost 50 to 150 ms after the last", (t) => {
  const bench = new Bench().start();
  bench.chip.setLink(false);
  bench.advanceUs(49_000);
  t.is(bench.phyRead(PHSTAT2) & 0x0400, 0x0400);
  bench.advanceUs(101_000);
  t.is(bench.phyRead(PHSTAT2) & 0x0400, 0);
  bench.chip.setLink(true);
  bench.advanceUs(16_000);
  t.is(bench.phyRead(PHSTAT2) & 0x0400, 0);
});

test("DS39662E 3.3.1: a PHY read takes 10.24 us of BUSY; MIRD has the value then", (t) => {
  const bench = new Bench().settle();
  bench.bank(2);
  bench.write(0x14, 0x02);
  bench.write(0x12, 0x01);
  bench.bank(3);
  t.is(bench.readMac(0x0a), 0x01);
  bench.clock.advance(10_240);
  t.is(bench.readMac(0x0a), 0x00);
  bench.bank(2);
  t.is(bench.readMac(0x18), 0x83);
});

test("DS39662E 3.3.2: the PHY is written when MIWRH is; a second time while BUSY is a violation", (t) => {
  const bench = new Bench().settle();
  bench.bank(2);
  bench.write(0x14, 0x14);
  bench.write(0x16, 0x76);
  bench.advanceUs(20);
  t.is(bench.phyRead(0x14), 0x3422);
  bench.bank(2);
  bench.write(0x14, 0x14);
  bench.write(0x16, 0x76);
  bench.write(0x17, 0x34);
  bench.write(0x17, 0x33);
  t.regex(bench.violations.join(), /MIWRH is written while MISTAT.BUSY/);
  bench.advanceUs(20);
  t.is(bench.phyRead(0x14), 0x3476);
});

test("DS39662E 3.3.3: scanning keeps MIRD fresh, with NVALID until the first value", (t) => {
  const bench = new Bench().start();
  bench.bank(2);
  bench.write(0x14, PHSTAT2);
  bench.write(0x12, 0x02);
  bench.bank(3);
  t.is(bench.readMac(0x0a), 0x07);
  bench.advanceUs(11);
  t.is(bench.readMac(0x0a), 0x03);
  bench.bank(2);
  t.is(bench.readMac(0x19), 0x04);
  bench.chip.setLink(false);
  bench.advanceUs(150_000);
  t.is(bench.readMac(0x19), 0x00);
  bench.write(0x12, 0x00);
  bench.bank(3);
  t.is(bench.readMac(0x0a), 0x01);
  bench.advanceUs(11);
  t.is(bench.readMac(0x0a), 0x00);
});

test("DS39662E table 3-3: reset values of the PHY registers", (t) => {
  const bench = new Bench({ ledB: "half" }).settle();
  const values = [0x00, 0x01, 0x02, 0x03, 0x10, 0x12, 0x14].map((r) => bench.phyRead(r));
  const bit0 = values[6]! & 1;
  t.deepEqual(values, [0x0000, 0x1800, 0x0083, 0x1400, 0x0000, 0x0000, 0x3422 | bit0]);
  t.is(new Bench({ ledB: "full" }).settle().phyRead(0x00), 0x0100);
});

test("DS39662E table 3-3: reserved bits of PHIR and bit 0 of PHLCON have no known value", (t) => {
  const read = (register: number, mask: number): number =>
    new Set([1, 2, 3, 4, 5, 6, 7, 8].map((seed) => {
      const bench = new Bench({ seed }).settle();
      const value = bench.phyRead(register) & mask;
      t.is(bench.phyRead(register) & mask, value);
      return value;
    })).size; // prettier-ignore
  t.is(read(PHIR, 0x14), 1);
  t.true(read(PHIR, 0xffeb) > 1);
  t.is(read(0x14, 0xfffe), 1);
  t.is(read(0x14, 0x0001), 2);
});

test("DS39662E 3.3: PHY registers that do not exist read 0 and are violations, so are reserved bits", (t) => {
  const bench = new Bench().settle();
  t.is(bench.phyRead(0x05), 0);
  bench.phyWrite(PHSTAT2, 1);
  bench.phyWrite(0x10, 0x0001);
  t.is(bench.violations.length, 3);
});

test("DS39662E 11.4: PRST resets the PHY, drops the link and clears itself", (t) => {
  const bench = new Bench().start();
  bench.phyWrite(0x00, 0x8000);
  t.is(bench.phyRead(0x00) & 0x8000, 0x8000);
  t.is(bench.phyRead(PHSTAT2) & 0x0400, 0);
  bench.advanceUs(200);
  t.is(bench.phyRead(0x00) & 0x8000, 0);
  bench.advanceUs(100_000);
  t.is(bench.phyRead(PHSTAT2) & 0x0400, 0x0400);
});

test("DS39662E register 3-5: FRCLNK holds the link up", (t) => {
  const bench = new Bench().settle();
  bench.phyWrite(0x10, 0x4100);
  t.is(bench.phyRead(PHSTAT2) & 0x0400, 0x0400);
});

test("DS39662E 11.3: TXRST and RXRST reset one engine each and leave pointers and registers alone", (t) => {
  const bench = new Bench().start();
  bench.load(frame(500));
  bench.set(ECON1, 0x08);
  bench.advanceUs(50);
  bench.set(ECON1, 0x80);
  t.is(bench.read(ECON1) & 0x0c, 0x04);
  bench.clear(ECON1, 0x80);
  t.is(bench.read16(0x04), 0x1400);
  bench.set(ECON1, 0x08);
  bench.advanceUs(1000);
  t.is(bench.sent.length, 1);
});

test("DS39662E 6.6: MACON3.FULDPX and PHCON1.PDPXMD that differ are a violation", (t) => {
  const bench = new Bench().start();
  bench.clear(ECON1, 0x04);
  bench.phyWrite(0x00, 0x0100);
  bench.set(ECON1, 0x04);
  t.regex(bench.violations.join(), /FULDPX differs/);
});
