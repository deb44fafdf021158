import test from "../conformance/proves.js";
import { SOCK_STREAM, type StackHarness } from "../support/stack-harness.js";
import { TcpPeer, accepted, deviceStack, type PeerConfig } from "../support/tcp-peer.js";
import { pattern } from "../support/wire.js";
import { TIGHT } from "../support/option-sets.js";

const TCP_LEVEL = 6;
const NODELAY = 1;

async function open(
  config: PeerConfig = {},
): Promise<{ stack: StackHarness; peer: TcpPeer; fd: number }> {
  const stack = await deviceStack();
  return { stack, ...accepted(stack, stack.listen(80), 5000, config) };
}

/** Sends and tells what went out. */
function send(
  { stack, peer, fd }: { stack: StackHarness; peer: TcpPeer; fd: number },
  bytes: number,
): string[] {
  stack.take();
  const taken = stack.send(fd, pattern(bytes));
  if (taken !== bytes) throw new Error(`${taken} of ${bytes} taken`);
  return peer.heard();
}

test("RFC 9293 SHLD-7, MUST-17: Nagle holds a second small write back until the first is acknowledged; TCP_NODELAY does not", async (t) => {
  const it = await open();
  t.deepEqual(send(it, 10), ["PA 1:1+10"]);
  t.deepEqual(send(it, 20), []);
  t.deepEqual(send(it, 30), []);
  t.deepEqual(it.peer.acknowledge(11), ["PA 11:1+50"]);
  it.peer.acknowledge(61);
  t.is(it.stack.wasm.sysSetOption(it.fd, TCP_LEVEL, NODELAY, 1), 0);
  t.deepEqual(send(it, 10), ["PA 61:1+10"]);
  t.deepEqual(send(it, 20), ["PA 71:1+20"]);
  it.stack.wasm.sysSetOption(it.fd, TCP_LEVEL, NODELAY, 0);
  t.deepEqual(send(it, 20), []);
});

test("RFC 9293 MUST-17: TCP_NODELAY counts, too, while an acknowledgment is owed, or text out of order is held", async (t) => {
  for (const ahead of [0, 100]) {
    for (const on of [0, 1]) {
      const it = await open();
      it.stack.wasm.sysSetOption(it.fd, TCP_LEVEL, NODELAY, on);
      t.deepEqual(send(it, 10), ["PA 1:1+10"]);
      it.peer.say("A", { seq: it.peer.seq + ahead }, pattern(10));
      t.deepEqual(send(it, 20), on === 1 ? [`PA 11:${ahead === 0 ? 11 : 1}+20`] : []);
    }
  }
});

test("RFC 9293 MAY-15, MAY-16, MSG_MORE, TCP_CORK: segments that are not full wait for more, and go when it comes, is said to be over, or after a while", async (t) => {
  const MORE = 0x8000;
  const CORK = 3;
  const it = await open();
  const { stack, peer, fd } = it;
  const more = (bytes: number): string[] => {
    stack.take();
    stack.send(fd, pattern(bytes), MORE);
    return peer.heard();
  };
  t.deepEqual(more(100), []);
  t.deepEqual(more(1500), ["A 1:1+1460"]);
  t.deepEqual(send(it, 10), ["PA 1461:1+150"]);
  peer.acknowledge(1611);
  t.is(stack.wasm.sysSetOption(fd, TCP_LEVEL, CORK, 1), 0);
  t.deepEqual(send(it, 100), []);
  stack.take();
  t.is(stack.wasm.sysSetOption(fd, TCP_LEVEL, CORK, 0), 0);
  stack.run();
  t.deepEqual(peer.heard(), ["PA 1611:1+100"]);
  peer.acknowledge(1711);
  stack.wasm.sysSetOption(fd, TCP_LEVEL, CORK, 1);
  t.deepEqual(send(it, 100), []);
  t.deepEqual(peer.during(150), []);
  t.deepEqual(peer.during(100), ["PA 1711:1+100"]);
  peer.acknowledge(1811);
  t.deepEqual(send(it, 50), []);
  stack.wasm.sysClose(fd);
  stack.run();
  t.deepEqual(peer.heard(), ["FPA 1811:1+50"]);
});

test("TCP_QUICKACK: an acknowledgment is not delayed", async (t) => {
  const { stack, peer, fd } = await open();
  t.deepEqual(peer.text(pattern(10)), []);
  peer.during(100);
  t.is(stack.wasm.sysSetOption(fd, TCP_LEVEL, 12, 1), 0);
  t.deepEqual(peer.text(pattern(10)), ["A 1:21"]);
});

test("RFC 9293 SHLD-27, SHLD-28, MUST-61: full segments as long as there is text, PSH on the last one", async (t) => {
  const it = await open();
  t.deepEqual(send(it, 4000), ["A 1:1+1460", "A 1461:1+1460", "PA 2921:1+1080"]);
});

test("F9: a small tail goes with the full segments before it; only a small one in flight holds a small one back", async (t) => {
  const it = await open();
  t.deepEqual(send(it, 1508), ["A 1:1+1460", "PA 1461:1+48"]);
  t.deepEqual(send(it, 20), []);
  t.deepEqual(it.peer.acknowledge(1461), [], "the small one is still in flight");
  t.deepEqual(it.peer.acknowledge(1509), ["PA 1509:1+20"]);
});

test("A13, RFC 9293 3.10.7.4: an ACK below SND.UNA does not change the window", async (t) => {
  const it = await open({ window: 5000 });
  send(it, 100);
  it.peer.acknowledge(101);
  it.peer.say("A", { ack: it.peer.theirs(1), seq: it.peer.seq, window: 0 });
  t.deepEqual(send(it, 10), ["PA 101:1+10"]);
});

test("RFC 9293 MUST-60: text that Nagle holds goes with the FIN, or by itself once the ACK has come", async (t) => {
  const it = await open();
  send(it, 10);
  send(it, 20);
  it.stack.wasm.sysShutdown(it.fd, 1);
  it.stack.run();
  t.deepEqual(it.peer.heard(), ["FPA 11:1+20"]);
});

test("RFC 9293 MUST-1, T-13: a window of 0xFFFF is big, not negative", async (t) => {
  const it = await open({ window: 0xffff });
  let bytes = 0;
  for (let round = 0; round < 40 && bytes < 40_000; round++) {
    it.stack.send(it.fd, pattern(8192));
    for (const segment of it.peer.segments()) bytes += segment.data.length;
    it.peer.ack = it.peer.theirs(bytes + 1);
    it.stack.inject(it.peer.frame("A"));
    for (const segment of it.peer.segments()) bytes += segment.data.length;
  }
  t.true(bytes >= 40_000);
});

test("RFC 9293 MUST-36, MUST-37, SHLD-29, SHLD-30: a zero window is probed, at doubling intervals up to 60 s, for ever", async (t) => {
  const it = await open({ window: 0 });
  const { stack, peer, fd } = it;
  t.deepEqual(send(it, 100), []);
  const start = stack.nowMs;
  const times: number[] = [];
  for (let i = 0; i < 60; i++) {
    t.deepEqual(peer.next(), ["A 1:1+1"]);
    times.push(stack.nowMs);
    t.deepEqual(peer.say("A"), []);
  }
  const gaps = times.map((time, i) => time - (times[i - 1] ?? start));
  t.is(gaps[0], 200);
  for (let i = 1; i < 60; i++) t.is(gaps[i], Math.min(2 * (gaps[i - 1] as number), 60_000));
  peer.window = 1000;
  t.deepEqual(peer.say("A"), ["PA 1:1+100"]);
  peer.acknowledge(101);
  t.is(stack.wasm.sysEvents(fd), 4);
  // The timeout of data has not grown with the probes' interval.
  send(it, 10);
  t.deepEqual(peer.during(1000).length, 2);
});

test("R2 of probes: a peer that answers none of them is given up", async (t) => {
  const it = await open({ window: 0 });
  send(it, 100);
  it.stack.advance(900_000);
  t.is(it.stack.receive(it.fd), -113);
  t.is(it.stack.tables()[0], 0);
});

test("a probe that the peer takes moves on by one byte; the rest follows when the window opens", async (t) => {
  const it = await open({ window: 0 });
  send(it, 100);
  t.deepEqual(it.peer.next(), ["A 1:1+1"]);
  t.deepEqual(it.peer.acknowledge(2), []);
  t.deepEqual(it.peer.next(), ["A 2:1+1"]);
  it.peer.window = 8000;
  t.deepEqual(it.peer.acknowledge(3), ["PA 3:1+98"]);
});

test("RFC 9293 3.8.6.1: an ACK sent while a probe is out stays inside the peer's window", async (t) => {
  const it = await open({ window: 0 });
  send(it, 100);
  it.peer.next();
  it.peer.text(pattern(1460));
  t.deepEqual(it.peer.text(pattern(1460)), ["A 1:2921"]);
});

test("RFC 9293 MUST-34, MUST-35, SHLD-15..17: a window that shrinks under text in flight", async (t) => {
  const it = await open({ window: 4000 });
  const { peer } = it;
  t.deepEqual(send(it, 3900).length, 3);
  t.deepEqual(peer.acknowledge(1, { window: 1000 }), []);
  t.deepEqual(send(it, 1000), []);
  // What is inside the window is sent again, no more.
  t.deepEqual(peer.next(), ["A 1:1+1000"]);
  t.deepEqual(peer.acknowledge(1001, { window: 0 }), []);
  peer.window = 0;
  for (let i = 0; i < 30; i++) {
    t.deepEqual(peer.next(), ["A 1001:1+1"], `probe ${i}`);
    t.deepEqual(peer.say("A"), []);
  }
  peer.window = 60000;
  t.deepEqual(peer.say("A")[0], "A 1001:1+1460");
});

test("a FIN waits for the window like text does, is probed with, and the connection is kept meanwhile", async (t) => {
  const it = await open({ window: 10 });
  const { peer, stack } = it;
  t.deepEqual(send(it, 10), ["PA 1:1+10"]);
  stack.wasm.sysShutdown(it.fd, 1);
  t.deepEqual(peer.during(1), []);
  t.deepEqual(peer.acknowledge(11, { window: 0 }), []);
  peer.window = 0;
  for (let i = 0; i < 30; i++) {
    t.deepEqual(peer.next(), ["FPA 11:1"], `probe ${i}`);
    t.deepEqual(peer.say("A"), []);
  }
  peer.window = 1;
  t.deepEqual(peer.say("A"), ["FPA 11:1"]);
  t.deepEqual(peer.acknowledge(12), []);
  t.is(stack.wasm.tcbState(0), 5);
});

test("RFC 9293 MUST-38: a window that opens byte by byte does not give tiny segments", async (t) => {
  const it = await open({ window: 1460 });
  const { peer } = it;
  send(it, 4000);
  peer.acknowledge(1461, { window: 0 });
  const sizes: number[] = [];
  for (let window = 1; window < 1460; window++) {
    for (const answer of peer.say("A", { window })) sizes.push(Number(answer.split("+")[1]));
  }
  t.deepEqual(sizes, [730]);
});

test("RFC 9293 3.8.6.2.1: silly-window avoidance is overridden in the end", async (t) => {
  const it = await open({ window: 1460 });
  send(it, 4000);
  it.peer.acknowledge(1461, { window: 100 });
  t.deepEqual(it.peer.next(), ["A 1461:1+100"]);
});

test("a full send ring is sent though it is less than a segment", async (t) => {
  const stack = await deviceStack(TIGHT);
  const it = { stack, ...accepted(stack, stack.listen(80), 5000) };
  t.deepEqual(send(it, 1000), ["A 1:1+512", "PA 513:1+488"]);
  t.is(stack.send(it.fd, pattern(500)), 24);
  t.deepEqual(it.peer.heard(), ["PA 1001:1+24"]);
});

test("send takes what there is room for, then EAGAIN; POLLOUT follows", async (t) => {
  const { stack, peer, fd } = await open();
  t.is(stack.send(fd, pattern(10_000)), 8192);
  t.is(stack.send(fd, pattern(10)), -11);
  t.is(stack.wasm.sysEvents(fd), 0);
  peer.acknowledge(1461);
  t.is(stack.send(fd, pattern(10_000)), 1460);
  peer.acknowledge(1 + 7300);
  t.is(stack.wasm.sysEvents(fd), 4);
});

test("MSG_ZEROCOPY: pieces are sent in order with copied text, from memory as it stands; when they run out EAGAIN", async (t) => {
  const { stack, peer, fd } = await open({ window: 60000 });
  const ZEROCOPY = 0x4000000;
  const scratch = stack.wasm.scratch() >>> 0;
  const memory = new Uint8Array(stack.wasm.memory.buffer);
  memory.set(pattern(30_000), scratch + 30_000);
  let taken = 0;
  const pieces: number[] = [];
  while (pieces.length < 100) {
    const bytes = 1000 + pieces.length;
    const copied = pieces.length % 2 === 0;
    memory.set(pattern(30_000).subarray(taken, taken + bytes), scratch);
    const from = copied ? scratch : scratch + 30_000 + taken;
    const result = stack.wasm.sysSend(fd, from, bytes, copied ? 0 : ZEROCOPY);
    if (result < 0) {
      t.is(result, -11);
      break;
    }
    taken += result;
    pieces.push(result);
  }
  t.is(pieces.length, 6);
  stack.run();
  const got = new Uint8Array(taken);
  let done = 0;
  for (let round = 0; round < 50 && done < taken; round++) {
    for (const segment of peer.segments()) {
      const at = (segment.seq - peer.irs - 1) >>> 0;
      got.set(segment.data, at);
      done = Math.max(done, at + segment.data.length);
    }
    peer.ack = peer.theirs(done + 1);
    stack.inject(peer.frame("A"));
  }
  t.deepEqual(got, pattern(30_000).subarray(0, taken));
  t.is(stack.wasm.sysEvents(fd), 4);
});

test("each connection has its turn: a bulk sender does not keep others waiting", async (t) => {
  const stack = await deviceStack();
  const listener = stack.listen(80);
  const bulk = accepted(stack, listener, 5000);
  const small = accepted(stack, listener, 5001);
  for (let i = 0; i < 20; i++) {
    stack.send(bulk.fd, pattern(8192));
    let end = 1;
    for (const segment of bulk.peer.segments())
      end = Math.max(end, (segment.seq + segment.data.length - bulk.peer.irs) >>> 0);
    bulk.peer.acknowledge(end);
  }
  stack.take();
  stack.wasm.sysSend(bulk.fd, stack.wasm.scratch(), 8192, 0);
  stack.wasm.sysSend(small.fd, stack.wasm.scratch(), 5, 0);
  stack.run();
  const order = stack.take().map((frame) => frame.tcp?.destinationPort);
  t.true(order.indexOf(5001) >= 0 && order.indexOf(5001) <= 4, order.join(" "));
});

test("RFC 9293 MUST-48, MUST-49, SHLD-22: type of service and time to live are the application's", async (t) => {
  const stack = await deviceStack();
  const fd = stack.socket(SOCK_STREAM);
  t.is(stack.wasm.sysSetOption(fd, 0, 1, 0xb9), 0);
  t.is(stack.wasm.sysSetOption(fd, 0, 2, 7), 0);
  const host = stack.neighbour();
  stack.wasm.sysConnect(fd, host.address, 80);
  stack.run();
  t.deepEqual(
    stack.take().map((f) => [f.ip?.tos, f.ip?.ttl]),
    [[0xb8, 7]],
  );
});

test("RFC 9293 SHLD-21: the type of service may change while the connection lives", async (t) => {
  const { stack, fd } = await open();
  for (const tos of [0x28, 0x88]) {
    t.is(stack.wasm.sysSetOption(fd, 0, 1, tos), 0);
    stack.take();
    stack.wasm.sysSetOption(fd, TCP_LEVEL, NODELAY, 1);
    stack.send(fd, pattern(10));
    t.deepEqual(
      stack.take().map((frame) => frame.ip?.tos),
      [tos],
    );
  }
});

test("RFC 9293 MAY-4, RFC 6864 4.1: a segment sent again is the same to the byte, its identification among them", async (t) => {
  const it = await open();
  it.stack.send(it.fd, pattern(100));
  const first = it.stack.take()[0];
  const again = it.stack.untilSent(5000)[0];
  t.is(first?.tcp?.data.length, 100);
  t.deepEqual(again?.bytes, first?.bytes);
  t.is(first?.ip?.id, 0);
  t.true(first?.ip?.dontFragment);
});

test("RFC 9293 SEG-10: an older segment does not change the window", async (t) => {
  const it = await open({ window: 5000 });
  const { peer, stack, fd } = it;
  peer.text(pattern(100));
  peer.say("A", { window: 3000 });
  // Older by its number; then the same number with an older ACK.
  peer.say("A", { seq: peer.seq - 50, window: 50 }, pattern(20));
  stack.send(fd, pattern(10));
  peer.acknowledge(11, { window: 4000 });
  peer.say("A", { ack: peer.theirs(1), window: 60 });
  stack.take();
  stack.send(fd, pattern(4000));
  t.is(peer.segments().length, 3);
});

test("RFC 9293 SEG-10: a segment that was sent before the one that told the window, and is still acceptable, does not change it", async (t) => {
  const it = await open({ window: 5000 });
  const { peer, stack, fd } = it;
  // The later one overtakes: WL1 is its number.
  peer.say("PA", { seq: peer.seq + 100, window: 4000 }, pattern(100));
  peer.say("PA", { seq: peer.seq, window: 60 }, pattern(100));
  stack.take();
  stack.send(fd, pattern(4000));
  t.is(
    peer.segments().reduce((sum, { data }) => sum + data.length, 0),
    2920 + 1080,
  );
});

test("RFC 9293 3.8.6: old text sent again that acknowledges more tells the window; the old one does not move on past the peer's edge", async (t) => {
  const it = await open({ window: 3000 });
  const { peer, stack, fd } = it;
  stack.send(fd, pattern(5000));
  // The peer's edge stays at 3000: its application reads nothing.
  peer.say("PA", { seq: peer.seq + 100, window: 3000 }, pattern(100));
  stack.take();
  peer.ack = peer.theirs(2921);
  stack.inject(peer.frame("PA", { seq: peer.seq, window: 80 }, pattern(100)));
  const ends = peer.segments().map(({ seq, data }) => ((seq - peer.irs - 1) >>> 0) + data.length);
  t.true(Math.max(0, ...ends) <= 3000, `${ends}`);
});

test("T-7: the smallest segments and thousands of SACKs with holes cost no more than other ACKs", async (t) => {
  const it = await open({ mss: 48 });
  const { peer, stack, fd } = it;
  stack.send(fd, pattern(8192));
  for (let i = 0; i < 3000; i++) {
    const left = peer.theirs(1 + ((i * 16) & 0xfff));
    peer.say("A", {
      options: {
        sack: [
          [left, left + 8],
          [left + 16, left + 24],
        ],
      },
    });
  }
  t.true(stack.answers(peer.host));
  t.is(stack.receive(fd), -11);
});
