import test from "../conformance/proves.js";
import { Random } from "../../host-tools/sim/random.js";
import { TcpPeer, accepted, deviceStack } from "../support/tcp-peer.js";
import { ip, pattern } from "../support/wire.js";
import { TIGHT } from "../support/option-sets.js";
import { FULL_NIC } from "../support/stack-harness.js";

test("RFC 4987, SYNF-2, SYNF-3: with the SYN queue full a cookie lets a client in, with its MSS and no record", async (t) => {
  const stack = await deviceStack();
  const listener = stack.listen(80, 8);
  const host = stack.neighbour();
  for (let i = 0; i < 15; i++) new TcpPeer(stack, host, 5000 + i, 80).syn();
  stack.advance(1100);
  for (const [option, mss] of [
    [1460, 1460],
    [1400, 1360],
    [536, 536],
  ] as const) {
    const peer = new TcpPeer(stack, host, 6000 + mss, 80, { mss: option });
    t.deepEqual(peer.syn(), ["SA 0:1"]);
    t.is(peer.last?.window, 0);
    t.deepEqual(stack.tables().slice(0, 2), [0, 15]);
    t.deepEqual(peer.say("A"), ["A 1:1"]);
    t.true((peer.last?.window ?? 0) > 0);
    const fd = stack.wasm.sysAccept(listener);
    stack.send(fd, pattern(3000));
    t.is(peer.segments()[0]?.data.length, mss);
    stack.wasm.sysAbort(fd);
  }
});

test("a cookie gives no round-trip sample: the timeout is the initial second", async (t) => {
  const stack = await deviceStack(TIGHT);
  const listener = stack.listen(80, 8);
  const host = stack.neighbour();
  for (let i = 0; i < 3; i++) new TcpPeer(stack, host, 5000 + i, 80).syn();
  stack.advance(1100);
  const peer = TcpPeer.client(stack, host, 6000, 80);
  const fd = stack.wasm.sysAccept(listener);
  stack.send(fd, pattern(10));
  t.deepEqual(peer.during(900), []);
  t.deepEqual(peer.during(200), ["PA 1:1+10"]);
});

test("RFC 7323 3.2, RFC 4987: answers with cookies that wait for room have timestamps of their own each, theirs and ours", async (t) => {
  const stack = await deviceStack({}, { nic: FULL_NIC });
  stack.listen(80, 8);
  const host = stack.neighbour();
  for (let i = 0; i < 15; i++) new TcpPeer(stack, host, 5000 + i, 80).syn();
  const clocks = [7, 8000, 9_000_000];
  const ask = (): void => {
    for (const [i, clock] of clocks.entries()) {
      const client = new TcpPeer(stack, host, 6000 + i, 80);
      stack.queue(client.frame("S", { options: { mss: 1460, timestamps: [clock, 0] } }));
      // Not until it has nothing to do: without room it asks again and again.
      stack.wasm.settle(stack.nowMs, 10);
    }
  };
  const answers = (): unknown[] =>
    stack.take().map(({ tcp }) => [tcp?.destinationPort, tcp?.seq, tcp?.options.timestamps]);
  stack.advance(1100);
  stack.take();
  ask();
  const atOnce = answers();
  t.is(atOnce.length, 3);
  stack.full(true);
  ask();
  t.deepEqual(answers(), []);
  stack.full(false);
  stack.run();
  t.deepEqual(answers(), atOnce);
});

test("RFC 4987, SYNF-3: a cookie is good for two minutes, from its own host, once", async (t) => {
  const stack = await deviceStack(TIGHT);
  stack.listen(80, 8);
  const host = stack.neighbour();
  const cookie = (port: number): TcpPeer => {
    for (let i = 0; i < 3; i++) new TcpPeer(stack, host, 5000 + i, 80).syn();
    const peer = new TcpPeer(stack, host, port, 80);
    peer.syn();
    return peer;
  };
  const late = cookie(6000);
  late.wait(140_000);
  t.deepEqual(late.say("A"), ["R 1"]);
  const good = cookie(6001);
  const other = new TcpPeer(stack, host, 6002, 80);
  other.seq = good.seq;
  other.irs = good.irs;
  other.ack = good.ack;
  t.deepEqual(other.say("A"), ["R 1"]);
  t.deepEqual(good.say("A", { seq: good.seq + 2 }), ["R 1"]);
  stack.advance(1100);
  t.deepEqual(good.say("A"), ["A 1:1"]);
});

test("S-2: ten thousand guessed ACKs while cookies are out open nothing", async (t) => {
  const stack = await deviceStack(TIGHT);
  const listener = stack.listen(80, 8);
  const host = stack.neighbour();
  for (let i = 0; i < 5; i++) new TcpPeer(stack, host, 5000 + i, 80).syn();
  const random = new Random(1);
  for (let i = 0; i < 10_000; i++) {
    const peer = new TcpPeer(stack, host, 1024 + random.below(60_000), 80, { iss: random.u32() });
    peer.ack = random.u32();
    const answers = peer.say("A");
    if (answers.length !== 1 || !answers[0]?.startsWith("R ")) t.fail(answers.join());
  }
  t.is(stack.wasm.sysAccept(listener), -11);
});

test("S-1, S-17, SYNF-4: 10000 SYNs a second: one answer each, an open connection goes on, a client gets in", async (t) => {
  const stack = await deviceStack({}, { gateway: ip("192.168.7.1") });
  const listener = stack.listen(80, 8);
  const gateway = stack.neighbour("192.168.7.1", "02:00:00:00:00:fe");
  const { peer, fd } = accepted(stack, listener, 5000);
  const random = new Random(3);
  let echoed = 0;
  let answers = 0;
  const flood = (count: number): void => {
    for (let i = 0; i < count; i++) {
      const host = gateway.as(0x0b000000 + random.below(0xffffff));
      const attacker = new TcpPeer(stack, host, 1024 + random.below(60_000), 80, {
        iss: random.u32(),
      });
      const sent = stack.exchange(attacker.frame("S"));
      answers += sent.filter((frame) => frame.tcp?.destinationPort === attacker.port).length;
    }
  };
  for (let ms = 0; ms < 1000; ms += 10) {
    flood(100);
    stack.advance(10);
    peer.text(pattern(1000));
    echoed += (stack.receive(fd) as Uint8Array).length;
  }
  t.is(echoed, 100_000);
  t.is(answers, 10_000);
  const client = new TcpPeer(stack, peer.host, 7000, 80);
  client.syn();
  client.say("A");
  const start = stack.nowMs;
  let late = -11;
  while (late < 0 && stack.nowMs - start < 3000) {
    flood(100);
    stack.advance(10);
    late = stack.wasm.sysAccept(listener);
  }
  t.true(late >= 0, "accepted within three seconds");
  stack.send(late, pattern(10));
  t.deepEqual(client.heard().at(-1), "PA 1:1+10");
  stack.wasm.sysAbort(fd);
  stack.wasm.sysAbort(late);
  stack.advance(70_000);
  t.deepEqual(stack.tables(), [0, 0, 0, 1]);
});

test("L6: while those with a cookie wait outside, a new SYN takes no record from them", async (t) => {
  const stack = await deviceStack(TIGHT);
  const listener = stack.listen(80, 8);
  const host = stack.neighbour();
  const held = [0, 1, 2].map((i) => accepted(stack, listener, 5000 + i));
  // The records: three by a SYN, the last by a cookie; all wait for a TCB.
  for (let i = 0; i < 4; i++) {
    const waiting = new TcpPeer(stack, host, 5100 + i, 80);
    waiting.syn();
    waiting.say("A");
  }
  t.deepEqual(stack.tables().slice(0, 2), [3, 4]);
  const outside = new TcpPeer(stack, host, 6000, 80);
  outside.syn();
  t.deepEqual(outside.say("A"), [], "no record");
  for (const one of held) stack.wasm.sysAbort(one.fd);
  stack.run();
  t.deepEqual(stack.tables().slice(0, 2), [3, 1]);
  // Newcomers knock; then he probes.
  for (let i = 0; i < 5; i++) new TcpPeer(stack, host, 7000 + i, 80).syn();
  t.deepEqual(stack.tables().slice(0, 2), [3, 1], "they get cookies");
  outside.say("A");
  t.deepEqual(stack.tables().slice(0, 2), [3, 2], "he is in");
  stack.advance(4100);
  new TcpPeer(stack, host, 8000, 80).syn();
  t.is(stack.tables()[1], 3, "afterwards a SYN gets a record again");
});

test("L7: while the chip loses frames a flood of SYNs gets few answers; otherwise each SYN gets its own", async (t) => {
  const stack = await deviceStack(TIGHT);
  const host = stack.neighbour();
  const listener = stack.listen(80, 8);
  let port = 5000;
  /** SYNs in one millisecond; how many are answered. */
  const flood = (count: number): number => {
    let answers = 0;
    for (let i = 0; i < count; i++) answers += new TcpPeer(stack, host, port++, 80).syn().length;
    return answers;
  };
  t.is(flood(300), 300);
  // More frames than the queue of the device holds, and one that nobody needs.
  const frame = host.arpRequest();
  while (stack.offer(frame));
  stack.run();
  stack.take();
  t.is(flood(300), 0, "a crowd has had its answers");
  stack.advance(300);
  t.is(flood(300), 256);
  stack.advance(20);
  t.is(flood(300), 20, "one a millisecond");
  stack.advance(1000);
  t.is(flood(300), 300, "nothing was lost lately");
  const client = accepted(stack, listener, 4000);
  t.is(stack.send(client.fd, pattern(10)), 10);
});
