import test from "ava";
import {
  Bench,
  ECON1,
  ECON2,
  EIR,
  ERDPT,
  ERXRDPT,
  ERXST,
  ESTAT,
  EWRPT,
  frame,
} from "./enc28j60-bench.js";

/** DS39662E tables 3-1 and 3-2: bank, address, value after reset, dummy byte. */
const RESET_VALUES: [bank: number, address: number, value: number, dummy: boolean, name: string][] =
  [
    [0, 0x00, 0xfa, false, "ERDPTL"],
    [0, 0x01, 0x05, false, "ERDPTH"],
    [0, 0x02, 0x00, false, "EWRPTL"],
    [0, 0x05, 0x00, false, "ETXSTH"],
    [0, 0x07, 0x00, false, "ETXNDH"],
    [0, 0x08, 0xfa, false, "ERXSTL"],
    [0, 0x09, 0x05, false, "ERXSTH"],
    [0, 0x0a, 0xff, false, "ERXNDL"],
    [0, 0x0b, 0x1f, false, "ERXNDH"],
    [0, 0x0c, 0xfa, false, "ERXRDPTL"],
    [0, 0x0d, 0x05, false, "ERXRDPTH"],
    [0, 0x0e, 0x00, false, "ERXWRPTL"],
    [0, 0x16, 0x00, false, "EDMACSL"],
    [0, 0x1b, 0x00, false, "EIE"],
    [0, 0x1c, 0x00, false, "EIR"],
    [0, 0x1e, 0x80, false, "ECON2"],
    [0, 0x1f, 0x00, false, "ECON1"],
    [1, 0x00, 0x00, false, "EHT0"],
    [1, 0x0f, 0x00, false, "EPMM7"],
    [1, 0x18, 0xa1, false, "ERXFCON"],
    [1, 0x19, 0x00, false, "EPKTCNT"],
    [2, 0x00, 0x00, true, "MACON1"],
    [2, 0x02, 0x00, true, "MACON3"],
    [2, 0x03, 0x00, true, "MACON4"],
    [2, 0x08, 0x0f, true, "MACLCON1"],
    [2, 0x09, 0x37, true, "MACLCON2"],
    [2, 0x0a, 0x00, true, "MAMXFLL"],
    [2, 0x0b, 0x06, true, "MAMXFLH"],
    [2, 0x12, 0x00, true, "MICMD"],
    [2, 0x14, 0x00, true, "MIREGADR"],
    [2, 0x19, 0x00, true, "MIRDH"],
    [3, 0x00, 0x00, true, "MAADR5"],
    [3, 0x05, 0x00, true, "MAADR2"],
    [3, 0x07, 0x00, false, "EBSTCON"],
    [3, 0x0a, 0x00, true, "MISTAT"],
    [3, 0x12, 0x06, false, "EREVID"],
    [3, 0x15, 0x04, false, "ECOCON"],
    [3, 0x17, 0x00, false, "EFLOCON"],
    [3, 0x18, 0x00, false, "EPAUSL"],
    [3, 0x19, 0x10, false, "EPAUSH"],
  ];

for (const [bank, address, value, dummy, name] of RESET_VALUES) {
  test(`DS39662E table 3-2: ${name} reads 0x${value.toString(16)} after reset`, (t) => {
    const bench = new Bench().settle();
    bench.bank(bank);
    const got = dummy ? bench.readMac(address) : bench.read(address);
    // The bank bits are the test's own.
    t.is(name === "ECON1" ? got & ~3 : got, value);
    t.deepEqual(bench.violations, []);
  });
}

test("DS39662E 3.1.1: registers 1B to 1F are the same in all banks", (t) => {
  const bench = new Bench().settle();
  for (let bank = 0; bank < 4; bank++) {
    bench.bank(bank);
    bench.write(0x1b, 0x10 + bank);
    for (let other = 0; other < 4; other++) {
      bench.bank(other);
      t.is(bench.read(0x1b), 0x10 + bank);
    }
  }
});

test("DS39662E 4.2.1: a MAC or MII register comes after a dummy byte, an ETH register at once", (t) => {
  const bench = new Bench().settle();
  bench.bank(2);
  bench.write(0x0a, 0xee);
  t.is(bench.spi([0x0a, 0, 0])[2], 0xee);
  bench.bank(0);
  bench.write16(ERDPT, 0x0123);
  t.is(bench.spi([ERDPT, 0])[1], 0x23);
});

test("DS39662E table 3-2: unimplemented bits read 0, pointers have 13 bits", (t) => {
  const bench = new Bench().settle();
  bench.write16(EWRPT, 0xffff);
  t.is(bench.read16(EWRPT), 0x1fff);
  bench.bank(2);
  bench.write(0x09, 0xff);
  t.is(bench.readMac(0x09), 0x3f);
});

test("DS39662E 4.2.5: BFS and BFC change only the bits of the mask", (t) => {
  const bench = new Bench().settle();
  bench.write(0x1b, 0xc0);
  bench.set(0x1b, 0x09);
  t.is(bench.read(0x1b), 0xc9);
  bench.clear(0x1b, 0x41);
  t.is(bench.read(0x1b), 0x88);
});

test("DS39662E 4.2.5: BFS on a MAC register is a violation; it acts as OR unless told otherwise", (t) => {
  for (const bitFieldOnMac of [true, false]) {
    const bench = new Bench({ bitFieldOnMac }).settle();
    bench.bank(2);
    bench.write(0x02, 0x20);
    bench.set(0x02, 0x10);
    t.is(bench.readMac(0x02), bitFieldOnMac ? 0x30 : 0x20);
    t.regex(bench.violations.join(), /BFS on MACON3: only ETH/);
  }
});

test("DS39662E 4.2.3: a byte that is not clocked out whole changes nothing", (t) => {
  const bench = new Bench().settle();
  bench.write(EWRPT, 0x55);
  bench.spi([0x40 | EWRPT]);
  bench.spi([0xa0 | EWRPT]);
  t.is(bench.read(EWRPT), 0x55);
});

test("DS39662E 4.2: register addresses do not increment; a byte too many is a violation", (t) => {
  const bench = new Bench().settle();
  bench.spi([0x40 | EWRPT, 0x34, 0x12]);
  t.is(bench.read16(EWRPT), 0x0034);
  t.regex(bench.violations.join(), /after the end of the instruction/);
});

test("DS39662E table 3-1: address 1A is reserved in every bank", (t) => {
  for (let bank = 0; bank < 4; bank++) {
    const bench = new Bench().settle();
    bench.bank(bank);
    bench.read(0x1a);
    t.regex(bench.violations.join(), /read of a reserved register/);
  }
});

test("DS39662E table 3-1: registers that do not exist are violations, and so are reserved ones", (t) => {
  const cases: [number, number, RegExp][] = [
    [0, 0x18, /unimplemented/],
    [1, 0x12, /unimplemented/],
    [1, 0x16, /reserved/],
    [2, 0x01, /reserved/],
    [2, 0x05, /unimplemented/],
    [3, 0x0b, /unimplemented/],
  ];
  for (const [bank, address, message] of cases) {
    const bench = new Bench().settle();
    bench.bank(bank);
    bench.write(address, 1);
    t.regex(bench.violations.join(), message);
  }
});

test("DS39662E table 3-2: read-only registers cannot be written", (t) => {
  const bench = new Bench().settle();
  for (const [bank, address] of [
    [0, 0x0e],
    [0, 0x17],
    [1, 0x19],
    [2, 0x18],
    [3, 0x0a],
    [3, 0x12],
  ] as const) {
    const before = bench.violations.length;
    bench.bank(bank);
    bench.write(address, 0xff);
    t.is(bench.violations.length, before + 1);
  }
});

test("DS39662E table 4-1: opcodes 001, 011 and 110 with other arguments are no instructions", (t) => {
  for (const byte of [0x20, 0x39, 0x60, 0x7b, 0xc0, 0xdf, 0xe0, 0xfe]) {
    const bench = new Bench().settle();
    bench.spi([byte, 0]);
    t.regex(bench.violations.join(), /is not an instruction/);
  }
});

test("DS39662E 6.1: ERXRDPTL takes effect with ERXRDPTH", (t) => {
  const bench = new Bench().settle();
  bench.write(ERXRDPT, 0x35);
  t.is(bench.read16(ERXRDPT), 0x05fa);
  bench.write(ERXRDPT + 1, 0x12);
  t.is(bench.read16(ERXRDPT), 0x1235);
});

test("DS39662E register 3-2: PKTDEC clears itself and does not count below 0", (t) => {
  const bench = new Bench().settle();
  bench.set(ECON2, 0x40);
  t.is(bench.read(ECON2), 0x80);
  t.is(bench.packets(), 0);
});

test("DS39662E register 12-3: EIR flags can be cleared by WCR but not set, ESTAT only by BFC", (t) => {
  const bench = new Bench().settle();
  bench.set(EIR, 0x08);
  t.is(bench.read(EIR), 0);
  bench.write(ESTAT, 0);
  bench.set(ESTAT, 0x02);
  t.is(bench.violations.length, 3);
});

test("DS39662E table 16-6: CSn must stay low for 210 ns after a MAC access, 10 ns are enough for ETH", (t) => {
  const bench = new Bench().settle();
  bench.spi([0x1f, 0], 10);
  t.deepEqual(bench.violations, []);
  bench.bank(2);
  bench.spi([0x0a, 0, 0], 200);
  t.regex(bench.violations.join(), /200 ns after a MAC or MII access/);
});

test("DS39662E table 16-6: SCK above 20 MHz is a violation", (t) => {
  const bench = new Bench({ spiHz: 21_000_000 }).settle();
  bench.read(ECON1);
  t.regex(bench.violations.join(), /above 20 MHz/);
});

test("DS39662E 11.2: a system reset restores the registers but neither ECOCON nor the memory", (t) => {
  const bench = new Bench().settle();
  bench.write16(EWRPT, 0x0100);
  bench.writeMemory([1, 2, 3]);
  bench.inBank(3, () => bench.write(0x15, 1));
  bench.spi([0xff]);
  bench.settle();
  t.is(bench.read16(EWRPT), 0);
  t.is(bench.read16(ERXST), 0x05fa);
  t.deepEqual([...bench.chip.memory.slice(0x100, 0x103)], [1, 2, 3]);
  t.is(
    bench.inBank(3, () => bench.read(0x15)),
    1,
  );
});

test("DS39662E 11.1: power-on leaves the memory undefined, from the seed", (t) => {
  const a = new Bench({ seed: 5 });
  const b = new Bench({ seed: 5 });
  const c = new Bench({ seed: 6 });
  t.deepEqual(a.chip.memory, b.chip.memory);
  t.notDeepEqual(a.chip.memory, c.chip.memory);
});

test("DS39662E 2.2: CLKRDY is set 300 us after power-on; MAC registers are out of reach until then", (t) => {
  const bench = new Bench();
  bench.advanceUs(290);
  t.is(bench.read(ESTAT) & 1, 0);
  bench.inBank(2, () => bench.readMac(0x0a));
  t.regex(bench.violations.join(), /before the chip is ready/);
  bench.advanceUs(10);
  t.is(bench.read(ESTAT) & 1, 1);
});

test("DS39662E 11.2: the RESET pin resets, but not for less than 400 ns", (t) => {
  const bench = new Bench().settle();
  bench.write16(EWRPT, 0x0100);
  bench.chip.reset(true);
  bench.clock.advance(390);
  bench.chip.reset(false);
  t.is(bench.read16(EWRPT), 0x0100);
  bench.chip.reset(true);
  bench.clock.advance(400);
  bench.chip.reset(false);
  t.is(bench.read16(EWRPT), 0);
});

test("DS39662E 14: in power save CLKRDY is clear, MAC and PHY are out of reach, memory is not", (t) => {
  const bench = new Bench().settle();
  bench.set(ECON2, 0x20);
  t.is(bench.read(ESTAT) & 1, 0);
  bench.write16(EWRPT, 0x0200);
  bench.writeMemory([7]);
  t.is(bench.chip.memory[0x200], 7);
  bench.inBank(2, () => bench.readMac(0x0a));
  t.regex(bench.violations.join(), /in power save/);
  bench.clear(ECON2, 0x20);
  t.is(bench.read(ESTAT) & 1, 0);
  bench.advanceUs(301);
  t.is(bench.read(ESTAT) & 1, 1);
});

test("a chip that does not answer gives the level of its MISO line", (t) => {
  const bench = new Bench().settle();
  bench.chip.faults.misoStuck = 0xff;
  t.is(bench.read(ESTAT), 0xff);
  bench.chip.faults.misoStuck = undefined;
  t.is(bench.read(ESTAT), 1);
});

test("the packet memory is not read from a slave that is not selected", (t) => {
  const bench = new Bench().start();
  bench.arrive(frame(60));
  const before = bench.read16(ERDPT);
  bench.chip.exchange(0x3a);
  bench.chip.exchange(0);
  t.is(bench.read16(ERDPT), before);
});
