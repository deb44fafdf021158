import test from "ava";
import { LinkDirection, PERFECT, turnBit, type Impairments } from "../../host-tools/net/link.js";
import { buildUdp, checksum, parseUdp } from "../../host-tools/net/packets.js";
import { VirtualClock } from "../../host-tools/sim/virtual-clock.js";

interface Arrival {
  atMs: number;
  number: number;
  fcsGood: boolean;
  frame: Uint8Array;
}

/** A UDP frame that carries a number. */
function numbered(number: number, payloadBytes = 64): Uint8Array {
  const payload = new Uint8Array(payloadBytes);
  new DataView(payload.buffer).setUint32(0, number);
  return buildUdp(
    { from: 0x0200_0000_0001, to: 0x0200_0000_0002 },
    {
      sourceAddress: 0xc0a84d01,
      destinationAddress: 0xc0a84d02,
      sourcePort: 1000,
      destinationPort: 2000,
      payload,
    },
  );
}

/** Sends `count` frames, one every 100 us, and gives what arrives. */
function through(impairments: Partial<Impairments>, count = 2000, seed = 7): Arrival[] {
  const clock = new VirtualClock();
  const arrivals: Arrival[] = [];
  const link = new LinkDirection(clock, { ...PERFECT, ...impairments }, seed, (bytes, fcsGood) => {
    const frame = bytes.slice();
    const number = new DataView(frame.buffer).getUint32(42);
    arrivals.push({ atMs: clock.nowNs / 1e6, number, fcsGood, frame });
  });
  for (let i = 0; i < count; i++) {
    link.send(numbered(i));
    clock.advance(100_000);
  }
  while (clock.runNext());
  return arrivals;
}

const share = (part: number, whole: number): number => (100 * part) / whole;

test("a link without impairments gives every frame at once, unchanged and in order", (t) => {
  const arrivals = through({}, 100);
  t.deepEqual(
    arrivals.map((a) => a.number),
    Array.from({ length: 100 }, (_, i) => i),
  );
  t.deepEqual(arrivals[5]?.frame, numbered(5));
  t.is(arrivals[5]?.atMs, 0.5);
});

test("loss takes about its percentage of the frames", (t) => {
  const lost = 2000 - through({ lossPercent: 10 }).length;
  t.true(share(lost, 2000) > 8 && share(lost, 2000) < 12, `${lost} lost`);
});

test("duplication makes about its percentage of the frames arrive twice", (t) => {
  const extra = through({ duplicatePercent: 10 }).length - 2000;
  t.true(share(extra, 2000) > 8 && share(extra, 2000) < 12, `${extra} more`);
});

test("reordering lets later frames pass about its percentage of the frames, and loses none", (t) => {
  const numbers = through({ reorderPercent: 10 }).map((a) => a.number);
  let overtaken = 0;
  let highest = -1;
  for (const number of numbers) {
    if (number < highest) overtaken++;
    highest = Math.max(highest, number);
  }
  t.true(share(overtaken, 2000) > 8 && share(overtaken, 2000) < 12, `${overtaken} overtaken`);
  t.deepEqual(
    numbers.sort((a, b) => a - b),
    Array.from({ length: 2000 }, (_, i) => i),
  );
});

test("the last frame of a burst is not held for ever when it is to be overtaken", (t) => {
  const arrivals = through({ reorderPercent: 100 }, 1);
  t.is(arrivals.length, 1);
  t.true((arrivals[0]?.atMs as number) <= 20);
});

test("corruption turns exactly one bit that a checksum of IP or UDP finds", (t) => {
  const arrivals = through({ corruptPercent: 10 });
  const changed = arrivals.filter((a) => parseUdp(a.frame) === null);
  t.true(share(changed.length, 2000) > 8 && share(changed.length, 2000) < 12);
  t.true(arrivals.every((a) => a.fcsGood));
  // The generator decides by place in the sequence, so frame i was sent as numbered(i).
  arrivals.forEach(({ frame }, index) => {
    const original = numbered(index);
    let bits = 0;
    frame.forEach((byte, at) => {
      for (let x = byte ^ (original[at] as number); x !== 0; x &= x - 1) bits++;
    });
    t.is(bits, parseUdp(frame) === null ? 1 : 0);
  });
});

test("a frame without a checksum above Ethernet gets a wrong FCS instead of a silent error", (t) => {
  const arp = new Uint8Array(60);
  arp.set([0x08, 0x06], 12);
  const before = arp.slice();
  t.false(turnBit(arp, 0.5));
  t.notDeepEqual(arp, before);
});

test("no position of the turned bit leaves an IPv4 packet valid", (t) => {
  const original = numbered(1);
  for (let i = 0; i < 2000; i++) {
    const frame = original.slice();
    t.true(turnBit(frame, i / 2000));
    const header = checksum(frame, 14, 20) === 0;
    t.false(header && parseUdp(frame) !== null, `position ${i / 2000}`);
    t.deepEqual(frame.subarray(0, 14), original.subarray(0, 14));
  }
});

test("delay is added to every frame and keeps their order", (t) => {
  const arrivals = through({ delayMs: 25 }, 50);
  t.deepEqual(
    arrivals.map((a) => [a.number, Math.round(a.atMs * 10)]),
    Array.from({ length: 50 }, (_, i) => [i, 250 + i]),
  );
});

test("the rate limits bits per second, wire overhead included", (t) => {
  // 106 bytes and 24 of overhead at 1.04 Mbit/s are one millisecond.
  const arrivals = through({ rateBps: 1.04e6 }, 50);
  arrivals.forEach((a, i) => t.true(Math.abs(a.atMs - (i + 1)) < 1e-6));
});

test("a sender that is faster than the rate fills a bounded queue, and then frames are lost", (t) => {
  const clock = new VirtualClock();
  let arrived = 0;
  const link = new LinkDirection(clock, { ...PERFECT, rateBps: 1e6 }, 1, () => void arrived++);
  for (let i = 0; i < 1000; i++) link.send(new Uint8Array(1514));
  while (clock.runNext());
  t.is(arrived + link.count.queueDrops, 1000);
  t.true(arrived >= 170 && arrived < 180, `${arrived} arrived`);
});

test("one seed gives one fate, another seed another", (t) => {
  const all = { lossPercent: 5, reorderPercent: 5, duplicatePercent: 2, corruptPercent: 1 };
  t.deepEqual(through(all, 500, 7), through(all, 500, 7));
  t.notDeepEqual(through(all, 500, 7), through(all, 500, 8));
});

test("a frame is copied when it waits: the sender may use its memory again", (t) => {
  const clock = new VirtualClock();
  const got: number[] = [];
  const link = new LinkDirection(clock, { ...PERFECT, delayMs: 1 }, 1, (f) => got.push(f[0] ?? 0));
  const frame = new Uint8Array(60).fill(1);
  link.send(frame);
  frame.fill(2);
  clock.advance(2e6);
  t.deepEqual(got, [1]);
});
