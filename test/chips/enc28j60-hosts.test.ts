/** The model under the manners of other hosts: what their drivers do, in our own words, also where the data sheet forbids it. */
import test, { type ExecutionContext } from "ava";
import { Random } from "../../host-tools/sim/random.js";
import {
  BROADCAST,
  Bench,
  ECON1,
  ECON2,
  EDMAND,
  EDMADST,
  EDMAST,
  EIE,
  EIR,
  ERDPT,
  ERXND,
  ERXRDPT,
  ERXST,
  ERXWRPT,
  ESTAT,
  ETXND,
  ETXST,
  EWRPT,
  MAC,
  frame,
} from "./enc28j60-bench.js";

/** How a host goes about receiving and sending. */
interface Host {
  rxEnd: number;
  txStart: number;
  /** ERXRDPT at the start and after a packet. */
  readPointer: (next: number, rxEnd: number) => number;
  /** Selects a bank with one instruction each for clearing and setting, or only what changes. */
  careful: boolean;
}

const odd = (next: number, rxEnd: number): number => (next === 0 ? rxEnd : next - 1);

const HOSTS: Record<string, Host> = {
  "one that writes odd read pointers": {
    rxEnd: 0x19ff,
    txStart: 0x1a00,
    readPointer: odd,
    careful: true,
  },
  "one that writes the next packet pointer itself, even": {
    rxEnd: 0x0bff,
    txStart: 0x0c00,
    readPointer: (next) => next,
    careful: false,
  },
};

/** SRC with a byte too many, 2 ms, then everything; BFS where only WCR is allowed. */
function setUp(bench: Bench, host: Host): void {
  bench.settle();
  bench.clear(ECON2, 0x20);
  bench.advanceUs(300);
  bench.spi([0xff, 0xff]);
  bench.advanceUs(2000);
  while ((bench.read(ESTAT) & 1) === 0);
  bench.write16(ERXST, 0);
  bench.write16(ERXND, host.rxEnd);
  bench.write16(ERXRDPT, host.readPointer(0, host.rxEnd));
  bench.write16(ETXST, host.txStart);
  bench.inBank(1, () => bench.write(0x18, 0xa1));
  bench.inBank(2, () => {
    bench.write(0x00, 0x0d);
    bench.set(0x02, 0x32);
    bench.write(0x03, 0x40);
    bench.write16(0x06, 0x0c12);
    bench.write(0x04, 0x12);
    bench.write16(0x0a, 1518);
  });
  bench.setAddress(MAC);
  bench.phyWrite(0x10, 0x0100);
  bench.set(EIE, 0xc0);
  bench.chip.setLink(true);
  bench.advanceUs(100_000);
  bench.set(ECON1, 0x04);
}

/** Sends and waits for TXIF or TXERIF; after an abort, resets and tries again. */
function send(bench: Bench, host: Host, bytes: Uint8Array): void {
  for (let attempt = 0; attempt < 16; attempt++) {
    bench.set(ECON1, 0x80);
    bench.clear(ECON1, 0x80);
    bench.clear(EIR, 0x0a);
    bench.write16(EWRPT, host.txStart);
    bench.writeMemory([0x00]);
    bench.writeMemory(bytes);
    bench.write16(ETXND, host.txStart + bytes.length);
    bench.set(ECON1, 0x08);
    for (let polls = 0; polls < 1000 && (bench.read(EIR) & 0x0a) === 0; polls++) {
      bench.advanceUs(10);
    }
    const flags = bench.read(EIR);
    bench.clear(ECON1, 0x08);
    bench.write16(ERDPT, bench.read16(ETXND) + 1);
    const late = ((bench.readMemory(7)[3] as number) & 0x20) !== 0;
    if ((flags & 0x02) === 0 && !late) return;
  }
}

/** Takes what EPKTCNT says is there. */
function receive(bench: Bench, host: Host, state: { next: number }): Uint8Array[] {
  const got: Uint8Array[] = [];
  while (bench.packets() > 0) {
    bench.write16(ERDPT, state.next);
    const header = bench.readMemory(6);
    const view = new DataView(header.buffer);
    const bytes = view.getUint16(2, true);
    got.push(bench.readMemory(bytes - 4));
    state.next = view.getUint16(0, true);
    bench.write16(ERXRDPT, host.readPointer(state.next, host.rxEnd));
    bench.set(ECON2, 0x40);
    // It has no effect, and some hosts do it.
    bench.clear(EIR, 0x40);
  }
  return got;
}

function same(t: ExecutionContext, got: Uint8Array[], wanted: Uint8Array[]): void {
  t.deepEqual(
    got.map((bytes) => Buffer.from(bytes).toString("hex")),
    wanted.map((bytes) => Buffer.from(bytes).toString("hex")),
  );
}

for (const [name, host] of Object.entries(HOSTS)) {
  test(`${name}: frames both ways while the buffer is not near full`, (t) => {
    const bench = new Bench({ errata: [2, 5, 6, 9, 12, 13, 14, 15] });
    const random = new Random(3);
    const state = { next: 0 };
    setUp(bench, host);
    for (let i = 0; i < 150; i++) {
      const down = frame(60 + random.below(700), MAC, i);
      const up = frame(60 + random.below(1455), BROADCAST, i);
      bench.arrive(down);
      t.true(bench.chip.interrupt);
      same(t, receive(bench, host, state), [down]);
      send(bench, host, up);
      same(t, bench.sent.splice(0), [up]);
      t.false(bench.chip.interrupt);
    }
    const told = new Set(bench.violations.map((text) => text.replace(/0x[0-9a-f]+/g, "x")));
    t.true(told.has("ENC28J60: BFS on MACON3: only ETH registers take it"));
    t.is(told.has("ENC28J60: ERXRDPT is even (x): erratum 14"), !host.careful);
    t.is(told.size, host.careful ? 1 : 2, [...told].join("; "));
  });
}

test("a host that copies by DMA from the receive buffer to a place behind it, through the wrap", (t) => {
  const bench = new Bench({ errata: [14, 17] }).start({ rxEnd: 0x0fff });
  let at = 0;
  for (let i = 0; i < 40; i++) {
    const bytes = frame(300 + i * 7, MAC, i);
    bench.arrive(bytes);
    const end = bench.read16(ERXND);
    const after = (from: number, count: number): number =>
      from + count > end ? from + count - (end + 1) : from + count;
    const first = after(at, 6);
    bench.write16(EDMAST, first);
    bench.write16(EDMAND, after(first, bytes.length - 1));
    bench.write16(EDMADST, 0x1800);
    bench.clear(ECON1, 0x10);
    bench.set(ECON1, 0x20);
    while (bench.read(ECON1) & 0x20) bench.advanceUs(1);
    t.is(bench.read(EIR) & 0x20, 0x20);
    bench.clear(EIR, 0x20);
    same(t, [bench.chip.memory.slice(0x1800, 0x1800 + bytes.length)], [bytes]);
    at = bench.take(at).next;
  }
  t.deepEqual(bench.violations, []);
});

test("a host that frees one packet late: its frames are right, and the buffer takes one frame less", (t) => {
  const bench = new Bench().start({ rxEnd: 0x0bff });
  let next = 0;
  for (let i = 0; i < 60; i++) {
    const bytes = frame(400 + i, MAC, i);
    bench.arrive(bytes);
    const begin = next;
    bench.write16(ERDPT, begin);
    const header = new DataView(bench.readMemory(6).buffer);
    next = header.getUint16(0, true);
    same(t, [bench.readMemory(header.getUint16(2, true) - 4)], [bytes]);
    bench.write16(ERXRDPT, odd(begin, 0x0bff));
    bench.set(ECON2, 0x40);
  }
  // 3072 bytes, one packet of 470 not freed: 5 of 470 bytes more would need 2350 and one is kept.
  for (let i = 0; i < 10; i++) bench.arrive(frame(460, MAC, i));
  t.is(bench.packets(), 5);
  t.is(bench.read(EIR) & 1, 1);
});

test("a host that sleeps: reception off, nothing under way, PWRSV with VRPS; awake again after CLKRDY", (t) => {
  const bench = new Bench().start();
  bench.arrive(frame(100));
  bench.clear(ECON1, 0x04);
  while (bench.read(ESTAT) & 0x04);
  while (bench.read(ECON1) & 0x08);
  bench.set(ECON2, 0x08);
  bench.set(ECON2, 0x20);
  t.is(bench.read(ESTAT) & 1, 0);
  bench.chip.receive(frame(100));
  bench.advanceUs(5000);
  bench.clear(ECON2, 0x20);
  while ((bench.read(ESTAT) & 1) === 0) bench.advanceUs(10);
  bench.set(ECON1, 0x04);
  bench.advanceUs(100_000);
  t.is(bench.packets(), 1);
  bench.arrive(frame(200));
  t.is(bench.packets(), 2);
  t.deepEqual(bench.violations, []);
});

test("a host that judges free room by ERXWRPT and ERXRDPT: the formula of the sheet", (t) => {
  const bench = new Bench().start({ rxEnd: 0x0fff });
  const free = (): number => {
    const [write, read] = [bench.read16(ERXWRPT), bench.read16(ERXRDPT)];
    if (write > read) return 0x0fff - (write - read);
    return write === read ? 0x0fff : read - write - 1;
  };
  let last = free();
  for (let i = 0; i < 6; i++) {
    bench.arrive(frame(501, MAC, i));
    // 6 of header, 501 and 4 of FCS, one to make it even.
    t.is(last - free(), 512);
    last = free();
  }
  bench.arrive(frame(1200));
  t.is(bench.packets(), 6);
  bench.take(0);
  t.is(free() - last, 512);
});

test("a host that watches the link by scanning PHSTAT2, and by PHIR with LINKIF", (t) => {
  const bench = new Bench().start();
  bench.phyWrite(0x12, 0x0012);
  bench.phyRead(0x13);
  bench.set(EIE, 0x90);
  bench.inBank(2, () => {
    bench.write(0x14, 0x11);
    bench.write(0x12, 0x02);
    bench.advanceUs(11);
    t.is(bench.readMac(0x19) & 0x04, 0x04);
  });
  bench.chip.setLink(false);
  bench.advanceUs(200_000);
  t.true(bench.chip.interrupt);
  t.is(bench.inBank(2, () => bench.readMac(0x19)) & 0x04, 0);
  bench.inBank(2, () => bench.write(0x12, 0x00));
  while (bench.inBank(3, () => bench.readMac(0x0a)) & 1) bench.advanceUs(1);
  t.is(bench.phyRead(0x13) & 0x14, 0x14);
  t.false(bench.chip.interrupt);
  t.deepEqual(bench.violations, []);
});

test("a host that takes MIIRD back before it waits for BUSY: the read goes on", (t) => {
  const bench = new Bench().start();
  const read = (register: number): number =>
    bench.inBank(2, () => {
      bench.write(0x14, register);
      bench.write(0x12, 0x01);
      bench.write(0x12, 0x00);
      while (bench.inBank(3, () => bench.readMac(0x0a)) & 1);
      bench.bank(2);
      return bench.readMac(0x18) | (bench.readMac(0x19) << 8);
    });
  t.deepEqual([read(0x02), read(0x03) & 0xfff0, read(0x10)], [0x0083, 0x1400, 0x0100]);
  t.is(read(0x11) & 0x0400, 0x0400);
  t.deepEqual(bench.violations, []);
});

test("a host whose interrupt task clears INTIE, serves what it finds and sets INTIE: no edge is lost", (t) => {
  const bench = new Bench().start();
  const random = new Random(4);
  let edges = 0;
  let next = 0;
  const got: Uint8Array[] = [];
  bench.chip.onInterrupt = (low) => void (edges += low ? 1 : 0);
  bench.set(EIE, 0xca);
  const task = (): void => {
    bench.clear(EIE, 0x80);
    bench.clear(EIR, bench.read(EIR) & 0x0a);
    // One packet for each call: the others have an edge of their own when INTIE is set.
    if (bench.packets() > 0) {
      bench.write16(ERDPT, next);
      const view = new DataView(bench.readMemory(6).buffer);
      got.push(bench.readMemory(view.getUint16(2, true) - 4));
      next = view.getUint16(0, true);
      bench.write16(ERXRDPT, next === 0 ? 0x13ff : next - 1);
      bench.set(ECON2, 0x40);
    }
    bench.set(EIE, 0x80);
  };
  const wanted: Uint8Array[] = [];
  for (let i = 0; i < 80; i++) {
    const down = frame(60 + random.below(1455), MAC, i);
    wanted.push(down);
    bench.chip.receive(down);
    bench.advanceUs(random.below(2600));
    while (edges > 0) {
      edges--;
      task();
    }
  }
  bench.advanceUs(3000);
  while (edges > 0) {
    edges--;
    task();
  }
  same(t, got, wanted);
  t.deepEqual(bench.violations, []);
});
