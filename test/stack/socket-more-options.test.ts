/** What options that few applications have do on the wire. */
import test from "ava";
import { TcpPeer, deviceStack } from "../support/tcp-peer.js";
import { SOCK_DGRAM, SOCK_STREAM } from "../support/stack-harness.js";
import { pattern } from "../support/wire.js";

const [SOL_SOCKET, IPPROTO_TCP] = [1, 6];
const [SO_BINDTODEVICE, TCP_MAXSEG, TCP_DEFER_ACCEPT] = [25, 2, 9];
const [LOOPBACK, ETHERNET] = [1, 2];

test("TCP_MAXSEG: it is announced by SYN and SYN-ACK, and no longer text is sent", async (t) => {
  const stack = await deviceStack();
  const host = stack.neighbour();
  const fd = stack.socket(SOCK_STREAM);
  stack.wasm.sysSetOption(fd, IPPROTO_TCP, TCP_MAXSEG, 700);
  stack.take();
  stack.wasm.sysConnect(fd, host.address, 7);
  stack.run();
  t.is(stack.take().find(({ tcp }) => tcp)?.tcp?.options.mss, 700);
  const listener = stack.listen(80);
  stack.wasm.sysSetOption(listener, IPPROTO_TCP, TCP_MAXSEG, 300);
  const peer = new TcpPeer(stack, host, 5000, 80);
  peer.syn();
  t.is(peer.last?.options.mss, 300);
  peer.say("A");
  stack.send(stack.wasm.sysAccept(listener), pattern(300 + 300));
  t.deepEqual(peer.heard(), ["A 1:1+300", "PA 301:1+300"]);
});

test("TCP_DEFER_ACCEPT: silence after the handshake's ACK until the time is over, then one SYN-ACK, whose answer counts", async (t) => {
  const stack = await deviceStack();
  const listener = stack.listen(80);
  stack.wasm.sysSetOption(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, 7);
  const peer = new TcpPeer(stack, stack.neighbour(), 5000, 80);
  peer.syn();
  const start = stack.nowMs;
  t.deepEqual(peer.say("A"), []);
  t.is(stack.wasm.sysEvents(listener), 0);
  t.deepEqual(peer.next(60_000), ["SA 0:1"]);
  t.is((stack.nowMs - start) / 1000, 7);
  t.is(stack.wasm.sysEvents(listener), 0);
  t.deepEqual(peer.say("A"), []);
  t.true(stack.wasm.sysAccept(listener) >= 0);
});

test("TCP_DEFER_ACCEPT: text counts at once, and FIN; a client whose ACK was lost gets its SYN-ACK as ever; longer than 31 s is 31 s", async (t) => {
  const stack = await deviceStack();
  const listener = stack.listen(80);
  stack.wasm.sysSetOption(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, 600);
  const host = stack.neighbour();
  const talker = new TcpPeer(stack, host, 5000, 80);
  talker.syn();
  talker.say("A");
  t.is(stack.wasm.sysEvents(listener), 0);
  talker.say("PA", {}, pattern(3));
  t.true(stack.wasm.sysAccept(listener) >= 0);
  const finisher = new TcpPeer(stack, host, 5001, 80);
  finisher.syn();
  finisher.say("FA");
  t.true(stack.wasm.sysAccept(listener) >= 0);
  const lost = new TcpPeer(stack, host, 5002, 80);
  lost.syn();
  const start = stack.nowMs;
  const times: number[] = [];
  for (let answers = 0; answers < 3; answers++) {
    while (!lost.next(60_000).some((said) => said === "SA 0:1"));
    times.push((stack.nowMs - start) / 1000);
  }
  t.deepEqual(times, [1, 3, 7]);
  lost.say("A");
  while (!lost.next(60_000).some((said) => said === "SA 0:1"));
  t.is((stack.nowMs - start) / 1000, 31);
  lost.say("A");
  t.true(stack.wasm.sysAccept(listener) >= 0);
});

test("SO_BINDTODEVICE: what comes from elsewhere is for others", async (t) => {
  const stack = await deviceStack();
  const host = stack.neighbour();
  const near = stack.listen(80);
  stack.wasm.sysSetOption(near, SOL_SOCKET, SO_BINDTODEVICE, LOOPBACK);
  t.deepEqual(new TcpPeer(stack, host, 5000, 80).syn(), ["RA 0:1"]);
  stack.wasm.sysSetOption(near, SOL_SOCKET, SO_BINDTODEVICE, ETHERNET);
  t.deepEqual(new TcpPeer(stack, host, 5001, 80).syn(), ["SA 0:1"]);
  const fd = stack.socket(SOCK_DGRAM);
  stack.wasm.sysSetOption(fd, SOL_SOCKET, SO_BINDTODEVICE, ETHERNET);
  t.is(stack.wasm.sysSendTo(fd, stack.wasm.scratch(), 4, 0, 0x7f000001, 9), -101);
  t.is(stack.wasm.sysSendTo(fd, stack.wasm.scratch(), 4, 0, host.address, 9), 4);
  t.is(stack.wasm.sysSetOption(fd, SOL_SOCKET, SO_BINDTODEVICE, 3), -19);
});
