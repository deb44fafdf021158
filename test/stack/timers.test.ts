import test from "../conformance/proves.js";
import { SOCK_STREAM } from "../support/stack-harness.js";
import { TcpPeer, accepted, deviceStack } from "../support/tcp-peer.js";
import { pattern } from "../support/wire.js";
import { BIG } from "../support/option-sets.js";

test("the deadline is that of the earliest timer, exactly, so that a device can sleep until then", async (t) => {
  const stack = await deviceStack();
  const { peer, fd } = accepted(stack, stack.listen(80), 5000);
  const deadline = (): number => stack.wasm.deadline(stack.nowMs >>> 0) >>> 0;
  const idle = deadline();
  t.true(idle > 10_000, `${idle} ms when idle`);
  stack.send(fd, pattern(10));
  t.is(deadline(), 200);
  peer.text(pattern(10));
  t.is(deadline(), 40);
  stack.advance(40);
  t.is(deadline(), 160);
  peer.acknowledge(11);
  t.true(deadline() > 10_000);
});

test("an idle connection causes no work at all", async (t) => {
  const stack = await deviceStack();
  accepted(stack, stack.listen(80), 5000);
  stack.advance(1_500_000);
  stack.take();
  stack.advance(3_000_000);
  t.deepEqual(stack.take(), []);
});

test("RFC 9293 SEG-13: timeouts keep their length across the wrap of the millisecond clock", async (t) => {
  for (const startMs of [0xffffffff - 7000, 0x7fffffff - 7000]) {
    const stack = await deviceStack({}, { startMs });
    const { peer, fd } = accepted(stack, stack.listen(80), 5000);
    stack.send(fd, pattern(10));
    stack.take();
    const gaps: number[] = [];
    for (let i = 0; i < 7; i++) {
      const before = stack.nowMs;
      peer.next();
      gaps.push(stack.nowMs - before);
    }
    t.deepEqual(gaps, [200, 400, 800, 1600, 3200, 6400, 12800]);
    t.deepEqual(peer.acknowledge(11), []);
  }
});

test("many timers at once: each connection's SYN goes again at its own time", async (t) => {
  const stack = await deviceStack(BIG);
  const host = stack.neighbour();
  const begun = new Map<number, number>();
  for (let i = 0; i < 40; i++) {
    const peer = TcpPeer.dialled(stack, host, stack.socket(SOCK_STREAM), 80);
    begun.set(peer.stackPort, stack.nowMs);
    stack.advance((i * 37) % 23);
  }
  const again = new Map<number, number[]>();
  const end = stack.nowMs + 4000;
  while (stack.nowMs < end) {
    for (const { tcp } of stack.untilSent(end - stack.nowMs)) {
      if (!tcp) continue;
      const after = stack.nowMs - (begun.get(tcp.sourcePort) ?? 0);
      again.set(tcp.sourcePort, [...(again.get(tcp.sourcePort) ?? []), after]);
    }
  }
  t.is(begun.size, 40);
  for (const port of begun.keys()) {
    const times = again.get(port) ?? [];
    t.is(times[0] ?? 1000, 1000);
    t.is(times.at(-1), 3000);
  }
});

test("A10: with as many records as the options allow every TIME-WAIT ends after 2 MSL", async (t) => {
  const records = { TCP_TCBS: 4, TCP_SYN_RECORDS: 8, TCP_TIME_WAIT_RECORDS: 238 };
  const stack = await deviceStack(records);
  const listener = stack.listen(80);
  for (let i = 0; i < 238; i++) {
    const { peer, fd } = accepted(stack, listener, 5000 + i);
    stack.wasm.sysClose(fd);
    stack.run();
    peer.ack = peer.theirs(2);
    peer.say("FA");
  }
  t.deepEqual(stack.tables(), [0, 0, 238, 1]);
  stack.advance(130_000);
  t.deepEqual(stack.tables(), [0, 0, 0, 1]);
});
