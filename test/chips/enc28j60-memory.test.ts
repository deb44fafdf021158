import test from "ava";
import {
  Bench,
  ECON1,
  ECON2,
  EDMACS,
  EDMADST,
  EDMAND,
  EDMAST,
  EIR,
  ERDPT,
  ERXND,
  ERXST,
  EWRPT,
  frame,
} from "./enc28j60-bench.js";

function bounded(): Bench {
  const bench = new Bench().settle();
  bench.write16(ERXST, 0);
  bench.write16(ERXND, 0x0fff);
  return bench;
}

test("DS39662E 3.2.3: reading wraps from ERXND to ERXST", (t) => {
  const bench = bounded();
  bench.chip.memory.set([0xa1, 0xa2], 0x0ffe);
  bench.chip.memory.set([0xb1], 0);
  bench.write16(ERDPT, 0x0ffe);
  t.deepEqual([...bench.readMemory(3)], [0xa1, 0xa2, 0xb1]);
  t.is(bench.read16(ERDPT), 1);
});

test("DS39662E 3.2.3: reading wraps from 1FFF to 0", (t) => {
  const bench = bounded();
  bench.write16(ERDPT, 0x1fff);
  bench.readMemory(1);
  t.is(bench.read16(ERDPT), 0);
});

test("DS39662E 3.2.3: writing does not wrap at ERXND, only from 1FFF to 0", (t) => {
  const bench = bounded();
  bench.write16(EWRPT, 0x0fff);
  bench.writeMemory([1, 2]);
  t.deepEqual([...bench.chip.memory.slice(0x0fff, 0x1001)], [1, 2]);
  bench.write16(EWRPT, 0x1fff);
  bench.writeMemory([3, 4]);
  t.is(bench.chip.memory[0x1fff], 3);
  t.is(bench.chip.memory[0], 4);
});

test("DS39662E register 3-2: without AUTOINC the pointers stay", (t) => {
  const bench = bounded();
  bench.clear(ECON2, 0x80);
  bench.write16(EWRPT, 0x0300);
  bench.writeMemory([1, 2, 3]);
  t.is(bench.read16(EWRPT), 0x0300);
  t.is(bench.chip.memory[0x0300], 3);
  bench.write16(ERDPT, 0x0300);
  t.deepEqual([...bench.readMemory(2)], [3, 3]);
});

test("DS39662E 4.2.2: a burst goes on where the last one ended", (t) => {
  const bench = bounded();
  bench.chip.memory.set([1, 2, 3, 4], 0x200);
  bench.write16(ERDPT, 0x200);
  t.deepEqual([...bench.readMemory(2)], [1, 2]);
  t.deepEqual([...bench.readMemory(1)], [3]);
});

test("DS39662E 13.1: DMA copies at two clocks a byte and wraps its source like a read", (t) => {
  const bench = bounded();
  bench.chip.memory.set([1, 2], 0x0ffe);
  bench.chip.memory.set([3, 4], 0);
  bench.write16(EDMAST, 0x0ffe);
  bench.write16(EDMAND, 0x0001);
  bench.write16(EDMADST, 0x1ffe);
  bench.set(ECON1, 0x20);
  // 4 bytes at 80 ns have passed before the next instruction ends.
  t.is(bench.read(ECON1) & 0x20, 0);
  t.is(bench.read(EIR) & 0x20, 0x20);
  t.deepEqual([...bench.chip.memory.slice(0x1ffe)], [1, 2]);
  t.deepEqual([...bench.chip.memory.slice(0, 2)], [3, 4]);
});

test("DS39662E 13.1: a copy of 1518 bytes takes 121 us", (t) => {
  const bench = bounded();
  bench.write16(EDMAST, 0);
  bench.write16(EDMAND, 1517);
  bench.write16(EDMADST, 0x1000);
  bench.set(ECON1, 0x20);
  bench.advanceUs(119);
  t.is(bench.read(ECON1) & 0x20, 0x20);
  bench.advanceUs(2);
  t.is(bench.read(ECON1) & 0x20, 0);
});

test("DS39662E 13.2: the checksum is that of IP, an odd byte padded with 00", (t) => {
  const bench = bounded();
  bench.chip.memory.set([0x88, 0xaa, 0x09, 0x0a, 0x0b, 0x0c, 0x0d], 0x100);
  bench.write16(EDMAST, 0x100);
  bench.write16(EDMAND, 0x106);
  bench.set(ECON1, 0x30);
  bench.advanceUs(1);
  t.is(bench.read16(EDMACS), 0x563f);
});

test("DS39662E 13.1: the host can cancel a copy; DMAIF is set", (t) => {
  const bench = bounded();
  bench.write16(EDMAST, 0);
  bench.write16(EDMAND, 1000);
  bench.write16(EDMADST, 0x1000);
  bench.chip.memory.fill(0xee, 0x1000, 0x1400);
  bench.set(ECON1, 0x20);
  bench.clear(ECON1, 0x20);
  bench.advanceUs(200);
  t.is(bench.read(EIR) & 0x20, 0x20);
  t.is(bench.chip.memory[0x1000], 0xee);
});

test("DS39662E 13: one byte, or an end behind the wrap of the source, is a violation and never ends", (t) => {
  const one = bounded();
  one.write16(EDMAST, 5);
  one.write16(EDMAND, 5);
  one.set(ECON1, 0x20);
  one.advanceUs(1000);
  t.is(one.read(ECON1) & 0x20, 0x20);
  t.regex(one.violations.join(), /one byte/);

  const unreachable = bounded();
  unreachable.write16(EDMAST, 0x0f00);
  unreachable.write16(EDMAND, 0x1100);
  unreachable.set(ECON1, 0x20);
  unreachable.advanceUs(1000);
  t.regex(unreachable.violations.join(), /never reaches EDMAND/);
});

test("DS39662E 13: changing the pointers while DMAST is set is a violation", (t) => {
  const bench = bounded();
  bench.write16(EDMAST, 0);
  bench.write16(EDMAND, 1000);
  bench.set(ECON1, 0x20);
  bench.write(EDMADST, 1);
  t.regex(bench.violations.join(), /EDMADSTL is changed while DMAST/);
});

test("DS39662E 7.1: a transmission waits for the DMA, and the DMA for a transmission", (t) => {
  const bench = new Bench().start();
  bench.load(frame(60));
  bench.write16(EDMAST, 0);
  bench.write16(EDMAND, 4999);
  bench.write16(EDMADST, 0x1a00);
  bench.set(ECON1, 0x20);
  bench.set(ECON1, 0x08);
  // 5000 bytes take 400 us, the frame 58.
  bench.advanceUs(390);
  t.is(bench.sent.length, 0);
  bench.advanceUs(100);
  t.is(bench.sent.length, 1);

  bench.write16(EDMAND, 9);
  bench.clear(EIR, 0x28);
  bench.set(ECON1, 0x08);
  bench.set(ECON1, 0x20);
  bench.advanceUs(40);
  t.is(bench.read(EIR) & 0x20, 0);
  bench.advanceUs(100);
  t.is(bench.read(EIR) & 0x28, 0x28);
});

test("DS39662E 7.1: taking back what waits leaves what runs alone: DMA behind a transmission, a transmission behind DMA", (t) => {
  const sending = new Bench().start();
  sending.load(frame(1000));
  sending.set(ECON1, 0x08);
  sending.advanceUs(100);
  sending.set(ECON1, 0x20);
  sending.clear(ECON1, 0x20);
  // 812 us in all.
  sending.advanceUs(750);
  t.is(sending.sent.length, 1);
  t.is(sending.read(ECON1) & 0x28, 0);
  sending.clear(EIR, 0x28);
  sending.advanceUs(2000);
  t.is(sending.sent.length, 1);
  t.is(sending.read(EIR) & 0x28, 0);

  for (const mask of [0x08, 0x80]) {
    const copying = new Bench().start();
    copying.load(frame(60));
    copying.write16(EDMAST, 0);
    copying.write16(EDMAND, 4999);
    copying.write16(EDMADST, 0x1a00);
    copying.set(ECON1, 0x20);
    copying.set(ECON1, 0x08);
    copying.advanceUs(300);
    if (mask === 0x08) copying.clear(ECON1, mask);
    else copying.set(ECON1, mask);
    // 400 us in all.
    copying.advanceUs(100);
    t.is(copying.read(ECON1) & 0x28, 0);
    t.is(copying.read(EIR) & 0x20, 0x20);
    copying.clear(EIR, 0x28);
    copying.advanceUs(2000);
    t.is(copying.read(EIR) & 0x28, 0);
    t.is(copying.sent.length, 0);
  }
});

test("DS39662E 7.1: a copy that waits for a transmission begins when TXRST ends that", (t) => {
  const bench = new Bench().start();
  bench.load(frame(1000));
  bench.write16(EDMAST, 0);
  bench.write16(EDMAND, 99);
  bench.write16(EDMADST, 0x1c00);
  bench.set(ECON1, 0x08);
  bench.set(ECON1, 0x20);
  bench.set(ECON1, 0x80);
  bench.clear(ECON1, 0x80);
  bench.advanceUs(10);
  t.is(bench.read(ECON1) & 0x28, 0);
  t.is(bench.read(EIR) & 0x20, 0x20);
});

test("burst: the same as its bytes one by one, through the wraps of both pointers; what is being sent is watched byte by byte", (t) => {
  const play = (bursts: boolean): unknown[] => {
    const bench = new Bench({ seed: 9 }).start({ rxEnd: 0x0fff });
    const { chip } = bench;
    const move = (opcode: number, data: Uint8Array): void => {
      chip.select();
      bench.clock.advance(450);
      chip.exchange(opcode);
      const writing = opcode === 0x7a;
      const rest = bursts && chip.burst(data, writing) ? 0 : data.length;
      for (let i = 0; i < rest; i++) {
        bench.clock.advance(400);
        const value = chip.exchange(data[i] as number);
        if (!writing) data[i] = value;
      }
      chip.deselect();
      bench.clock.advance(50);
    };
    const seen: unknown[] = [];
    bench.write16(EWRPT, 0x1f00);
    move(
      0x7a,
      Uint8Array.from({ length: 3000 }, (_, i) => (i * 7) ^ (i >> 5)),
    );
    seen.push(bench.read16(EWRPT));
    for (const from of [0x0f80, 0x1f00, 0x0200]) {
      bench.write16(ERDPT, from);
      const data = new Uint8Array(700);
      move(0x3a, data);
      seen.push(bench.read16(ERDPT), Buffer.from(data).toString("base64"));
    }
    bench.clear(ECON2, 0x80);
    const data = new Uint8Array(20);
    move(0x3a, data);
    seen.push(bench.read16(ERDPT), Buffer.from(data).toString("base64"));
    bench.set(ECON2, 0x80);
    bench.load(frame(1000));
    bench.set(ECON1, 0x08);
    bench.write16(ERDPT, 0x1500);
    move(0x3a, new Uint8Array(4));
    seen.push(bench.violations, chip.memory.slice());
    return seen;
  };
  const single = play(false);
  t.deepEqual(play(true), single);
  t.is((single.at(-2) as string[]).length, 4);
});
