import test from "../conformance/proves.js";
import type { StackHarness } from "../support/stack-harness.js";
import { TcpPeer, accepted, deviceStack, type PeerConfig } from "../support/tcp-peer.js";
import type { Options } from "../../stack/options.js";
import { pattern } from "../support/wire.js";
import { BIG } from "../support/option-sets.js";

interface Sender {
  stack: StackHarness;
  peer: TcpPeer;
  fd: number;
  /** Bytes that the peer has acknowledged. */
  acked: number;
}

async function open(config: PeerConfig = {}, options: Partial<Options> = BIG): Promise<Sender> {
  const stack = await deviceStack(options);
  return { stack, acked: 0, ...accepted(stack, stack.listen(80), 5000, { mss: 1000, ...config }) };
}

/** Fills the send ring; segments that went out, by their number in thousands. */
function fill(it: Sender): number[] {
  it.stack.take();
  it.stack.send(it.fd, pattern(32768));
  return numbers(it);
}

function numbers(it: Sender): number[] {
  return it.peer.segments().map((s) => ((s.seq - it.peer.irs - 1) >>> 0) / 1000);
}

/** Acknowledges `segments` segments of 1000 bytes more (0: a duplicate); what is sent then. */
function ack(it: Sender, segments: number): number[] {
  it.acked += segments * 1000;
  it.peer.ack = it.peer.theirs(1 + it.acked);
  it.stack.take();
  it.stack.inject(it.peer.frame("A"));
  const sent = numbers(it);
  it.stack.send(it.fd, pattern(32768));
  return [...sent, ...numbers(it)];
}

/** Loses one of the eight segments 4 to 11 in flight, the one behind four that are acknowledged; returns what is sent then. */
function loseOne(it: Sender): number[] {
  fill(it);
  ack(it, 1);
  ack(it, 1);
  it.acked += 2000;
  it.peer.ack = it.peer.theirs(1 + it.acked);
  for (let i = 0; i < 4; i++) it.stack.queue(it.peer.frame("A"));
  it.stack.take();
  it.stack.run();
  return numbers(it);
}

test("RFC 5681 CC-1: the initial window is 4, 3 or 4 segments by their size", async (t) => {
  for (const [mss, segments] of [
    [1460, 3],
    [1096, 3],
    [1095, 4],
    [536, 4],
  ] as const) {
    const it = await open({ mss });
    t.is(fill(it).length, segments, `MSS ${mss}`);
  }
});

test("RFC 5681 CC-1, RFC 6298 RTO-9: after a lost SYN-ACK one segment, and three seconds", async (t) => {
  const stack = await deviceStack(BIG);
  const listener = stack.listen(80);
  const peer = new TcpPeer(stack, stack.neighbour(), 5000, 80, { mss: 1000 });
  peer.syn();
  t.deepEqual(peer.during(1100), ["SA 0:1"]);
  peer.say("A");
  const it = { stack, peer, fd: stack.wasm.sysAccept(listener), acked: 0 };
  t.deepEqual(fill(it), [0]);
  t.deepEqual(peer.during(2990), []);
  t.deepEqual(peer.during(20), ["A 1:1+1000"]);
});

test("RFC 5681 CC-2, CC-5: slow start opens by a segment for each one acknowledged", async (t) => {
  const it = await open();
  t.deepEqual(fill(it), [0, 1, 2, 3]);
  t.deepEqual(ack(it, 1), [4, 5]);
  t.deepEqual(ack(it, 1), [6, 7]);
  t.deepEqual(ack(it, 2), [8, 9, 10, 11]);
});

test("RFC 5681 CC-3, CC-4, MUST-19: after a timeout one segment, slow start to half the flight, then a segment per round trip", async (t) => {
  const it = await open();
  t.deepEqual(fill(it), [0, 1, 2, 3]);
  for (let i = 0; i < 4; i++) ack(it, 1);
  // Eight in flight; all are lost.
  t.deepEqual(it.peer.during(205), ["A 4001:1+1000"]);
  t.deepEqual(ack(it, 1), [5, 6]);
  t.deepEqual(ack(it, 2), [7, 8, 9, 10]);
  t.deepEqual(ack(it, 1), [11]);
  // ssthresh is 4000 now: about one more in a whole window.
  t.deepEqual(ack(it, 1), [12]);
  t.deepEqual(ack(it, 1), [13]);
  t.deepEqual(ack(it, 1), [14]);
});

test("RFC 5681 CC-4: the second timeout of a segment leaves the threshold alone", async (t) => {
  const it = await open();
  fill(it);
  for (let i = 0; i < 4; i++) ack(it, 1);
  t.is(it.peer.during(205).length, 1);
  t.is(it.peer.during(405).length, 1);
  t.is(it.peer.during(805).length, 1);
  t.deepEqual(ack(it, 1), [5, 6]);
  t.deepEqual(ack(it, 2), [7, 8, 9, 10]);
  t.deepEqual(ack(it, 1), [11]);
  t.deepEqual(ack(it, 1), [12]);
});

test("A6, RFC 5681 CC-7, CC-8, RFC 3042, RFC 6582 NR-2: limited transmit, fast retransmit, fast recovery, full ACK", async (t) => {
  const it = await open();
  fill(it);
  for (let i = 0; i < 4; i++) ack(it, 1);
  // 4..11 in flight, 4 is lost.
  t.deepEqual(ack(it, 0), [12]);
  t.deepEqual(ack(it, 0), [13]);
  t.deepEqual(ack(it, 0), [4]);
  // cwnd = 8/2 + 3 (3.2 step 2: what limited transmit sent MUST NOT count); the fourth duplicate makes room for a new segment.
  t.deepEqual(ack(it, 0), []);
  t.deepEqual(ack(it, 0), []);
  t.deepEqual(ack(it, 0), []);
  t.deepEqual(ack(it, 0), [14]);
  t.deepEqual(ack(it, 0), [15]);
  // All up to recover: cwnd = min(ssthresh, flight + 1) = 3.
  t.deepEqual(ack(it, 10), [16]);
});

test("RFC 6582 NR-3: a partial ACK sends the next hole at once, without a timeout", async (t) => {
  const it = await open();
  fill(it);
  for (let i = 0; i < 4; i++) ack(it, 1);
  ack(it, 0);
  ack(it, 0);
  t.deepEqual(ack(it, 0), [4]);
  t.deepEqual(ack(it, 3), [7]);
  // cwnd = 7 - 3 + 1; seven are in flight, so the third duplicate makes room.
  t.deepEqual([ack(it, 0), ack(it, 0), ack(it, 0)], [[], [], [14]]);
  t.is(ack(it, 2)[0], 9);
});

test("RFC 6582 NR-3: only the first partial ACK restarts the retransmission timer", async (t) => {
  const it = await open();
  fill(it);
  for (let i = 0; i < 4; i++) ack(it, 1);
  for (let i = 0; i < 3; i++) ack(it, 0);
  it.stack.advance(150);
  ack(it, 1);
  it.stack.advance(150);
  ack(it, 1);
  it.stack.take();
  t.deepEqual(it.peer.during(60).slice(0, 1), ["A 6001:1+1000"]);
});

test("RFC 6298: what a fast retransmit has sent again gets the whole timeout", async (t) => {
  const it = await open();
  fill(it);
  for (let i = 0; i < 4; i++) ack(it, 1);
  it.stack.advance(150);
  for (let i = 0; i < 3; i++) ack(it, 0);
  t.deepEqual(it.peer.during(195), []);
  t.deepEqual(it.peer.during(10).slice(0, 1), ["A 4001:1+1000"]);
});

test("RFC 3465 2.1: an ACK for a whole window opens it by one segment in congestion avoidance", async (t) => {
  const it = await open();
  fill(it);
  for (let i = 0; i < 4; i++) ack(it, 1);
  it.peer.during(205);
  for (const segments of [1, 2, 1]) ack(it, segments);
  t.deepEqual(ack(it, 4), [12, 13, 14, 15, 16]);
});

test("RFC 5681 3.1: ACKs of the turn that brings the news of a loss do not make the flight small that is halved", async (t) => {
  const it = await open();
  fill(it);
  for (let i = 0; i < 4; i++) ack(it, 1);
  it.acked += 4000;
  it.peer.ack = it.peer.theirs(1 + it.acked);
  for (let i = 0; i < 4; i++) it.stack.queue(it.peer.frame("A"));
  it.stack.take();
  it.stack.run();
  // Half of the eight that were in flight, and three duplicates: seven, of which four are there.
  t.deepEqual(numbers(it), [8, 12, 13, 14]);
});

test("RFC 9293 MAY-18, RFC 9438 4.3, 4.6: CUBIC keeps 0.7 of the flight, and grows by 0.53 of a segment until it is where it was, then by one", async (t) => {
  const it = await open({ mss: 500 }, {});
  const halves = (numbers: number[]): number[] => numbers.map((n) => 2 * n);
  // 5.6 of eight, and three duplicates.
  t.deepEqual(halves(loseOne(it)), [8, 12, 13, 14, 15]);
  it.stack.send(it.fd, pattern(8192));
  // Slow start goes on from two segments; one by one, so that it ends just above 5.6.
  let flight = ack(it, 4).length;
  for (let i = 0; i < 4; i++) flight += ack(it, 0.5).length - 1;
  const windows = [flight];
  for (let i = 0; i < 5; i++) windows.push((flight = ack(it, flight / 2).length));
  t.deepEqual(windows, [6, 6, 7, 7, 8, 9]);
});

test("RFC 9293 MAY-18, RFC 9438 5.8: a window that the peer or the application leaves unused does not grow", async (t) => {
  // The rings hold 32 segments with NewReno and 16 with CUBIC.
  for (const [mss, options] of [
    [1000, BIG],
    [250, {}],
  ] as const) {
    const step = mss / 1000;
    // In slow start it may become twice what was in flight.
    const it = await open({ mss, window: 3 * mss }, options);
    t.is(fill(it).length, 3);
    for (let i = 0; i < 40; i++) t.is(ack(it, step).length, 1);
    it.peer.window = 65535;
    t.is(ack(it, step).length, 5);
    // An application that sends one segment a round trip.
    const slow = await open({ mss }, options);
    for (let i = 1; i <= 40; i++) {
      slow.stack.send(slow.fd, pattern(mss));
      t.is(slow.peer.acknowledge(1 + mss * i).length, 0);
    }
    t.is(fill(slow).length, 4);
  }
});

test("tcp(7) TCP_CONGESTION: a connection is CUBIC's or NewReno's as its listener was, or as it was told; an image without CUBIC has NewReno", async (t) => {
  const [TCP_LEVEL, CONGESTION, RENO, CUBIC] = [6, 13, 0, 1];
  const afterLoss = (it: Sender): number => loseOne(it).length;
  const set = (it: Sender, value: number): number =>
    it.stack.wasm.sysSetOption(it.fd, TCP_LEVEL, CONGESTION, value);
  const get = ({ stack }: Sender, fd: number): number =>
    stack.wasm.sysGetOption(fd, TCP_LEVEL, CONGESTION);
  const sender = (): Promise<Sender> => open({ mss: 500 }, {});
  // Eight were in flight: 0.7 of them, or half, and three duplicates.
  const usual = await sender();
  t.is(get(usual, usual.fd), CUBIC);
  t.is(afterLoss(usual), 5);
  const told = await sender();
  t.is(set(told, RENO), 0);
  t.is(get(told, told.fd), RENO);
  t.is(afterLoss(told), 4);
  const toldAgain = await sender();
  t.deepEqual([set(toldAgain, RENO), set(toldAgain, CUBIC)], [0, 0]);
  t.is(afterLoss(toldAgain), 5);
  const stack = await deviceStack({});
  const listener = stack.listen(80);
  t.is(stack.wasm.sysSetOption(listener, TCP_LEVEL, CONGESTION, RENO), 0);
  const heir = { stack, acked: 0, ...accepted(stack, listener, 5000, { mss: 500 }) };
  t.is(get(heir, heir.fd), RENO);
  t.is(set(heir, 2), -2);
  t.is(afterLoss(heir), 4);
  // BIG is an image without CUBIC.
  const big = await open();
  t.is(get(big, big.fd), RENO);
  t.deepEqual([set(big, CUBIC), set(big, RENO)], [-2, 0]);
});

/** The peer reports these segments, from and to in thousands; what is sent then. */
function sacks(it: Sender, ...blocks: [number, number][]): number[] {
  const sack = blocks.map(([from, to]): [number, number] => [
    it.peer.theirs(1 + from * 1000),
    it.peer.theirs(1 + to * 1000),
  ]);
  it.stack.take();
  it.stack.inject(it.peer.frame("A", { options: { sack } }));
  return numbers(it);
}

test("RFC 8985 6.2: a retransmission is sent again once the peer has all that was sent after it", async (t) => {
  const it = await open({ options: { sackPermitted: true } });
  fill(it);
  for (let i = 0; i < 4; i++) ack(it, 1);
  // 4..11 are in flight.
  t.deepEqual(sacks(it, [5, 9]), [4]);
  t.deepEqual(sacks(it, [5, 12]), [12, 13, 14]);
  t.deepEqual(sacks(it, [5, 13]), [15]);
  t.deepEqual(sacks(it, [5, 14]), [16]);
  t.is(sacks(it, [5, 15])[0], 4);
});

test("RFC 9937 6.2: with most of a flight lost a recovery begins with one segment, and each that arrives lets two go, up to half the flight; without PRR that goes at once", async (t) => {
  for (const [prr, first, then] of [
    [1, [4], [[5, 6], [7, 8], [13, 14], [15]]],
    [0, [4, 5, 6, 7], [[8], [13]]],
  ] as const) {
    const options = { sackPermitted: true };
    const it = await open({ options }, prr === 1 ? { ...BIG, TCP_PRR: 1 } : BIG);
    fill(it);
    for (let i = 0; i < 4; i++) ack(it, 1);
    it.stack.advance(20);
    // Of 4 to 12 only the last four arrive.
    t.deepEqual(sacks(it, [9, 13]), first, `TCP_PRR ${prr}`);
    for (const sent of then) {
      it.stack.advance(20);
      it.acked += 1000;
      it.peer.ack = it.peer.theirs(1 + it.acked);
      t.deepEqual(sacks(it, [9, 13]), sent, `TCP_PRR ${prr}`);
    }
  }
});

test("RFC 9937 6.2: while more is on the way than shall be, as large a part goes as arrives", async (t) => {
  const sent: Record<number, number[][]> = {};
  for (const prr of [0, 1]) {
    const it = await open({ options: { sackPermitted: true } }, { ...BIG, TCP_PRR: prr });
    fill(it);
    for (let i = 0; i < 12; i++) ack(it, 1);
    it.stack.advance(20);
    // Seventeen are in flight, 12 to 28, and half of them shall be; the first is lost.
    const steps = [sacks(it, [13, 16])];
    for (let end = 17; end <= 24; end++) steps.push(sacks(it, [13, end]));
    sent[prr] = steps;
  }
  // "CEIL(prr_delivered * ssthresh / RecoverFS) - prr_out": eight and a half for fourteen.
  t.deepEqual(sent[1], [[12], [], [], [], [29], [30], [], [31], []]);
  t.deepEqual(sent[0], [[12], [], [], [], [], [], [], [29], [30]]);
});

test("RFC 3042: when the peer has what limited transmit sent, what is missing is lost", async (t) => {
  const it = await open({ options: { sackPermitted: true } });
  t.deepEqual(fill(it), [0, 1, 2, 3]);
  t.deepEqual(sacks(it, [1, 2]), [4]);
  t.is(sacks(it, [4, 5], [1, 2])[0], 0);
});

test("a window that shuts in a recovery by the scoreboard, is probed and opens again: all goes on", async (t) => {
  const it = await open({ options: { sackPermitted: true } });
  fill(it);
  for (let i = 0; i < 4; i++) ack(it, 1);
  // 4..11 in flight; 5..8 have come.
  const sack: [number, number][] = [[it.peer.theirs(5001), it.peer.theirs(9001)]];
  it.stack.take();
  it.stack.inject(it.peer.frame("A", { options: { sack } }));
  t.is(numbers(it)[0], 4);
  it.peer.say("A", { window: 0 });
  t.deepEqual(it.peer.during(205), ["A 4001:1+1"]);
  it.stack.take();
  it.stack.inject(it.peer.frame("A", { window: 60000 }));
  t.is(numbers(it)[0], 4);
});

test("RFC 6582 NR-1, NR-4: duplicates of what a timeout has sent again do not start a recovery", async (t) => {
  const it = await open();
  t.deepEqual(fill(it), [0, 1, 2, 3]);
  t.is(it.peer.during(205).length, 1);
  for (let i = 0; i < 6; i++) t.false(ack(it, 0).includes(0), `duplicate ${i}`);
});

test("RFC 6582 NR-1: duplicates at the very end of what a timeout has dealt with may still be its echo", async (t) => {
  const it = await open();
  t.deepEqual(fill(it), [0, 1, 2, 3]);
  t.is(it.peer.during(205).length, 1);
  t.true(ack(it, 4).includes(4), "new text is in flight");
  for (let i = 0; i < 6; i++) t.false(ack(it, 0).includes(4), `duplicate ${i}`);
  // Beyond it they count again.
  ack(it, 1);
  t.true([0, 0, 0].flatMap((none) => ack(it, none)).includes(5));
});

test("RFC 5681 CC-6: text, FIN, a new window or nothing in flight make no duplicate", async (t) => {
  const kinds: [string, (it: Sender, i: number) => Uint8Array][] = [
    ["text", ({ peer }, i) => peer.frame("A", { seq: peer.seq + i }, pattern(1))],
    ["text behind a hole", ({ peer }) => peer.frame("A", { seq: peer.seq + 9 }, pattern(1))],
    ["FIN", ({ peer }) => peer.frame("FA", { seq: peer.seq + 10 })],
    ["window", ({ peer }, i) => peer.frame("A", { window: 60000 - i })],
    ["plain", ({ peer }) => peer.frame("A")],
  ];
  for (const [kind, make] of kinds) {
    const it = await open();
    fill(it);
    const again: number[] = [];
    for (let i = 0; i < 5; i++) {
      it.stack.inject(make(it, i));
      again.push(...numbers(it).filter((number) => number === 0));
    }
    t.deepEqual(again, kind === "plain" ? [0] : [], kind);
  }
  const it = await open();
  const counted = it.stack.counted(() => it.peer.say("A"));
  t.is(counted.tcpIn, 1);
});

test("RFC 5827: with few segments in flight and nothing more to send, fewer duplicates tell of a loss", async (t) => {
  for (const [segments, duplicates] of [
    [2, 1],
    [3, 2],
    [4, 3],
  ] as const) {
    const it = await open();
    it.stack.send(it.fd, pattern(segments * 1000));
    t.is(numbers(it).length, segments);
    const frame = it.peer.frame("A");
    for (let i = 1; i < duplicates; i++) {
      it.stack.inject(frame);
      t.deepEqual(numbers(it), []);
    }
    it.stack.inject(frame);
    t.deepEqual(numbers(it), [0], `${segments} in flight`);
  }
});

test("RFC 5681 CC-9: after an idle time the window is the initial one again, also when only ACKs were sent", async (t) => {
  const it = await open();
  fill(it);
  for (let i = 0; i < 12; i++) ack(it, 1);
  const flight = 16;
  it.acked = 0;
  const last =
    ((it.peer.last?.seq ?? 0) + (it.peer.last?.data.length ?? 0) - it.peer.irs - 1) >>> 0;
  t.true(last / 1000 >= flight);
  // Take all that is queued, then rest.
  let end = last;
  for (;;) {
    it.stack.take();
    it.stack.inject(it.peer.frame("A", { ack: it.peer.theirs(1 + end) }));
    const more = it.peer.segments();
    if (more.length === 0) break;
    const tail = more.at(-1);
    if (tail) end = (tail.seq + tail.data.length - it.peer.irs - 1) >>> 0;
  }
  it.peer.ack = it.peer.theirs(1 + end);
  it.stack.advance(10_000);
  it.peer.text(pattern(1460));
  it.peer.text(pattern(1460));
  it.stack.take();
  it.stack.send(it.fd, pattern(32768));
  t.is(it.peer.segments().length, 4);
});

/** A connection whose handshake took `ms`, by a peer without options; how long its first segment waits to be sent again. */
async function firstSample(ms: number): Promise<Sender & { wait(): number }> {
  const stack = await deviceStack({ ...BIG, TCP_RTO_MIN_MS: 1 });
  const listener = stack.listen(80);
  const peer = new TcpPeer(stack, stack.neighbour(), 5000, 80, { mss: 1000 });
  peer.syn();
  stack.advance(ms);
  peer.say("A");
  const fd = stack.wasm.sysAccept(listener);
  const wait = (): number => {
    stack.take();
    stack.send(fd, pattern(10));
    stack.take();
    const start = stack.nowMs;
    stack.untilSent(100_000);
    return stack.nowMs - start;
  };
  return { stack, peer, fd, acked: 0, wait };
}

test("RFC 6298 RTO-2: the first sample is the round trip, and half of it its deviation", async (t) => {
  for (const ms of [100, 400]) {
    const it = await firstSample(ms);
    t.is(it.wait(), 3 * ms);
  }
});

test("RFC 6298 RTO-3: a quarter of a deviation counts, and goes by a quarter with each round trip that has none", async (t) => {
  const it = await firstSample(100);
  let sequence = 1;
  const roundTrip = (ms: number): void => {
    it.stack.send(it.fd, pattern(10));
    it.stack.advance(ms);
    sequence += 10;
    it.peer.acknowledge(sequence);
  };
  // SRTT 100, RTTVAR 50; then 110 and 3/4 * 50 + 1/4 * 80; then 110 and 3/4 of that.
  roundTrip(180);
  roundTrip(110);
  const wait = it.wait();
  t.true(Math.abs(wait - (110 + 3 * 57.5)) <= 2, `${wait}`);
});

test("RFC 6298 RTO-6: what was sent again is no sample, and the timeout stays as it was backed off", async (t) => {
  const it = await firstSample(100);
  t.is(it.wait(), 300);
  it.stack.advance(250);
  it.peer.acknowledge(11);
  t.is(it.wait(), 600);
  // Nor after a fast retransmit, by a peer without SACK.
  const fast = await firstSample(100);
  fast.stack.send(fast.fd, pattern(3000));
  fast.stack.advance(250);
  for (let i = 0; i < 3; i++) fast.peer.say("A");
  fast.stack.advance(10);
  fast.peer.acknowledge(3001);
  t.is(fast.wait(), 300);
});

test("RFC 6298 RTO-2, RTO-3, RTO-6, RTO-10, MUST-18: the timeout follows the samples", async (t) => {
  const it = await open({}, { ...BIG, TCP_RTO_MIN_MS: 1 });
  const { stack, peer, fd } = it;
  let sequence = 1;
  // The handshake gave a sample of 0; then one of 100 ms: SRTT 12, RTTVAR 25 -> 112.
  const roundTrip = (ms: number): void => {
    stack.take();
    stack.send(fd, pattern(10));
    stack.advance(ms);
    sequence += 10;
    peer.acknowledge(sequence);
  };
  const timeout = (): number => {
    stack.take();
    stack.send(fd, pattern(10));
    stack.take();
    const start = stack.nowMs;
    stack.untilSent(100_000);
    const wait = stack.nowMs - start;
    sequence += 10;
    peer.acknowledge(sequence);
    return wait;
  };
  for (let i = 0; i < 40; i++) roundTrip(100);
  const settled = timeout();
  t.true(settled >= 100 && settled <= 112, `${settled}`);
  for (let i = 0; i < 40; i++) roundTrip(400);
  const later = timeout();
  t.true(later >= 400 && later <= 430, `${later}`);
  // Karn: the ACK of what was sent twice is no sample, so the doubled timeout stays.
  t.true(timeout() >= 2 * later - 2);
});

test("RFC 6298 RTO-1, RTO-5, RTO-8, MUST-20, SHLD-10, SHLD-11: doubled up to 60 s; given up after more than 100 s", async (t) => {
  const it = await open();
  const { stack, peer, fd } = it;
  stack.send(fd, pattern(10));
  stack.take();
  let before = stack.nowMs;
  const start = before;
  const gaps: number[] = [];
  for (;;) {
    stack.inject(peer.host.arpRequest());
    stack.take();
    const sent = peer.of(stack.untilSent(1000));
    if (stack.wasm.sysEvents(fd) !== 0 && stack.wasm.tcbState(0) === 0) break;
    if (sent.length > 0) {
      gaps.push(stack.nowMs - before);
      before = stack.nowMs;
    }
  }
  t.deepEqual(gaps, [200, 400, 800, 1600, 3200, 6400, 12800, 25600, 51200, 60000]);
  t.true(stack.nowMs - start > 100_000);
  t.is(stack.receive(fd), -110);
  t.is(stack.tables()[0], 0);
});

test("RFC 6298 RTO-7: an ACK that advances restarts the timer", async (t) => {
  const it = await open();
  fill(it);
  it.stack.advance(150);
  ack(it, 1);
  t.deepEqual(it.peer.during(190), []);
  t.is(it.peer.during(20).length, 1);
});
