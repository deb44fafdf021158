import test from "ava";
import { TcpPeer, accepted, deviceStack } from "../support/tcp-peer.js";
import { pattern } from "../support/wire.js";

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
