/** SO_REUSEPORT (socket(7)): several sockets at one place, and the work spread over them by a keyed hash of the peer. */
import test from "../conformance/proves.js";
import { SOCK_DGRAM, SOCK_STREAM, type StackHarness } from "../support/stack-harness.js";
import { TcpPeer, deviceStack } from "../support/tcp-peer.js";
import { pattern } from "../support/wire.js";
import { BIG } from "../support/option-sets.js";

const [SOCKET, REUSEPORT] = [1, 15];
const [EADDRINUSE, EAGAIN] = [-98, -11];
const PORT = 80;

function shared(stack: StackHarness, type: number): number {
  const fd = stack.socket(type);
  stack.wasm.sysSetOption(fd, SOCKET, REUSEPORT, 1);
  return fd;
}

function listeners(stack: StackHarness, count: number): number[] {
  return Array.from({ length: count }, () => {
    const fd = shared(stack, SOCK_STREAM);
    if (stack.wasm.sysBind(fd, 0, PORT) !== 0 || stack.wasm.sysListen(fd, 8) !== 0)
      throw new Error("not shared");
    return fd;
  });
}

test("all of them must ask for it", async (t) => {
  const stack = await deviceStack();
  listeners(stack, 2);
  const other = stack.socket(SOCK_STREAM);
  t.is(stack.wasm.sysBind(other, 0, PORT), EADDRINUSE);
  const plain = stack.socket(SOCK_DGRAM);
  t.is(stack.wasm.sysBind(plain, 0, PORT), 0);
  t.is(stack.wasm.sysBind(shared(stack, SOCK_DGRAM), 0, PORT), EADDRINUSE);
});

test("1,000 connections over four listeners: none gets less than 15 %, and a closed one leaves nobody refused", async (t) => {
  const stack = await deviceStack(BIG);
  const open = listeners(stack, 4);
  const host = stack.neighbour();
  const counts = new Map(open.map((fd) => [fd, 0]));
  let refused = 0;
  for (let i = 0; i < 1000; i++) {
    if (i === 500) stack.wasm.sysClose(open.pop() as number);
    const peer = TcpPeer.client(stack, host, 2000 + i, PORT);
    for (const listener of open) {
      const fd = stack.wasm.sysAccept(listener);
      if (fd === EAGAIN) continue;
      counts.set(listener, (counts.get(listener) ?? 0) + 1);
      stack.wasm.sysAbort(fd);
      stack.run();
    }
    if (peer.heard().length === 0) refused++;
  }
  t.is(refused, 0);
  const [first, second, third, closed] = [...counts.values()];
  for (const count of [first, second, third]) t.true((count ?? 0) >= 150, `${count}`);
  t.true((closed ?? 0) >= 75, `${closed} of 500`);
  t.is(
    [...counts.values()].reduce((sum, count) => sum + count),
    1000,
  );
});

test("connections that wait in a listener which is closed, and half-open ones, go to another one", async (t) => {
  const stack = await deviceStack();
  const [one, two] = listeners(stack, 2) as [number, number];
  const host = stack.neighbour();
  for (let i = 0; i < 6; i++) TcpPeer.client(stack, host, 3000 + i, PORT);
  const half = new TcpPeer(stack, host, 4000, PORT);
  half.syn();
  stack.take();
  stack.wasm.sysClose(one);
  stack.run();
  t.deepEqual(stack.take(), []);
  half.say("A");
  let accepted = 0;
  while (stack.wasm.sysAccept(two) >= 0) accepted++;
  t.is(accepted, 7);
});

test("datagrams of one sender go to one socket, those of many over all", async (t) => {
  const stack = await deviceStack();
  const fds = [0, 1, 2].map(() => {
    const fd = shared(stack, SOCK_DGRAM);
    t.is(stack.wasm.sysBind(fd, 0, 9), 0);
    return fd;
  });
  const host = stack.neighbour();
  const counts = [0, 0, 0];
  for (let port = 5000; port < 5300; port++) {
    const got = new Set<number>();
    for (let i = 0; i < 2; i++) {
      stack.inject(host.udp({ sourcePort: port, destinationPort: 9 }, pattern(10)));
      fds.forEach((fd, at) => {
        if (typeof stack.receive(fd) === "number") return;
        got.add(at);
        counts[at] = (counts[at] ?? 0) + 1;
      });
    }
    t.is(got.size, 1);
  }
  t.true(
    counts.every((count) => count > 120),
    counts.join(),
  );
});

test("a listener that comes, goes, or is held to a device is heeded by the next SYN, whoever was asked for before", async (t) => {
  const stack = await deviceStack();
  const host = stack.neighbour();
  const { wasm } = stack;
  const listen = (address: number): number => {
    const fd = shared(stack, SOCK_STREAM);
    t.is(wasm.sysBind(fd, address, PORT), 0);
    t.is(wasm.sysListen(fd, 8), 0);
    return fd;
  };
  let port = 5000;
  const reaches = (fd: number): boolean => {
    TcpPeer.client(stack, host, port++, PORT);
    return wasm.sysAccept(fd) >= 0;
  };
  const refused = (): string[] => new TcpPeer(stack, host, port++, PORT).syn();
  t.deepEqual(refused(), ["RA 0:1"]);
  const any = listen(0);
  t.true(reaches(any));
  const own = listen(stack.address);
  t.true(reaches(own), "the more exact one");
  t.is(wasm.sysClose(own), 0);
  t.true(reaches(any));
  const [BINDTODEVICE, LOOPBACK] = [25, 1];
  t.is(wasm.sysSetOption(any, SOCKET, BINDTODEVICE, LOOPBACK), 0);
  t.deepEqual(refused(), ["RA 0:1"]);
  t.is(wasm.sysSetOption(any, SOCKET, BINDTODEVICE, 0), 0);
  t.true(reaches(any));
  t.is(wasm.sysClose(any), 0);
  t.deepEqual(refused(), ["RA 0:1"]);
});
