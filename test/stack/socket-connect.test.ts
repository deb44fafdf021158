import test from "../conformance/proves.js";
import { POLLERR, POLLHUP, SOCK_STREAM } from "../support/stack-harness.js";
import { TcpPeer, accepted, deviceStack } from "../support/tcp-peer.js";
import { pattern } from "../support/wire.js";

const E = {
  ADDRINUSE: -98,
  CONNABORTED: -103,
  CONNREFUSED: -111,
  INPROGRESS: -115,
} as const;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;

test("A2, connect(2): after a refused attempt connect tells the error once, then tries anew; never 0", async (t) => {
  const stack = await deviceStack();
  const host = stack.neighbour();
  const fd = stack.socket(SOCK_STREAM);
  const peer = TcpPeer.dialled(stack, host, fd, 80);
  peer.say("RA");
  t.is(stack.wasm.sysConnect(fd, host.address, 80), E.CONNREFUSED);
  const again = TcpPeer.dialled(stack, host, fd, 80);
  again.say("SA", { options: { mss: 1460 } });
  t.is(stack.wasm.sysConnect(fd, host.address, 80), 0);
});

test("A2: when SO_ERROR has taken the reason, connect says ECONNABORTED, then tries anew", async (t) => {
  const stack = await deviceStack();
  const host = stack.neighbour();
  const fd = stack.socket(SOCK_STREAM);
  TcpPeer.dialled(stack, host, fd, 80).say("RA");
  t.is(stack.wasm.sysEvents(fd) & (POLLERR | POLLHUP), POLLERR | POLLHUP);
  t.is(stack.wasm.sysError(fd), -E.CONNREFUSED);
  t.is(stack.wasm.sysConnect(fd, host.address, 80), E.CONNABORTED);
  t.is(stack.wasm.sysConnect(fd, host.address, 80), E.INPROGRESS);
  stack.wasm.sysClose(fd);
  stack.run();
  t.is(stack.tables()[0], 0, "no TCB is lost");
});

test("A2: a socket that was bound stays bound for the next attempt, one that was not gets another port", async (t) => {
  const stack = await deviceStack();
  const host = stack.neighbour();
  const bound = stack.socket(SOCK_STREAM);
  stack.wasm.sysBind(bound, 0, 4000);
  for (let attempt = 0; attempt < 3; attempt++) {
    const peer = TcpPeer.dialled(stack, host, bound, 80);
    t.is(peer.stackPort, 4000);
    peer.say("RA");
    t.is(stack.wasm.sysConnect(bound, host.address, 80), E.CONNREFUSED);
  }
});

test("A11: an accepted connection has the listener's TTL, TOS and TCP_NODELAY", async (t) => {
  const stack = await deviceStack();
  const listener = stack.listen(80);
  stack.wasm.sysSetOption(listener, 0, 2, 9);
  stack.wasm.sysSetOption(listener, 0, 1, 0x20);
  stack.wasm.sysSetOption(listener, IPPROTO_TCP, TCP_NODELAY, 1);
  const { peer, fd } = accepted(stack, listener, 5000);
  stack.take();
  stack.send(fd, pattern(3));
  stack.send(fd, pattern(3));
  const frames = stack.take();
  t.is(frames.length, 2, "not held back");
  t.deepEqual([frames[0]?.ip?.ttl, frames[0]?.ip?.tos], [9, 0x20]);
  void peer;
});

test("A12, tcp(7): TCP_NODELAY sends at once what Nagle's rule holds back", async (t) => {
  const stack = await deviceStack();
  const { peer, fd } = accepted(stack, stack.listen(80), 5000);
  stack.send(fd, pattern(10));
  t.deepEqual(peer.heard(), ["PA 1:1+10"]);
  stack.send(fd, pattern(10));
  t.deepEqual(peer.heard(), [], "held back");
  stack.wasm.sysSetOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  stack.run();
  t.deepEqual(peer.heard(), ["PA 11:1+10"]);
});

test("socket(7): a port of living connections is bound anew only with SO_REUSEADDR", async (t) => {
  const stack = await deviceStack();
  const listener = stack.listen(80);
  accepted(stack, listener, 5000);
  stack.wasm.sysClose(listener);
  const fd = stack.socket(SOCK_STREAM);
  t.is(stack.wasm.sysBind(fd, 0, 80), E.ADDRINUSE);
  stack.wasm.sysSetOption(fd, 1, 2, 1);
  t.is(stack.wasm.sysBind(fd, 0, 80), 0);
});
