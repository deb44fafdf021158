import test from "../conformance/proves.js";
import { TcpPeer, accepted, closed, opened, shut } from "../support/tcp-peer.js";
import { pattern } from "../support/wire.js";
import { TIGHT } from "../support/option-sets.js";

const NOTHING = new Uint8Array(0);
const STATE = { FIN_WAIT_2: 5 } as const;

test("SEG-15, S-13: FIN-WAIT-2 of a closed socket ends after a minute, of a half-closed one it stays", async (t) => {
  const it = await opened();
  const { stack, peer } = it;
  shut(it);
  peer.acknowledge(2);
  stack.advance(3_600_000);
  t.is(stack.wasm.tcbState(0), STATE.FIN_WAIT_2);
  closed(it);
  t.deepEqual(stack.tables(), [0, 0, 1, 1]);
  stack.advance(61_000);
  t.deepEqual(stack.tables(), [0, 0, 0, 1]);
});

test("SEG-15, S-13: FIN-WAIT-2 of a closed socket whose peer's FIN lies beyond a hole ends a minute after our FIN was acknowledged, or after close", async (t) => {
  for (const first of ["close", "FIN"] as const) {
    const it = await opened();
    const { stack, peer } = it;
    const lone = (): string[] => peer.say("FA", { seq: peer.seq + 10, ack: peer.theirs(2) });
    if (first === "close") {
      closed(it);
      // Life is counted from the acknowledgment, not from close.
      peer.wait(50_000);
      t.deepEqual(lone(), ["A 2:1"]);
      t.is(stack.wasm.tcbState(0), STATE.FIN_WAIT_2);
    } else {
      shut(it);
      peer.acknowledge(2);
      t.deepEqual(lone(), ["A 2:1"]);
      peer.wait(3_600_000);
      closed(it);
    }
    peer.wait(59_000);
    t.deepEqual(stack.tables(), [1, 0, 0, 1], first);
    peer.wait(2000);
    t.deepEqual(stack.tables(), [0, 0, 0, 1], first);
  }
});

test("S-13: LAST-ACK, FIN-WAIT-1 and CLOSING of nobody end by RST when a minute, and the try that falls behind it, have had no answer", async (t) => {
  for (const finished of [false, true]) {
    const it = await opened();
    const { stack, peer } = it;
    if (finished) peer.text(NOTHING, "FA");
    closed(it);
    // The tries double from 200 ms: after 51 s the next one is at 102.
    peer.wait(61_000);
    t.is(stack.tables()[0], 1);
    const heard = peer.during(45_000);
    t.is(heard.length, 2, heard.join());
    t.true(heard[0]?.startsWith("F"), heard.join());
    t.true(heard[1]?.startsWith("R"), heard.join());
    t.deepEqual(stack.tables(), [0, 0, 0, 1]);
  }
});

test("a cable that is plugged in again: what an orphan sends behind its minute may be answered still", async (t) => {
  const it = await opened();
  const { stack, peer } = it;
  peer.text(NOTHING, "FA");
  closed(it);
  peer.wait(61_000);
  t.true(peer.during(42_000).at(-1)?.startsWith("F"));
  peer.acknowledge(2);
  t.deepEqual(peer.during(60_000), []);
  t.deepEqual(stack.tables(), [0, 0, 0, 1]);
});

test("S-12: clients that stop reading cannot keep others out: a stalled orphan gives way after five seconds", async (t) => {
  const it = await opened(TIGHT);
  const { stack, listener } = it;
  const stalled = [it, ...[1, 2].map((i) => ({ ...it, ...accepted(stack, listener, 5000 + i) }))];
  for (const one of stalled) {
    stack.send(one.fd, pattern(8000));
    one.peer.window = 0;
    one.peer.acknowledge(1461);
    closed(one);
  }
  const client = new TcpPeer(stack, stack.neighbour(), 6000, 80);
  client.syn();
  t.is(client.last?.window, 0);
  client.say("A");
  t.is(stack.wasm.sysAccept(listener), -11);
  let fd = -11;
  const start = stack.nowMs;
  while (fd < 0 && stack.nowMs - start < 10_000) {
    for (const line of client.next(1000)) if (line.startsWith("SA")) client.say("A");
    for (const one of stalled) one.peer.say("A");
    fd = stack.wasm.sysAccept(listener);
  }
  t.true(fd >= 0);
  client.text(pattern(10));
  t.deepEqual(stack.receive(fd), pattern(10));
});

test("the peer resets an orphan: all of it is free", async (t) => {
  const it = await opened();
  it.stack.send(it.fd, pattern(8000));
  closed(it);
  it.peer.say("R");
  t.deepEqual(it.stack.tables(), [0, 0, 0, 1]);
});
