/** Faults that programs of others have shown, one test for each; the rule is in the title. */
import test from "../conformance/proves.js";
import { POLLERR, SOCK_STREAM } from "../support/stack-harness.js";
import {
  type Fields,
  type Opened,
  TcpPeer,
  accepted,
  deviceStack,
  opened,
} from "../support/tcp-peer.js";
import { pattern } from "../support/wire.js";
import { TIGHT } from "../support/option-sets.js";

const SHUT_WR = 1;
const ECONNRESET = 104;

test("F1, RFC 9293 3.10.7.4: after close() a segment that acknowledges our FIN and carries FIN is answered at once", async (t) => {
  const { stack, peer, fd } = await opened();
  stack.wasm.sysClose(fd);
  stack.run();
  t.deepEqual(peer.heard(), ["FPA 1:1"]);
  peer.ack = peer.theirs(2);
  t.deepEqual(peer.say("FA"), ["A 2:2"]);
  t.deepEqual(stack.tables(), [0, 0, 1, 1], "TIME-WAIT");
});

test("F1, RFC 9293 SHLD-3: after close() text in the segment that acknowledges our FIN is answered with RST", async (t) => {
  const { stack, peer, fd } = await opened();
  stack.wasm.sysClose(fd);
  stack.run();
  peer.heard();
  peer.ack = peer.theirs(2);
  t.deepEqual(
    peer.say("PA", {}, pattern(10)).map((s) => s[0]),
    ["R"],
  );
  t.deepEqual(stack.tables(), [0, 0, 0, 1]);
});

test("F4, RFC 9293 3.10.7.3: text and FIN on a SYN-ACK are taken", async (t) => {
  const stack = await deviceStack();
  const host = stack.neighbour();
  const fd = stack.socket(SOCK_STREAM);
  const peer = TcpPeer.dialled(stack, host, fd, 80);
  t.deepEqual(peer.say("SFA", { options: { mss: 1460 } }, pattern(20)), ["A 1:22"]);
  t.deepEqual(stack.receive(fd), pattern(20));
  t.deepEqual(stack.receive(fd), new Uint8Array(0));
});

test("F4: text on a SYN-ACK whose checksum is wrong changes nothing", async (t) => {
  const stack = await deviceStack();
  const host = stack.neighbour();
  const fd = stack.socket(SOCK_STREAM);
  const peer = TcpPeer.dialled(stack, host, fd, 80);
  const bad = peer.frame("SA", { options: { mss: 1460 } }, pattern(20));
  bad[bad.length - 1] = (bad[bad.length - 1] as number) ^ 1;
  stack.inject(bad);
  t.is(stack.wasm.tcbState(0), 1);
  t.deepEqual(peer.say("SA", { options: { mss: 1460 } }, pattern(20, 3)), ["A 1:21"]);
  t.deepEqual(stack.receive(fd), pattern(20, 3));
});

test("F4, RFC 9293 3.10.7.3: text on the SYN of a simultaneous open is kept until the connection is open", async (t) => {
  const stack = await deviceStack();
  const fd = stack.socket(SOCK_STREAM);
  const peer = TcpPeer.dialled(stack, stack.neighbour(), fd, 80);
  t.deepEqual(peer.say("S", { options: { mss: 1460 } }, pattern(20)), ["SA 0:21"]);
  peer.seq = (peer.iss + 21) >>> 0;
  peer.say("SA", { seq: peer.iss });
  peer.say("A");
  t.deepEqual(stack.receive(fd), pattern(20));
});

async function timeWait(): Promise<Opened> {
  const it = await opened();
  it.stack.wasm.sysClose(it.fd);
  it.stack.run();
  it.peer.heard();
  it.peer.ack = it.peer.theirs(2);
  it.peer.say("FA");
  it.peer.seq = (it.peer.seq + 1) >>> 0;
  return it;
}

async function orphan(): Promise<Opened> {
  const it = await opened();
  it.stack.wasm.sysClose(it.fd);
  it.stack.run();
  it.peer.heard();
  it.peer.acknowledge(2);
  return it;
}

test("F5, RFC 9293 3.10.7.4 first, fifth: TIME-WAIT drops a segment without ACK, and answers it where it is not acceptable", async (t) => {
  const { peer } = await timeWait();
  for (const letters of ["", "P", "F", "FP"]) {
    for (const offset of [0, 8191]) {
      t.deepEqual(peer.say(letters, { seq: peer.seq + offset }), [], `${letters} ${offset}`);
      t.deepEqual(peer.say(letters, { seq: peer.seq - 2 + offset }, pattern(3)), [], letters);
    }
  }
  for (const offset of [-1, 8192, 0x80000000]) {
    t.deepEqual(peer.say("", { seq: (peer.seq + offset) >>> 0 }), ["A 2:2"], `${offset}`);
    t.deepEqual(peer.say("P", { seq: (peer.seq + offset) >>> 0 }, pattern(1)), ["A 2:2"]);
  }
});

for (const [name, make] of [
  ["TIME-WAIT", timeWait],
  ["an orphan in FIN-WAIT-2", orphan],
] as const) {
  test(`N1, RFC 5961 7: ${name} rations its answers to empty ACKs out of the window and to old SYNs`, async (t) => {
    const { peer } = await make();
    let acks = 0;
    let syns = 0;
    for (let i = 0; i < 200; i++) {
      acks += peer.say("A", { seq: (peer.seq + 70_000) >>> 0 }).length;
      syns += peer.say("S", { seq: (peer.iss - 5) >>> 0 }).length;
    }
    t.true(acks + syns > 0 && acks + syns <= 20, `${acks} and ${syns}`);
  });
}

test("N2, RFC 9293 3.10.7.4 fifth: an orphan in FIN-WAIT-2 takes no FIN without ACK, nor one that acknowledges what was never sent", async (t) => {
  const { stack, peer } = await orphan();
  t.deepEqual(peer.say("F"), []);
  t.deepEqual(peer.say("FA", { ack: peer.theirs(1000) }), ["A 2:1"]);
  t.deepEqual(peer.say("FA"), ["A 2:2"]);
  t.deepEqual(stack.tables(), [0, 0, 1, 1]);
});

test("A5, RFC 9293 MUST-12: RST with text of ours undelivered is ECONNRESET, also after shutdown", async (t) => {
  const { stack, peer, fd } = await opened();
  peer.text(pattern(1), "FPA");
  stack.receive(fd);
  stack.send(fd, pattern(900));
  t.is(stack.wasm.sysShutdown(fd, SHUT_WR), 0);
  stack.run();
  peer.say("R");
  t.is(stack.wasm.sysEvents(fd) & POLLERR, POLLERR);
  t.is(stack.receive(fd), -ECONNRESET);
});

test("RFC 9293 MUST-12: a RST after a close that lost nothing is an end like any other", async (t) => {
  const { stack, peer, fd } = await opened();
  peer.text(pattern(0), "FA");
  stack.wasm.sysShutdown(fd, SHUT_WR);
  stack.run();
  peer.say("R");
  t.deepEqual(stack.receive(fd), new Uint8Array(0));
  t.is(stack.wasm.sysEvents(fd) & POLLERR, 0);
});

test("A7, SEG-6: an empty segment at the right edge of the window counts with its ACK", async (t) => {
  const { stack, peer, fd } = await opened();
  stack.send(fd, pattern(100));
  t.deepEqual(peer.heard(), ["PA 1:1+100"]);
  // The peer has filled our window, its first segment was lost: what it acknowledges stands behind the window.
  peer.say("A", { seq: (peer.seq + 8192) >>> 0, ack: peer.theirs(101) });
  t.deepEqual(peer.during(5000), [], "nothing is sent again");
});

test("A8, RFC 5681 4.2: the second full segment of the peer's own size is acknowledged at once", async (t) => {
  const { stack, peer, fd } = await opened();
  for (let i = 0; i < 3; i++) {
    t.deepEqual(peer.text(pattern(536), "A"), [], `pair ${i}`);
    t.deepEqual(peer.text(pattern(536), "A"), [`A 1:${1 + (i + 1) * 1072}`]);
    stack.receive(fd);
  }
});

test("A8: a window with no room for one more segment of the peer's is acknowledged at once", async (t) => {
  const { peer } = await opened(TIGHT);
  t.deepEqual(peer.text(pattern(536), "A"), ["A 1:537"]);
});

test("A8, RFC 5681 4.2: a send ring of less than two segments sends halves, so that no delayed ACK holds it up", async (t) => {
  const { stack, peer, fd } = await opened(TIGHT);
  stack.send(fd, pattern(1024));
  t.deepEqual(peer.heard(), ["A 1:1+512", "PA 513:1+512"]);
});

test("A15: a handshake segment with a wrong checksum costs nobody anything", async (t) => {
  const stack = await deviceStack(TIGHT);
  const listener = stack.listen(80, 8);
  const held = accepted(stack, listener, 5000);
  for (const port of [5001, 5003]) accepted(stack, listener, port);
  // An orphan with text that its peer does not acknowledge: it would give way to a new connection.
  stack.send(held.fd, pattern(100));
  stack.wasm.sysClose(held.fd);
  stack.advance(20_000);
  const fresh = new TcpPeer(stack, stack.neighbour(), 5002, 80);
  fresh.syn();
  held.peer.heard();
  const bad = fresh.frame("A");
  bad[51] = (bad[51] as number) ^ 1;
  stack.inject(bad);
  t.deepEqual(held.peer.heard(), []);
  t.is(stack.tables()[0], 3);
  stack.inject(fresh.frame("A"));
  t.true(
    held.peer.heard().some((s) => s.startsWith("R")),
    "the proven one takes its place",
  );
});

test("A16, RFC 6298 5.1: SYNs go 1 and 3 s after the first, however old the time of the last turn was", async (t) => {
  const stack = await deviceStack();
  const host = stack.neighbour();
  const fd = stack.socket(SOCK_STREAM);
  stack.nowMs += 1500;
  stack.wasm.sysConnect(fd, host.address, 80);
  stack.run();
  const first = stack.take().find((frame) => frame.tcp)?.tcp;
  const start = stack.nowMs;
  const peer = new TcpPeer(stack, host, 80, first?.sourcePort as number);
  t.is(peer.next().length, 1);
  t.is(stack.nowMs - start, 1000);
  t.is(peer.next().length, 1);
  t.is(stack.nowMs - start, 3000);
});

test("L11: a SYN that could not leave is followed 1 s after the first that did", async (t) => {
  const stack = await deviceStack();
  const host = stack.peer("192.168.7.50", "02:00:00:00:00:50");
  const fd = stack.socket(SOCK_STREAM);
  stack.wasm.sysConnect(fd, host.address, 80);
  stack.advance(2500);
  stack.take();
  stack.inject(host.arpReply());
  const first = stack.take().find((frame) => frame.tcp)?.tcp;
  t.truthy(first, "it leaves with the answer");
  const start = stack.nowMs;
  const peer = new TcpPeer(stack, host, 80, first?.sourcePort as number);
  t.is(peer.next().length, 1);
  t.is(stack.nowMs - start, 1000);
});

test("L2, RFC 3042: with duplicates outstanding the last short segment goes, so that recovery needs no timeout", async (t) => {
  const { stack, peer, fd } = await opened();
  stack.send(fd, pattern(2 * 1460 + 20));
  t.is(peer.heard().length, 3);
  stack.send(fd, pattern(30));
  t.deepEqual(peer.heard(), [], "held back: a small one is in flight");
  t.deepEqual(peer.say("A"), ["PA 2941:1+30"]);
});

test("G10, RFC 6069: a link that comes back is a reason to send again at once", async (t) => {
  const { stack, peer, fd } = await opened();
  stack.send(fd, pattern(100));
  stack.wasm.linkChanged(0);
  peer.during(30_000);
  const before = stack.nowMs;
  stack.wasm.linkChanged(1);
  stack.run();
  stack.inject(peer.host.arpRequest());
  t.deepEqual(peer.next(5000), ["PA 1:1+100"]);
  t.true(stack.nowMs - before <= 1, `${stack.nowMs - before} ms`);
});

test("L3: the opening of a shut window is told once more when nothing comes of it, and only once", async (t) => {
  const { stack, peer, fd } = await opened(TIGHT);
  peer.text(pattern(1024));
  peer.during(100);
  stack.take();
  t.is((stack.receive(fd) as Uint8Array).length, 1024);
  stack.run();
  t.deepEqual(peer.heard(), ["A 1:1025"]);
  t.is(peer.last?.window, 1024);
  t.deepEqual(peer.during(8), []);
  t.deepEqual(peer.during(5), ["A 1:1025"]);
  t.deepEqual(peer.during(10_000), []);
});

test("L3: so is the opening of a window that had no room for one of the peer's segments", async (t) => {
  const { stack, peer, fd } = await opened(TIGHT);
  peer.text(pattern(512));
  peer.text(pattern(256));
  peer.during(100);
  t.is(peer.last?.window, 256);
  stack.take();
  t.is((stack.receive(fd) as Uint8Array).length, 768);
  stack.run();
  t.deepEqual(peer.heard(), ["A 1:769"]);
  t.is(peer.last?.window, 1024);
  t.deepEqual(peer.during(8), []);
  t.deepEqual(peer.during(5), ["A 1:769"]);
  t.deepEqual(peer.during(10_000), []);
});

test("L3: text that comes after the opening ends that", async (t) => {
  const { stack, peer, fd } = await opened(TIGHT);
  peer.text(pattern(1024));
  peer.during(100);
  stack.receive(fd);
  stack.run();
  stack.take();
  peer.text(pattern(1024));
  t.deepEqual(peer.heard(), []);
  t.deepEqual(peer.during(1000), []);
});

test("L3, RFC 9293 MUST-40: with a long round trip text after an opening is acknowledged within the usual delay", async (t) => {
  const { stack, peer, fd } = await opened(TIGHT);
  for (let i = 1; i <= 30; i++) {
    stack.send(fd, pattern(10));
    stack.advance(800);
    peer.acknowledge(1 + 10 * i);
  }
  for (let i = 0; i < 2; i++) peer.text(pattern(512));
  peer.during(100);
  stack.receive(fd);
  stack.run();
  stack.take();
  t.deepEqual(peer.text(pattern(10)), []);
  t.deepEqual(peer.during(45), ["A 301:1035"]);
});

test("RFC 9293 3.10.7.3: FIN on the SYN of a simultaneous open waits until the connection is open", async (t) => {
  const stack = await deviceStack();
  const fd = stack.socket(SOCK_STREAM);
  const peer = TcpPeer.dialled(stack, stack.neighbour(), fd, 80);
  t.deepEqual(peer.say("SF", { options: { mss: 1460 } }, pattern(20)), ["SA 0:21"]);
  t.is(stack.wasm.tcbState(0), 2, "SYN-RECEIVED");
  peer.seq = (peer.iss + 21) >>> 0;
  t.deepEqual(peer.say("FA"), ["A 1:22"]);
  t.deepEqual(stack.receive(fd), pattern(20));
  t.deepEqual(stack.receive(fd), new Uint8Array(0));
  peer.seq = (peer.iss + 22) >>> 0;
  stack.send(fd, pattern(30));
  t.deepEqual(peer.heard(), ["PA 1:22+30"]);
});

test("RFC 5681 4.2: a FIN beyond a hole is acknowledged each time that it comes", async (t) => {
  const { stack, peer, fd } = await opened();
  const fin = { seq: peer.seq + 10 };
  t.deepEqual(peer.say("FA", fin), ["A 1:1"]);
  t.deepEqual(peer.say("FA", fin), ["A 1:1"]);
  t.deepEqual(peer.say("PA", {}, pattern(10)), ["A 1:12"]);
  t.deepEqual(stack.receive(fd), pattern(10));
  t.deepEqual(peer.say("FA", fin), ["A 1:12"]);
});

test("SEG-4: the sequence number of a segment for a half-open connection is looked at before its ACK", async (t) => {
  const stack = await deviceStack();
  stack.listen(80);
  const peer = new TcpPeer(stack, stack.neighbour(), 5000, 80);
  peer.syn();
  for (const seq of [peer.iss, peer.iss - 70, peer.iss + 9000])
    t.deepEqual(peer.say("A", { seq, ack: peer.theirs(7) }), ["A 1:1"]);
  t.deepEqual(peer.say("A", { ack: peer.theirs(7) }), ["R 7"]);
});

test("RFC 7323 3.2, 5.3: in SYN-RECEIVED a segment without a clock is dropped, an old one answered, whatever their ACK", async (t) => {
  const stack = await deviceStack();
  stack.listen(80);
  const peer = new TcpPeer(stack, stack.neighbour(), 5000, 80);
  const at = (clock: number): Fields => ({ options: { timestamps: [clock, 0] } });
  peer.syn(at(1000));
  for (const ack of [peer.theirs(1), peer.theirs(9)]) {
    t.deepEqual(peer.say("A", { ack }), []);
    t.deepEqual(peer.say("A", { ...at(999), ack }), ["A 1:1"]);
  }
  t.deepEqual(peer.say("A", { ...at(1000), ack: peer.theirs(9) }), ["R 9"]);
  t.deepEqual(peer.say("A", at(1000)), []);
  t.is(stack.tables()[0], 1);
});

test("RFC 5961 3, 5: an orphan in FIN-WAIT-2 challenges a RST in its window and text that acknowledges what was sent long ago", async (t) => {
  const { stack, peer } = await orphan();
  t.deepEqual(peer.say("R", { seq: peer.seq + 1 }), ["A 2:1"]);
  t.deepEqual(peer.say("R", { seq: peer.seq - 1 }), []);
  t.deepEqual(peer.say("R", { seq: peer.seq + 8192 }), []);
  t.deepEqual(peer.say("PA", { ack: peer.theirs(2 - 0x10000) }, pattern(10)), ["A 2:1"]);
  t.deepEqual(stack.tables(), [0, 0, 1, 1]);
  t.deepEqual(peer.say("R"), []);
  t.deepEqual(stack.tables(), [0, 0, 0, 1]);
});
