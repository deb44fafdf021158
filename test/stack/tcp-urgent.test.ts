/** Urgent data (RFC 9293 3.8.5, RFC 6093), and what TCP_INFO tells of a connection. */
import test from "../conformance/proves.js";
import { TIGHT } from "../support/option-sets.js";
import type { StackHarness } from "../support/stack-harness.js";
import { TcpPeer, accepted, deviceStack } from "../support/tcp-peer.js";
import { TCP, pattern } from "../support/wire.js";

const POLLPRI = 2;
const MSG_OOB = 1;

function urgent(stack: StackHarness, fd: number): boolean {
  return (stack.wasm.sysEvents(fd) & POLLPRI) !== 0;
}

test("RFC 9293 MUST-32: the application is woken by the first urgent pointer and by each that goes on, not by the same again", async (t) => {
  const stack = await deviceStack();
  const { peer, fd } = accepted(stack, stack.listen(80), 5000);
  const woken = (action: () => void): boolean => {
    const before = stack.wasm.readyCount();
    action();
    return stack.wasm.readyCount() !== before;
  };
  t.false(urgent(stack, fd));
  // Without text, for text that comes later.
  t.true(woken(() => peer.say("UA", { urgentPointer: 30 })));
  t.true(urgent(stack, fd));
  t.false(
    woken(() => peer.say("UA", { urgentPointer: 30 })),
    "the same again",
  );
  t.false(
    woken(() => peer.say("UA", { urgentPointer: 5 })),
    "and one that goes back",
  );
  t.true(woken(() => peer.say("UA", { urgentPointer: 31 })));
  t.false(
    woken(() => peer.say("UA", { urgentPointer: 0 })),
    "nothing is before the first byte",
  );
  peer.text(pattern(40));
  t.deepEqual(stack.receive(fd), pattern(30));
  t.true(urgent(stack, fd));
  t.deepEqual(stack.receive(fd), pattern(40).slice(30));
  t.false(urgent(stack, fd));
});

test("RFC 9293 MUST-33, POSIX 2.10.12: whether more is urgent is known; a read stops at the mark, and sockatmark says so", async (t) => {
  const stack = await deviceStack();
  const { peer, fd } = accepted(stack, stack.listen(80), 5000);
  peer.say("UPA", { urgentPointer: 10 }, pattern(20));
  peer.seq += 20;
  t.is(stack.wasm.sysAtMark(fd), 0);
  t.deepEqual(stack.receive(fd, 4), pattern(4));
  t.is(stack.wasm.sysAtMark(fd), 0);
  t.deepEqual(stack.receive(fd), pattern(9).slice(4));
  t.is(stack.wasm.sysAtMark(fd), 1);
  t.true(urgent(stack, fd));
  t.deepEqual(stack.receive(fd), pattern(20).slice(9));
  t.is(stack.wasm.sysAtMark(fd), 0);
  t.false(urgent(stack, fd));
  t.is(stack.wasm.sysAtMark(99), -9);
  t.is(stack.wasm.sysAtMark(stack.udpSocket(9)), -25);
});

test("RFC 9293 MUST-30, MUST-62: MSG_OOB sets URG on every segment before the end of the urgent text, which the pointer tells, also sent again; other text has none", async (t) => {
  const stack = await deviceStack();
  const { peer, fd } = accepted(stack, stack.listen(80), 5000);
  stack.send(fd, pattern(2000), MSG_OOB);
  const sent = peer.segments();
  t.deepEqual(
    sent.map(({ flags, urgentPointer, data }) => [
      (flags & TCP.URG) !== 0,
      urgentPointer,
      data.length,
    ]),
    [
      [true, 2000, 1460],
      [true, 540, 540],
    ],
  );
  peer.next();
  t.is((peer.last?.flags ?? 0) & TCP.URG, TCP.URG);
  peer.acknowledge(2001);
  stack.send(fd, pattern(10));
  t.is((peer.segments()[0]?.flags ?? 0) & TCP.URG, 0);
});

test("RFC 9293 3.8.5: urgent data is told of while the window is shut", async (t) => {
  const stack = await deviceStack();
  const { peer, fd } = accepted(stack, stack.listen(80), 5000);
  peer.window = 0;
  peer.say("A");
  stack.send(fd, pattern(10), MSG_OOB);
  const [segment] = peer.segments();
  t.is(segment?.data.length, 0);
  t.is((segment?.flags ?? 0) & TCP.URG, TCP.URG);
  t.is(segment?.urgentPointer, 10);
});

test("an image without urgent data delivers it in line and tells nobody", async (t) => {
  const stack = await deviceStack(TIGHT);
  const { peer, fd } = accepted(stack, stack.listen(80), 5000);
  peer.say("UPA", { urgentPointer: 10 }, pattern(20));
  t.false(urgent(stack, fd));
  t.deepEqual(stack.receive(fd), pattern(20));
  stack.send(fd, pattern(10), MSG_OOB);
  t.is((peer.segments()[0]?.flags ?? 0) & TCP.URG, 0);
});

test("RFC 9293 SHLD-9: TCP_INFO: state, sizes, round trip and flight as Linux lays them out; a delivery problem is seen before the connection is given up", async (t) => {
  const stack = await deviceStack();
  const listener = stack.listen(80);
  t.is(stack.tcpInfo(listener).bytes[0], 10);
  const peer = new TcpPeer(stack, stack.neighbour(), 5000, 80, {
    options: { sackPermitted: true, windowScale: 3 },
  });
  peer.syn();
  stack.advance(20);
  peer.say("A");
  const fd = stack.wasm.sysAccept(listener);
  stack.run();
  stack.send(fd, pattern(2920));
  const { bytes, words } = stack.tcpInfo(fd);
  t.is(bytes[0], 1, "ESTABLISHED");
  t.is(bytes[2], 0);
  t.is(bytes[5], 2 | 4, "SACK and window scale");
  t.is(bytes[6], 3);
  t.is(words[2], 200_000, "the timeout in microseconds");
  t.is(words[4], 1460);
  t.is(words[6], 2, "segments in flight");
  t.is(words[17], 20_000, "the round trip in microseconds");
  t.is(words[20], 3, "congestion window in segments");
  for (let retransmits = 1; retransmits <= 3; retransmits++) {
    while ((stack.tcpInfo(fd).bytes[2] ?? 0) < retransmits) peer.next();
  }
  t.is(stack.tcpInfo(fd).bytes[0], 1);
  t.is(stack.wasm.sysError(fd), 0);
});

test("TCP_INFO: the path's MTU counts the options of each segment", async (t) => {
  for (const options of [{}, { timestamps: [1, 0] as [number, number] }]) {
    const stack = await deviceStack();
    const listener = stack.listen(80);
    const peer = new TcpPeer(stack, stack.neighbour(), 5000, 80, { options });
    peer.syn();
    peer.say("A", { options });
    const { words } = stack.tcpInfo(stack.wasm.sysAccept(listener));
    t.is(words[15], 1500);
    t.is(words[4], "timestamps" in options ? 1448 : 1460);
  }
});
