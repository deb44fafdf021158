/** The options of a part with little memory: no slot for waiting packets, no loopback, three neighbours. */
import test from "../conformance/proves.js";
import { DhcpBench, LEASED, LEASE_SECONDS, SERVER } from "../support/dhcp-bench.js";
import { ERRNO, StackHarness } from "../support/stack-harness.js";
import { DHCP } from "../support/wire-dhcp.js";
import { ip, pattern } from "../support/wire.js";

const options = { ARP_PENDING_BYTES: 0, LOOPBACK_BYTES: 0, ARP_ENTRIES: 3, UDP_RX_BYTES: 512 };
const PEER = "192.168.7.9";

test("A1b, ARP-6 waived without a slot: the sender is told to try again, and can after the answer", async (t) => {
  const stack = await StackHarness.quiet({ options });
  const peer = stack.peer(PEER);
  const fd = stack.udpSocket(5000);
  t.is(stack.sendTo(fd, pattern(9), peer.address, 6000), -ERRNO.EAGAIN);
  t.is(stack.take()[0]?.arp?.targetAddress, peer.address);
  const news = stack.wasm.readyCount();
  t.deepEqual(stack.exchange(peer.arpReply()), []);
  t.true(stack.wasm.readyCount() > news, "a blocking sendto is woken");
  t.is(stack.sendTo(fd, pattern(9), peer.address, 6000), 9);
  t.deepEqual(stack.take()[0]?.udp?.data, pattern(9));
});

test("A1b: without a slot a blocking sendto is woken too when nobody answers, and is refused then", async (t) => {
  const stack = await StackHarness.quiet({ options });
  const fd = stack.udpSocket(5000);
  t.is(stack.sendTo(fd, pattern(9), ip(PEER), 6000), -ERRNO.EAGAIN);
  const news = stack.wasm.readyCount();
  stack.advance(2900);
  t.is(stack.wasm.readyCount(), news);
  stack.advance(200);
  t.true(stack.wasm.readyCount() > news);
  t.is(stack.sendTo(fd, pattern(9), ip(PEER), 6000), -ERRNO.EHOSTUNREACH);
});

test("without the loopback device 127.0.0.0/8 has no route and never reaches the wire", async (t) => {
  const stack = await StackHarness.quiet({ options });
  const fd = stack.udpSocket(5000);
  t.is(stack.sendTo(fd, pattern(9), ip("127.0.0.1"), 5000), -ERRNO.ENETUNREACH);
  // RFC 1122 3.2.1.3: nor by the gateway, from whatever address of ours.
  stack.neighbour("192.168.7.1", "02:00:00:00:00:fe");
  const bound = stack.udpSocket(5002, stack.address);
  t.is(stack.sendTo(bound, pattern(9), ip("127.0.0.1"), 5000), -ERRNO.ENETUNREACH);
  stack.advance(2000);
  t.deepEqual(stack.take(), []);
});

test("ARP-7: with three neighbours the gateway stays, and the one unused longest goes", async (t) => {
  const stack = await StackHarness.quiet({ options });
  const fd = stack.udpSocket(5000);
  const gateway = stack.neighbour("192.168.7.1", "02:00:00:00:00:fe");
  const send = (address: string): string | undefined => {
    stack.sendTo(fd, pattern(1), ip(address), 9);
    stack.advance(1);
    return stack.take()[0]?.destination;
  };
  for (const last of [2, 3, 4]) {
    const peer = stack.peer(`192.168.7.1${last}`, `02:00:00:00:00:0${last}`);
    send(`192.168.7.1${last}`);
    stack.inject(peer.arpReply());
    t.is(send(`192.168.7.1${last}`), peer.mac);
  }
  t.is(send("8.8.8.8"), gateway.mac);
  t.is(send("192.168.7.14"), "02:00:00:00:00:04");
  t.is(send("192.168.7.13"), "02:00:00:00:00:03");
  t.is(send("192.168.7.12"), "ff:ff:ff:ff:ff:ff", "it had to go, and is asked for");
});

test("ARP-7, A-2: strangers get no entry when all neighbours are in use, but an answer", async (t) => {
  const stack = await StackHarness.quiet({ options });
  const fd = stack.udpSocket(5000);
  const used = ["192.168.7.1", "192.168.7.12", "192.168.7.13"].map((address, i) =>
    stack.neighbour(address, `02:00:00:00:00:f${i}`),
  );
  for (const peer of used) stack.sendTo(fd, pattern(1), peer.address, 9);
  stack.take();
  for (let i = 20; i < 60; i++) {
    t.is(stack.exchange(stack.peer(`192.168.7.${i}`).arpRequest()).length, 1);
  }
  for (const peer of used) stack.sendTo(fd, pattern(1), peer.address, 9);
  t.deepEqual(
    stack.take().map((frame) => frame.destination),
    used.map((peer) => peer.mac),
  );
});

test("DHCP-7: a renewal that has to wait for ARP is sent within a second of the answer", async (t) => {
  const bench = await DhcpBench.bound({}, { options });
  const { stack } = bench;
  const [request] = stack.untilSent(LEASE_SECONDS * 1000);
  t.is(request?.arp?.targetAddress, SERVER);
  stack.inject(bench.server.arpReply({ targetAddress: LEASED }));
  const renew = bench.next(1000);
  t.deepEqual([renew.type, renew.to], [DHCP.REQUEST, SERVER]);
});

test("U-4: a datagram longer than the ring is dropped and counted, the next one is taken", async (t) => {
  const stack = await StackHarness.quiet({ options });
  const peer = stack.neighbour(PEER);
  const fd = stack.udpSocket(5000);
  const ports = { sourcePort: 1, destinationPort: 5000 };
  for (const bytes of [501, 1472]) stack.inject(peer.udp(ports, pattern(bytes)));
  t.is(stack.counter("udpRingFull"), 2);
  for (let i = 0; i < 9; i++) {
    stack.inject(peer.udp(ports, pattern(500 - i, i)));
    t.deepEqual(stack.receive(fd), pattern(500 - i, i));
  }
});
