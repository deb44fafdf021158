import test from "../conformance/proves.js";
import { type StackHarness } from "../support/stack-harness.js";
import { TcpPeer, accepted, deviceStack } from "../support/tcp-peer.js";
import { pattern } from "../support/wire.js";

async function open(): Promise<{
  stack: StackHarness;
  peer: TcpPeer;
  fd: number;
  listener: number;
}> {
  const stack = await deviceStack();
  const listener = stack.listen(80);
  return { stack, listener, ...accepted(stack, listener, 5000) };
}

test("L5, RFC 5961 3, BLIND-1, S-3: RST exactly at RCV.NXT resets; in the window and at its edge a challenge; outside nothing", async (t) => {
  const { stack, peer, fd } = await open();
  const rst = (offset: number): string[] => peer.say("R", { seq: (peer.seq + offset) >>> 0 });
  for (const offset of [-1, 8193, 70000, 0x80000000, -8192])
    t.deepEqual(rst(offset), [], `${offset}`);
  for (const offset of [1, 100, 8191, 8192]) t.deepEqual(rst(offset), ["A 1:1"], `${offset}`);
  t.is(stack.receive(fd), -11);
  t.deepEqual(rst(0), []);
  t.is(stack.receive(fd), -104);
  t.deepEqual(stack.receive(fd), new Uint8Array(0));
  t.is(stack.send(fd, pattern(1)), -32);
});

test("RFC 9293 SHLD-2: a RST may carry text", async (t) => {
  const { stack, peer, fd } = await open();
  t.deepEqual(peer.say("RA", {}, pattern(20)), []);
  t.is(stack.receive(fd), -104);
});

test("RFC 5961 4, BLIND-2, S-4: a SYN is challenged whatever its number, and the ration holds for all of them", async (t) => {
  const { stack, peer, fd } = await open();
  for (const offset of [0, 1, -1, 8192, 0x80000000]) {
    t.deepEqual(peer.say("S", { seq: (peer.seq + offset) >>> 0 }), ["A 1:1"], `${offset}`);
  }
  let answers = 0;
  for (let i = 0; i < 100; i++) answers += peer.say("S", { seq: peer.seq - 5000 }).length;
  t.true(answers <= 5, `${answers} more`);
  stack.send(fd, pattern(10));
  t.deepEqual(peer.heard(), ["PA 1:1+10"]);
});

test("RFC 5961 5, MAY-12, BLIND-3, S-5, SEG-9: text with an impossible ACK is challenged and dropped", async (t) => {
  const { stack, peer, fd } = await open();
  stack.send(fd, pattern(100));
  stack.take();
  const say = (ack: number): string[] => peer.say("PA", { ack }, pattern(10, 3));
  for (const relative of [102, 0x80000000, -70000, -65536 - 1]) {
    t.deepEqual(say(peer.theirs(relative)), ["A 101:1"], `${relative}`);
    t.is(stack.receive(fd), -11);
  }
  t.deepEqual(say(peer.theirs(-1000)), []);
  t.deepEqual(stack.receive(fd), pattern(10, 3));
});

test("RFC 9293 3.10.7.4 fifth: an ACK from just half the sequence space away is of nothing that was sent, also where no window was ever open", async (t) => {
  for (const window of [0, 1, 65535]) {
    const stack = await deviceStack();
    const { peer, fd } = accepted(stack, stack.listen(80), 5000, { window });
    for (const offset of [0x7fffffff, 0x80000000, 0x80000001]) {
      t.deepEqual(
        peer.say("A", { ack: peer.theirs(1 + offset) }),
        ["A 1:1"],
        `${window}, ${offset}`,
      );
    }
    t.deepEqual(peer.text(pattern(10)).concat(peer.during(50)), ["A 1:11"]);
    t.deepEqual(stack.receive(fd), pattern(10));
  }
});

test("RFC 5961 7, BLIND-4, S-6: ten challenge ACKs in five seconds, counted for each connection", async (t) => {
  const { stack, listener, peer } = await open();
  const other = accepted(stack, listener, 5001).peer;
  const flood = (at: TcpPeer): number => {
    let answers = 0;
    for (let i = 0; i < 500; i++) answers += at.say("R", { seq: at.seq + 1 }).length;
    return answers;
  };
  t.is(flood(peer), 10);
  t.is(flood(other), 10);
  stack.advance(4900);
  t.is(flood(peer), 0);
  stack.advance(200);
  t.is(flood(peer), 10);
});

test("BLIND-5, S-7: empty segments out of the window are answered a few times only", async (t) => {
  const { peer } = await open();
  let answers = 0;
  for (let i = 0; i < 500; i++) answers += peer.say("A", { seq: peer.seq - 1 }).length;
  t.is(answers, 10);
});

test("RFC 9293 SEG-9: ACK of something unsent is answered with an ACK", async (t) => {
  const { peer } = await open();
  t.deepEqual(peer.say("A", { ack: peer.theirs(2) }), ["A 1:1"]);
});

test("RFC 9293 SEG-4: no step runs after one that dropped the segment", async (t) => {
  const { stack, peer, fd } = await open();
  stack.send(fd, pattern(100));
  stack.take();
  // Out of the window: its ACK must not count. In the window with SYN: neither ACK nor text.
  peer.say("PA", { seq: peer.seq + 9000, ack: peer.theirs(101) }, pattern(10));
  peer.say("SPA", { ack: peer.theirs(101) }, pattern(10));
  t.deepEqual(peer.during(250), ["PA 1:1+100"]);
  t.is(stack.receive(fd), -11);
});

test("S-16: ACKs beyond what was sent, tiny ACKs and many duplicates cause no burst", async (t) => {
  const { stack, peer, fd } = await open();
  stack.send(fd, pattern(8192));
  t.is(peer.segments().length, 3);
  for (let i = 1; i <= 1460; i++) peer.acknowledge(1 + i);
  // Slow start counts bytes: one segment acknowledged in 1460 steps gives one more segment than was acknowledged.
  const flight = 8192;
  t.true(((peer.last?.seq ?? 0) - peer.irs) >>> 0 <= flight + 2);
  let bytes = 0;
  for (let i = 0; i < 1000; i++) {
    stack.take();
    stack.inject(peer.frame("A"));
    for (const segment of peer.segments()) bytes += segment.data.length;
  }
  t.true(bytes <= 8192 + 1460, `${bytes} bytes for 1000 duplicates`);
});
