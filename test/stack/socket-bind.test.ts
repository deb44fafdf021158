import test from "../conformance/proves.js";
import { SOCK_STREAM } from "../support/stack-harness.js";
import { TcpPeer, accepted, deviceStack } from "../support/tcp-peer.js";
import { ip, pattern } from "../support/wire.js";
import { TIGHT } from "../support/option-sets.js";

const LOCALHOST = ip("127.0.0.1");
const E = {
  ADDRINUSE: -98,
  NETUNREACH: -101,
  NOBUFS: -105,
  CONNREFUSED: -111,
  INPROGRESS: -115,
} as const;

test("bind(2): one listener or bound socket for an address and port; different addresses live side by side", async (t) => {
  const stack = await deviceStack();
  const { wasm } = stack;
  const bind = (address: number, port: number): number => {
    const fd = stack.socket(SOCK_STREAM);
    const result = wasm.sysBind(fd, address, port);
    if (result < 0) wasm.sysClose(fd);
    return result < 0 ? result : fd;
  };
  const any = bind(0, 80);
  t.true(any >= 0);
  t.is(bind(0, 80), E.ADDRINUSE);
  t.is(bind(LOCALHOST, 80), E.ADDRINUSE);
  const local = bind(LOCALHOST, 81);
  const own = bind(stack.address, 81);
  t.true(local >= 0 && own >= 0);
  t.is(bind(0, 81), E.ADDRINUSE);
  t.is(wasm.sysListen(local, 1), 0);
  t.is(wasm.sysListen(own, 1), 0);
  t.is(bind(stack.address, 81), E.ADDRINUSE);
  wasm.sysClose(any);
  const again = bind(0, 80);
  t.true(again >= 0);
  t.is(wasm.sysListen(again, 1), 0);
});

test("RFC 9293 MUST-41, MUST-42, MUST-43: listeners of one address, and beside connections with their port", async (t) => {
  const stack = await deviceStack();
  const host = stack.neighbour();
  const { wasm } = stack;
  const dialler = stack.socket(SOCK_STREAM);
  wasm.sysBind(dialler, 0, 4000);
  const peer = TcpPeer.dialled(stack, host, dialler, 4000);
  t.is(peer.stackPort, 4000);
  const listener = stack.listen(4000);
  t.deepEqual(peer.say("SA"), ["A 1:1"]);
  const client = TcpPeer.client(stack, host, 5000, 4000);
  t.true(wasm.sysAccept(listener) >= 0);
  void client;
  const local = stack.socket(SOCK_STREAM);
  wasm.sysBind(local, LOCALHOST, 90);
  wasm.sysListen(local, 1);
  const outside = new TcpPeer(stack, host, 5001, 90);
  t.deepEqual(outside.syn(), ["RA 0:1"]);
});

test("SO_REUSEADDR: a listener can be opened again at once, with connections of its port open and in TIME-WAIT", async (t) => {
  const stack = await deviceStack();
  const listener = stack.listen(80);
  const { peer, fd } = accepted(stack, listener, 5000);
  const kept = accepted(stack, listener, 5001);
  stack.wasm.sysClose(fd);
  stack.run();
  peer.acknowledge(2);
  peer.say("FA");
  stack.wasm.sysClose(listener);
  t.deepEqual(stack.tables(), [1, 0, 1, 1]);
  const again = stack.listen(80);
  accepted(stack, again, 5002);
  kept.peer.text(pattern(5));
  t.deepEqual(stack.receive(kept.fd), pattern(5));
});

test("connect(2): the same four-tuple twice is EADDRINUSE; TCBs used up is ENOBUFS", async (t) => {
  const stack = await deviceStack(TIGHT);
  const host = stack.neighbour();
  const dial = (port: number): number => {
    const fd = stack.socket(SOCK_STREAM);
    stack.wasm.sysSetOption(fd, 1, 2, 1);
    if (port !== 0) stack.wasm.sysBind(fd, 0, port);
    return stack.wasm.sysConnect(fd, host.address, 80);
  };
  t.is(dial(4000), E.INPROGRESS);
  t.is(dial(4000), E.ADDRINUSE);
  for (let i = 0; i < 2; i++) t.is(dial(0), E.INPROGRESS);
  t.is(dial(0), E.NOBUFS);
});

test("connect(2) without an address or a route: ENETUNREACH, and the socket can be used again", async (t) => {
  const stack = await deviceStack({}, { gateway: 0 });
  const fd = stack.socket(SOCK_STREAM);
  t.is(stack.wasm.sysConnect(fd, ip("8.8.8.8"), 80), E.NETUNREACH);
  const host = stack.neighbour();
  t.is(stack.wasm.sysConnect(fd, host.address, 80), E.INPROGRESS);
});

test("loopback: connect to our own listener by 127.0.0.1 and by our address; refused where nobody listens", async (t) => {
  const stack = await deviceStack();
  const { wasm } = stack;
  const listener = stack.listen(80);
  for (const address of [LOCALHOST, stack.address, ip("127.9.9.9")]) {
    const fd = stack.socket(SOCK_STREAM);
    t.is(wasm.sysConnect(fd, address, 80), E.INPROGRESS);
    stack.run();
    t.is(wasm.sysConnect(fd, address, 80), 0);
    const server = wasm.sysAccept(listener);
    t.true(server >= 0);
    stack.send(fd, pattern(3000));
    t.deepEqual(stack.receive(server), pattern(3000));
    wasm.sysClose(fd);
    stack.run();
    t.deepEqual(stack.receive(server), new Uint8Array(0));
    wasm.sysClose(server);
    stack.run();
    const refused = stack.socket(SOCK_STREAM);
    wasm.sysConnect(refused, address, 81);
    stack.run();
    t.is(wasm.sysConnect(refused, address, 81), E.CONNREFUSED);
    wasm.sysClose(refused);
  }
  t.deepEqual(stack.take(), []);
  stack.advance(61_000);
  t.deepEqual(stack.tables(), [0, 0, 0, 1]);
});

test("RFC 9293 3.5: a socket that connects to its own port opens simultaneously with itself", async (t) => {
  const stack = await deviceStack();
  const fd = stack.socket(SOCK_STREAM);
  stack.wasm.sysBind(fd, 0, 4000);
  t.is(stack.wasm.sysConnect(fd, LOCALHOST, 4000), E.INPROGRESS);
  stack.run();
  t.is(stack.wasm.sysConnect(fd, LOCALHOST, 4000), 0);
  stack.send(fd, pattern(500));
  t.deepEqual(stack.receive(fd), pattern(500));
  stack.wasm.sysClose(fd);
  stack.advance(120_000);
  t.deepEqual(stack.tables(), [0, 0, 0, 0]);
});

test("RFC 6056, PORT-3: datagram sockets get ports at random, too", async (t) => {
  const stack = await deviceStack();
  const ports = Array.from({ length: 100 }, () => {
    const fd = stack.udpSocket();
    const port = stack.wasm.sysLocalPort(fd);
    stack.wasm.sysClose(fd);
    return port;
  });
  t.true(Math.min(...ports) >= 1024);
  t.true(new Set(ports).size > 90);
  t.true(new Set(ports.map((port, i) => port - (ports[i - 1] ?? 0))).size > 90);
});
