/** Window scale (RFC 7323 2), selective acknowledgment sent (RFC 2018, 2883) and used (RFC 6675), tail loss probes (RFC 8985 7). */
import test from "../conformance/proves.js";
import type { Options } from "../../stack/options.js";
import type { StackHarness } from "../support/stack-harness.js";
import { TcpPeer, accepted, deviceStack, type PeerConfig } from "../support/tcp-peer.js";
import { pattern } from "../support/wire.js";
import { BIG } from "../support/option-sets.js";

interface It {
  stack: StackHarness;
  peer: TcpPeer;
  fd: number;
}

const SACK: PeerConfig = { options: { sackPermitted: true } };

async function open(config: PeerConfig = SACK, options: Partial<Options> = {}): Promise<It> {
  const stack = await deviceStack(options);
  return { stack, ...accepted(stack, stack.listen(80), 5000, config) };
}

/** Blocks of the last acknowledgment, relative to the peer's first byte of text. */
function blocks({ peer }: It): [number, number][] {
  const first = (peer.iss + 1) >>> 0;
  return (peer.last?.options.sack ?? []).map(([left, right]) => [
    (left - first) >>> 0,
    (right - first) >>> 0,
  ]);
}

/** Text of the peer at an offset of its stream. */
function hears(it: It, offset: number, bytes: number): [number, number][] {
  it.peer.say("PA", { seq: (it.peer.iss + 1 + offset) >>> 0 }, pattern(bytes));
  it.peer.during(60);
  return blocks(it);
}

/** A duplicate acknowledgment with blocks of our text, offsets of our stream; what is sent on it. */
function says(it: It, ack: number, ...ranges: [number, number][]): string[] {
  const sack = ranges.map(([left, right]): [number, number] => [
    it.peer.theirs(1 + left),
    it.peer.theirs(1 + right),
  ]);
  return it.peer.acknowledge(1 + ack, { options: { sack } });
}

/** Fills the send ring so that five full segments are in flight. */
function flight(it: It): void {
  const { stack, peer, fd } = it;
  stack.send(fd, pattern(8192));
  // The initial window is three; two acknowledged segments open it to five.
  peer.acknowledge(1 + 1460);
  peer.acknowledge(1 + 2920);
  stack.send(fd, pattern(8192));
  stack.take();
}

test("RFC 7323 2.2, WS-1: window scale is answered only to a SYN that has it", async (t) => {
  const stack = await deviceStack();
  stack.listen(80);
  const host = stack.neighbour();
  const plain = new TcpPeer(stack, host, 5000, 80);
  plain.syn();
  t.deepEqual(plain.last?.options, { mss: 1460 });
  const scaled = new TcpPeer(stack, host, 5001, 80, { options: { windowScale: 7 } });
  scaled.syn();
  t.deepEqual(scaled.last?.options, { mss: 1460, windowScale: 0 });
});

/** Most that is in flight at a time when everything is acknowledged with this window field. */
async function largestFlight(shift: number, window: number): Promise<number> {
  const stack = await deviceStack(BIG);
  const config = { window: 65535, options: { windowScale: shift } };
  const { peer, fd } = accepted(stack, stack.listen(80), 5000, config);
  peer.say("A", { window });
  let end = 1;
  let largest = 0;
  for (let turns = 0; turns < 12; turns++) {
    const before = end;
    for (;;) {
      stack.send(fd, pattern(32768));
      const segments = peer.segments();
      if (segments.length === 0) break;
      for (const { data } of segments) end += data.length;
    }
    largest = Math.max(largest, end - before);
    stack.take();
    stack.inject(peer.frame("A", { ack: peer.theirs(end), window }));
  }
  return largest;
}

test("RFC 7323 2.3, WS-1: a window is taken times two to the shift", async (t) => {
  const largest = await largestFlight(4, 600);
  t.true(largest <= 9600 && largest > 9600 - 1460, `${largest}`);
});

test("RFC 7323 2.3, WS-2: a shift above 14 is taken as 14", async (t) => {
  const largest = await largestFlight(15, 1);
  t.true(largest <= 16384 && largest > 16384 - 1460, `${largest}`);
});

test("RFC 7323 2.3, WS-3: the window of a SYN is not scaled", async (t) => {
  const stack = await deviceStack();
  const fd = stack.listen(80);
  const peer = new TcpPeer(stack, stack.neighbour(), 5000, 80, {
    window: 100,
    options: { windowScale: 7 },
  });
  peer.syn();
  // The last ACK of the handshake carries no news of the window: it is 100 again, and scaled.
  peer.say("A", { window: 1 });
  const client = stack.wasm.sysAccept(fd);
  stack.take();
  stack.send(client, pattern(500));
  t.is(
    peer.segments().reduce((sum, { data }) => sum + data.length, 0),
    128,
  );
});

test("RFC 2018 2, SACK-1: SACK is permitted only to one who has permitted it, and only then sent", async (t) => {
  const stack = await deviceStack();
  stack.listen(80);
  const host = stack.neighbour();
  const syn = new TcpPeer(stack, host, 5000, 80, SACK);
  syn.syn();
  t.deepEqual(syn.last?.options, { mss: 1460, sackPermitted: true });
  t.deepEqual(hears(await open(), 1000, 100), [[1000, 1100]]);
  t.deepEqual(hears(await open({}), 1000, 100), []);
});

test("RFC 2018 4, SACK-2, SACK-3: the latest block first, then the others; none for what is in order", async (t) => {
  const it = await open();
  t.deepEqual(hears(it, 1000, 100), [[1000, 1100]]);
  t.deepEqual(hears(it, 3000, 100), [
    [3000, 3100],
    [1000, 1100],
  ]);
  t.deepEqual(hears(it, 2000, 100), [
    [2000, 2100],
    [3000, 3100],
    [1000, 1100],
  ]);
  t.deepEqual(hears(it, 1100, 100), [
    [1000, 1200],
    [3000, 3100],
    [2000, 2100],
  ]);
  // The first hole is filled: what is in order now is reported no more.
  t.deepEqual(hears(it, 0, 1000), [
    [3000, 3100],
    [2000, 2100],
  ]);
  hears(it, 1200, 800);
  t.deepEqual(hears(it, 2100, 900), []);
});

test("RFC 2883 4, SACK-5: a duplicate is reported first, once", async (t) => {
  const it = await open();
  hears(it, 0, 500);
  t.deepEqual(hears(it, 100, 200), [[100, 300]]);
  hears(it, 1000, 100);
  t.deepEqual(hears(it, 1000, 100), [
    [1000, 1100],
    [1000, 1100],
  ]);
  t.deepEqual(hears(it, 1100, 100), [[1000, 1200]]);
});

test("RFC 2018 3, SACK-1: a full segment makes room for the blocks that it carries", async (t) => {
  const it = await open();
  it.peer.say("PA", { seq: (it.peer.iss + 1001) >>> 0 }, pattern(100));
  it.stack.take();
  it.stack.send(it.fd, pattern(4000));
  for (const segment of it.peer.segments()) {
    const options = segment.options.sack ? 12 : 0;
    t.true(segment.data.length + options <= 1460);
    if (segment.data.length > 1000) t.deepEqual(blocks(it), [[1000, 1100]]);
  }
});

test("RFC 6675 4, 5, SACK-6: only the holes are sent again, in order, and new text goes when the pipe has room", async (t) => {
  const it = await open();
  flight(it);
  // Segments at 2920 and 5840 are lost; the others arrive.
  const said = [
    says(it, 2920, [4380, 5840]),
    says(it, 2920, [7300, 8760], [4380, 5840]),
    says(it, 2920, [7300, 10220], [4380, 5840]),
    says(it, 2920, [7300, 11112], [4380, 5840]),
    says(it, 5840, [7300, 11112]),
  ];
  t.deepEqual(said, [
    // Limited transmit: one new segment for the first duplicate, as far as the ring goes.
    ["PA 9653:1+1460"],
    [],
    // The third says that both holes are lost, and the pipe has room for both, though all that is queued has been sent: nothing that the
    // peer has goes again.
    ["A 2921:1+1460", "A 5841:1+1460"],
    [],
    [],
  ]);
});

test("RFC 6675 5 step 3: what the peer reports is not in flight: one acknowledgment that tells of two segments makes room for two", async (t) => {
  const it = await open();
  it.stack.send(it.fd, pattern(8192));
  it.stack.take();
  t.deepEqual(says(it, 0, [1460, 4380]), ["A 4381:1+1460", "A 5841:1+1460"]);
});

test("RFC 6675 5.1: nor is it after a timeout: the segment behind it goes with the one before it", async (t) => {
  const it = await open();
  it.stack.send(it.fd, pattern(8192));
  it.peer.during(1000);
  t.deepEqual(says(it, 1460, [2920, 4380]), ["A 1461:1+1460", "A 4381:1+1460"]);
});

test("RFC 2018 8, SACK-4: a timeout forgets what was reported: the peer may have thrown it away", async (t) => {
  const it = await open();
  it.stack.send(it.fd, pattern(2920));
  it.stack.take();
  says(it, 0, [1460, 2920]);
  const sent = new Set<string>();
  for (let i = 0; i < 4; i++) {
    for (const segment of it.peer.next()) sent.add(segment);
    it.peer.acknowledge(1);
  }
  t.true(sent.has("A 1:1+1460"));
  it.peer.acknowledge(1461);
  it.peer.during(3000).forEach((segment) => sent.add(segment));
  t.true(
    [...sent].some((segment) => segment.endsWith("1461:1+1460")),
    [...sent].join(", "),
  );
});

test("RFC 2018 8, SACK-4: who acknowledges a part of what it has reported has thrown the rest away, and gets it before the timeout", async (t) => {
  const it = await open();
  flight(it);
  says(it, 2920, [4380, 8760]);
  it.stack.advance(10);
  const sent = it.peer.acknowledge(1 + 5840);
  sent.push(...says(it, 5840, [8760, 10220]), ...it.peer.during(20));
  t.true(sent.includes("A 5841:1+1460"), sent.join());
});

test("T-6, SACK-7: blocks that are senseless, old, or beyond what was sent are passed over, one by one", async (t) => {
  const it = await open();
  flight(it);
  for (const bad of [
    [5840, 4380],
    [4380, 4380],
    [0, 1460],
    [2920, 4380],
    [4380, 40000],
    [4380 + 0x7fffffff, 5840 + 0x7fffffff],
    [2920 + 0x80000000, 42920 + 0x80000000],
  ] as [number, number][]) {
    for (let i = 0; i < 5; i++) t.deepEqual(says(it, 2920, bad), [], `${bad.join("..")}`);
  }
  // A good one beside a bad one counts.
  says(it, 2920, [5840, 4380], [4380, 5840]);
  says(it, 2920, [4380, 7300]);
  t.deepEqual(says(it, 2920, [4380, 8760]), ["A 2921:1+1460"]);
  // And every length of the option that is not 8n+2, in a header that ends anywhere.
  for (let length = 0; length < 38; length++) {
    const raw = Uint8Array.of(5, length, ...pattern(36).subarray(0, 34));
    it.peer.acknowledge(2921, { options: { raw } });
  }
  t.is(it.stack.wasm.sysEvents(it.fd) & 8, 0);
});

test("RFC 8985 7.2: with the tail of a flight lost, its last segment goes again after two round trips, not after the timeout", async (t) => {
  const it = await open();
  const { stack, peer, fd } = it;
  // Round trips of 30 ms.
  for (let i = 1; i <= 40; i++) {
    stack.send(fd, pattern(100));
    stack.advance(30);
    peer.acknowledge(1 + 100 * i);
  }
  stack.send(fd, pattern(2920));
  stack.take();
  t.deepEqual(peer.during(55), []);
  t.deepEqual(peer.during(10), ["PA 5461:1+1460"]);
  // The peer has that one now: the hole before it is known and filled at once.
  t.deepEqual(says(it, 4000, [5460, 6920]), ["A 4001:1+1460"]);
  // One probe only: what is lost again waits for the timeout.
  t.deepEqual(peer.during(100), []);
});

/** Numbers of Linux. */
const [TCP_LEVEL, NODELAY, USER_TIMEOUT] = [6, 1, 18] as const;

test("RFC 8985 7.2, RFC 6298 5.1: text that goes on puts off a probe, but never beyond the timeout", async (t) => {
  const it = await open();
  const { stack, peer, fd } = it;
  stack.wasm.sysSetOption(fd, TCP_LEVEL, NODELAY, 1);
  stack.wasm.sysSetOption(fd, TCP_LEVEL, USER_TIMEOUT, 3000);
  // Round trips that differ: the timeout is longer than two of them.
  for (let i = 1; i <= 20; i++) {
    stack.send(fd, pattern(10));
    stack.advance(i % 2 === 0 ? 20 : 180);
    peer.acknowledge(1 + 10 * i);
  }
  const start = stack.nowMs;
  const again: number[] = [];
  while (stack.send(fd, pattern(10)) > 0) {
    for (const sent of peer.during(50)) {
      if (/ 201:1/.test(sent)) again.push(stack.nowMs - start);
    }
  }
  t.is(stack.nowMs - start, 3000, "the user timeout");
  t.true((again[0] ?? Infinity) < 700 && again.length >= 2, again.join());
});

test("RFC 8985 7.2: before a round trip is known the probe comes after a second, where a lost SYN-ACK makes the timeout three", async (t) => {
  const stack = await deviceStack();
  const listener = stack.listen(80);
  const peer = new TcpPeer(stack, stack.neighbour(), 5000, 80, SACK);
  peer.syn();
  t.deepEqual(peer.next(), ["SA 0:1"]);
  peer.say("A");
  stack.send(stack.wasm.sysAccept(listener), pattern(100));
  t.deepEqual(peer.heard(), ["PA 1:1+100"]);
  t.deepEqual(peer.during(1190), []);
  t.deepEqual(peer.during(20), ["PA 1:1+100"]);
});

test("RFC 8985 7.4: a probe that has repaired the loss of its segment cuts the window, one that came twice does not", async (t) => {
  /** Place of tcpi_snd_cwnd among the words of struct tcp_info. */
  const CWND = 20;
  const answers: Record<string, (it: It) => void> = {
    repaired: ({ peer }) => peer.acknowledge(1 + 6920),
    reported: (it) => says(it, 6920, [5460, 6920]),
    twice: ({ peer }) => [1, 2].map(() => peer.acknowledge(1 + 6920)),
  };
  const windows: Record<string, number[]> = {};
  for (const [name, answer, options] of [
    ...Object.entries(answers).map((one) => [...one, {}] as const),
    ["ECN", answers["repaired"], BIG] as const,
  ]) {
    const it = await open(SACK, options);
    const { stack, peer, fd } = it;
    const window = (): number => stack.tcpInfo(fd).words[CWND] ?? 0;
    for (let i = 1; i <= 40; i++) {
      stack.send(fd, pattern(100));
      stack.advance(30);
      peer.acknowledge(1 + 100 * i);
    }
    stack.send(fd, pattern(2920));
    stack.take();
    t.deepEqual(peer.during(65), ["PA 5461:1+1460"], name);
    answer?.(it);
    const before = window();
    stack.send(fd, pattern(1460));
    peer.acknowledge(1 + 8380);
    windows[name] = [before, window()];
  }
  t.deepEqual(windows, { repaired: [5, 2], reported: [5, 5], twice: [5, 5], ECN: [5, 2] });
});

test("losses in a flight of more than 64 KB, of zero-copy pieces, are repaired wherever they are", async (t) => {
  const { stack, peer, fd } = await open({
    mss: 1000,
    window: 65535,
    options: { sackPermitted: true, windowScale: 4 },
  });
  const scratch = stack.wasm.scratch() >>> 0;
  const data = pattern(60_000);
  new Uint8Array(stack.wasm.memory.buffer).set(data, scratch);
  const twice = Buffer.concat([data, data]);
  const total = 15 * data.length;
  let queued = 0;
  const got = new Map<number, number>();
  let acked = 0;
  let widest = 0;
  // The first of a flight, one within 64 KB of it, one beyond; and those sent again of the first two once more.
  const lost = new Map([500_000, 530_000, 590_000].map((at) => [at, at === 590_000 ? 1 : 2]));
  for (let round = 0; round < 400 && acked < total; round++) {
    while (queued < total && stack.wasm.sysSend(fd, scratch, data.length, 0x4000000) > 0)
      queued += data.length;
    stack.advance(10);
    for (const { seq, data: text } of peer.segments()) {
      const at = (seq - peer.irs - 1) >>> 0;
      widest = Math.max(widest, at + text.length - acked);
      const [marked, losses] = [...lost].find(([x]) => at <= x && x < at + text.length) ?? [0, 0];
      if (losses > 0) {
        lost.set(marked, losses - 1);
        continue;
      }
      t.is(twice.compare(text, 0, text.length, at % 60_000, (at % 60_000) + text.length), 0);
      got.set(at, Math.max(got.get(at) ?? 0, text.length));
    }
    const held: [number, number][] = [];
    for (const [at, bytes] of [...got].sort((a, b) => a[0] - b[0])) {
      const last = held.at(-1);
      if (last && at <= last[1]) last[1] = Math.max(last[1], at + bytes);
      else held.push([at, at + bytes]);
    }
    if (held[0]?.[0] === 0) acked = (held.shift() as [number, number])[1];
    peer.ack = peer.theirs(acked + 1);
    const sack = held
      .slice(-3)
      .map(([from, to]): [number, number] => [peer.theirs(from + 1), peer.theirs(to + 1)]);
    stack.inject(peer.frame("A", sack.length > 0 ? { options: { sack } } : {}));
  }
  t.is(acked, total);
  t.true(widest > 100_000, `${widest} bytes in flight`);
  t.deepEqual([...lost.values()], [0, 0, 0], "all were lost as often as they were to be");
  t.is(stack.counter("tcpTimeout"), 0);
});
