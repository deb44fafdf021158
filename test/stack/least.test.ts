/** The least that a server needs on a wire of its own: no ICMP, no conflict detection, and so few timers that they are not ordered. */
import test from "ava";
import { OPTIONS } from "../../stack/options.js";
import { DhcpBench, LEASED } from "../support/dhcp-bench.js";
import { ERRNO, STACK_ADDRESS, StackHarness } from "../support/stack-harness.js";
import { TcpPeer, accepted, deviceStack } from "../support/tcp-peer.js";
import { DHCP } from "../support/wire-dhcp.js";
import { BROADCAST_MAC, pattern } from "../support/wire.js";

const LEAST = {
  options: {
    ...OPTIONS,
    ICMP: 0,
    ACD_UNIT_MS: 0,
    TCP_TCBS: 3,
    TCP_SYN_RECORDS: 3,
    TCP_TIME_WAIT_RECORDS: 3,
  },
};

test("ACD_UNIT_MS 0: a static address is used at once, and announced once", async (t) => {
  const stack = await StackHarness.create(LEAST);
  stack.run();
  const [announcement, ...more] = stack.take();
  t.is(more.length, 0);
  t.is(announcement?.destination, BROADCAST_MAC);
  t.like(announcement?.arp, {
    operation: 1,
    senderAddress: STACK_ADDRESS,
    targetAddress: STACK_ADDRESS,
  });
  const host = stack.neighbour();
  const { peer, fd } = accepted(stack, stack.listen(80), 5000);
  peer.text(pattern(10));
  t.deepEqual(stack.receive(fd), pattern(10));
  stack.advance(100);
  stack.take();
  // Another station has it, too: nobody says anything.
  const thief = stack.peer("192.168.7.2", "02:66:66:66:66:66");
  t.deepEqual(stack.exchange(thief.arpRequest({ senderAddress: STACK_ADDRESS })), []);
  t.is(stack.counter("arpConflict"), 0);
  t.is(stack.exchange(host.arpRequest()).length, 1, "who asks is answered");
  stack.advance(20_000);
  t.deepEqual(stack.take(), []);
});

test("ACD_UNIT_MS 0: a leased address is used with the server's word", async (t) => {
  const bench = await DhcpBench.create(LEAST);
  const request = bench.offered();
  bench.reply(request, DHCP.ACK);
  t.is(bench.address, LEASED);
  t.deepEqual(
    bench.stack.take().map(({ arp }) => [arp?.senderAddress, arp?.targetAddress]),
    [[LEASED, LEASED]],
  );
});

test("without ICMP neither a ping nor a datagram for nobody nor an unknown protocol is answered, and no error is heard", async (t) => {
  const stack = await StackHarness.quiet(LEAST);
  const host = stack.neighbour();
  t.deepEqual(stack.exchange(host.echo(pattern(20), 1, 1)), []);
  t.deepEqual(stack.exchange(host.udp({ sourcePort: 5000, destinationPort: 9 }, pattern(20))), []);
  t.is(stack.counter("udpNoPort"), 1);
  t.deepEqual(stack.exchange(host.ip(200, pattern(20))), []);
  t.is(stack.counter("ipUnknownProtocol"), 2, "ICMP is one");
  const fd = stack.udpSocket(5000);
  stack.wasm.sysConnect(fd, host.address, 6000);
  stack.send(fd, pattern(20));
  const quote = (stack.take()[0]?.bytes as Uint8Array).slice(14, 14 + 28);
  t.deepEqual(stack.exchange(host.icmp({ type: 3, code: 3 }, quote)), []);
  t.is(stack.wasm.sysError(fd), 0);
});

test("few timers: each connection sends again at its own time, whatever the others do", async (t) => {
  const stack = await StackHarness.quiet(LEAST);
  const host = stack.neighbour();
  const listener = stack.listen(80);
  const deadline = (): number => stack.wasm.deadline(stack.nowMs >>> 0) >>> 0;
  t.true(deadline() > 10_000, "idle");
  const [a, b, c] = [5000, 5001, 5002].map((port) => accepted(stack, listener, port));
  if (!a || !b || !c) return t.fail();
  stack.take();
  stack.send(a.fd, pattern(10));
  stack.advance(50);
  stack.send(b.fd, pattern(10));
  stack.advance(50);
  stack.send(c.fd, pattern(10));
  stack.take();
  t.is(deadline(), 100, "the first one's");
  b.peer.acknowledge(11);
  t.is(deadline(), 100);
  a.peer.acknowledge(11);
  t.is(deadline(), 200, "the last one's is left");
  stack.advance(199);
  t.deepEqual(stack.take(), []);
  stack.advance(1);
  t.deepEqual(
    stack.take().map(({ tcp }) => tcp?.destinationPort),
    [5002],
  );
  c.peer.acknowledge(11);
  t.true(deadline() > 10_000);
  const late = new TcpPeer(stack, host, 6000, 80);
  t.is(late.syn().length, 1);
  stack.advance(1000);
  t.is(stack.take().length, 1, "its SYN-ACK again");
  t.is(stack.receive(a.fd), -ERRNO.EAGAIN);
});

/** Nobody but TCP hears a packet: headers and segment share what memory there is. */
const TCP_ALONE = {
  ...LEAST.options,
  UDP_SOCKETS: 0,
  DHCP: 0,
  DNS_ENTRIES: 0,
  MDNS: 0,
  IP_REASSEMBLY_SLOTS: 0,
  TCP_SACK: 0,
  TCP_CUBIC: 0,
  TCP_TIMESTAMPS: 0,
  TCP_WINDOW_SCALE: 0,
  TCP_URGENT: 0,
  TCP_KEEPALIVE: 0,
  ICMP_ERRORS: 0,
};

for (const fast of [0, 1]) {
  test(`TCP alone, TCP_FAST_PATH ${fast}: segments behind options of IP are taken, but none behind a source route`, async (t) => {
    const stack = await deviceStack({ ...TCP_ALONE, TCP_FAST_PATH: fast });
    const { peer, fd } = accepted(stack, stack.listen(80), 5000);
    const say = (options: number[], data: Uint8Array): void => {
      stack.inject(peer.frame("PA", {}, data, { ip: { options: Uint8Array.from(options) } }));
      stack.run();
    };
    say(new Array<number>(40).fill(1), pattern(1400));
    t.deepEqual(stack.receive(fd, 2000), pattern(1400));
    peer.seq += 1400;
    say([7, 39, 4, ...new Array<number>(36).fill(0xee), 0], pattern(60, 3));
    t.deepEqual(stack.receive(fd), pattern(60, 3));
    peer.seq += 60;
    const counted = stack.counted(() => say([0x83, 3, 4, 0], pattern(20)));
    t.like(counted, { ipSourceRoute: 1 });
    t.is(stack.receive(fd), -ERRNO.EAGAIN);
    // What all of this has left behind is in no answer.
    stack.take();
    stack.send(fd, pattern(700));
    t.deepEqual(peer.segments()[0]?.data, pattern(700));
    t.is(stack.exchange(peer.host.arpRequest()).length, 1);
  });
}

test("without ASSERTIONS and ANSWERS_WAIT a server serves as ever", async (t) => {
  const stack = await deviceStack({ ...TCP_ALONE, ASSERTIONS: 0, ANSWERS_WAIT: 0 });
  const { peer, fd } = accepted(stack, stack.listen(80), 5000);
  peer.text(pattern(1400));
  t.deepEqual(stack.receive(fd, 2000), pattern(1400));
  stack.send(fd, pattern(700));
  t.deepEqual(peer.segments()[0]?.data, pattern(700));
});
