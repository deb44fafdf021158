/** Parts of the chip that only other hosts use: the built-in self-test, backpressure, what PHSTAT2 and the status vectors tell. */
import test from "ava";
import {
  BROADCAST,
  Bench,
  ECON1,
  EDMACS,
  EDMAND,
  EDMAST,
  EIR,
  ERXND,
  frame,
} from "./enc28j60-bench.js";

const [EBSTSD, EBSTCON, EBSTCS, EBST_BANK] = [0x06, 0x07, 0x08, 3];

/** The sheet's procedure, also with the DMA beside it; gives EBSTCS and EDMACS. */
function selfTest(bench: Bench, mode: number, seed: number): [number, number] {
  bench.write16(EDMAST, 0);
  bench.write16(EDMAND, 0x1fff);
  bench.write16(ERXND, 0x1fff);
  bench.set(ECON1, 0x10);
  bench.bank(EBST_BANK);
  bench.write(EBSTSD, seed);
  bench.write(EBSTCON, mode | 0x02);
  bench.write(EBSTCON, mode | 0x03);
  bench.set(ECON1, 0x20);
  waitForDma(bench);
  const sum = bench.read16(EBSTCS);
  bench.bank(0);
  return [sum, bench.read16(EDMACS)];
}

function waitForDma(bench: Bench): void {
  for (let i = 0; i < 500 && bench.read(ECON1) & 0x20; i++) bench.advanceUs(1);
}

test("DS39662E 15: address fill leaves the low byte of each address and the sum F807", (t) => {
  const bench = new Bench().settle();
  t.deepEqual(selfTest(bench, 0x04, 0), [0xf807, 0xf807]);
  t.deepEqual(
    [0, 1, 0xff, 0x0e2a, 0x1fff].map((at) => bench.chip.memory[at]),
    [0, 1, 0xff, 0x2a, 0xff],
  );
  t.deepEqual(bench.violations, []);
});

test("DS39662E 15: random fill goes by its seed, and pattern shift turns the seed left by PSV at each address", (t) => {
  const bench = new Bench().settle();
  const [sum, dma] = selfTest(bench, 0x00, 0x5a);
  t.is(sum, dma);
  t.is(bench.chip.memory[0], 0x5a);
  const [other] = selfTest(bench, 0x00, 0x5b);
  t.not(other, sum);
  const [shifted, dmaShifted] = selfTest(bench, 0x68, 0x81);
  t.is(shifted, dmaShifted);
  t.deepEqual([...bench.chip.memory.subarray(0, 4)], [0x81, 0x0c, 0x60, 0x03]);
  t.deepEqual(bench.violations, []);
});

test("DS39662E 15: BISTST clears itself after one clock a byte, 327.68 us, or when the host clears it", (t) => {
  const bench = new Bench().settle();
  bench.bank(3);
  bench.write(EBSTCON, 0x06);
  bench.write(EBSTCON, 0x07);
  bench.advanceUs(325);
  t.is(bench.read(EBSTCON), 0x07);
  bench.advanceUs(3);
  t.is(bench.read(EBSTCON), 0x06);
  t.is(bench.read16(EBSTCS), 0xf807);
  bench.write(EBSTSD, 1);
  bench.write(EBSTCON, 0x02);
  bench.write(EBSTCON, 0x03);
  bench.write(EBSTCON, 0x00);
  bench.advanceUs(400);
  t.is(bench.read16(EBSTCS), 0xf807, "it was given up");
  t.deepEqual(bench.violations, []);
  bench.write(EBSTCON, 0x07);
  bench.write(EBSTSD, 2);
  t.regex(bench.violations.join(), /EBSTSD is changed while the self-test/);
});

test("DS39662E 15: without TME, and with TMSEL 11, nothing is filled and the host is told", (t) => {
  const bench = new Bench().settle();
  const before = bench.chip.memory.slice();
  bench.bank(3);
  bench.write(EBSTCON, 0x01);
  t.is(bench.read(EBSTCON), 0x00);
  bench.write(EBSTCON, 0x0f);
  t.is(bench.read(EBSTCON), 0x0e);
  t.deepEqual(bench.chip.memory, before);
  t.is(bench.violations.length, 2);
});

test("DS39662E table 7-1: the status vector tells of a wrong length field, control and PAUSE frames and backpressure", (t) => {
  const bench = new Bench().start();
  const bit = (status: Uint8Array, n: number): number =>
    ((status[n >> 3] as number) >> (n & 7)) & 1;
  const told = (bytes: Uint8Array): number[] => {
    const status = bench.send(bytes);
    return [21, 22, 48, 49, 50].map((n) => bit(status, n));
  };
  t.deepEqual(told(frame(100, BROADCAST, 0, 86)), [0, 0, 0, 0, 0]);
  t.deepEqual(told(frame(100, BROADCAST, 0, 87)), [1, 0, 0, 0, 0]);
  t.deepEqual(told(frame(40, BROADCAST, 0, 26)), [0, 0, 0, 0, 0], "padding is no error");
  t.deepEqual(told(frame(100)), [0, 1, 0, 0, 0]);
  const control = frame(60, Uint8Array.of(1, 0x80, 0xc2, 0, 0, 1), 0, 0x8808);
  control.set([0, 2], 14);
  t.deepEqual(told(control), [0, 1, 1, 0, 0]);
  control.set([0, 1], 14);
  t.deepEqual(told(control), [0, 1, 1, 1, 0]);
  bench.inBank(3, () => bench.write(0x17, 0x01));
  t.deepEqual(told(frame(100)), [0, 1, 0, 0, 1]);
});

test("DS39662E 6.2: MACON4.BPEN tries again at once after a collision under backpressure, and backs off without it", (t) => {
  const after = (macon4: number, flow: number): number => {
    const bench = new Bench({ faults: { collisions: 7 }, seed: 5 }).start();
    bench.inBank(2, () => bench.write(0x03, macon4));
    bench.inBank(3, () => bench.write(0x17, flow));
    bench.load(frame(60));
    bench.clear(EIR, 0x0a);
    bench.set(ECON1, 0x08);
    let us = 0;
    for (; us < 5000 && bench.sent.length === 0; us++) bench.advanceUs(1);
    return us;
  };
  const [backpressure, without, notJamming] = [after(0x60, 1), after(0x40, 1), after(0x60, 0)];
  t.true(backpressure < 400, `${backpressure}`);
  t.true(without >= backpressure + 51, `${without}`);
  t.is(notJamming, without);
});

test("DS39662E register 3-5: PHSTAT2.COLSTAT while both stations jam", (t) => {
  const bench = new Bench().start();
  bench.inBank(2, () => {
    // Gaps of the link partner's own length: both start at once behind the frame that arrives.
    bench.write(0x06, 0x12);
    bench.write(0x14, 0x11);
    bench.write(0x12, 0x02);
  });
  bench.load(frame(60));
  bench.chip.receive(frame(60));
  bench.chip.receive(frame(60));
  bench.set(ECON1, 0x08);
  let seen = 0;
  bench.bank(2);
  for (let i = 0; i < 40; i++) {
    bench.advanceUs(4);
    seen |= bench.readMac(0x19);
  }
  t.is(seen & 0x08, 0x08);
});

test("DS39662E 2.3: ECOCON 6 and 7 are reserved", (t) => {
  const bench = new Bench().settle();
  bench.bank(3);
  bench.write(0x15, 5);
  t.deepEqual(bench.violations, []);
  bench.write(0x15, 6);
  t.regex(bench.violations.join(), /ECOCON/);
});

test("DS39662E table 16-6: CSn is high for 50 ns between two instructions", (t) => {
  const bench = new Bench().settle();
  bench.chip.select();
  bench.clock.advance(450);
  bench.chip.exchange(0x1d);
  bench.clock.advance(400);
  bench.chip.exchange(0);
  bench.clock.advance(10);
  bench.chip.deselect();
  bench.clock.advance(49);
  bench.chip.select();
  t.regex(bench.violations.join(), /CSn was high for 49 ns/);
});
