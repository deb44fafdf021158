import test from "../conformance/proves.js";
import { TcpPeer, accepted, closed, deviceStack, opened, shut } from "../support/tcp-peer.js";
import { pattern } from "../support/wire.js";
import { BIG, TIGHT } from "../support/option-sets.js";

const NOTHING = new Uint8Array(0);
const STATE = { FIN_WAIT_1: 4, FIN_WAIT_2: 5, CLOSE_WAIT: 6, CLOSING: 7, LAST_ACK: 8 } as const;

test("RFC 9293 SEG-11, MUST-12: half-close: our FIN first, the peer goes on sending, then TIME-WAIT", async (t) => {
  const it = await opened();
  const { stack, peer, fd } = it;
  t.deepEqual(shut(it), ["FPA 1:1"]);
  t.is(stack.wasm.tcbState(0), STATE.FIN_WAIT_1);
  t.is(stack.send(fd, pattern(1)), -32);
  t.deepEqual(peer.acknowledge(2), []);
  t.is(stack.wasm.tcbState(0), STATE.FIN_WAIT_2);
  peer.text(pattern(1000));
  t.deepEqual(stack.receive(fd), pattern(1000));
  t.deepEqual(peer.text(pattern(10), "FPA"), ["A 2:1012"]);
  t.deepEqual(stack.tables(), [0, 0, 1, 2]);
  t.deepEqual(stack.receive(fd), pattern(10));
  t.deepEqual(stack.receive(fd), NOTHING);
  t.is(stack.wasm.sysEvents(fd) & 16, 16);
  closed(it);
  stack.advance(60_000);
  t.deepEqual(stack.tables(), [0, 0, 0, 1]);
});

test("RFC 9293 SEG-11: the peer's FIN first: CLOSE-WAIT, we go on sending, LAST-ACK, free", async (t) => {
  const it = await opened();
  const { stack, peer, fd } = it;
  t.deepEqual(peer.text(NOTHING, "FA"), ["A 1:2"]);
  t.is(stack.wasm.tcbState(0), STATE.CLOSE_WAIT);
  t.deepEqual(stack.receive(fd), NOTHING);
  stack.send(fd, pattern(10));
  t.deepEqual(peer.heard(), ["PA 1:2+10"]);
  peer.acknowledge(11);
  t.deepEqual(closed(it), ["FPA 11:2"]);
  t.is(stack.wasm.tcbState(0), STATE.LAST_ACK);
  t.deepEqual(peer.say("A", { seq: peer.seq }, pattern(5)), ["A 12:2"]);
  t.deepEqual(peer.acknowledge(12), []);
  t.deepEqual(stack.tables(), [0, 0, 0, 1]);
});

test("RFC 9293 SEG-11: simultaneous close: CLOSING, TIME-WAIT", async (t) => {
  const it = await opened();
  const { stack, peer } = it;
  shut(it);
  t.deepEqual(peer.text(NOTHING, "FA"), ["A 2:2"]);
  t.is(stack.wasm.tcbState(0), STATE.CLOSING);
  t.deepEqual(peer.acknowledge(2), ["A 2:2"]);
  t.deepEqual(stack.tables().slice(0, 3), [0, 0, 1]);
});

test("RFC 9293 SEG-11: a FIN that acknowledges ours goes to TIME-WAIT at once", async (t) => {
  const it = await opened();
  shut(it);
  t.deepEqual(it.peer.say("FA", { ack: it.peer.theirs(2) }), ["A 2:2"]);
  t.deepEqual(it.stack.tables().slice(0, 3), [0, 0, 1]);
});

test("RFC 9293 SEG-12: text after the peer's FIN is ignored", async (t) => {
  const it = await opened();
  it.peer.text(NOTHING, "FA");
  t.deepEqual(it.peer.say("PA", {}, pattern(100)), ["A 1:2"]);
  t.deepEqual(it.stack.receive(it.fd), NOTHING);
});

test("RFC 9293 SHLD-3, MAY-1: close with unread text sends RST; text for a closed socket too", async (t) => {
  const it = await opened();
  it.peer.text(pattern(100));
  t.deepEqual(closed(it), ["RA 1:101"]);
  t.deepEqual(it.stack.tables(), [0, 0, 0, 1]);
  const other = { ...it, ...accepted(it.stack, it.listener, 5001) };
  t.deepEqual(closed(other), ["FPA 1:1"]);
  t.deepEqual(other.peer.text(pattern(10)), ["RA 2:1"]);
  t.is(it.stack.tables()[0], 0);
  const third = { ...it, ...accepted(it.stack, it.listener, 5002) };
  closed(third);
  third.peer.acknowledge(2);
  t.deepEqual(third.peer.text(pattern(10)), ["R 2"]);
  t.deepEqual(it.stack.tables(), [0, 0, 0, 1]);
});

test("SO_LINGER with zero seconds and abort send RST at SND.NXT", async (t) => {
  const it = await opened();
  const { stack, peer, fd } = it;
  stack.send(fd, pattern(100));
  t.is(stack.wasm.sysSetOption(fd, 1, 13, 0), 0);
  t.deepEqual(closed(it), ["RA 101:1"]);
  t.deepEqual(stack.tables(), [0, 0, 0, 1]);
  void peer;
});

test("RFC 5961 3: a RST sent while a window probe is out has the number that the peer expects", async (t) => {
  const it = await opened();
  it.peer.window = 0;
  it.peer.say("A");
  it.stack.send(it.fd, pattern(100));
  t.deepEqual(it.peer.next(), ["A 1:1+1"]);
  it.stack.take();
  it.stack.wasm.sysAbort(it.fd);
  t.deepEqual(it.peer.heard(), ["RA 1:1"]);
});

test("close delivers what was queued, then FIN, and needs no socket for it", async (t) => {
  const it = await opened();
  const { stack, peer, fd } = it;
  stack.send(fd, pattern(8000));
  t.deepEqual(closed(it), []);
  t.deepEqual(stack.tables(), [1, 0, 0, 1]);
  peer.acknowledge(2921);
  peer.acknowledge(5841);
  t.deepEqual(peer.acknowledge(8001), []);
  t.deepEqual(peer.acknowledge(8002), []);
  t.deepEqual(stack.tables(), [0, 0, 1, 1]);
  t.deepEqual(peer.text(NOTHING, "FA"), ["A 8002:2"]);
  stack.advance(60_000);
  t.deepEqual(stack.tables(), [0, 0, 0, 1]);
});

test("RFC 9293 MUST-13, RFC 1337, TW-1, TW-2, S-10: TIME-WAIT lasts 2 MSL from the last FIN, whatever comes", async (t) => {
  const it = await opened();
  const { stack, peer } = it;
  closed(it);
  peer.acknowledge(2);
  peer.text(NOTHING, "FA");
  peer.wait(50_000);
  t.deepEqual(peer.say("FA", { seq: peer.seq - 1 }), ["A 2:2"]);
  peer.wait(50_000);
  t.deepEqual(peer.say("R"), []);
  t.deepEqual(peer.say("RA"), []);
  t.deepEqual(peer.say("PA", { seq: peer.seq - 100 }, pattern(99)), ["A 2:2"]);
  t.deepEqual(peer.say("A", { ack: peer.theirs(1) }), []);
  t.deepEqual(peer.say("S", { seq: peer.iss }), ["A 2:2"]);
  stack.advance(9_900);
  t.is(stack.tables()[2], 1);
  stack.advance(200);
  t.is(stack.tables()[2], 0);
});

test("TW-3, RFC 9293 MAY-2: a newer SYN opens the connection again, above all numbers that were used", async (t) => {
  const it = await opened(BIG);
  const { stack, peer, fd } = it;
  // A megabyte in no time, so that the clock of the initial numbers is far behind.
  let sent = 0;
  for (let i = 0; i < 200 && sent < 1_000_000; i++) {
    stack.send(fd, pattern(32768));
    for (const segment of peer.segments()) {
      sent = Math.max(sent, (segment.seq - peer.irs - 1 + segment.data.length) >>> 0);
    }
    peer.ack = peer.theirs(1 + sent);
    stack.inject(peer.frame("A"));
    for (const segment of peer.segments()) {
      sent = Math.max(sent, (segment.seq - peer.irs - 1 + segment.data.length) >>> 0);
    }
  }
  t.true(sent > 500_000);
  stack.wasm.sysShutdown(fd, 1);
  stack.run();
  for (let i = 0; i < 20 && stack.tables()[2] === 0; i++) {
    for (const segment of peer.segments()) {
      sent = Math.max(sent, (segment.seq - peer.irs - 1 + segment.data.length) >>> 0);
    }
    peer.ack = peer.theirs(1 + sent);
    stack.inject(peer.frame("A"));
    const fin = peer.last;
    if (fin && (fin.flags & 1) !== 0) {
      peer.ack = (fin.seq + fin.data.length + 1) >>> 0;
      peer.text(NOTHING, "FA");
    }
  }
  t.is(stack.tables()[2], 1);
  const end = peer.ack;
  const again = new TcpPeer(stack, peer.host, 5000, 80, { iss: peer.seq + 1000 });
  t.deepEqual(again.syn(), ["SA 0:1"]);
  t.true(((again.irs - end) | 0) > 0, "new numbers above the old ones");
  t.deepEqual(again.say("A"), []);
  t.true(stack.wasm.sysAccept(it.listener) >= 0);
});

test("TIME-WAIT of a connection that we opened is not ended by a SYN: nobody listens there", async (t) => {
  const stack = await deviceStack();
  const { peer, fd } = TcpPeer.server(stack, stack.neighbour());
  stack.wasm.sysClose(fd);
  stack.run();
  peer.acknowledge(2);
  peer.text(NOTHING, "FA");
  t.is(stack.tables()[2], 1);
  t.deepEqual(peer.say("S", { seq: peer.seq + 5000 }), ["A 2:2"]);
  t.is(stack.tables()[2], 1);
});

test("TW-4: of those that wait the oldest gives way, whatever its place", async (t) => {
  const stack = await deviceStack(TIGHT);
  const listener = stack.listen(80);
  const host = stack.neighbour();
  const peers = [0, 1, 2, 3, 4, 5].map((i) => {
    const peer = new TcpPeer(stack, host, 5000 + i, 80, { iss: i * 1000 });
    peer.syn();
    peer.say("A");
    stack.wasm.sysClose(stack.wasm.sysAccept(listener));
    stack.run();
    peer.ack = peer.theirs(2);
    peer.say("FA");
    stack.advance(100);
    return peer;
  });
  // Four are kept; the first two are known no more.
  const answers = peers.map((peer) => peer.say("A", { seq: peer.seq - 5 })[0]?.[0]);
  t.deepEqual(answers, ["R", "R", "A", "A", "A", "A"]);
});

test("TW-4, S-11: ten thousand short connections that we close: the oldest TIME-WAIT gives way, none is refused", async (t) => {
  const stack = await deviceStack(TIGHT);
  const listener = stack.listen(80);
  const host = stack.neighbour();
  for (let i = 0; i < 10_000; i++) {
    const peer = new TcpPeer(stack, host, 1024 + (i % 60_000), 80, { iss: i * 1000 });
    peer.syn();
    peer.say("A");
    const fd = stack.wasm.sysAccept(listener);
    if (fd < 0) t.fail(`accept ${fd} at ${i}`);
    stack.wasm.sysClose(fd);
    stack.run();
    peer.ack = peer.theirs(2);
    peer.say("FA");
  }
  t.deepEqual(stack.tables(), [0, 0, 4, 1]);
  stack.advance(61_000);
  t.deepEqual(stack.tables(), [0, 0, 0, 1]);
});
