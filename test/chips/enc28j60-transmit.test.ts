import test from "ava";
import {
  BROADCAST,
  Bench,
  ECON1,
  EIR,
  ESTAT,
  ETXST,
  EWRPT,
  MAC,
  fcs,
  frame,
} from "./enc28j60-bench.js";

const OTHER = Uint8Array.of(0x02, 9, 9, 9, 9, 9);
const tsvCount = (status: Uint8Array): number => (status[0] ?? 0) | ((status[1] ?? 0) << 8);
const tsvBit = (status: Uint8Array, bit: number): number =>
  ((status[bit >> 3] ?? 0) >> (bit & 7)) & 1;

/** Advances until TXRTS is clear, at most 1 s; gives the time in us. */
function untilSent(bench: Bench): number {
  const begin = bench.clock.nowNs;
  while (bench.chip.peek("ECON1") & 0x08 && bench.clock.nowNs < begin + 1e9) bench.advanceUs(1);
  return (bench.clock.nowNs - begin) / 1000;
}

test("DS39662E 7.1: a frame goes out as it lies in memory; TXRTS clears, TXIF is set, pointers stay", (t) => {
  const bench = new Bench().start();
  const sent = frame(300, OTHER);
  const status = bench.send(sent);
  t.deepEqual(bench.sent, [sent]);
  t.is(bench.read(ECON1) & 0x08, 0);
  t.is(bench.read(EIR) & 0x0a, 0x08);
  t.is(bench.read16(ETXST), 0x1400);
  t.is(tsvCount(status), 304);
  t.is(tsvBit(status, 23), 1);
  t.is((status[4] ?? 0) | ((status[5] ?? 0) << 8), 304);
  t.deepEqual(bench.violations, []);
});

test("DS39662E register 6-2: PADCFG pads to 60 or 64 bytes with zeros", (t) => {
  const lengths = [
    [0x32, 60],
    [0x72, 64],
    [0xf2, 64],
    [0xb2, 60],
    [0x12, 30],
    [0x52, 30],
  ] as const;
  for (const [macon3, length] of lengths) {
    const bench = new Bench().start({ macon3 });
    bench.send(frame(30, OTHER));
    t.is(bench.sent[0]?.length, length);
    t.deepEqual(bench.sent[0]?.slice(0, 30), frame(30, OTHER));
    t.true(bench.sent[0]?.slice(30).every((b) => b === 0));
  }
});

test("DS39662E register 6-2: PADCFG 101 pads VLAN frames to 64 bytes", (t) => {
  const bench = new Bench().start({ macon3: 0xb2 });
  bench.send(frame(30, OTHER, 0, 0x8100));
  t.is(bench.sent[0]?.length, 64);
});

test("DS39662E register 6-2: without TXCRCEN the host supplies the FCS", (t) => {
  const bench = new Bench().start({ macon3: 0x02 });
  const data = frame(100, OTHER);
  const good = bench.send([...data, ...fcs(data)]);
  t.deepEqual(bench.sent, [data]);
  t.is(tsvBit(good, 20), 0);
  const bad = bench.send([...data, 1, 2, 3, 4]);
  t.is(bench.sent.length, 1);
  t.is(tsvBit(bad, 20), 1);
});

test("DS39662E figure 7-1: the control byte overrides MACON3", (t) => {
  const bench = new Bench().start();
  // POVERRIDE, PCRCEN, no PPADEN.
  bench.send(frame(30, OTHER), 0x1400, 0x03);
  // With PPADEN.
  bench.send(frame(30, OTHER), 0x1400, 0x07);
  // PHUGEEN.
  bench.send(frame(1600, OTHER), 0x1400, 0x0b);
  t.deepEqual(
    bench.sent.map((f) => f.length),
    [30, 60, 1600],
  );
});

test("DS39662E 7.1: a frame above MAMXFL is aborted: TXABRT, TXERIF, giant in the status", (t) => {
  const bench = new Bench().start({ fullDuplex: true });
  const status = bench.send(frame(1515, OTHER));
  t.deepEqual(bench.sent, []);
  t.is(tsvBit(status, 30), 1);
  t.is(tsvBit(status, 23), 0);
  t.is(bench.read(EIR) & 0x0a, 0x0a);
  t.is(bench.read(ESTAT) & 0x02, 0x02);
  bench.clear(ESTAT, 0x02);
  t.is(bench.read(ESTAT) & 0x02, 0);
});

test("DS39662E table 7-1: broadcast, multicast and VLAN in the status", (t) => {
  const bench = new Bench().start();
  t.is(tsvBit(bench.send(frame(60, BROADCAST)), 25), 1);
  t.is(tsvBit(bench.send(frame(60, Uint8Array.of(1, 0, 0x5e, 0, 0, 1))), 24), 1);
  t.is(tsvBit(bench.send(frame(60, OTHER, 0, 0x8100)), 51), 1);
});

test("802.3: 1514 bytes take (8 + 1518) * 0.8 us, 14 bytes as much as 60", (t) => {
  for (const [bytes, us] of [
    [1514, 1220.8],
    [14, 57.6],
  ] as const) {
    const bench = new Bench().start();
    bench.load(frame(bytes, OTHER));
    bench.set(ECON1, 0x08);
    t.true(Math.abs(untilSent(bench) - us) < 2);
  }
});

test("DS39662E 6.5: back to back, MABBIPG 12h (half duplex) makes a gap of 9.6 us", (t) => {
  const bench = new Bench().start();
  const times: number[] = [];
  bench.chip.onTransmit = () => void times.push(bench.clock.nowNs);
  bench.load(frame(60, OTHER));
  bench.set(ECON1, 0x08);
  while (times.length < 1) bench.clock.advance(10);
  bench.set(ECON1, 0x08);
  while (times.length < 2) bench.clock.advance(10);
  t.true(Math.abs((times[1] ?? 0) - (times[0] ?? 0) - 57_600 - 9_600) < 20);
});

test("DS39662E 7.1: the host can cancel; the frame breaks off and TXIF is set", (t) => {
  const bench = new Bench().start();
  bench.load(frame(1514, OTHER));
  bench.set(ECON1, 0x08);
  bench.advanceUs(300);
  bench.clear(ECON1, 0x08);
  t.is(bench.read(EIR) & 0x0a, 0x08);
  bench.advanceUs(2000);
  t.deepEqual(bench.sent, []);
});

test("DS39662E 7.1: pointers, MAC registers and bytes of the frame must stay while TXRTS is set", (t) => {
  const bench = new Bench().start();
  bench.load(frame(1514, OTHER));
  bench.set(ECON1, 0x08);
  // Another slot may be filled meanwhile.
  bench.write16(EWRPT, 0x1a00);
  bench.writeMemory([0, 1, 2]);
  t.deepEqual(bench.violations, []);
  bench.write16(EWRPT, 0x1410);
  bench.writeMemory([1]);
  bench.write(ETXST, 2);
  bench.inBank(2, () => bench.write(0x04, 0x15));
  t.is(bench.violations.length, 3);
});

test("DS39662E 7.1: status vector and frame must not reach into the receive buffer", (t) => {
  const bench = new Bench().start();
  bench.load(frame(60, OTHER), 0x1fff - 64);
  bench.set(ECON1, 0x08);
  t.regex(bench.violations.join(), /reach into the receive buffer/);
});

test("802.3: in half duplex a frame waits for one that is arriving, in full duplex it does not", (t) => {
  for (const fullDuplex of [false, true]) {
    const bench = new Bench().start({ fullDuplex });
    bench.load(frame(60, OTHER));
    bench.chip.receive(frame(1000));
    bench.advanceUs(50);
    bench.set(ECON1, 0x08);
    bench.advanceUs(100);
    t.is(bench.sent.length, fullDuplex ? 1 : 0);
    bench.advanceUs(900);
    t.is(bench.sent.length, 1);
    t.is(bench.packets(), 1);
    t.is(tsvBit(bench.status(), 26), fullDuplex ? 0 : 1);
  }
});

test("802.3: two stations that wait for the same gap collide, back off and both get through", (t) => {
  const bench = new Bench().start();
  bench.load(frame(200, OTHER));
  bench.chip.receive(frame(1000));
  bench.chip.receive(frame(300));
  bench.advanceUs(50);
  bench.set(ECON1, 0x08);
  untilSent(bench);
  bench.advanceUs(5000);
  t.is(bench.sent.length, 1);
  t.is(bench.packets(), 2);
  t.true(((bench.status()[2] ?? 0) & 0x0f) > 0);
});

test("DS39662E 7.1: more collisions than RETMAX abort the frame", (t) => {
  const bench = new Bench({ faults: { collisions: 100 } }).start();
  bench.load(frame(60, OTHER));
  bench.set(ECON1, 0x08);
  untilSent(bench);
  t.is(bench.chip.faults.collisions, 100 - 16);
  t.is(bench.read(EIR) & 0x0a, 0x0a);
  t.is(tsvBit(bench.status(), 28), 1);
  bench.chip.faults.collisions = 3;
  bench.clear(EIR, 0x0a);
  bench.set(ECON1, 0x08);
  untilSent(bench);
  t.is(bench.sent.length, 1);
  t.is((bench.status()[2] ?? 0) & 0x0f, 3);
});

test("DS39662E 7.1: a collision behind the window aborts the frame: late collision", (t) => {
  const bench = new Bench({ faults: { lateCollisions: 1 } }).start();
  const status = bench.send(frame(300, OTHER));
  t.deepEqual(bench.sent, []);
  t.is(tsvBit(status, 29), 1);
  t.is(bench.read(ESTAT) & 0x12, 0x12);
});

test("DS39662E register 6-3: without DEFER a frame is given up after 2.4287 ms of waiting", (t) => {
  const bench = new Bench().start();
  bench.inBank(2, () => bench.write(0x03, 0));
  // The medium is jammed by one frame after the other.
  bench.load(frame(60, OTHER));
  bench.inBank(2, () => bench.write(0x0a, 0xff));
  bench.inBank(2, () => bench.write(0x0b, 0xff));
  bench.chip.receive(frame(5000));
  bench.advanceUs(10);
  bench.set(ECON1, 0x08);
  const us = untilSent(bench);
  t.true(us > 2427 && us < 2431);
  t.is(tsvBit(bench.status(), 27), 1);
});

test("DS39662E 3.3: half duplex without HDLDIS hears its own frames, with it not", (t) => {
  const bench = new Bench().start();
  bench.send(frame(60, MAC));
  t.is(bench.packets(), 0);
  bench.phyWrite(0x10, 0);
  bench.send(frame(60, MAC));
  t.is(bench.packets(), 1);
  t.is(bench.sent.length, 2);
});

test("DS39662E register 3-4: PLOOPBK gives frames back and keeps them off the wire", (t) => {
  const bench = new Bench().start();
  bench.phyWrite(0x00, 0x4000);
  bench.send(frame(60, MAC));
  t.is(bench.packets(), 1);
  t.is(bench.sent.length, 0);
});

test("DS39662E 10.2: a PAUSE frame that comes holds the next frame back", (t) => {
  const bench = new Bench().start({ fullDuplex: true, macon1: 0x0d });
  const pause = frame(60, Uint8Array.of(1, 0x80, 0xc2, 0, 0, 1), 0, 0x8808);
  // 100 quanta of 51.2 us.
  pause.set([0, 1, 0, 100], 14);
  bench.arrive(pause);
  bench.load(frame(60, OTHER));
  bench.set(ECON1, 0x08);
  bench.advanceUs(5000);
  t.is(bench.sent.length, 0);
  bench.advanceUs(300);
  t.is(bench.sent.length, 1);
});

test("DS39662E 10.2: EFLOCON sends PAUSE frames: again and again, then one with time 0", (t) => {
  const bench = new Bench().start({ fullDuplex: true, macon1: 0x0d });
  bench.inBank(3, () => {
    bench.write(0x18, 100);
    bench.write(0x19, 0);
    bench.write(0x17, 2);
  });
  bench.advanceUs(6000);
  t.true(bench.sent.length >= 2);
  t.deepEqual([...(bench.sent[0]?.slice(0, 18) ?? [])], [
    0x01, 0x80, 0xc2, 0, 0, 1, ...MAC, 0x88, 0x08, 0, 1, 0, 100,
  ]); // prettier-ignore
  bench.inBank(3, () => bench.write(0x17, 3));
  bench.advanceUs(1000);
  const after = bench.sent.length;
  t.deepEqual([...(bench.sent[after - 1]?.slice(14, 18) ?? [])], [0, 1, 0, 0]);
  t.is(bench.inBank(3, () => bench.read(0x17)) & 3, 0);
  bench.advanceUs(20_000);
  t.is(bench.sent.length, after);
});

test("DS39662E 10.1: in half duplex FCEN0 jams the medium", (t) => {
  const bench = new Bench().start();
  bench.inBank(3, () => bench.write(0x17, 1));
  bench.chip.receive(frame(60));
  bench.advanceUs(1000);
  t.is(bench.packets(), 0);
  bench.inBank(3, () => bench.write(0x17, 0));
  bench.advanceUs(1000);
  t.is(bench.packets(), 1);
});

test("a frame that is sent without link or cable reaches nobody, and the MAC does not mind", (t) => {
  const bench = new Bench().start();
  bench.chip.setLink(false);
  bench.send(frame(60, OTHER));
  t.is(bench.sent.length, 0);
  t.is(bench.read(EIR) & 0x0a, 0x08);
});
