import test from "ava";
import { ERRNO, SOCK_STREAM } from "../support/stack-harness.js";
import { TcpPeer, accepted, deviceStack } from "../support/tcp-peer.js";
import { pattern } from "../support/wire.js";

const MSG_ZEROCOPY = 0x4000000;

/** A server that opens no connections, on a wire without strangers and routers; it sends from its ring alone, and keeps nothing that is out of order. */
const SERVER = {
  TCP_CONNECT: 0,
  TCP_SYN_COOKIES: 0,
  ICMP_ERRORS: 0,
  TCP_SYN_RECORDS: 3,
  TCP_RANGES: 0,
  TCP_SACK: 0,
  TCP_TX_PIECES: 0,
  TCP_TX_BYTES: 2048,
};

test("without TCP_CONNECT a stream cannot be connected, and a server serves as ever", async (t) => {
  const stack = await deviceStack(SERVER);
  const host = stack.neighbour();
  const client = stack.socket(SOCK_STREAM);
  t.is(stack.wasm.sysConnect(client, host.address, 80), -ERRNO.EOPNOTSUPP);
  t.deepEqual(stack.take(), []);
  const { peer, fd } = accepted(stack, stack.listen(80), 5000);
  peer.text(pattern(300));
  t.deepEqual(stack.receive(fd), pattern(300));
  stack.send(fd, pattern(100));
  t.deepEqual(peer.segments()[0]?.data, pattern(100));
  t.is(stack.wasm.sysConnect(fd, host.address, 80), -ERRNO.EISCONN);
  const datagrams = stack.udpSocket(5000);
  t.is(stack.wasm.sysConnect(datagrams, host.address, 6000), 0);
});

test("without TCP_CONNECT what is sent is sent again, and given up in the end", async (t) => {
  const stack = await deviceStack(SERVER);
  const { peer, fd } = accepted(stack, stack.listen(80), 5000);
  stack.send(fd, pattern(100));
  t.is(peer.segments().length, 1);
  t.is(peer.next().length, 1, "after the timeout");
  stack.advance(3_600_000);
  t.is(stack.receive(fd), -ERRNO.EHOSTUNREACH, "it is silent to ARP, too");
});

test("without TCP_SYN_COOKIES a SYN that finds the queue full is dropped, and a place that is free again is the next one's", async (t) => {
  const stack = await deviceStack(SERVER);
  stack.listen(80, 8);
  const host = stack.neighbour();
  const first = Array.from({ length: 3 }, (_, i) => new TcpPeer(stack, host, 5000 + i, 80));
  for (const peer of first) t.deepEqual(peer.syn(), ["SA 0:1"], "all records serve");
  const late = new TcpPeer(stack, host, 6000, 80);
  const counted = stack.counted(() => t.deepEqual(late.syn(), []));
  t.is(counted.tcpSynDropped, 1);
  t.deepEqual(first[0]?.say("A"), []);
  t.deepEqual(new TcpPeer(stack, host, 6002, 80).syn(), ["SA 0:1"]);
  // An ACK that nobody asked for is refused, whatever number it brings.
  t.regex(new TcpPeer(stack, host, 6001, 80).say("A")[0] ?? "", /^R /);
});

test("TCP_TX_PIECES 0: the ring alone sends, sends again and goes round; MSG_ZEROCOPY copies", async (t) => {
  const stack = await deviceStack(SERVER);
  const { peer, fd } = accepted(stack, stack.listen(80), 5000);
  const sent = pattern(4000);
  let done = 0;
  const text = (): Uint8Array => {
    const segments = peer.segments();
    return Uint8Array.from(segments.flatMap(({ data }) => [...data]));
  };
  for (let round = 0; round < 5; round++) {
    const part = sent.subarray(done, done + 800);
    t.is(stack.send(fd, part, MSG_ZEROCOPY), 800);
    t.deepEqual(text(), part, `round ${round}`);
    // What the application has there by now does not matter.
    const scratch = stack.wasm.scratch() >>> 0;
    new Uint8Array(stack.wasm.memory.buffer).fill(0xee, scratch, scratch + 800);
    peer.acknowledge(1 + done + 300);
    t.is(peer.next().length, 1, "after the timeout");
    t.deepEqual(peer.last?.data, part.subarray(300));
    done += 800;
    peer.acknowledge(1 + done);
  }
  t.is(stack.send(fd, pattern(3000)), 2048);
  t.is(stack.send(fd, pattern(10)), -ERRNO.EAGAIN);
});

test("TCP_RANGES 0: text out of order is asked for again, and taken when it comes in order", async (t) => {
  const stack = await deviceStack(SERVER);
  const { peer, fd } = accepted(stack, stack.listen(80), 5000);
  const text = pattern(300);
  t.deepEqual(peer.say("A", { seq: peer.seq + 100 }, text.subarray(100)), ["A 1:1"]);
  t.is(stack.receive(fd), -ERRNO.EAGAIN);
  peer.text(text.subarray(0, 100));
  t.deepEqual(stack.receive(fd), text.subarray(0, 100));
  peer.text(text.subarray(100));
  t.deepEqual(stack.receive(fd), text.subarray(100));
});

test("without ICMP_ERRORS a refusal is not heard, and pings are answered", async (t) => {
  const stack = await deviceStack(SERVER);
  const host = stack.neighbour();
  const fd = stack.udpSocket(5000);
  stack.wasm.sysConnect(fd, host.address, 6000);
  stack.send(fd, pattern(20));
  const quote = (stack.take()[0]?.bytes as Uint8Array).slice(14, 14 + 28);
  stack.inject(host.icmp({ type: 3, code: 3 }, quote));
  t.is(stack.wasm.sysError(fd), 0);
  t.true(stack.answers(host));
});
