import { type ExecutionContext } from "ava";
import test from "../conformance/proves.js";
import { type StackHarness, type HarnessConfig } from "../support/stack-harness.js";
import { TcpPeer, accepted, type PeerConfig, deviceStack } from "../support/tcp-peer.js";
import { concat, pattern } from "../support/wire.js";

async function open(
  config: PeerConfig = {},
  harness: HarnessConfig = {},
): Promise<{ stack: StackHarness; peer: TcpPeer; fd: number }> {
  const stack = await deviceStack({}, harness);
  return { stack, ...accepted(stack, stack.listen(80), 5000, config) };
}

/** Text at an offset from the peer's next number, which stays. */
function at(peer: TcpPeer, offset: number, data: Uint8Array, letters = "PA"): string[] {
  return peer.say(letters, { seq: (peer.seq + offset) >>> 0 }, data);
}

test("RFC 9293 MUST-40, SHLD-18: a lone segment is acknowledged late, but within 500 ms", async (t) => {
  const { peer } = await open();
  t.deepEqual(peer.text(pattern(100)), []);
  t.deepEqual(peer.during(30), []);
  t.deepEqual(peer.during(30), ["A 1:101"]);
  t.deepEqual(peer.during(5000), []);
});

test("RFC 9293 SHLD-19, CC-10: every second full segment is acknowledged at once", async (t) => {
  const { peer } = await open();
  const answers = [0, 1, 2, 3].map(() => peer.text(pattern(1460)));
  t.deepEqual(answers, [[], ["A 1:2921"], [], ["A 1:5841"]]);
});

test("text that is read at once is acknowledged every second segment, too; with less than half of the window left each opening is told", async (t) => {
  const { stack, peer, fd } = await open();
  const read = (bytes: number): string[] => {
    stack.receive(fd, bytes);
    stack.run();
    return peer.heard();
  };
  for (const end of [2921, 5841]) {
    t.deepEqual([peer.text(pattern(1460)), read(1460)], [[], []]);
    t.deepEqual([peer.text(pattern(1460)), read(1460)], [[`A 1:${end}`], []]);
  }
  for (let i = 0; i < 4; i++) peer.text(pattern(1460));
  t.is(peer.last?.window, 8192 - 4 * 1460);
  t.deepEqual(read(1460), ["A 1:11681"]);
  t.is(peer.last?.window, 8192 - 3 * 1460);
});

test("RFC 9293 MUST-58: segments of one turn are acknowledged together", async (t) => {
  const { stack, peer } = await open();
  stack.take();
  for (let i = 0; i < 4; i++) {
    stack.queue(peer.frame("A", {}, pattern(1460)));
    peer.seq += 1460;
  }
  stack.run();
  t.deepEqual(peer.heard(), ["A 1:5841"]);
});

test("RFC 5681 4.2, MAY-13: each out-of-order segment is answered by its own duplicate ACK, also in one turn", async (t) => {
  const { stack, peer } = await open();
  stack.take();
  for (let i = 1; i < 5; i++)
    stack.queue(peer.frame("A", { seq: peer.seq + i * 500 }, pattern(500)));
  stack.run();
  t.deepEqual(peer.heard(), ["A 1:1", "A 1:1", "A 1:1", "A 1:1"]);
});

test("RFC 9293 MUST-59, SHLD-31: filling a hole gives one ACK for everything behind it, and all is delivered", async (t) => {
  const { stack, peer, fd } = await open();
  const data = pattern(4000);
  t.deepEqual(at(peer, 1000, data.subarray(1000, 2000)), ["A 1:1"]);
  t.deepEqual(at(peer, 2000, data.subarray(2000, 3000)), ["A 1:1"]);
  t.deepEqual(at(peer, 3500, data.subarray(3500)), ["A 1:1"]);
  t.is(stack.receive(fd), -11);
  t.deepEqual(at(peer, 0, data.subarray(0, 1000)), ["A 1:3001"]);
  t.deepEqual(at(peer, 2900, data.subarray(2900, 3600)), ["A 1:4001"]);
  t.deepEqual(stack.receive(fd), data);
});

test("RFC 9293 SEG-5, SEG-7, SEG-13: overlapping and repeated text is trimmed, across the wrap of numbers too", async (t) => {
  for (const iss of [0x10000000, 0xfffffff0, 0xffffff00, 0x7ffffff0]) {
    const { stack, peer, fd } = await open({ iss });
    const data = pattern(9000);
    peer.text(data.subarray(0, 300));
    at(peer, -100, concat(data.subarray(200, 300), data.subarray(300, 500)));
    peer.seq = (peer.seq + 200) >>> 0;
    t.deepEqual(at(peer, -500, data.subarray(0, 500)), ["A 1:501"]);
    t.deepEqual(at(peer, -501, Uint8Array.of(9)), ["A 1:501"]);
    t.deepEqual(stack.receive(fd), data.subarray(0, 500));
    at(peer, 1000, data.subarray(1500, 2500));
    at(peer, 0, data.subarray(500, 1900));
    const all = stack.receive(fd);
    t.deepEqual(all, data.subarray(500, 2500));
  }
});

test("RFC 9293 SEG-5: text beyond the window is cut off or answered with an ACK, and never delivered", async (t) => {
  const { stack, peer, fd } = await open();
  const window = peer.last?.window ?? 0;
  t.is(window, 8192);
  t.deepEqual(at(peer, 8192, pattern(100)), ["A 1:1"]);
  t.deepEqual(at(peer, 8191, pattern(100)), ["A 1:1"]);
  t.deepEqual(at(peer, -200, pattern(100)), ["A 1:1"]);
  for (let i = 0; i < 5; i++) at(peer, i * 1460, pattern(1460, i));
  at(peer, 7300, pattern(1460, 5));
  t.is(peer.last?.window, 0);
  t.is(((peer.last?.ack ?? 0) - peer.iss) >>> 0, 8193);
  const got = stack.receive(fd) as Uint8Array;
  // The first byte of the window's last place came before the rest, and stays.
  t.deepEqual(got.subarray(7300, 8191), pattern(1460, 5).subarray(0, 891));
  t.deepEqual([got.length, got[8191]], [8192, pattern(1)[0]]);
});

test("RFC 9293 MUST-66, SEG-6: a closed receive window still takes ACK and RST; text gets an ACK", async (t) => {
  const { stack, peer, fd } = await open();
  for (let i = 0; i < 8; i++) peer.text(pattern(1024));
  t.is(peer.last?.window, 0);
  t.deepEqual(peer.say("A", {}, pattern(1)), ["A 1:8193"]);
  stack.send(fd, pattern(100));
  t.deepEqual(peer.heard(), ["PA 1:8193+100"]);
  peer.acknowledge(101);
  stack.send(fd, pattern(100));
  t.deepEqual(peer.heard(), ["PA 101:8193+100"]);
  peer.say("R");
  t.is((stack.receive(fd) as Uint8Array).length, 8192);
  t.is(stack.receive(fd), -104);
});

test("RFC 9293 MAY-8: a window that the application does not open stays closed for hours, and each probe is answered", async (t) => {
  const { stack, peer, fd } = await open();
  for (let i = 0; i < 8; i++) peer.text(pattern(1024));
  t.is(peer.last?.window, 0);
  for (let probes = 0; probes < 200; probes++) {
    // The neighbour is known, however long the silence was.
    peer.wait(60_000);
    t.deepEqual(peer.say("A", {}, pattern(1)), ["A 1:8193"]);
    t.is(peer.last?.window, 0);
  }
  t.is((stack.receive(fd) as Uint8Array).length, 8192);
  t.is(peer.heard().length, 1);
  t.is(peer.last?.window, 8192);
});

test("RFC 9293 MUST-39, SHLD-14: the window opens by whole steps only and its edge never goes back", async (t) => {
  const { stack, peer, fd } = await open();
  let edge = 0;
  const watch = (): void => {
    for (const segment of peer.segments()) {
      const next = (segment.ack + segment.window - peer.iss) >>> 0;
      t.true(next >= edge, `edge ${edge} to ${next}`);
      t.true(next === edge || next >= edge + 1460 || edge === 0, `step ${next - edge}`);
      edge = next;
    }
  };
  stack.advance(100);
  for (let i = 0; i < 8; i++) {
    stack.inject(peer.frame("A", {}, pattern(1024)));
    peer.seq += 1024;
    watch();
  }
  let updates = 0;
  for (let i = 0; i < 8192; i++) {
    t.is((stack.receive(fd, 1) as Uint8Array).length, 1);
    updates += stack.sent.length;
    watch();
  }
  t.true(updates >= 4 && updates <= 6, `${updates} window updates`);
});

test("T-8, S-15: more holes than ranges: the excess is dropped, a resent stream still comes whole", async (t) => {
  const { stack, peer, fd } = await open();
  const data = pattern(8000);
  const counted = stack.counted(() => {
    for (let i = 1; i < 8000; i += 2) at(peer, i, data.subarray(i, i + 1));
  });
  t.is(counted.tcpIn, 4000);
  for (let i = 0; i < 8000; i += 1000) peer.text(data.subarray(i, i + 1000));
  t.deepEqual(stack.receive(fd), data);
});

test("RFC 9293 SEG-11: a FIN counts once all text before it has come", async (t) => {
  const { stack, peer, fd } = await open();
  t.deepEqual(at(peer, 100, pattern(50), "FPA"), ["A 1:1"]);
  t.is(stack.receive(fd), -11);
  t.deepEqual(at(peer, 0, pattern(100)), ["A 1:152"]);
  t.is((stack.receive(fd) as Uint8Array).length, 150);
  t.deepEqual(stack.receive(fd), new Uint8Array(0));
  t.deepEqual(at(peer, 100, pattern(50), "FPA"), ["A 1:152"]);
});

test("a FIN in the middle of text that has come is not believed, and nothing is written out of bounds", async (t) => {
  const { stack, peer, fd } = await open();
  at(peer, 100, pattern(100));
  at(peer, 150, new Uint8Array(0), "FA");
  peer.text(pattern(100));
  peer.seq += 100;
  t.deepEqual(stack.receive(fd), concat(pattern(100), pattern(100)));
  for (const offset of [7000, 1000, 0]) at(peer, offset, pattern(1400));
  t.is((stack.receive(fd) as Uint8Array).length, 2400);
});

test("RFC 9293 SEG-8: without ACK nothing is taken", async (t) => {
  const { stack, peer, fd } = await open();
  t.deepEqual(peer.say("P", {}, pattern(10)), []);
  t.deepEqual(peer.say("F"), []);
  t.is(stack.receive(fd), -11);
});

/** Sends a megabyte into the stack and compares. */
async function megabyte(t: ExecutionContext, config: PeerConfig, startMs: number): Promise<void> {
  const { stack, peer, fd } = await open(config, { startMs });
  for (let i = 0; i < 720; i++) {
    peer.text(pattern(1460, i));
    const got = stack.receive(fd);
    if (i % 90 === 0) t.deepEqual(got, pattern(1460, i));
    else t.is((got as Uint8Array).length, 1460);
    stack.advance(10);
  }
}

test("T-12, MUST-2: a megabyte is intact across the wrap of sequence numbers and of the clock", async (t) => {
  await megabyte(t, { iss: 0xfffffff0 }, 0xfffff000);
  await megabyte(t, { iss: 0x7ffff000 }, 0x7ffff000);
});

test("RFC 9293 3.8.6.3: a short segment behind a full one ends what the peer could send, and is acknowledged within 2 ms", async (t) => {
  const { stack, peer, fd } = await open();
  t.deepEqual(peer.text(pattern(1460)), []);
  stack.receive(fd);
  t.deepEqual(peer.text(pattern(700)), []);
  stack.receive(fd);
  t.deepEqual(peer.during(2), ["A 1:2161"]);
  // Short ones alone may wait.
  t.deepEqual(peer.text(pattern(700)), []);
  stack.receive(fd);
  t.deepEqual(peer.during(30), []);
  t.deepEqual(peer.during(30), ["A 1:2861"]);
});
