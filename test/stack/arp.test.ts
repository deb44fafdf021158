import test from "../conformance/proves.js";
import { describe } from "../support/wire-parse.js";
import {
  AF_INET,
  ERRNO,
  GATEWAY_ADDRESS,
  SOCK_STREAM,
  STACK_ADDRESS,
  STACK_MAC,
  StackHarness,
} from "../support/stack-harness.js";
import { TcpPeer, accepted, closed, opened } from "../support/tcp-peer.js";
import { BROADCAST_MAC, ETHERTYPE, concat, ip, pattern } from "../support/wire.js";

const PEER = "192.168.7.9";
const DATA = pattern(20);

test("ARP-2, RFC 826: a request for our address is answered to the asker alone", async (t) => {
  const stack = await StackHarness.quiet();
  const peer = stack.peer(PEER);
  const [reply, ...more] = stack.exchange(peer.arpRequest());
  t.is(more.length, 0);
  t.is(reply?.destination, peer.mac);
  t.deepEqual(reply?.arp, {
    operation: 2,
    senderMac: STACK_MAC,
    senderAddress: STACK_ADDRESS,
    targetMac: peer.mac,
    targetAddress: peer.address,
  });
});

test("ARP-2: a request for another address is not answered, and its sender not learned", async (t) => {
  const stack = await StackHarness.quiet();
  const peer = stack.peer(PEER);
  t.deepEqual(stack.exchange(peer.arpRequest({ targetAddress: ip("192.168.7.77") })), []);
  stack.sendTo(stack.udpSocket(5000), DATA, peer.address, 6000);
  t.is(stack.take()[0]?.arp?.operation, 1, "the sender has to be asked for");
});

test("ARP-2: a neighbour that asks for us is learned, and needs no request", async (t) => {
  const stack = await StackHarness.quiet();
  const peer = stack.neighbour(PEER);
  stack.sendTo(stack.udpSocket(5000), DATA, peer.address, 6000);
  const [datagram, ...more] = stack.take();
  t.is(more.length, 0);
  t.is(datagram?.destination, peer.mac);
  t.deepEqual(datagram?.udp?.data, DATA);
});

test("ARP-1, A-3: a packet with any wrong type or length is dropped", async (t) => {
  const stack = await StackHarness.quiet();
  const peer = stack.peer(PEER);
  for (const lie of [
    { hardwareType: 2 },
    { hardwareType: 0x0100 },
    { protocolType: 0x0806 },
    { hardwareBytes: 0 },
    { hardwareBytes: 16 },
    { hardwareBytes: 255 },
    { protocolBytes: 0 },
    { protocolBytes: 16 },
    { operation: 0 },
    { operation: 3 },
    { operation: 0x0101 },
  ]) {
    const changed = stack.counted(() => stack.inject(peer.arp({ operation: 1, ...lie })));
    t.is(changed.arpBad, 1, JSON.stringify(lie));
    t.deepEqual(stack.take(), []);
  }
});

test("A-3: every truncated length of an ARP packet is dropped", async (t) => {
  const stack = await StackHarness.quiet();
  const whole = stack.peer(PEER).arpRequest().subarray(0, 42);
  for (let bytes = 1; bytes < 42; bytes++) {
    stack.inject(whole.subarray(0, bytes));
    t.deepEqual(stack.take(), [], `${bytes} bytes`);
  }
  t.is(stack.exchange(whole).length, 1);
});

test("ARP-3, A-5: group addresses and foreign subnets are never learned", async (t) => {
  const stack = await StackHarness.quiet();
  const fd = stack.udpSocket(5000);
  const peer = stack.peer(PEER);
  stack.inject(peer.arpRequest({ senderMac: BROADCAST_MAC }));
  stack.inject(peer.arpRequest({ senderMac: "01:00:5e:00:00:01" }));
  t.deepEqual(stack.take(), []);
  stack.sendTo(fd, DATA, peer.address, 6000);
  t.is(stack.take()[0]?.arp?.targetAddress, peer.address);
  // An address outside the subnet, and the subnet's own two, get an answer at most.
  for (const sender of ["10.0.0.9", "192.168.7.255", "192.168.7.0", "0.0.0.0", "255.255.255.255"]) {
    const before = stack.counter("ipOut");
    stack.inject(peer.arpRequest({ senderAddress: ip(sender) }));
    t.true(
      stack.take().every((frame) => frame.arp?.operation === 2 && frame.destination === peer.mac),
    );
    t.is(stack.counter("ipOut"), before);
  }
  stack.sendTo(fd, DATA, ip("192.168.7.0"), 6000);
  t.is(stack.take()[0]?.arp?.targetAddress, ip("192.168.7.0"));
});

test("RFC 5227 2.1.1: a probe for our address is answered, and nothing learned from it", async (t) => {
  const stack = await StackHarness.quiet();
  const peer = stack.peer(PEER);
  const [reply] = stack.exchange(peer.arpRequest({ senderAddress: 0 }));
  t.is(reply?.arp?.operation, 2);
  t.is(reply?.destination, peer.mac);
});

test("A-1: an unsolicited reply makes no entry and changes none", async (t) => {
  const stack = await StackHarness.quiet();
  const fd = stack.udpSocket(5000);
  const gateway = stack.neighbour("192.168.7.1", "02:00:00:00:00:fe");
  const evil = stack.peer("192.168.7.1", "02:66:66:66:66:66");
  stack.advance(5000);
  stack.inject(evil.arpReply(), evil.arpReply(), evil.arpRequest());
  const polls = stack.take().filter((f) => f.arp?.operation === 1);
  t.is(polls.length, 1, "the claim makes us ask once");
  t.is(polls[0]?.destination, gateway.mac, "and ask the station that we know");
  stack.inject(gateway.arpReply());
  stack.inject(evil.arpReply());
  stack.take();
  stack.sendTo(fd, DATA, ip("8.8.8.8"), 53);
  t.deepEqual(
    stack.take().map((f) => f.destination),
    [gateway.mac],
  );
  const other = stack.peer("192.168.7.50", evil.mac);
  stack.inject(other.arpReply());
  stack.sendTo(fd, DATA, other.address, 53);
  t.is(stack.take()[0]?.arp?.operation, 1, "a stranger's reply was not learned");
});

test("A-1: a neighbour with a new MAC is believed once the old one has not answered two polls", async (t) => {
  const stack = await StackHarness.quiet();
  const fd = stack.udpSocket(5000);
  const old = stack.neighbour(PEER, "02:00:00:00:00:01");
  const replacement = stack.peer(PEER, "02:00:00:00:00:02");
  stack.advance(2000);
  stack.inject(replacement.arpRequest());
  stack.advance(1500);
  stack.inject(replacement.arpReply());
  stack.take();
  stack.sendTo(fd, DATA, old.address, 1);
  t.is(stack.take()[0]?.destination, old.mac, "still polling the old one");
  stack.advance(1000);
  stack.inject(replacement.arpReply());
  stack.take();
  stack.sendTo(fd, DATA, old.address, 1);
  t.is(stack.take()[0]?.destination, replacement.mac);
});

test("ARP-5, A-7: at most one request a second to an address, however much is sent there", async (t) => {
  const stack = await StackHarness.quiet();
  const fd = stack.udpSocket(5000);
  const requests: number[] = [];
  for (let i = 0; i < 1000; i++) {
    stack.sendTo(fd, DATA, ip(PEER), 6000);
    stack.advance(10);
    for (const frame of stack.take()) {
      t.is(frame.arp?.targetAddress, ip(PEER), describe(frame));
      requests.push(stack.nowMs);
    }
  }
  t.true(requests.length >= 3 && requests.length <= 10, `${requests.length} requests in 10 s`);
});

test("ARP-6, RFC 1122 2.3.2.2: the latest packet waits for the answer and is sent then", async (t) => {
  const stack = await StackHarness.quiet();
  const fd = stack.udpSocket(5000);
  const peer = stack.peer(PEER);
  stack.sendTo(fd, pattern(9, 1), peer.address, 6000);
  const long = pattern(1472, 2);
  stack.sendTo(fd, long, peer.address, 6000);
  t.is(stack.take().length, 1, "one request");
  t.is(stack.counter("arpPendingDropped"), 1);
  const [datagram, ...more] = stack.exchange(peer.arpReply());
  t.is(more.length, 0);
  t.deepEqual(datagram?.udp?.data, long);
  t.is(datagram?.destination, peer.mac);
});

test("ARP-6: the slot is there again when the last connection was no more than a segment with a wrong checksum", async (t) => {
  const { stack } = await opened({ TCP_TCBS: 2, TCP_TX_BYTES: 4096 });
  const peer = new TcpPeer(stack, stack.neighbour(), 5001, 80);
  peer.syn();
  const wrong = peer.frame("A", {}, pattern(20));
  wrong[wrong.length - 1] = (wrong[wrong.length - 1] as number) ^ 1;
  stack.inject(wrong);
  const stranger = stack.peer("192.168.7.77");
  t.is(stack.sendTo(stack.udpSocket(5000), pattern(1472), stranger.address, 6000), 1472);
  t.is(stack.exchange(stranger.arpReply())[0]?.udp?.data.length, 1472);
});

test("ARP-6: the slot is a ring of the last connection: while that is in use send() is told to wait, and what waited is lost without a byte of its text", async (t) => {
  const it = await opened({ TCP_TCBS: 2, TCP_TX_BYTES: 4096 });
  const { stack, listener } = it;
  const fd = stack.udpSocket(5000);
  const strangers = ["192.168.7.77", "192.168.7.78", "192.168.7.79"].map((address) =>
    stack.peer(address),
  );
  const [first, second, third] = strangers.map(({ address }) => address) as [
    number,
    number,
    number,
  ];
  t.is(stack.sendTo(fd, pattern(1472, 1), first, 6000), 1472);
  const last = accepted(stack, listener, 5001);
  t.is(stack.counter("arpPendingDropped"), 1);
  const text = pattern(1400, 3);
  const sent = stack.send(last.fd, text);
  t.is(sent, text.length);
  stack.take();
  t.is(stack.sendTo(fd, pattern(9, 2), second, 6000), -ERRNO.EAGAIN);
  t.is(stack.take()[0]?.arp?.targetAddress, second, "asked all the same");
  stack.exchange(strangers[1]?.arpReply() ?? new Uint8Array(0));
  t.is(stack.sendTo(fd, pattern(9, 2), second, 6000), 9);
  stack.take();
  const again = stack.untilSent(1000).find((frame) => frame.tcp?.destinationPort === 5001);
  t.deepEqual(again?.tcp?.data, text);
  closed({ ...it, ...last });
  stack.advance(200_000);
  stack.take();
  t.is(stack.sendTo(fd, pattern(1472, 4), third, 6000), 1472, "free again");
  stack.take();
  const answer = stack.exchange(strangers[2]?.arpReply() ?? new Uint8Array(0));
  t.deepEqual(answer[0]?.udp?.data, pattern(1472, 4));
});

test("ARP: an address that nobody has fails after three requests and the packet is given up", async (t) => {
  const stack = await StackHarness.quiet();
  const fd = stack.udpSocket(5000);
  t.is(stack.sendTo(fd, DATA, ip(PEER), 6000), DATA.length);
  stack.advance(3500);
  t.is(stack.take().length, 3);
  t.is(stack.counter("arpPendingDropped"), 1);
  t.is(stack.sendTo(fd, DATA, ip(PEER), 6000), -ERRNO.EHOSTUNREACH);
  stack.advance(6000);
  t.is(stack.sendTo(fd, DATA, ip(PEER), 6000), DATA.length, "later it is asked for again");
  t.is(stack.take().length, 1);
});

test("ARP-4, RFC 1122 2.3.2.1: a neighbour in use is polled after a minute, and forgotten when it is gone", async (t) => {
  const stack = await StackHarness.quiet();
  const fd = stack.udpSocket(5000);
  const peer = stack.neighbour(PEER);
  const send = (): void => void stack.sendTo(fd, DATA, peer.address, 6000);
  for (let i = 0; i < 12; i++) {
    stack.advance(5000);
    send();
  }
  const polls = stack.take().filter((f) => f.arp);
  t.is(polls.length, 1);
  t.is(polls[0]?.destination, peer.mac, "unicast poll");
  stack.inject(peer.arpReply());
  stack.advance(59_000);
  t.deepEqual(
    stack.take().filter((f) => f.arp),
    [],
    "the answer is good for another minute",
  );
  send();
  stack.take();
  stack.advance(11_000);
  const later = stack.take().map((f) => f.destination);
  t.deepEqual(later, [peer.mac, peer.mac, BROADCAST_MAC, BROADCAST_MAC, BROADCAST_MAC]);
  send();
  t.is(stack.take()[0]?.destination, BROADCAST_MAC, "asked for anew");
});

test("ARP-4: a neighbour that is not used is forgotten without a frame", async (t) => {
  const stack = await StackHarness.quiet();
  const peer = stack.neighbour(PEER);
  stack.advance(700_000);
  t.deepEqual(stack.take(), []);
  stack.sendTo(stack.udpSocket(5000), DATA, peer.address, 6000);
  t.is(stack.take()[0]?.arp?.operation, 1);
});

test("A9, ARP-7, A-2: each of a flood of strangers is answered, and pushes out neither the gateway nor a neighbour in use", async (t) => {
  const stack = await StackHarness.quiet();
  const fd = stack.udpSocket(5000);
  const gateway = stack.neighbour("192.168.7.1", "02:00:00:00:00:fe");
  const peer = stack.neighbour(PEER);
  stack.sendTo(fd, DATA, peer.address, 6000);
  stack.take();
  let replies = 0;
  for (let i = 0; i < 10_000; i++) {
    const mac = `02:ee:00:00:${(i >> 8).toString(16).padStart(2, "0")}:${(i & 0xff).toString(16).padStart(2, "0")}`;
    stack.inject(stack.peer(`192.168.7.${10 + (i % 240)}`, mac).arpRequest());
    if (i % 10 === 0) stack.advance(1);
    replies += stack.take().length;
  }
  t.is(replies, 10_000);
  stack.sendTo(fd, DATA, peer.address, 6000);
  stack.sendTo(fd, DATA, ip("8.8.8.8"), 53);
  t.deepEqual(
    stack.take().map((f) => f.destination),
    [peer.mac, gateway.mac],
  );
});

test("ARP-7: sending to many unknown addresses does not push out a neighbour in use", async (t) => {
  const stack = await StackHarness.quiet();
  const fd = stack.udpSocket(5000);
  const peer = stack.neighbour(PEER);
  stack.sendTo(fd, DATA, peer.address, 6000);
  for (let i = 10; i < 250; i++) stack.sendTo(fd, DATA, ip(`192.168.7.${i}`), 6000);
  stack.take();
  stack.sendTo(fd, DATA, peer.address, 6000);
  t.is(stack.take()[0]?.destination, peer.mac);
});

test("F6, RFC 1122 2.3.2.2: a RST waits for the neighbour, as the latest packet", async (t) => {
  const stack = await StackHarness.quiet();
  const peer = stack.peer(PEER);
  const syn = peer.tcp({ sourcePort: 4000, destinationPort: 81, seq: 7, flags: 2 });
  t.is(stack.exchange(syn)[0]?.arp?.targetAddress, peer.address, "the peer is not known");
  const [reset, ...more] = stack.exchange(peer.arpReply());
  t.is(more.length, 0);
  t.is(reset?.tcp?.flags, 0x14, "RST and ACK");
  t.is(reset?.tcp?.ack, 8);
});

/** Time of the longest probe: 7 units of ACD_UNIT_MS. */
const PROBED_MS = 7 * 200;

test("G6, ACD-1, RFC 5227 2.1.1: a static address is probed three times before it is used, and nothing is sent from it", async (t) => {
  const stack = await StackHarness.create();
  const peer = stack.peer(PEER);
  const fd = stack.wasm.sysSocket(AF_INET, SOCK_STREAM, 0);
  t.is(stack.wasm.sysConnect(fd, peer.address, 80), -ERRNO.EINPROGRESS, "it may begin meanwhile");
  for (let probes = 0; probes < 3; probes++) {
    const [frame, ...more] = stack.untilSent(500);
    t.is(more.length, 0);
    t.like(frame?.arp, { operation: 1, senderAddress: 0, targetAddress: STACK_ADDRESS });
    t.is(frame?.destination, BROADCAST_MAC);
    t.deepEqual(stack.exchange(peer.arpRequest()), [], "not ours yet");
  }
  const [announcement, ...more] = stack.untilSent(400);
  t.like(announcement?.arp, { senderAddress: STACK_ADDRESS, targetAddress: STACK_ADDRESS });
  t.true(stack.nowMs <= PROBED_MS);
  t.is(more[0]?.arp?.targetAddress, peer.address, "the connection goes on at once");
  t.is(stack.exchange(peer.arpReply())[0]?.tcp?.flags, 2, "SYN");
});

test("G6, RFC 5227 2.1.1: a static address that somebody uses or probes for is not used, and tried again later", async (t) => {
  for (const senderAddress of [STACK_ADDRESS, 0]) {
    const stack = await StackHarness.create();
    stack.untilSent(500);
    const thief = stack.peer("192.168.7.2", "02:66:66:66:66:66");
    const probe = thief.arpRequest({ senderAddress, targetAddress: STACK_ADDRESS });
    stack.inject(probe);
    t.is(stack.counter("arpConflict"), 1);
    stack.advance(59_000);
    t.deepEqual(stack.take(), [], "silence for a minute");
    t.deepEqual(stack.exchange(stack.peer(PEER).arpRequest()), []);
    stack.advance(6000);
    t.is(stack.take().filter((f) => f.arp?.senderAddress === STACK_ADDRESS).length, 2, "announced");
    t.is(stack.exchange(stack.peer(PEER).arpRequest()).length, 1);
  }
});

test("G7, RFC 5227 2.1.1: our own probe that comes back by way of another station is no conflict", async (t) => {
  const stack = await StackHarness.create();
  const peer = stack.peer(PEER);
  stack.untilSent(500);
  const lie = { senderAddress: 0, targetAddress: STACK_ADDRESS };
  stack.inject(
    peer.arpRequest({ ...lie, senderMac: STACK_MAC }),
    peer.arp({ operation: 1, ...lie }, { source: STACK_MAC }),
  );
  stack.advance(PROBED_MS);
  t.is(stack.counter("arpConflict"), 0);
  t.is(stack.exchange(peer.arpRequest()).length, 1, "the address is ours");
});

test("G6: probes that went without a link prove nothing: they begin anew when the cable is in", async (t) => {
  const stack = await StackHarness.create();
  stack.untilSent(500);
  stack.wasm.linkChanged(0);
  stack.advance(10_000);
  t.deepEqual(stack.take(), []);
  stack.wasm.linkChanged(1);
  stack.advance(PROBED_MS + 10);
  t.deepEqual(
    stack.take().map((f) => f.arp?.senderAddress),
    [0, 0, 0, STACK_ADDRESS],
  );
});

test("ACD-2, RFC 5227 2.3: an address that is taken into use is announced twice, 2 s apart", async (t) => {
  const stack = await StackHarness.create();
  stack.advance(PROBED_MS);
  const announcedMs = stack.nowMs;
  t.deepEqual(
    stack.take().map((f) => f.arp?.senderAddress),
    [0, 0, 0, STACK_ADDRESS],
  );
  stack.advance(10_000);
  const [second, ...more] = stack.take();
  t.is(second?.arp?.senderAddress, STACK_ADDRESS);
  t.is(more.length, 0);
  t.true(stack.nowMs - announcedMs >= 2000);
});

test("ACD-3, A-4, RFC 5227 2.4: a conflict is answered with one announcement per 10 s", async (t) => {
  const stack = await StackHarness.quiet();
  const thief = stack.peer("192.168.7.2", "02:66:66:66:66:66");
  const claim = thief.arpReply({ targetAddress: ip(PEER) });
  t.is(stack.exchange(claim)[0]?.arp?.senderAddress, STACK_ADDRESS);
  stack.advance(1000);
  t.deepEqual(stack.exchange(claim), []);
  t.deepEqual(stack.exchange(thief.arpRequest()), []);
  stack.advance(8990);
  t.deepEqual(stack.exchange(claim), [], "just before the ten seconds are over");
  stack.advance(11);
  t.is(stack.exchange(claim).length, 1);
  t.is(stack.counter("arpConflict"), 5);
});

test("A-6, URGENT/11 CVE-2019-12262: reverse ARP is ignored", async (t) => {
  const stack = await StackHarness.quiet();
  const peer = stack.peer(PEER);
  const rarp = peer.arp(
    { operation: 4, targetMac: STACK_MAC, targetAddress: ip("10.1.1.1") },
    { type: ETHERTYPE.RARP, destination: STACK_MAC },
  );
  t.deepEqual(stack.exchange(rarp), []);
  t.is(stack.exchange(peer.arpRequest()).length, 1, "our address is what it was");
});

test("L-1, CVE-2003-0001: the padding of an ARP reply is zero, whatever the buffers hold", async (t) => {
  const stack = await StackHarness.quiet();
  stack.poison();
  const [reply] = stack.exchange(stack.peer(PEER).arpRequest());
  t.is(reply?.bytes.length, 60);
  t.deepEqual(reply?.bytes.subarray(42), new Uint8Array(18));
});

test("IP-8, RFC 1122 3.3.1.1: what is outside the subnet goes to the gateway's MAC", async (t) => {
  const stack = await StackHarness.quiet();
  const fd = stack.udpSocket(5000);
  stack.sendTo(fd, DATA, ip("8.8.8.8"), 53);
  const [request] = stack.take();
  t.is(request?.arp?.targetAddress, GATEWAY_ADDRESS);
  const gateway = stack.peer("192.168.7.1", "02:00:00:00:00:fe");
  const [datagram] = stack.exchange(gateway.arpReply());
  t.is(datagram?.destination, gateway.mac);
  t.is(datagram?.ip?.destination, ip("8.8.8.8"));
});

test("ARP: timers hold across the wrap of the 32-bit clock", async (t) => {
  const stack = await StackHarness.quiet({ startMs: 2 ** 32 - 20_000 });
  const fd = stack.udpSocket(5000);
  const peer = stack.neighbour(PEER);
  for (let i = 0; i < 12; i++) {
    stack.advance(5000);
    stack.sendTo(fd, DATA, peer.address, 6000);
  }
  t.is(stack.take().filter((f) => f.arp?.targetAddress === peer.address).length, 1);
});

test("ARP: a trailer behind the packet changes nothing", async (t) => {
  const stack = await StackHarness.quiet();
  const request = stack.peer(PEER).arpRequest();
  t.is(stack.exchange(concat(request, pattern(1400))).length, 1);
});
