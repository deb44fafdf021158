import test from "../conformance/proves.js";
import { ERRNO, POLLERR, SOCK_DGRAM, SOCK_STREAM, StackHarness } from "../support/stack-harness.js";
import { BROADCAST_MAC, ip, pattern } from "../support/wire.js";

const PEER = "192.168.7.9";
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_BROADCAST = 6;
const IP_TOS = 1;
const IP_TTL = 2;
const IP_RECVERR = 11;
const EACCES = 13;
const BROADCAST = ip("192.168.7.255");

/** A socket connected to a port of a known host that is closed: its datagram was answered by ICMP port unreachable. */
async function refused(): Promise<{ stack: StackHarness; fd: number; unreachable: Uint8Array }> {
  const stack = await StackHarness.quiet();
  const peer = stack.neighbour(PEER);
  const fd = stack.udpSocket(5000);
  stack.wasm.sysConnect(fd, peer.address, 6000);
  stack.send(fd, pattern(4));
  const quote = (stack.take()[0]?.bytes as Uint8Array).slice(14, 42);
  const unreachable = peer.icmp({ type: 3, code: 3 }, quote);
  stack.inject(unreachable);
  return { stack, fd, unreachable };
}

test("A1: a datagram, and an ICMP error for a connected socket, are news that end a wait at once", async (t) => {
  const stack = await StackHarness.quiet();
  const peer = stack.neighbour(PEER);
  stack.udpSocket(5000);
  const before = stack.wasm.readyCount();
  stack.inject(peer.udp({ sourcePort: 4000, destinationPort: 5000 }, pattern(9)));
  t.true(stack.wasm.readyCount() > before);
  const error = await refused();
  const told = error.stack.wasm.readyCount();
  error.stack.inject(error.unreachable);
  t.true(error.stack.wasm.readyCount() > told);
});

test("A1: what is dropped for its checksum is no news", async (t) => {
  const stack = await StackHarness.quiet();
  const peer = stack.neighbour(PEER);
  stack.udpSocket(5000);
  const before = stack.wasm.readyCount();
  const bad = peer.udp({ sourcePort: 4000, destinationPort: 5000 }, pattern(9));
  bad[45] = (bad[45] as number) ^ 1;
  stack.inject(bad);
  t.is(stack.wasm.readyCount(), before);
});

for (const call of ["recv", "send"] as const) {
  test(`A4, RFC 1122 4.1.3.3: port unreachable is told once by ${call}, then the socket works on`, async (t) => {
    const { stack, fd } = await refused();
    t.is(stack.wasm.sysEvents(fd) & POLLERR, POLLERR);
    const at = stack.wasm.scratch();
    const first = call === "recv" ? stack.receive(fd) : stack.wasm.sysSend(fd, at, 4, 0);
    t.is(first, -ERRNO.ECONNREFUSED);
    t.is(stack.wasm.sysEvents(fd) & POLLERR, 0);
    t.is(stack.receive(fd), -ERRNO.EAGAIN);
    t.is(stack.send(fd, pattern(4)), 4);
  });
}

test("A3: a second bind, and a bind after sendto or connect, gives EINVAL and changes nothing", async (t) => {
  const stack = await StackHarness.quiet();
  const peer = stack.neighbour(PEER);
  const { wasm } = stack;
  const other = stack.udpSocket(5008);
  const twice = stack.udpSocket(5016);
  t.is(wasm.sysBind(twice, 0, 5024), -ERRNO.EINVAL);
  const sent = stack.socket(SOCK_DGRAM);
  stack.sendTo(sent, pattern(1), peer.address, 53);
  t.is(wasm.sysBind(sent, 0, 5032), -ERRNO.EINVAL);
  const connected = stack.socket(SOCK_DGRAM);
  t.is(wasm.sysConnect(connected, peer.address, 53), 0);
  t.is(wasm.sysBind(connected, 0, 5040), -ERRNO.EINVAL);
  t.is(wasm.sysLocalPort(twice), 5016);
  for (const fd of [twice, sent, connected]) t.is(wasm.sysClose(fd), 0);
  stack.inject(peer.udp({ sourcePort: 4000, destinationPort: 5008 }, pattern(3)));
  t.deepEqual(stack.receive(other), pattern(3), "the others of the table still hear");
});

test("A11: IP_TTL and IP_TOS of a datagram socket stand in its datagrams", async (t) => {
  const stack = await StackHarness.quiet();
  const peer = stack.neighbour(PEER);
  const fd = stack.udpSocket(5000);
  t.is(stack.wasm.sysSetOption(fd, 0, IP_TTL, 3), 0);
  t.is(stack.wasm.sysSetOption(fd, 0, IP_TOS, 0xb8), 0);
  stack.take();
  stack.sendTo(fd, pattern(4), peer.address, 53);
  const sent = stack.take()[0]?.ip;
  t.is(sent?.ttl, 3);
  t.is(sent?.tos, 0xb8);
});

test("A11, send(2): a broadcast address needs SO_BROADCAST, in sendto and in connect", async (t) => {
  const stack = await StackHarness.quiet();
  const fd = stack.udpSocket(5000);
  for (const address of [BROADCAST, 0xffffffff]) {
    t.is(stack.sendTo(fd, pattern(4), address, 9), -EACCES);
    t.is(stack.wasm.sysConnect(fd, address, 9), -EACCES);
  }
  t.deepEqual(stack.take(), []);
  t.is(stack.wasm.sysSetOption(fd, SOL_SOCKET, SO_BROADCAST, 1), 0);
  for (const address of [BROADCAST, 0xffffffff]) {
    t.is(stack.sendTo(fd, pattern(4), address, 9), 4);
    t.is(stack.take()[0]?.destination, BROADCAST_MAC);
  }
  t.is(stack.wasm.sysConnect(fd, BROADCAST, 9), 0);
});

test("A11: a datagram socket can be bound to a broadcast address; it hears only what is sent there", async (t) => {
  const stack = await StackHarness.quiet();
  const peer = stack.neighbour(PEER);
  const fd = stack.udpSocket(5000, BROADCAST);
  const datagram = { sourcePort: 4000, destinationPort: 5000 };
  stack.inject(
    peer.udp(datagram, pattern(5), {
      ip: { destination: BROADCAST },
      ethernet: { destination: BROADCAST_MAC },
    }),
  );
  t.deepEqual(stack.receive(fd), pattern(5));
  stack.inject(peer.udp(datagram, pattern(5)));
  t.is(stack.receive(fd), -ERRNO.EAGAIN);
});

test("A11: SO_REUSEADDR on both lets datagram sockets share a port; the connected one hears its peer", async (t) => {
  const stack = await StackHarness.quiet();
  const peer = stack.neighbour(PEER);
  const { wasm } = stack;
  const [first, second] = [stack.socket(SOCK_DGRAM), stack.socket(SOCK_DGRAM)];
  wasm.sysSetOption(first as number, SOL_SOCKET, SO_REUSEADDR, 1);
  t.is(wasm.sysBind(first as number, 0, 5000), 0);
  t.is(wasm.sysBind(second as number, 0, 5000), -ERRNO.EADDRINUSE);
  wasm.sysSetOption(second as number, SOL_SOCKET, SO_REUSEADDR, 1);
  t.is(wasm.sysBind(second as number, 0, 5000), 0);
  wasm.sysConnect(first as number, peer.address, 4000);
  stack.inject(peer.udp({ sourcePort: 4000, destinationPort: 5000 }, pattern(3)));
  t.deepEqual(stack.receive(first as number), pattern(3));
  stack.inject(peer.udp({ sourcePort: 4001, destinationPort: 5000 }, pattern(2)));
  t.deepEqual(stack.receive(second as number), pattern(2));
});

test("TCP options mean nothing to a datagram socket", async (t) => {
  const stack = await StackHarness.quiet();
  t.is(stack.wasm.sysSetOption(stack.udpSocket(5000), 6, 1, 1), -92);
  t.is(stack.wasm.sysSetOption(stack.socket(SOCK_STREAM), 6, 1, 1), 0);
});

test("IP_RECVERR: the queue keeps four errors, who told them and the MTU; what finds no room is told and not kept; a closed socket's are gone", async (t) => {
  const stack = await StackHarness.quiet();
  const peer = stack.neighbour(PEER);
  const router = peer.as(ip("192.168.7.1"));
  const fd = stack.udpSocket(5000);
  t.is(stack.wasm.sysSetOption(fd, 0, IP_RECVERR, 1), 0);
  const fail = (port: number, code: number, mtu = 0): void => {
    // What came before is told first.
    stack.wasm.sysError(fd);
    stack.take();
    stack.sendTo(fd, pattern(4), peer.address, port);
    const quote = (stack.take().find(({ udp }) => udp)?.bytes as Uint8Array).slice(14, 42);
    stack.inject(router.icmp({ type: 3, code, rest: mtu }, quote));
  };
  const queued = (): (number | string)[] => {
    const at = stack.wasm.sysReceiveError(fd);
    if (at < 0) return [at];
    const error = new DataView(stack.wasm.memory.buffer, at >>> 0, 20);
    return [
      ...[error.getUint16(2, true), error.getUint8(4), error.getUint8(5), error.getUint16(6, true)],
      ...[error.getUint32(8, true), error.getUint32(12, true), error.getUint32(16, true)],
    ];
  };
  fail(6000, 4, 1400);
  for (const port of [6001, 6002, 6003, 6004]) fail(port, 3);
  t.is(stack.wasm.sysError(fd), ERRNO.ECONNREFUSED, "the fifth is told");
  const by = ip("192.168.7.1");
  t.deepEqual(queued(), [90, 3, 4, 6000, ip(PEER), by, 1400]);
  for (const port of [6001, 6002, 6003]) {
    t.true((stack.wasm.sysEvents(fd) & POLLERR) !== 0);
    t.deepEqual(queued(), [111, 3, 3, port, ip(PEER), by, 0]);
  }
  t.deepEqual(queued(), [-ERRNO.EAGAIN]);
  t.is(stack.wasm.sysEvents(fd) & POLLERR, 0);
  for (let i = 0; i < 4; i++) fail(6000, 3);
  stack.wasm.sysClose(fd);
  const next = stack.udpSocket(5000);
  t.is(stack.wasm.sysReceiveError(next), -ERRNO.EAGAIN);
  t.is(stack.wasm.sysEvents(next) & POLLERR, 0);
});
