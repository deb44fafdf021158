import test from "ava";
import { ERRNO, SOCK_STREAM } from "../support/stack-harness.js";
import { TcpPeer, accepted, deviceStack } from "../support/tcp-peer.js";
import { pattern } from "../support/wire.js";

/** A server that opens no connections, on a wire without strangers and routers. */
const SERVER = { TCP_CONNECT: 0, TCP_SYN_COOKIES: 0, ICMP_ERRORS: 0, TCP_SYN_RECORDS: 3 };

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
