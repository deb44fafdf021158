import test from "../conformance/proves.js";
import { SOCK_STREAM, type StackHarness } from "../support/stack-harness.js";
import { ADDRESS_A, ADDRESS_B, StackPair } from "../support/stack-pair.js";
import { TcpPeer, deviceStack } from "../support/tcp-peer.js";
import { concat, ip, pattern } from "../support/wire.js";
import type { Peer } from "../support/wire-peer.js";

async function dial(): Promise<{ stack: StackHarness; host: Peer; fd: number; peer: TcpPeer }> {
  const stack = await deviceStack();
  const host = stack.neighbour();
  const fd = stack.socket(SOCK_STREAM);
  return { stack, host, fd, peer: TcpPeer.dialled(stack, host, fd, 80) };
}

const MSS = { options: { mss: 1460 } };

test("RFC 9293 SEG-3: SYN-ACK opens, is acknowledged, and connect tells it once", async (t) => {
  const { stack, host, fd, peer } = await dial();
  t.is(stack.wasm.sysConnect(fd, host.address, 80), -114);
  t.is(stack.send(fd, pattern(1)), -11);
  t.deepEqual(peer.say("SA", MSS), ["A 1:1"]);
  t.is(stack.wasm.sysEvents(fd), 4);
  t.is(stack.wasm.sysConnect(fd, host.address, 80), 0);
  t.is(stack.wasm.sysConnect(fd, host.address, 80), -106);
});

test("a SYN-ACK that comes in the turn in which the SYN would be sent again opens all the same", async (t) => {
  const { stack, fd, peer } = await dial();
  // The timer comes due; it runs first, then the frame is taken in.
  stack.nowMs += 1000;
  t.deepEqual(peer.say("SA", MSS), ["A 1:1"]);
  stack.take();
  stack.send(fd, pattern(10));
  t.deepEqual(peer.heard(), ["PA 1:1+10"]);
});

test("RFC 9293 SEG-3, S-18: an ACK of something else is answered with RST, unless it is one", async (t) => {
  const { stack, peer } = await dial();
  for (const relative of [0, 2, -5, 0x80000000]) {
    const ack = peer.theirs(relative);
    const number = relative >>> 0;
    t.deepEqual(peer.say("A", { ack }), [`R ${number}`]);
    t.deepEqual(peer.say("SA", { ack }), [`R ${number}`]);
    t.deepEqual(peer.say("RA", { ack }), []);
  }
  t.deepEqual(peer.say("R"), []);
  t.deepEqual(peer.say("A"), []);
  t.deepEqual(peer.say("F"), []);
  t.deepEqual(peer.say("FA"), []);
  t.is(stack.wasm.tcbState(0), 1);
  t.deepEqual(peer.say("SA", MSS), ["A 1:1"]);
});

test("RFC 9293 SEG-3: RST with the right ACK refuses", async (t) => {
  const { stack, host, fd, peer } = await dial();
  t.deepEqual(peer.say("RA"), []);
  t.is(stack.wasm.sysEvents(fd) & 8, 8);
  t.is(stack.wasm.sysConnect(fd, host.address, 80), -111);
  t.is(stack.tables()[0], 0);
  t.is(stack.send(fd, pattern(1)), -107);
});

test("RFC 9293 MUST-10, MUST-11: simultaneous open", async (t) => {
  const { stack, host, fd, peer } = await dial();
  t.deepEqual(peer.say("S", MSS), ["SA 0:1"]);
  t.is(stack.wasm.tcbState(0), 2);
  peer.seq += 1;
  t.deepEqual(peer.say("SA", { seq: peer.iss }), ["A 1:1"]);
  t.deepEqual(peer.say("A"), []);
  t.is(stack.wasm.tcbState(0), 3);
  t.is(stack.wasm.sysConnect(fd, host.address, 80), 0);
  stack.send(fd, pattern(10));
  t.deepEqual(peer.heard(), ["PA 1:1+10"]);
  peer.acknowledge(11);
  peer.text(pattern(5));
  t.deepEqual(stack.receive(fd), pattern(5));
});

test("RFC 7323 2.2, 3.2: in a simultaneous open our SYN-ACK has the options that the SYN had, and no others", async (t) => {
  for (const options of [
    {},
    { mss: 1460, windowScale: 0 },
    { mss: 1460, sackPermitted: true },
    { mss: 1460, windowScale: 14, sackPermitted: true, timestamps: [77, 0] as [number, number] },
  ]) {
    const { peer } = await dial();
    const offered = peer.last?.options;
    peer.say("S", { options });
    const answered = peer.last?.options ?? {};
    t.deepEqual(Object.keys(answered).sort(), Object.keys({ ...options, mss: 0 }).sort());
    t.is(answered.mss, offered?.mss);
    t.is(answered.timestamps?.[1], options.timestamps?.[0]);
    // The same once more, when it is lost.
    t.deepEqual(peer.next(), ["SA 0:1"]);
    t.deepEqual(Object.keys(peer.last?.options ?? {}), Object.keys(answered));
  }
});

test("RFC 9293 MUST-11: RST in SYN-RECEIVED after a simultaneous open refuses; a bad ACK is answered with RST", async (t) => {
  const { stack, host, fd, peer } = await dial();
  peer.say("S", MSS);
  peer.seq += 1;
  t.deepEqual(peer.say("A", { ack: peer.theirs(9) }), ["R 9"]);
  t.deepEqual(peer.say("R"), []);
  t.is(stack.wasm.sysConnect(fd, host.address, 80), -111);
});

test("RFC 9293 MUST-22, MUST-23, SEG-14: SYNs at 0, 1, 3, 7, 15, 31, 63, 123 s; ETIMEDOUT after more than three minutes", async (t) => {
  const { stack, host, fd, peer } = await dial();
  const start = stack.nowMs;
  const times: number[] = [];
  for (;;) {
    const sent = peer.next(100_000);
    if (sent.length === 0) break;
    t.deepEqual(sent, ["S 0"]);
    times.push((stack.nowMs - start) / 1000);
  }
  t.deepEqual(times, [1, 3, 7, 15, 31, 63, 123]);
  t.is(stack.wasm.sysConnect(fd, host.address, 80), -110);
  t.is(stack.tables()[0], 0);
  t.true(stack.nowMs - start >= 180_000);
});

test("a SYN waits for ARP; a host that does not answer is unreachable", async (t) => {
  const stack = await deviceStack();
  const host = stack.peer("192.168.7.77", "02:00:00:00:00:77");
  const fd = stack.socket(SOCK_STREAM);
  t.is(stack.wasm.sysConnect(fd, host.address, 80), -115);
  stack.run();
  t.deepEqual(
    stack.take().map((f) => f.arp?.operation),
    [1],
  );
  stack.inject(host.arpReply());
  const frames = stack.take();
  t.deepEqual(
    frames.map((f) => f.tcp?.flags),
    [2],
  );
  const lost = stack.socket(SOCK_STREAM);
  stack.wasm.sysConnect(lost, ip("192.168.7.78"), 80);
  stack.advance(2500);
  t.is(stack.take().filter((f) => f.arp).length, 3, "a second apart (RFC 1122 2.3.2.1)");
  t.is(stack.wasm.sysConnect(lost, ip("192.168.7.78"), 80), -114, "not given up before the third");
  stack.advance(10_000);
  t.is(stack.wasm.sysConnect(lost, ip("192.168.7.78"), 80), -113);
});

test("RFC 6298 5.7: waiting for ARP is no lost SYN", async (t) => {
  const stack = await deviceStack();
  const host = stack.peer("192.168.7.77", "02:00:00:00:00:77");
  const fd = stack.socket(SOCK_STREAM);
  stack.wasm.sysConnect(fd, host.address, 80);
  stack.advance(2500);
  stack.take();
  stack.inject(host.arpReply());
  const syn = stack.take()[0]?.tcp;
  const peer = new TcpPeer(stack, host, 80, syn?.sourcePort ?? 0);
  peer.irs = syn?.seq ?? 0;
  peer.ack = peer.theirs(1);
  peer.say("SA", MSS);
  stack.send(fd, pattern(8000));
  t.is(peer.segments().length, 3);
});

test("RFC 9293 MUST-44, MUST-46: no connection to broadcast, multicast, nobody or port 0; nothing leaves", async (t) => {
  const stack = await deviceStack();
  stack.take();
  const fd = stack.socket(SOCK_STREAM);
  for (const [address, port] of [
    ["255.255.255.255", 80],
    ["192.168.7.255", 80],
    ["224.0.0.1", 80],
    ["0.0.0.0", 80],
    ["192.168.7.9", 0],
  ] as const) {
    t.true(stack.wasm.sysConnect(fd, ip(address), port) < 0);
    stack.run();
  }
  t.deepEqual(stack.take(), []);
  t.is(stack.wasm.sysBind(fd, ip("127.0.0.1"), 5000), 0);
  t.is(stack.wasm.sysConnect(fd, ip("192.168.7.9"), 80), -22);
  t.is(stack.tables()[0], 0);
});

test("RFC 9293 MUST-8, SHLD-1, RFC 6528, ISN-1: the initial number of one tuple advances with a 4 us clock", async (t) => {
  const stack = await deviceStack();
  stack.listen(80);
  const host = stack.neighbour();
  const isn = (): number => {
    const peer = new TcpPeer(stack, host, 5000, 80);
    peer.syn();
    peer.say("R");
    return peer.irs;
  };
  const first = isn();
  stack.advance(1000);
  t.is((isn() - first) >>> 0, 250_000);
});

test("ISN-2, S-8, RFC 9293 MUST-9: numbers of different tuples are unrelated, and a new start gives new ones", async (t) => {
  const numbers = async (seeds: [number, number]): Promise<number[]> => {
    const stack = await deviceStack({}, { seeds });
    stack.listen(80);
    const host = stack.neighbour();
    return Array.from({ length: 1000 }, (_, i) => {
      const peer = new TcpPeer(stack, host, 5000 + i, 80);
      peer.syn();
      peer.say("R");
      return peer.irs;
    });
  };
  const here = await numbers([1, 2]);
  const there = await numbers([1, 3]);
  t.is(new Set(here).size, 1000);
  t.is(here.filter((number, i) => number === there[i]).length, 0);
  const steps = here.map((number, i) => (number - (here[i - 1] ?? 0)) >>> 0).slice(1);
  t.is(new Set(steps).size, 999);
  for (let bit = 0; bit < 32; bit++) {
    const ones = here.filter((number) => (number >>> bit) & 1).length;
    t.true(ones > 400 && ones < 600, `bit ${bit}: ${ones}`);
  }
});

test("RFC 6056, PORT-1, PORT-2, S-9: ports are spread at random over 1024 to 65535, away from listeners", async (t) => {
  const stack = await deviceStack();
  const host = stack.neighbour();
  const ports = Array.from({ length: 200 }, () => {
    const fd = stack.socket(SOCK_STREAM);
    const peer = TcpPeer.dialled(stack, host, fd, 80);
    peer.say("RA");
    stack.wasm.sysClose(fd);
    return peer.stackPort;
  });
  t.true(Math.min(...ports) >= 1024);
  t.true(Math.min(...ports) < 8000);
  t.true(Math.max(...ports) > 58_000);
  t.true(new Set(ports).size > 190);
  const steps = new Set(ports.map((port, i) => port - (ports[i - 1] ?? 0)));
  t.true(steps.size > 190);
  t.is(stack.tables()[0], 0);
});

test("RFC 9293 MUST-45: the local address of a connection stays", async (t) => {
  const { peer, stack, fd } = await dial();
  peer.say("SA", MSS);
  stack.send(fd, concat(pattern(10)));
  t.deepEqual(
    stack.take().map((f) => f.ip?.source),
    [stack.address],
  );
});

test("RFC 9293 MUST-10: two of our stacks that open to each other at once", async (t) => {
  const pair = await StackPair.create({ delayMs: 5 });
  const { a, b } = pair;
  const [left, right] = [a.socket(SOCK_STREAM), b.socket(SOCK_STREAM)];
  pair.until(() => pair.nowMs >= 5000, "announcements");
  a.wasm.sysBind(left, 0, 4000);
  b.wasm.sysBind(right, 0, 4000);
  const start = pair.nowMs;
  a.wasm.sysConnect(left, ADDRESS_B, 4000);
  b.wasm.sysConnect(right, ADDRESS_A, 4000);
  pair.until(() => a.wasm.sysEvents(left) === 4 && b.wasm.sysEvents(right) === 4, "both open");
  t.true(pair.nowMs - start < 1000);
  a.send(left, pattern(100));
  pair.until(() => b.wasm.sysEvents(right) === 5, "text");
  t.deepEqual(b.receive(right), pattern(100));
});
