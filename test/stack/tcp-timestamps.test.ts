/** The timestamps option (RFC 7323), and what is built on it: PAWS, TIME-WAIT by RFC 6191, options in cookies. */
import test from "../conformance/proves.js";
import { TIGHT } from "../support/option-sets.js";
import { SOCK_STREAM, type StackHarness } from "../support/stack-harness.js";
import { TcpPeer, deviceStack, type Fields } from "../support/tcp-peer.js";
import { pattern } from "../support/wire.js";

const START = 0x1000_0000;
const SYN_OPTIONS = { mss: 1460, sackPermitted: true, windowScale: 3 };

/** Fields of a segment with the peer's clock, and what it has seen of the stack's. */
function at(clock: number, seen = 0): Fields {
  return { options: { timestamps: [clock >>> 0, seen >>> 0] } };
}

/** A client with timestamps, its handshake done, accepted; the SYN had the clock START. */
function stamped(
  stack: StackHarness,
  listener: number,
  port = 5000,
): { peer: TcpPeer; fd: number; clock: () => number } {
  const peer = new TcpPeer(stack, stack.neighbour(), port, 80);
  peer.syn({ options: { ...SYN_OPTIONS, timestamps: [START, 0] } });
  peer.say("A", at(START + 1, clockOf(peer)));
  const fd = stack.wasm.sysAccept(listener);
  if (fd < 0) throw new Error(`accept: ${fd}`);
  stack.run();
  stack.take();
  return { peer, fd, clock: () => clockOf(peer) };
}

/** The stack's clock on the last segment that it sent. */
function clockOf(peer: TcpPeer): number {
  return peer.last?.options.timestamps?.[0] ?? Number.NaN;
}

function echoOf(peer: TcpPeer): number | undefined {
  return peer.last?.options.timestamps?.[1];
}

test("TS-1, RFC 7323 3.2: on a SYN-ACK only if the SYN had it, then on every segment, RST included", async (t) => {
  const stack = await deviceStack();
  const listener = stack.listen(80);
  const plain = TcpPeer.client(stack, stack.neighbour(), 4999, 80);
  t.is(plain.last?.options.timestamps, undefined);
  stack.wasm.sysAccept(listener);
  const { peer, fd } = stamped(stack, listener);
  stack.send(fd, pattern(5000));
  const sent = peer.segments();
  t.true(sent.length >= 3);
  for (const segment of sent) {
    t.is(segment.options.timestamps?.[1], START + 1);
    t.true(segment.data.length <= 1448, "the option comes off the text (RFC 6691 2)");
  }
  t.is(sent[0]?.data.length, 1448);
  peer.say("A", { ...at(START + 2, clockOf(peer)), ack: peer.theirs(5001) });
  peer.say("PA", at(START + 3), pattern(10));
  peer.during(200);
  t.is(echoOf(peer), START + 3);
  stack.wasm.sysAbort(fd);
  stack.run();
  t.deepEqual(peer.heard().slice(-1)[0]?.slice(0, 1), "R");
  t.is(echoOf(peer), START + 3);
});

test("TS-1: our SYN offers it; a server without it gets none, one with it gets it from the first ACK on", async (t) => {
  const stack = await deviceStack();
  const host = stack.neighbour();
  for (const timestamps of [undefined, [77, 0] as [number, number]]) {
    const fd = stack.socket(SOCK_STREAM);
    const port = timestamps ? 81 : 82;
    const peer = TcpPeer.dialled(stack, host, fd, port);
    t.is(echoOf(peer), 0);
    const offered = clockOf(peer);
    const options = timestamps ? { timestamps: [77, offered] as [number, number] } : {};
    t.deepEqual(peer.say("SA", { options }), ["A 1:1"]);
    t.is(echoOf(peer), timestamps ? 77 : undefined);
  }
});

test("TS-2, RFC 7323 3.2: a segment without it on such a connection is dropped in silence, unless it is RST", async (t) => {
  const stack = await deviceStack();
  const { peer, fd } = stamped(stack, stack.listen(80));
  t.deepEqual(peer.say("PA", {}, pattern(10)), []);
  t.is(stack.receive(fd), -11);
  t.deepEqual(peer.during(1000), []);
  peer.say("PA", at(START + 2), pattern(10));
  t.deepEqual(stack.receive(fd), pattern(10));
  peer.seq += 10;
  peer.say("R");
  t.is(stack.receive(fd), -104);
});

test("TS-3, RFC 7323 4.3: the echo is the clock of the segment that the delayed ACK has waited for longest, and no hole's", async (t) => {
  const stack = await deviceStack();
  const { peer } = stamped(stack, stack.listen(80));
  // Delayed ACKs: the earliest of those not acknowledged yet.
  const first = peer.frame("A", at(START + 10), pattern(100));
  peer.seq += 100;
  const second = peer.frame("A", at(START + 20), pattern(100));
  stack.inject(first, second);
  t.deepEqual(peer.during(500), ["A 1:201"]);
  t.is(echoOf(peer), START + 10);
  // A hole: the clock of the latest segment that moved the left edge; then that of the one that fills it.
  peer.seq += 200;
  t.deepEqual(peer.say("A", at(START + 30), pattern(100)), ["A 1:201"]);
  t.is(echoOf(peer), START + 10);
  peer.seq -= 100;
  t.deepEqual(peer.say("A", at(START + 40), pattern(100)), ["A 1:401"]);
  t.is(echoOf(peer), START + 40);
});

test("TS-4, RFC 7323 5.3: an old clock is answered with an ACK and dropped, before the sequence check and modulo 2^32; not RST", async (t) => {
  const stack = await deviceStack();
  const { peer, fd } = stamped(stack, stack.listen(80));
  peer.say("PA", at(START + 1000), pattern(10));
  peer.seq += 10;
  t.deepEqual(stack.receive(fd), pattern(10));
  peer.during(200);
  for (const clock of [START + 999, START - 5, START + 1001 + 0x8000_0000]) {
    t.deepEqual(peer.say("PA", at(clock), pattern(10)), ["A 1:11"], `${clock}`);
    t.is(stack.receive(fd), -11);
  }
  // Across the wrap: half the numbers are newer.
  peer.say("PA", at(START + 0x7fff_0000), pattern(10));
  t.deepEqual(stack.receive(fd), pattern(10));
  peer.seq += 10;
  peer.say("PA", at(START + 0x7fff_0000 + 0x7fff_0000), pattern(10));
  t.deepEqual(stack.receive(fd), pattern(10));
  peer.seq += 10;
  peer.say("R", at(START));
  t.is(stack.receive(fd), -104, "RST is not subject to it");
});

test("TS-3, RFC 5961 4, 5: who does not know what we have sent does not move the clock, or all that the peer sends would be old", async (t) => {
  const stack = await deviceStack();
  const { peer, fd, clock } = stamped(stack, stack.listen(80));
  const far = at(START + 0x7000_0000, clock());
  t.deepEqual(peer.say("PA", { ...far, ack: peer.theirs(5000) }, pattern(10)), ["A 1:1"]);
  t.deepEqual(peer.say("S", far), ["A 1:1"]);
  t.deepEqual(peer.say("P", far, pattern(10)), []);
  peer.say("PA", at(START + 2, clock()), pattern(10, 3));
  t.deepEqual(stack.receive(fd), pattern(10, 3));
});

test("TS-4, RFC 2883 4: text that comes twice is reported also when its clock is old: it was overtaken by its repetition", async (t) => {
  const stack = await deviceStack();
  const { peer, clock } = stamped(stack, stack.listen(80));
  const seq = peer.seq;
  peer.say("A", at(START + 9, clock()), pattern(100));
  peer.during(100);
  peer.say("A", { ...at(START + 5, clock()), seq }, pattern(100));
  t.deepEqual(peer.last?.options.sack, [[seq, (seq + 100) >>> 0]]);
});

test("TS-5, RFC 7323 5.5: after 24 days of silence an old clock is believed again", async (t) => {
  const stack = await deviceStack();
  const { peer, fd } = stamped(stack, stack.listen(80));
  const day = 86_400_000;
  stack.advance(23.9 * day);
  stack.inject(peer.host.arpRequest());
  t.deepEqual(peer.say("PA", at(START - 1), pattern(10)), ["A 1:1"]);
  t.is(stack.receive(fd), -11);
  stack.advance(0.5 * day);
  stack.inject(peer.host.arpRequest());
  peer.say("PA", at(START - 1), pattern(10));
  t.deepEqual(stack.receive(fd), pattern(10));
});

test("TS-6, RFC 7323 5.4, 7.1: the clock ticks in milliseconds and shows neither the time since the start nor another's", async (t) => {
  const stack = await deviceStack();
  const listener = stack.listen(80);
  const clocks = [5000, 5001, 5002].map((port) => stamped(stack, listener, port));
  const before = clocks.map(({ peer }) => {
    peer.say("PA", at(START + 5), pattern(1));
    peer.during(200);
    return clockOf(peer) - stack.nowMs;
  });
  t.true(new Set(before.map((clock) => clock >>> 16)).size === 3);
  for (const clock of before) t.true(Math.abs(clock | 0) > 100_000);
  stack.advance(10_000);
  const { peer } = clocks[0] as { peer: TcpPeer };
  stack.inject(peer.host.arpRequest());
  peer.seq += 1;
  peer.say("PA", at(START + 6), pattern(1));
  peer.during(200);
  t.is(clockOf(peer) - stack.nowMs, before[0] as number);
});

test("TS-7, RFC 7323 4, 6298 3: text that was sent again brings a sample, an ACK of nothing new none", async (t) => {
  const stack = await deviceStack();
  const { peer, fd } = stamped(stack, stack.listen(80));
  stack.send(fd, pattern(100));
  const first = peer.segments()[0]?.options.timestamps?.[0] ?? 0;
  // Lost; sent again after a timeout, which doubles.
  peer.next();
  const again = clockOf(peer);
  t.true(again > first);
  stack.advance(30);
  // Says nothing new, and would be a sample of a minute.
  peer.say("A", { ...at(START + 10, again - 60_000), ack: peer.theirs(1) });
  peer.say("A", { ...at(START + 11, again), ack: peer.theirs(101) });
  stack.send(fd, pattern(100));
  const sentAt = stack.nowMs;
  stack.take();
  peer.next();
  t.true(stack.nowMs - sentAt <= 400, `sent again after ${stack.nowMs - sentAt} ms`);
});

test("RFC 6191 2, RFC 9293 SHLD-4, TW-3: TIME-WAIT is opened again by a later clock whatever the number, by an equal one as without clocks, not by an earlier one", async (t) => {
  for (const [clock, seq, opens] of [
    [START + 101, -5000, true],
    [START + 100, -5000, false],
    [START + 100, 5000, true],
    [START + 99, 5000, false],
    [undefined, 5000, true],
    [undefined, -5000, false],
  ] as const) {
    const stack = await deviceStack();
    const listener = stack.listen(80);
    const { peer, fd } = stamped(stack, listener);
    stack.wasm.sysShutdown(fd, 1);
    stack.run();
    peer.segments();
    peer.say("FA", { ...at(START + 100), ack: peer.theirs(2) });
    stack.wasm.sysClose(fd);
    stack.run();
    t.is(stack.tables()[2], 1);
    const options = {
      ...SYN_OPTIONS,
      ...(clock ? { timestamps: [clock, 0] as [number, number] } : {}),
    };
    const [answer] = peer.say("S", { seq: (peer.seq + seq) >>> 0, options });
    t.is(answer?.slice(0, 2), opens ? "SA" : "A ", `${clock} ${seq}`);
    t.is(echoOf(peer) ?? 0, opens ? (clock ?? 0) : START + 100);
  }
});

test("TS-4, RFC 7323 5.3: a FIN with an old clock is answered, and neither prolongs TIME-WAIT nor moves its clock", async (t) => {
  const stack = await deviceStack();
  const { peer, fd } = stamped(stack, stack.listen(80));
  stack.wasm.sysShutdown(fd, 1);
  stack.run();
  peer.segments();
  peer.ack = peer.theirs(2);
  t.deepEqual(peer.say("FA", at(START + 100)), ["A 2:2"]);
  stack.wasm.sysClose(fd);
  stack.advance(30_000);
  t.deepEqual(peer.say("FA", at(START + 99)), ["A 2:2"]);
  t.is(echoOf(peer), START + 100);
  stack.advance(29_990);
  t.is(stack.tables()[2], 1);
  stack.advance(20);
  t.is(stack.tables()[2], 0);
});

test("RFC 7323 3.2, 4.3, 5.3: in TIME-WAIT only who knows the numbers moves the clock, an old one is answered and prolongs nothing, none is dropped", async (t) => {
  const stack = await deviceStack();
  const { peer, fd } = stamped(stack, stack.listen(80));
  stack.wasm.sysShutdown(fd, 1);
  stack.run();
  peer.segments();
  peer.ack = peer.theirs(2);
  t.deepEqual(peer.say("FA", at(START + 100)), ["A 2:2"]);
  stack.wasm.sysClose(fd);
  for (const fields of [
    { seq: peer.seq - 9 },
    { seq: peer.seq + 70_000 },
    { seq: peer.seq + 50 },
  ]) {
    t.deepEqual(peer.say("A", { ...at(START + 0x7000_0000), ...fields }), ["A 2:2"]);
    t.is(echoOf(peer), START + 100);
  }
  t.deepEqual(peer.say("FA", {}), []);
  stack.advance(30_000);
  t.deepEqual(peer.say("FA", at(START + 99)), ["A 2:2"]);
  stack.advance(29_990);
  t.deepEqual(peer.say("FA", at(START + 60_000)), ["A 2:2"]);
  t.is(echoOf(peer), START + 60_000);
  stack.advance(59_990);
  t.is(stack.tables()[2], 1);
});

test("RFC 6191 2: a SYN with a clock is let in where the connection before had none", async (t) => {
  const stack = await deviceStack();
  const listener = stack.listen(80);
  const peer = TcpPeer.client(stack, stack.neighbour(), 5000, 80);
  const fd = stack.wasm.sysAccept(listener);
  stack.wasm.sysShutdown(fd, 1);
  stack.run();
  peer.say("FA", { ack: peer.theirs(2) });
  stack.wasm.sysClose(fd);
  const options = { ...SYN_OPTIONS, timestamps: [5, 0] as [number, number] };
  const answer = peer.say("S", { seq: (peer.seq - 5000) >>> 0, options });
  t.is(answer[0]?.slice(0, 2), "SA");
});

test("a cookie brings window scale, SACK and timestamps back in the clock of the SYN-ACK", async (t) => {
  const stack = await deviceStack();
  const listener = stack.listen(80, 8);
  const host = stack.neighbour();
  for (let i = 0; i < 15; i++) new TcpPeer(stack, host, 4000 + i, 80).syn();
  const peer = new TcpPeer(stack, host, 5000, 80);
  peer.syn({ options: { ...SYN_OPTIONS, timestamps: [START, 0] } });
  t.is(peer.last?.window, 0);
  t.is(stack.counter("tcpIn"), 16);
  const { timestamps, ...others } = peer.last?.options ?? {};
  t.deepEqual(others, { mss: 1460, sackPermitted: true, windowScale: 0 });
  t.is(timestamps?.[1], START);
  peer.say("A", { ...at(START + 1, timestamps?.[0]), window: 400 });
  t.true((peer.last?.window ?? 0) > 0);
  t.is(echoOf(peer), START + 1);
  const fd = stack.wasm.sysAccept(listener);
  stack.send(fd, pattern(8000));
  t.true(peer.segments().length >= 2, "a window of 400 times 8");
  // SACK is on: text beyond a hole is reported.
  peer.say("A", { ...at(START + 2), seq: peer.seq + 100 }, pattern(10));
  t.is(peer.last?.options.sack?.length, 1);
});

test("a cookie's ACK that has to wait for a connection record keeps its timestamps", async (t) => {
  const stack = await deviceStack();
  const listener = stack.listen(80, 8);
  const host = stack.neighbour();
  // All connection records are taken, and all but one of the SYN queue.
  const fds = Array.from({ length: 12 }, (_, i) => {
    TcpPeer.client(stack, host, 3000 + i, 80);
    return stack.wasm.sysAccept(listener);
  });
  for (let i = 0; i < 15; i++) new TcpPeer(stack, host, 4000 + i, 80).syn();
  const peer = new TcpPeer(stack, host, 5000, 80);
  peer.syn({ options: { ...SYN_OPTIONS, timestamps: [START, 0] } });
  peer.say("A", at(START + 1, clockOf(peer)));
  t.is(stack.wasm.sysAccept(listener), -11);
  stack.wasm.sysAbort(fds[0] as number);
  stack.run();
  const fd = stack.wasm.sysAccept(listener);
  t.true(fd >= 0);
  peer.heard();
  t.true(Number.isInteger(clockOf(peer)));
  t.deepEqual(peer.say("PA", { options: {} }, pattern(5)), []);
  peer.say("PA", at(START + 7), pattern(5));
  t.deepEqual(stack.receive(fd), pattern(5));
  peer.during(200);
  t.is(echoOf(peer), START + 7);
});

test("RFC 7323 5.3: the ACK of a handshake with an older clock than its SYN opens nothing", async (t) => {
  const stack = await deviceStack();
  const listener = stack.listen(80);
  const peer = new TcpPeer(stack, stack.neighbour(), 5000, 80);
  peer.syn({ options: { ...SYN_OPTIONS, timestamps: [START, 0] } });
  peer.say("A", at(START - 1, clockOf(peer)));
  t.is(stack.wasm.sysAccept(listener), -11);
  peer.say("A");
  t.is(stack.wasm.sysAccept(listener), -11);
  peer.say("A", at(START, clockOf(peer)));
  t.true(stack.wasm.sysAccept(listener) >= 0);
});

test("without the option in the image none is offered, answered or asked for", async (t) => {
  const stack = await deviceStack(TIGHT);
  const listener = stack.listen(80);
  const peer = new TcpPeer(stack, stack.neighbour(), 5000, 80);
  peer.syn({ options: { ...SYN_OPTIONS, timestamps: [START, 0] } });
  t.is(peer.last?.options.timestamps, undefined);
  peer.say("A", at(START + 1));
  const fd = stack.wasm.sysAccept(listener);
  peer.say("PA", {}, pattern(5));
  t.deepEqual(stack.receive(fd), pattern(5));
});

/** Three segments and a tail loss probe are in flight when the timeout has sent the first again; `clocks` of both sendings. */
async function timedOut(): Promise<{
  peer: TcpPeer;
  acknowledge: (segments: number, clock: number) => string[];
  clocks: [first: number, again: number];
}> {
  const stack = await deviceStack();
  const { peer, fd, clock } = stamped(stack, stack.listen(80));
  stack.send(fd, pattern(8192));
  peer.heard();
  const first = clock();
  // The handshake took no time: the timeout is the shortest.
  const sent = peer.during(250);
  if (sent.join() !== "A 4345:1+1448,A 1:1+1448") throw new Error(sent.join());
  const acknowledge = (segments: number, seen: number): string[] =>
    peer.acknowledge(1 + 1448 * segments, at(START + 10, seen));
  return { peer, acknowledge, clocks: [first, clock()] };
}

test("RFC 3522 3.2, RFC 4015 3.2: an answer to what was sent before the timeout takes it back: new text goes, and the window is as before", async (t) => {
  const { peer, acknowledge, clocks } = await timedOut();
  t.is(clocks[1] - clocks[0], 202);
  // "cwnd <- FlightSize + min (bytes_acked, IW)"
  t.deepEqual(acknowledge(1, clocks[0]), ["A 5793:1+1448"]);
  t.deepEqual(acknowledge(2, clocks[0]), ["PA 7241:1+952"]);
  // "SRTT <- R": the one late round trip of 250 ms is the measure; a probe comes after two of them.
  t.deepEqual(peer.during(495), []);
  t.deepEqual(peer.during(10), ["PA 6745:1+1448"]);
});

test("RFC 3522 3.2: an answer to the repetition leaves the timeout as it is, also with an echo repeated; a second timeout is believed", async (t) => {
  const one = await timedOut();
  t.deepEqual(one.acknowledge(1, one.clocks[1]), ["A 1449:1+1448", "A 2897:1+1448"]);
  // All answers were lost: the peer has the repetition as a duplicate and repeats its latest echo.
  const lost = await timedOut();
  const timestamps: [number, number] = [START + 10, lost.clocks[0]];
  const sack: [number, number][] = [[lost.peer.theirs(1), lost.peer.theirs(1449)]];
  t.deepEqual(lost.peer.acknowledge(1449, { options: { timestamps, sack } }), [
    "A 1449:1+1448",
    "A 2897:1+1448",
  ]);
  const two = await timedOut();
  t.deepEqual(two.peer.during(400), ["A 1:1+1448"]);
  t.deepEqual(two.acknowledge(1, two.clocks[0]), ["A 1449:1+1448", "A 2897:1+1448"]);
});

test("RFC 9293 MUST-39: with timestamps the window opens by the segments that the peer sends, which are shorter", async (t) => {
  const stack = await deviceStack();
  const { peer, fd, clock } = stamped(stack, stack.listen(80));
  for (const bytes of [1448, 1448, 1448, 1448, 1448, 952]) {
    peer.say("PA", at(START + 2, clock()), pattern(bytes));
    peer.seq = (peer.seq + bytes) >>> 0;
  }
  t.is(peer.last?.window, 0);
  stack.receive(fd, 1447);
  t.deepEqual(peer.heard(), []);
  stack.receive(fd, 1);
  t.deepEqual(peer.heard(), ["A 1:8193"]);
  t.is(peer.last?.window, 1448);
});
