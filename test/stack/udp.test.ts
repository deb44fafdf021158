import test from "../conformance/proves.js";
import {
  ERRNO,
  POLLERR,
  POLLIN,
  POLLOUT,
  SOCK_DGRAM,
  StackHarness,
} from "../support/stack-harness.js";
import {
  BROADCAST_MAC,
  PROTOCOL,
  internetSum,
  ip,
  pattern,
  pseudoHeader,
} from "../support/wire.js";

const PEER = "192.168.7.9";
const MSG_PEEK = 2;

/** A stack with a socket on port 5000 and a host it knows. */
async function bench(): Promise<{
  stack: StackHarness;
  peer: ReturnType<StackHarness["neighbour"]>;
  fd: number;
}> {
  const stack = await StackHarness.quiet();
  return { stack, peer: stack.neighbour(PEER), fd: stack.udpSocket(5000) };
}

const TO_5000 = { sourcePort: 4000, destinationPort: 5000 };

test("UDP-4: a datagram is delivered with its sender, whatever its size", async (t) => {
  const { stack, peer, fd } = await bench();
  t.is(stack.receiveFrom(fd), -ERRNO.EAGAIN);
  t.is(stack.wasm.sysEvents(fd) & POLLIN, 0);
  for (let bytes = 0; bytes <= 1472; bytes += bytes < 20 ? 1 : 121) {
    stack.inject(peer.udp(TO_5000, pattern(bytes, bytes)));
    t.is(stack.wasm.sysEvents(fd) & POLLIN, POLLIN);
    t.deepEqual(stack.receiveFrom(fd), {
      data: pattern(bytes, bytes),
      address: peer.address,
      port: 4000,
    });
  }
  t.deepEqual(stack.take(), []);
});

test("UDP: the ring keeps datagrams in order across its wrap, and a short read loses only its own rest", async (t) => {
  const { stack, peer, fd } = await bench();
  const sizes = [1, 700, 3, 1472, 0, 1203];
  for (let round = 0; round < 40; round++) {
    sizes.forEach((bytes, i) => stack.inject(peer.udp(TO_5000, pattern(bytes, round + i))));
    sizes.forEach((bytes, i) => {
      const limit = i === 1 ? 100 : 65536;
      const peeked = stack.receiveFrom(fd, limit, MSG_PEEK);
      const taken = stack.receiveFrom(fd, limit);
      t.deepEqual(taken, peeked);
      t.deepEqual(
        typeof taken === "number" ? taken : taken.data,
        pattern(bytes, round + i).slice(0, limit),
      );
    });
    t.is(stack.receiveFrom(fd), -ERRNO.EAGAIN);
  }
});

test("UDP-1, U-1: a length below 8 or beyond the packet is dropped, a shorter one cuts", async (t) => {
  const { stack, peer, fd } = await bench();
  for (const length of [0, 1, 7, 29, 1000, 65535]) {
    const frame = peer.udp({ ...TO_5000, length }, pattern(20));
    t.is(stack.counted(() => stack.inject(frame)).udpBadLength, 1, `${length}`);
  }
  t.is(stack.receiveFrom(fd), -ERRNO.EAGAIN);
  for (const length of [8, 9, 20, 28]) {
    stack.inject(peer.udp({ ...TO_5000, length }, pattern(20)));
    const taken = stack.receiveFrom(fd);
    t.deepEqual(typeof taken === "number" ? taken : taken.data, pattern(20).slice(0, length - 8));
  }
  t.deepEqual(stack.take(), []);
});

test("U-1: every truncated length of a datagram is dropped", async (t) => {
  const { stack, peer, fd } = await bench();
  const whole = peer.udp(TO_5000, pattern(40));
  const tables = stack.tables();
  for (let bytes = 1; bytes < whole.length; bytes++) {
    stack.inject(whole.subarray(0, bytes));
    t.is(stack.receiveFrom(fd), -ERRNO.EAGAIN);
  }
  for (let bytes = 0; bytes < 48; bytes++) {
    const payload = whole.slice(34, 34 + bytes);
    stack.inject(peer.ip(PROTOCOL.UDP, payload));
    t.is(stack.receiveFrom(fd), -ERRNO.EAGAIN);
  }
  t.deepEqual(stack.take(), []);
  t.deepEqual(stack.tables(), tables);
  t.true(stack.answers(peer));
});

test("UDP-2, U-2: a wrong checksum is dropped, also across the wrap of the ring; 0 is none", async (t) => {
  const { stack, peer, fd } = await bench();
  for (let round = 0; round < 30; round++) {
    const bytes = 900 + round;
    const bad = peer.udp(TO_5000, pattern(bytes));
    const at = 42 + ((round * 31) % bytes);
    bad[at] = (bad[at] as number) ^ 0x10;
    const changed = stack.counted(() => stack.inject(bad));
    t.is(changed.udpBadChecksum, 1);
    t.is(stack.receiveFrom(fd), -ERRNO.EAGAIN);
    stack.inject(peer.udp({ ...TO_5000, checksum: round % 2 ? 0 : undefined }, pattern(bytes)));
    const taken = stack.receiveFrom(fd);
    t.deepEqual(typeof taken === "number" ? taken : taken.data, pattern(bytes));
  }
});

test("UDP-2: a checksum that comes to 0 is sent as 0xFFFF", async (t) => {
  const { stack, peer, fd } = await bench();
  const ports = [5000 >>> 8, 5000 & 0xff, 6000 >>> 8, 6000 & 0xff];
  const header = Uint8Array.from([...ports, 0, 10, 0, 0]);
  const sum = internetSum(pseudoHeader(stack.address, peer.address, PROTOCOL.UDP, 10), header);
  const word = 0xffff - sum;
  stack.sendTo(fd, Uint8Array.of(word >>> 8, word & 0xff), peer.address, 6000);
  const [datagram] = stack.take();
  t.is(datagram?.udp?.checksum, 0xffff);
});

test("UDP-2: what we send has a checksum and the right length, whatever size and alignment", async (t) => {
  const { stack, peer, fd } = await bench();
  for (const bytes of [0, 1, 2, 3, 17, 18, 19, 1000, 1471, 1472]) {
    stack.poison();
    t.is(stack.sendTo(fd, pattern(bytes), peer.address, 6000), bytes);
    const [datagram, ...more] = stack.take();
    t.is(more.length, 0);
    t.deepEqual(datagram?.udp?.data, pattern(bytes));
    t.deepEqual([datagram?.udp?.sourcePort, datagram?.udp?.destinationPort], [5000, 6000]);
  }
  t.is(stack.sendTo(fd, pattern(1473), peer.address, 6000), -ERRNO.EMSGSIZE);
});

test("UDP-5: source port 0 is taken, destination port 0 is dropped", async (t) => {
  const { stack, peer, fd } = await bench();
  stack.inject(peer.udp({ sourcePort: 0, destinationPort: 5000 }, pattern(4)));
  t.deepEqual(stack.receiveFrom(fd), { data: pattern(4), address: peer.address, port: 0 });
  const nowhere = peer.udp({ sourcePort: 4000, destinationPort: 0 }, pattern(4));
  t.is(stack.counted(() => stack.inject(nowhere)).udpBadLength, 1);
  t.deepEqual(stack.take(), []);
});

test("U-4: 10 000 datagrams without a read fill the ring and no more; the oldest are kept", async (t) => {
  const { stack, peer, fd } = await bench();
  const neighbourFd = stack.udpSocket(5001);
  for (let i = 0; i < 10_000; i++) stack.inject(peer.udp(TO_5000, pattern(100, i)));
  const kept = 10_000 - stack.counter("udpRingFull");
  t.true(kept >= 72 && kept <= 74, `${kept} kept`);
  for (let i = 0; i < kept; i++) {
    const taken = stack.receiveFrom(fd);
    t.deepEqual(typeof taken === "number" ? taken : taken.data, pattern(100, i));
  }
  t.is(stack.receiveFrom(fd), -ERRNO.EAGAIN);
  t.is(stack.receiveFrom(neighbourFd), -ERRNO.EAGAIN);
  stack.inject(peer.udp(TO_5000, pattern(5)));
  t.not(stack.receiveFrom(fd), -ERRNO.EAGAIN);
});

test("UDP-4: a connected socket hears its peer only", async (t) => {
  const { stack, peer, fd } = await bench();
  const stranger = stack.neighbour("192.168.7.10", "02:00:00:00:00:02");
  const connected = stack.udpSocket(5001);
  t.is(stack.wasm.sysConnect(connected, peer.address, 4000), 0);
  const frame = { sourcePort: 4000, destinationPort: 5001 };
  const unreachable = (answers: ReturnType<StackHarness["exchange"]>): boolean =>
    answers[0]?.icmp?.type === 3;
  t.true(unreachable(stack.exchange(stranger.udp(frame, pattern(4)))));
  t.true(unreachable(stack.exchange(peer.udp({ ...frame, sourcePort: 4001 }, pattern(4)))));
  t.deepEqual(stack.exchange(peer.udp(frame, pattern(4))), []);
  t.deepEqual(stack.receive(connected), pattern(4));
  t.is(stack.receive(fd), -ERRNO.EAGAIN);
  t.is(stack.send(connected, pattern(6)), 6);
  t.is(stack.take()[0]?.udp?.destinationPort, 4000);
});

test("UDP: a socket that is bound to our address hears what is sent there alone, and nobody else can bind there", async (t) => {
  const stack = await StackHarness.quiet();
  const peer = stack.neighbour(PEER);
  const exact = stack.udpSocket(5000, stack.address);
  t.is(stack.wasm.sysBind(stack.socket(SOCK_DGRAM), 0, 5000), -ERRNO.EADDRINUSE, "any overlaps it");
  t.is(stack.wasm.sysBind(stack.socket(SOCK_DGRAM), peer.address, 5002), -ERRNO.EADDRNOTAVAIL);
  stack.inject(peer.udp(TO_5000, pattern(3)));
  t.deepEqual(stack.receive(exact), pattern(3));
  stack.inject(
    peer.udp(TO_5000, pattern(3), {
      ip: { destination: 0xffffffff },
      ethernet: { destination: BROADCAST_MAC },
    }),
  );
  t.is(stack.receive(exact), -ERRNO.EAGAIN, "a broadcast is not for that address");
});

test("UDP: broadcasts are received by a socket bound to any, and sent to the broadcast MAC", async (t) => {
  const { stack, peer, fd } = await bench();
  for (const destination of [ip("255.255.255.255"), ip("192.168.7.255")]) {
    stack.inject(
      peer.udp(TO_5000, pattern(7), {
        ip: { destination },
        ethernet: { destination: BROADCAST_MAC },
      }),
    );
    t.deepEqual(stack.receive(fd), pattern(7));
    stack.wasm.sysSetOption(fd, 1, 6, 1);
    t.is(stack.sendTo(fd, pattern(7), destination, 6000), 7);
    const [datagram] = stack.take();
    t.is(datagram?.destination, BROADCAST_MAC);
    t.is(datagram?.ip?.source, stack.address);
  }
});

test("UDP, RFC 6056: a socket without a port gets one that nobody can foresee", async (t) => {
  const ports: number[] = [];
  for (let seed = 1; seed <= 3; seed++) {
    const stack = await StackHarness.quiet({ seeds: [seed, 99] });
    const peer = stack.neighbour(PEER);
    for (let i = 0; i < 8; i++) {
      const fd = stack.socket(SOCK_DGRAM);
      t.is(stack.sendTo(fd, pattern(4), peer.address, 53), 4);
      ports.push(stack.take()[0]?.udp?.sourcePort as number);
      t.is(stack.wasm.sysLocalPort(fd), ports.at(-1));
    }
  }
  t.true(ports.every((port) => port >= 1024));
  t.is(new Set(ports).size, ports.length);
  const steps = ports.slice(1).map((port, i) => port - (ports[i] as number));
  t.is(new Set(steps).size, steps.length, "no constant step");
});

test("UDP: closing frees port and slot, and what waited is gone", async (t) => {
  const { stack, peer, fd } = await bench();
  const tables = stack.tables();
  for (let i = 0; i < 100; i++) {
    // All in one bucket of the port table, closed out of order.
    const fds = [5008, 5016, 5024].map((port) => stack.udpSocket(port));
    stack.inject(peer.udp({ ...TO_5000, destinationPort: 5016 }, pattern(9)));
    for (const at of [1, 0, 2]) stack.wasm.sysClose(fds[(at + i) % 3] as number);
  }
  t.deepEqual(stack.tables(), tables);
  const again = stack.udpSocket(5016);
  t.is(stack.receive(again), -ERRNO.EAGAIN);
  stack.inject(peer.udp(TO_5000, pattern(2)));
  t.deepEqual(stack.receive(fd), pattern(2), "the other socket of the bucket is still found");
});

test("UDP-4: no route, no destination and a pending error are told", async (t) => {
  const stack = await StackHarness.quiet({ gateway: 0 });
  const fd = stack.udpSocket(5000);
  t.is(stack.sendTo(fd, pattern(4), ip("8.8.8.8"), 53), -ERRNO.ENETUNREACH);
  t.is(stack.send(fd, pattern(4)), -ERRNO.EDESTADDRREQ);
  const peer = stack.neighbour(PEER);
  stack.wasm.sysConnect(fd, peer.address, 6000);
  stack.send(fd, pattern(4));
  const quote = (stack.take()[0]?.bytes as Uint8Array).slice(14, 42);
  stack.inject(peer.icmp({ type: 3, code: 1 }, quote));
  t.is(stack.wasm.sysEvents(fd) & (POLLERR | POLLOUT), POLLERR | POLLOUT);
  t.is(stack.wasm.sysError(fd), ERRNO.EHOSTUNREACH);
  t.is(stack.wasm.sysEvents(fd) & POLLERR, 0);
});

test("UDP: the DHCP client's port belongs to the DHCP client", async (t) => {
  const stack = await StackHarness.quiet();
  t.is(stack.wasm.sysBind(stack.socket(SOCK_DGRAM), 0, 68), -ERRNO.EADDRINUSE);
});
