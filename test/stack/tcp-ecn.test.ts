/** Explicit congestion notification (RFC 3168): an option of the image. */
import test from "../conformance/proves.js";
import { BIG } from "../support/option-sets.js";
import { SOCK_STREAM, type StackHarness } from "../support/stack-harness.js";
import { TcpPeer, accepted, deviceStack } from "../support/tcp-peer.js";
import { TCP, pattern } from "../support/wire.js";

const ECE = 64;
const CWR = 128;
const MARKED = { ip: { tos: 3 } };

function ecnStack(): Promise<StackHarness> {
  return deviceStack(BIG);
}

/** A client that has offered ECN, accepted. */
function offered(stack: StackHarness): { peer: TcpPeer; fd: number } {
  const listener = stack.listen(80);
  const peer = new TcpPeer(stack, stack.neighbour(), 5000, 80, {
    options: { sackPermitted: true },
  });
  peer.say("SEC", { options: { mss: 1460, sackPermitted: true } });
  peer.seq = (peer.iss + 1) >>> 0;
  peer.say("A");
  const fd = stack.wasm.sysAccept(listener);
  stack.run();
  stack.take();
  return { peer, fd };
}

/** ECN fields and control bits of what the stack has sent on a connection. */
function sent(stack: StackHarness, peer: TcpPeer): [tos: number, bits: number, bytes: number][] {
  const frames = stack.take();
  peer.of(frames);
  return frames.flatMap(({ ip, tcp }) =>
    tcp?.destinationPort === peer.port
      ? [[(ip?.tos ?? 0) & 3, tcp.flags & (ECE | CWR), tcp.data.length]]
      : [],
  );
}

test("RFC 9293 SHLD-8, RFC 3168 6.1.1: a SYN-ACK has ECE alone if the SYN had ECE and CWR; no packet of the handshake may be marked", async (t) => {
  const stack = await ecnStack();
  stack.listen(80);
  const host = stack.neighbour();
  let port = 5000;
  for (const [letters, answer] of [
    ["SEC", ECE],
    ["SE", 0],
    ["SC", 0],
    ["S", 0],
  ] as const) {
    const peer = new TcpPeer(stack, host, port++, 80);
    stack.inject(peer.frame(letters));
    t.deepEqual(sent(stack, peer), [[0, answer, 0]], letters);
  }
});

test("RFC 3168 6.1.1: our SYN offers it, once; only a SYN-ACK with ECE alone takes it", async (t) => {
  const stack = await ecnStack();
  const host = stack.neighbour();
  let port = 80;
  for (const [letters, ect] of [
    ["SAE", 2],
    ["SA", 0],
    ["SAEC", 0],
  ] as const) {
    const fd = stack.socket(SOCK_STREAM);
    const peer = TcpPeer.dialled(stack, host, fd, port++);
    t.is((peer.last?.flags ?? 0) & (ECE | CWR), ECE | CWR);
    peer.say(letters);
    peer.seq = (peer.iss + 1) >>> 0;
    stack.send(fd, pattern(10));
    t.deepEqual(sent(stack, peer), [[ect, 0, 10]], letters);
  }
  const fd = stack.socket(SOCK_STREAM);
  const peer = TcpPeer.dialled(stack, host, fd, port);
  stack.inject(host.arpReply());
  peer.next();
  t.is((peer.last?.flags ?? 0) & (ECE | CWR | TCP.SYN), TCP.SYN, "a second SYN is a plain one");
  peer.say("SAE");
  peer.seq = (peer.iss + 1) >>> 0;
  stack.send(fd, pattern(10));
  t.deepEqual(sent(stack, peer), [[0, 0, 10]]);
});

test("RFC 3168 6.1.3: a mark is echoed in every acknowledgment until the peer says that it has cut its window", async (t) => {
  const stack = await ecnStack();
  const { peer, fd } = offered(stack);
  const text = (letters: string, below = {}): number => {
    stack.receive(fd);
    stack.take();
    for (let i = 0; i < 2; i++) {
      stack.inject(peer.frame(letters, {}, pattern(1460), below));
      peer.seq += 1460;
    }
    const bits = sent(stack, peer).map(([, flags]) => flags);
    return bits[bits.length - 1] ?? -1;
  };
  t.is(text("A", { ip: { tos: 2 } }), 0);
  t.is(text("A", MARKED), ECE);
  t.is(text("A"), ECE);
  t.is(text("AC"), 0, "CWR ends it");
  t.is(text("A"), 0);
  t.is(text("AC", MARKED), ECE, "a mark beside CWR is a new one");
});

test("RFC 3168 6.1.2: an echo cuts the window as a loss does, once for each window, and the next new text has CWR", async (t) => {
  const stack = await ecnStack();
  const { peer, fd } = offered(stack);
  stack.send(fd, pattern(8192));
  let window = sent(stack, peer);
  t.true(window.every(([ect, bits]) => ect === 2 && bits === 0));
  let acked = 1;
  for (let round = 0; round < 6; round++) {
    acked += window.reduce((sum, [, , bytes]) => sum + bytes, 0);
    peer.ack = peer.theirs(acked);
    stack.inject(peer.frame("A"));
    stack.send(fd, pattern(8192));
    window = sent(stack, peer);
  }
  const before = stack.tcpInfo(fd).words[20] ?? 0;
  const half = acked + (window[0]?.[2] ?? 0);
  peer.ack = peer.theirs(half);
  stack.inject(peer.frame("AE"));
  const after = stack.tcpInfo(fd).words[20] ?? 0;
  t.true(after < before, `${before} segments, then ${after}`);
  t.is(stack.counter("tcpIn") > 0, true);
  // The same window again: no second cut.
  peer.ack = peer.theirs(half + (window[1]?.[2] ?? 0));
  stack.inject(peer.frame("AE"));
  t.true((stack.tcpInfo(fd).words[20] ?? 0) >= after);
  acked += window.reduce((sum, [, , bytes]) => sum + bytes, 0);
  const early = sent(stack, peer);
  acked += early.reduce((sum, [, , bytes]) => sum + bytes, 0);
  peer.ack = peer.theirs(acked);
  stack.inject(peer.frame("A"));
  stack.send(fd, pattern(8192));
  const told = [...early, ...sent(stack, peer)].map(([, bits]) => bits);
  t.is(told.filter((bits) => bits === CWR).length, 1, "CWR once");
  t.is(told[0], CWR, "on the first");
});

test("RFC 3168 6.1.4 to 6.1.6: no acknowledgment, retransmission or window probe may be marked", async (t) => {
  const stack = await ecnStack();
  const { peer, fd } = offered(stack);
  stack.inject(
    peer.frame("A", {}, pattern(1460)),
    peer.frame("A", { seq: peer.seq + 1460 }, pattern(1460)),
  );
  t.deepEqual(sent(stack, peer), [[0, 0, 0]]);
  peer.seq += 2920;
  stack.send(fd, pattern(100));
  t.deepEqual(sent(stack, peer), [[2, 0, 100]]);
  const again = stack.untilSent(5000);
  t.is((again[0]?.ip?.tos ?? 9) & 3, 0);
  peer.window = 0;
  peer.acknowledge(101);
  stack.send(fd, pattern(100));
  stack.take();
  const probe = stack.untilSent(5000).find((frame) => frame.tcp);
  t.is(probe?.tcp?.data.length, 1);
  t.is((probe?.ip?.tos ?? 9) & 3, 0);
});

test("without the option in the image nothing is offered, taken or echoed", async (t) => {
  const stack = await deviceStack();
  const { peer, fd } = accepted(stack, stack.listen(80), 5000);
  stack.inject(peer.frame("AEC", {}, pattern(10), MARKED));
  stack.advance(200);
  t.deepEqual(sent(stack, peer), [[0, 0, 0]]);
  stack.send(fd, pattern(10));
  t.deepEqual(sent(stack, peer), [[0, 0, 10]]);
});
