import test from "ava";
import { Random } from "../../host-tools/sim/random.js";
import { TcpPeer, accepted, deviceStack } from "../support/tcp-peer.js";
import { ip, pattern } from "../support/wire.js";

/** Sizes small enough to fill. */
const SMALL = { TCP_TCBS: 3, TCP_SYN_RECORDS: 4, TCP_TIME_WAIT_RECORDS: 4 };

test("RFC 9293 3.5: handshake, accept, EAGAIN while none waits", async (t) => {
  const stack = await deviceStack();
  const listener = stack.listen(80);
  t.is(stack.wasm.sysAccept(listener), -11);
  t.is(stack.wasm.sysEvents(listener), 0);
  const peer = new TcpPeer(stack, stack.neighbour(), 5000, 80);
  t.deepEqual(peer.syn(), ["SA 0:1"]);
  t.is(peer.last?.window, 8192);
  t.is(stack.wasm.sysAccept(listener), -11);
  t.deepEqual(peer.say("A"), []);
  t.is(stack.wasm.sysEvents(listener), 1);
  const fd = stack.wasm.sysAccept(listener);
  t.true(fd >= 0);
  t.is(stack.wasm.sysAccept(listener), -11);
  t.is(stack.wasm.sysEvents(fd), 4);
});

test("text on the segment that finishes the handshake is taken, a FIN on it too", async (t) => {
  const stack = await deviceStack();
  const listener = stack.listen(80);
  const peer = new TcpPeer(stack, stack.neighbour(), 5000, 80);
  peer.syn();
  t.deepEqual(peer.text(pattern(100), "FPA"), ["A 1:102"]);
  const fd = stack.wasm.sysAccept(listener);
  t.deepEqual(stack.receive(fd), pattern(100));
  t.deepEqual(stack.receive(fd), new Uint8Array(0));
});

test("the segment that finishes the handshake has a bad checksum: nothing has happened", async (t) => {
  const stack = await deviceStack(SMALL);
  const listener = stack.listen(80);
  const peer = new TcpPeer(stack, stack.neighbour(), 5000, 80);
  peer.syn();
  const tables = stack.tables();
  for (let i = 0; i < 20; i++) peer.say("PA", { checksum: 77 }, pattern(50));
  t.deepEqual(stack.tables(), tables);
  t.is(stack.wasm.sysAccept(listener), -11);
  peer.text(pattern(50));
  t.deepEqual(stack.receive(stack.wasm.sysAccept(listener)), pattern(50));
});

test("SYNF-1: SYN-ACK again at 1, 3, 7, 15 and 31 s, then the record is free", async (t) => {
  const stack = await deviceStack();
  stack.listen(80);
  const peer = new TcpPeer(stack, stack.neighbour(), 5000, 80);
  peer.syn();
  const start = stack.nowMs;
  const times: number[] = [];
  while (peer.next(60_000).length > 0) times.push((stack.nowMs - start) / 1000);
  t.deepEqual(times, [1, 3, 7, 15, 31]);
  stack.advance(10_000);
  t.is(stack.tables()[1], 0);
});

test("RFC 9293 MUST-11, sheet 16.8: in SYN-RECEIVED a repeated SYN gets the SYN-ACK, RST ends it, other numbers are challenged", async (t) => {
  const stack = await deviceStack();
  stack.listen(80);
  const peer = new TcpPeer(stack, stack.neighbour(), 5000, 80);
  peer.syn();
  t.deepEqual(peer.say("S", { seq: peer.iss }), ["SA 0:1"]);
  t.deepEqual(peer.say("S", { seq: peer.iss + 999 }), ["SA 0:1"]);
  t.deepEqual(peer.say("A", { ack: peer.theirs(2) }), ["R 2"]);
  t.deepEqual(peer.say("R", { seq: peer.seq + 100 }), ["SA 0:1"]);
  t.deepEqual(peer.say("R", { seq: peer.seq + 100_000 }), []);
  t.is(stack.tables()[1], 1);
  t.deepEqual(peer.say("R"), []);
  t.is(stack.tables()[1], 0);
});

test("a SYN-ACK that waits for ARP goes as soon as the neighbour is known", async (t) => {
  const stack = await deviceStack();
  stack.listen(80);
  const host = stack.peer("192.168.7.50", "02:00:00:00:00:50");
  const peer = new TcpPeer(stack, host, 5000, 80);
  t.deepEqual(peer.syn(), []);
  stack.advance(100);
  stack.inject(host.arpReply());
  t.deepEqual(peer.heard(), ["SA 0:1"]);
});

test("backlog: more clients than it are held with window 0, and let in one by one, none broken", async (t) => {
  const stack = await deviceStack();
  const listener = stack.listen(80, 2);
  const host = stack.neighbour();
  const peers = Array.from({ length: 6 }, (_, i) => new TcpPeer(stack, host, 5000 + i, 80));
  const windows = peers.map((peer) => {
    t.deepEqual(peer.syn(), ["SA 0:1"]);
    const window = peer.last?.window;
    peer.say("A");
    return window;
  });
  t.deepEqual(windows, [8192, 8192, 0, 0, 0, 0]);
  for (const peer of peers) {
    const fd = stack.wasm.sysAccept(listener);
    t.true(fd >= 0);
    stack.run();
    t.is(stack.wasm.lastPeerPort(), 0);
    void peer;
  }
  t.is(stack.wasm.sysAccept(listener), -11);
  for (const peer of peers.slice(2)) {
    t.is(peer.last?.window, 0);
  }
});

test("with no TCB free a client waits with window 0, and an ACK opens it once one is free", async (t) => {
  const stack = await deviceStack(SMALL);
  const listener = stack.listen(80, 8);
  const first = [0, 1, 2].map((i) => accepted(stack, listener, 5000 + i));
  const late = new TcpPeer(stack, stack.neighbour(), 6000, 80);
  t.deepEqual(late.syn(), ["SA 0:1"]);
  t.is(late.last?.window, 0);
  t.deepEqual(late.say("A"), []);
  // Its probe carries a byte that finds no room and is not lost.
  late.say("A", {}, pattern(1));
  stack.take();
  stack.wasm.sysAbort((first[0] as { fd: number }).fd);
  stack.run();
  t.deepEqual(late.heard(), ["A 1:1"]);
  t.is(late.last?.window, 8192);
  const fd = stack.wasm.sysAccept(listener);
  late.text(pattern(100));
  t.deepEqual(stack.receive(fd), pattern(100));
});

test("a client that waits too long is refused by RST, and its record is free", async (t) => {
  const stack = await deviceStack(SMALL);
  const listener = stack.listen(80, 8);
  for (const i of [0, 1, 2]) accepted(stack, listener, 5000 + i);
  const late = new TcpPeer(stack, stack.neighbour(), 6000, 80);
  late.syn();
  late.say("A");
  const heard: string[] = [];
  for (let more = late.next(60_000); more.length > 0; more = late.next(60_000)) heard.push(...more);
  t.deepEqual(heard.at(-1), "RA 1:1");
  t.is(stack.tables()[1], 0);
});

test("what a SYN-ACK has promised is kept: a later client does not get the TCB of an earlier one", async (t) => {
  const stack = await deviceStack(SMALL);
  const listener = stack.listen(80, 8);
  accepted(stack, listener, 5000);
  accepted(stack, listener, 5001);
  const early = new TcpPeer(stack, stack.neighbour(), 5002, 80);
  early.syn();
  const late = new TcpPeer(stack, early.host, 5003, 80);
  late.syn();
  t.is(early.last?.window, 8192);
  t.is(late.last?.window, 0);
  late.say("A");
  t.is(stack.wasm.sysAccept(listener), -11);
  early.text(pattern(10));
  t.deepEqual(stack.receive(stack.wasm.sysAccept(listener)), pattern(10));
});

test("a connection that the peer resets before accept() leaves the queue, wherever it stands", async (t) => {
  const stack = await deviceStack();
  const listener = stack.listen(80, 4);
  const host = stack.neighbour();
  const peers = [0, 1, 2, 3].map((i) => TcpPeer.client(stack, host, 5000 + i, 80));
  (peers[1] as TcpPeer).say("R");
  (peers[3] as TcpPeer).say("R");
  t.is(stack.tables()[0], 2);
  const [a, b] = [stack.wasm.sysAccept(listener), stack.wasm.sysAccept(listener)];
  t.true(a >= 0 && b >= 0);
  t.is(stack.wasm.sysAccept(listener), -11);
  (peers[0] as TcpPeer).text(pattern(1));
  (peers[2] as TcpPeer).text(pattern(2));
  t.deepEqual(stack.receive(a), pattern(1));
  t.deepEqual(stack.receive(b), pattern(2));
  const again = TcpPeer.client(stack, host, 6000, 80);
  t.true(stack.wasm.sysAccept(listener) >= 0);
  void again;
});

test("a listener that closes resets what it holds: half open, waiting, and not accepted", async (t) => {
  const stack = await deviceStack(SMALL);
  const listener = stack.listen(80, 2);
  const host = stack.neighbour();
  const done = [0, 1].map((i) => TcpPeer.client(stack, host, 5000 + i, 80));
  const half = new TcpPeer(stack, host, 5002, 80);
  half.syn();
  const waiting = TcpPeer.client(stack, host, 5003, 80);
  stack.wasm.sysClose(listener);
  stack.run();
  const frames = stack.take();
  for (const peer of [...done, half, waiting]) {
    t.deepEqual(
      peer.of(frames).map((segment) => segment.flags),
      [20],
    );
  }
  t.deepEqual(stack.tables(), [0, 0, 0, 0]);
  t.deepEqual(half.say("A"), ["R 1"]);
});

test("RFC 4987, SYNF-2, SYNF-3: with the SYN queue full a cookie lets a client in, with its MSS and no record", async (t) => {
  const stack = await deviceStack(SMALL);
  const listener = stack.listen(80, 8);
  const host = stack.neighbour();
  for (let i = 0; i < 3; i++) new TcpPeer(stack, host, 5000 + i, 80).syn();
  stack.advance(1100);
  for (const [option, mss] of [
    [1460, 1460],
    [1400, 1360],
    [536, 536],
  ] as const) {
    const peer = new TcpPeer(stack, host, 6000 + mss, 80, { mss: option });
    t.deepEqual(peer.syn(), ["SA 0:1"]);
    t.is(peer.last?.window, 0);
    t.deepEqual(stack.tables().slice(0, 2), [0, 3]);
    t.deepEqual(peer.say("A"), ["A 1:1"]);
    t.true((peer.last?.window ?? 0) > 0);
    const fd = stack.wasm.sysAccept(listener);
    stack.send(fd, pattern(3000));
    t.is(peer.segments()[0]?.data.length, mss);
    stack.wasm.sysAbort(fd);
  }
});

test("a cookie gives no round-trip sample: the timeout is the initial second", async (t) => {
  const stack = await deviceStack(SMALL);
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

test("RFC 4987, SYNF-3: a cookie is good for two minutes, from its own host, once", async (t) => {
  const stack = await deviceStack(SMALL);
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
  const stack = await deviceStack(SMALL);
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
