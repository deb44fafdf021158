import test from "../conformance/proves.js";
import { OPTIONS } from "../../stack/options.js";
import { AF_INET, ERRNO, SOCK_STREAM } from "../support/stack-harness.js";
import { TcpPeer, accepted, deviceStack } from "../support/tcp-peer.js";
import { pattern } from "../support/wire.js";
import { TIGHT } from "../support/option-sets.js";

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

test("accept() with nobody to accept says EAGAIN, not EMFILE, though every descriptor is in use and a handshake waits", async (t) => {
  const stack = await deviceStack();
  const listener = stack.listen(80, 8);
  for (let i = 0; i < OPTIONS.TCP_TCBS; i++) accepted(stack, listener, 5000 + i);
  const late = new TcpPeer(stack, stack.neighbour(), 6000, 80);
  late.syn();
  late.say("A");
  t.is(stack.wasm.sysAccept(listener), -ERRNO.EAGAIN);
  while (stack.wasm.sysSocket(AF_INET, SOCK_STREAM, 0) >= 0);
  t.is(stack.wasm.sysAccept(listener), -ERRNO.EAGAIN);
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
  const stack = await deviceStack(TIGHT);
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

test("F2, F3, RFC 9293 MUST-11, RFC 5961 3.2: in SYN-RECEIVED a repeated SYN gets the SYN-ACK, RST ends it, other numbers get an ACK", async (t) => {
  const stack = await deviceStack();
  stack.listen(80);
  const peer = new TcpPeer(stack, stack.neighbour(), 5000, 80);
  peer.syn();
  t.deepEqual(peer.say("S", { seq: peer.iss }), ["SA 0:1"]);
  t.deepEqual(peer.say("S", { seq: peer.iss + 999 }), ["A 1:1"]);
  t.deepEqual(peer.say("A", { ack: peer.theirs(2) }), ["R 2"]);
  t.deepEqual(peer.say("R", { seq: peer.seq + 100 }), ["A 1:1"]);
  t.deepEqual(peer.say("R", { seq: peer.seq + 8191 }), ["A 1:1"]);
  // RCV.NXT =< SEG.SEQ < RCV.NXT+RCV.WND: the right edge itself is outside.
  t.deepEqual(peer.say("R", { seq: peer.seq + 8192 }), []);
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
  const stack = await deviceStack(TIGHT);
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
  t.is(late.last?.window, 1024);
  const fd = stack.wasm.sysAccept(listener);
  late.text(pattern(100));
  t.deepEqual(stack.receive(fd), pattern(100));
});

test("a client that waits too long is refused by RST, and its record is free", async (t) => {
  const stack = await deviceStack(TIGHT);
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

test("N3, RFC 4987 2.2: a finished handshake gets its TCB whatever half-open ones were promised", async (t) => {
  const stack = await deviceStack(TIGHT);
  const listener = stack.listen(80, 8);
  accepted(stack, listener, 5000);
  accepted(stack, listener, 5001);
  const nobody = new TcpPeer(stack, stack.neighbour(), 5002, 80);
  nobody.syn();
  const honest = new TcpPeer(stack, nobody.host, 5003, 80);
  honest.syn();
  t.is(nobody.last?.window, 1024);
  t.is(honest.last?.window, 0, "no window is announced twice");
  honest.say("A");
  const fd = stack.wasm.sysAccept(listener);
  t.true(fd >= 0);
  honest.text(pattern(10));
  t.deepEqual(stack.receive(fd), pattern(10));
});

test("N4: a slow flood of SYNs, each reset by its sender, keeps no honest client waiting", async (t) => {
  const stack = await deviceStack(TIGHT);
  const listener = stack.listen(80, 8);
  const host = stack.neighbour();
  for (let second = 0; second < 20; second++) {
    for (let i = 0; i < 47; i++) {
      const nobody = new TcpPeer(stack, host, 10_000 + ((second * 47 + i) % 20_000), 80);
      nobody.syn();
      if (i % 2 === 0) nobody.say("R");
      stack.advance(21);
    }
    const honest = TcpPeer.client(stack, host, 40_000 + second, 80);
    const fd = stack.wasm.sysAccept(listener);
    t.true(fd >= 0, `second ${second}`);
    honest.text(pattern(10));
    t.deepEqual(stack.receive(fd), pattern(10));
    stack.wasm.sysAbort(fd);
    stack.run();
  }
});

test("A17: a larger backlog by a second listen() lets a waiting handshake in at once", async (t) => {
  const stack = await deviceStack();
  const listener = stack.listen(80, 1);
  const host = stack.neighbour();
  TcpPeer.client(stack, host, 5000, 80);
  TcpPeer.client(stack, host, 5001, 80);
  t.is(stack.tables()[0], 1);
  t.is(stack.wasm.sysListen(listener, 4), 0);
  stack.run();
  t.is(stack.tables()[0], 2);
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
  const stack = await deviceStack(TIGHT);
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
