import test from "../conformance/proves.js";
import { ERRNO, STACK_ADDRESS, StackHarness } from "../support/stack-harness.js";
import {
  BROADCAST_MAC,
  PROTOCOL,
  concat,
  icmpMessage,
  ip,
  ipv4Packet,
  pattern,
  udpDatagram,
} from "../support/wire.js";

const PEER = "192.168.7.9";

test("ICMP-2, C-10: echo of every size up to the MTU comes back with the same data", async (t) => {
  const stack = await StackHarness.quiet();
  const peer = stack.neighbour(PEER);
  for (const bytes of [
    0, 1, 2, 3, 17, 18, 19, 119, 120, 121, 127, 128, 129, 247, 248, 249, 1000, 1471, 1472,
  ]) {
    stack.poison();
    const data = pattern(bytes, bytes);
    const [reply, ...more] = stack.exchange(peer.echo(data, 0xbeef, bytes));
    t.is(more.length, 0);
    t.is(reply?.icmp?.type, 0);
    t.is(reply?.icmp?.code, 0);
    t.is(reply?.icmp?.rest, 0xbeef * 0x10000 + bytes);
    t.deepEqual(reply?.icmp?.data, data);
    t.is(reply?.ip?.source, STACK_ADDRESS);
    t.is(reply?.ip?.destination, peer.address);
    t.is(reply?.destination, peer.mac);
  }
});

test("ICMP-2: the checksum of the reply is right for every checksum of the request", async (t) => {
  const stack = await StackHarness.quiet();
  const peer = stack.neighbour(PEER);
  const answered = (word: number): boolean => {
    stack.advance(2);
    return stack.exchange(peer.echo(Uint8Array.of(word >>> 8, word & 0xff), 0, 0)).length === 1;
  };
  for (let word = 0; word < 0x10000; word += 0x3ff) t.true(answered(word));
  // Checksums 0xF8FF to 0xFFFF: what is added to them carries all the way round.
  for (let word = 0xfeff; word > 0xf600; word -= 0x100) t.true(answered(word));
});

test("ICMP-1: a wrong checksum is dropped, also when only the last byte is wrong", async (t) => {
  const stack = await StackHarness.quiet();
  const peer = stack.neighbour(PEER);
  for (const bytes of [0, 1, 40, 1472]) {
    const frame = peer.echo(pattern(bytes));
    const last = 14 + 20 + 8 + bytes - 1;
    frame[last] = (frame[last] as number) ^ 1;
    t.is(stack.counted(() => stack.inject(frame)).icmpBadChecksum, 1);
  }
  t.deepEqual(stack.take(), []);
  t.true(stack.answers(peer));
});

test("C-1, Ripple20 CVE-2020-11910: messages and quotations of every length are safe", async (t) => {
  const stack = await StackHarness.quiet();
  const peer = stack.neighbour(PEER);
  const quoted = ipv4Packet(
    { source: STACK_ADDRESS, destination: peer.address, protocol: PROTOCOL.UDP },
    pattern(8),
  );
  for (const type of [0, 3, 4, 5, 8, 11, 12, 13]) {
    const message = icmpMessage({ type, code: 3 }, quoted);
    for (let bytes = 0; bytes < 8; bytes++) {
      const changed = stack.counted(() => stack.inject(peer.ip(1, message.subarray(0, bytes))));
      t.is(changed.icmpBad, 1);
    }
    for (let bytes = 0; bytes < quoted.length; bytes++) {
      stack.inject(peer.icmp({ type, code: 3 }, quoted.subarray(0, bytes)));
    }
    stack.advance(10);
  }
  for (const lie of [
    { ihl: 0 },
    { ihl: 15 },
    { version: 6 },
    { offset: 1 },
    { source: peer.address },
  ]) {
    const packet = ipv4Packet(
      { source: STACK_ADDRESS, destination: peer.address, protocol: PROTOCOL.UDP, ...lie },
      pattern(8),
    );
    const changed = stack.counted(() => stack.inject(peer.icmp({ type: 3, code: 3 }, packet)));
    t.is(changed.icmpBad, 1, JSON.stringify(lie));
  }
  t.true(stack.take().every((frame) => frame.icmp?.type === 0));
  t.true(stack.answers(peer));
});

test("ICMP-2, C-5: echo to a broadcast or multicast address is not answered", async (t) => {
  const stack = await StackHarness.quiet();
  const peer = stack.neighbour(PEER);
  for (const [destination, mac] of [
    ["192.168.7.255", BROADCAST_MAC],
    ["255.255.255.255", BROADCAST_MAC],
    ["224.0.0.1", "01:00:5e:00:00:01"],
    ["192.168.7.2", BROADCAST_MAC],
    ["192.168.7.255", stack.mac],
  ] as const) {
    const below = { ip: { destination: ip(destination) }, ethernet: { destination: mac } };
    t.deepEqual(stack.exchange(peer.echo(pattern(8), 1, 1, below)), [], destination);
  }
});

test("ICMP-7, C-4, C-6, C-9: all other messages are ignored, redirects and source quench included", async (t) => {
  const stack = await StackHarness.quiet();
  const peer = stack.neighbour(PEER);
  const gateway = stack.neighbour("192.168.7.1", "02:00:00:00:00:fe");
  for (const type of [0, 1, 2, 4, 5, 6, 7, 9, 10, 13, 14, 15, 16, 17, 18, 19, 30, 40, 41, 255]) {
    const quoted = ipv4Packet(
      { source: STACK_ADDRESS, destination: ip("8.8.8.8"), protocol: PROTOCOL.UDP },
      pattern(8),
    );
    t.deepEqual(stack.exchange(gateway.icmp({ type, code: 1, rest: peer.address }, quoted)), []);
  }
  stack.sendTo(stack.udpSocket(5000), pattern(4), ip("8.8.8.8"), 53);
  t.is(stack.take()[0]?.destination, gateway.mac);
});

test("ICMP-3, ICMP-4, UDP-3: a closed port is told with port unreachable, quoting what came", async (t) => {
  const stack = await StackHarness.quiet();
  const peer = stack.neighbour(PEER);
  for (const bytes of [0, 1, 8, 500]) {
    const frame = peer.udp({ sourcePort: 4000, destinationPort: 4001 }, pattern(bytes));
    const [error, ...more] = stack.exchange(frame);
    t.is(more.length, 0);
    t.deepEqual([error?.icmp?.type, error?.icmp?.code, error?.icmp?.rest], [3, 3, 0]);
    t.deepEqual(error?.icmp?.data, frame.slice(14, 14 + 28));
  }
  const options = Uint8Array.of(1, 1, 7, 7, 4, 0, 0, 0, 0, 0, 0, 0);
  const frame = peer.udp({ sourcePort: 1, destinationPort: 2 }, pattern(9), { ip: { options } });
  const [error] = stack.exchange(frame);
  t.deepEqual(error?.icmp?.data, frame.slice(14, 14 + 40), "the header with its options");
});

test("ICMP-3, C-7: no error about broadcasts, multicasts, fragments, errors or a bad datagram", async (t) => {
  const stack = await StackHarness.quiet();
  const peer = stack.neighbour(PEER);
  const closed = { sourcePort: 4000, destinationPort: 4001 };
  const quiet = [
    { ip: { destination: ip("192.168.7.255") } },
    { ip: { destination: ip("255.255.255.255") }, ethernet: { destination: BROADCAST_MAC } },
    { ip: { destination: ip("224.0.0.1") }, ethernet: { destination: "01:00:5e:00:00:01" } },
    { ethernet: { destination: BROADCAST_MAC } },
    { ip: { source: 0 } },
    { ip: { offset: 2, dontFragment: false } },
    { ip: { moreFragments: true, dontFragment: false } },
  ].map((below) => peer.udp(closed, pattern(20), below));
  quiet.push(peer.udp({ ...closed, checksum: 0x1111 }, pattern(20)));
  quiet.push(peer.udp({ ...closed, length: 7 }, pattern(20)));
  quiet.push(peer.ip(253, pattern(20), { ethernet: { destination: BROADCAST_MAC } }));
  quiet.push(peer.ip(253, pattern(20), { ip: { destination: ip("192.168.7.255") } }));
  quiet.push(
    peer.icmp(
      { type: 3, code: 3 },
      ipv4Packet({ source: STACK_ADDRESS, destination: peer.address, protocol: 253 }, pattern(8)),
    ),
  );
  for (const frame of quiet) t.deepEqual(stack.exchange(frame), []);
});

test("ICMP-5, C-8, CVE-2020-25705: errors are rate limited, and the limit cannot be counted", async (t) => {
  const allowances: number[] = [];
  for (let seed = 1; seed <= 8; seed++) {
    const stack = await StackHarness.quiet({ seeds: [seed, seed] });
    const peer = stack.neighbour(PEER);
    let errors = 0;
    for (let i = 0; i < 2000; i++) {
      stack.inject(peer.udp({ sourcePort: 9, destinationPort: 1000 + i }, pattern(4)));
      if (i % 2 === 0) stack.advance(1);
    }
    errors += stack.take().length;
    t.true(errors >= 20 && errors < 120, `${errors} errors in a second`);
    allowances.push(errors);
    stack.advance(2000);
    t.is(stack.exchange(peer.udp({ sourcePort: 9, destinationPort: 1 }, pattern(4))).length, 1);
  }
  t.true(new Set(allowances).size > 2, `the same count each time: ${allowances.join(" ")}`);
});

test("ICMP-5: a ping flood is limited, an ordinary fast ping is not", async (t) => {
  const stack = await StackHarness.quiet();
  const peer = stack.neighbour(PEER);
  for (let i = 0; i < 500; i++) {
    stack.advance(2);
    t.is(stack.exchange(peer.echo(pattern(56), 1, i)).length, 1);
  }
  for (let i = 0; i < 5000; i++) stack.inject(peer.echo(pattern(56), 1, i));
  t.true(stack.take().length <= 1024);
  t.true(stack.counter("icmpRateLimited") >= 5000 - 1024);
});

test("ICMP-6, UDP-4: port unreachable reaches the connected socket that it is about", async (t) => {
  const stack = await StackHarness.quiet();
  const peer = stack.neighbour(PEER);
  const fd = stack.udpSocket(5000);
  const other = stack.udpSocket(5001);
  t.is(stack.wasm.sysConnect(fd, peer.address, 6000), 0);
  stack.send(fd, pattern(20));
  const datagram = stack.take()[0];
  const quote = (datagram?.bytes as Uint8Array).slice(14, 14 + 28);
  const unreachable = { type: 3, code: 3 };
  const forged = concat(quote);
  forged.set([0x12, 0x34], 22);
  stack.inject(peer.icmp(unreachable, forged));
  t.is(stack.wasm.sysError(fd), 0, "a quotation of another port is not ours");
  stack.inject(peer.icmp(unreachable, quote));
  t.is(stack.wasm.sysError(other), 0);
  t.is(stack.wasm.sysError(fd), ERRNO.ECONNREFUSED);
  t.is(stack.wasm.sysError(fd), 0, "told once");
  const corrupt = peer.icmp({ ...unreachable, checksum: 0x1234 }, quote);
  stack.inject(corrupt);
  t.is(stack.wasm.sysError(fd), 0, "a bad checksum is not believed");
});

test("ICMP-2: an echo request from a host that we do not know is answered after ARP", async (t) => {
  const stack = await StackHarness.quiet();
  const peer = stack.peer(PEER);
  const [request] = stack.exchange(peer.echo(pattern(600)));
  t.is(request?.arp?.targetAddress, peer.address);
  const [reply] = stack.exchange(peer.arpReply());
  t.deepEqual(reply?.icmp?.data, pattern(600));
});

test("ICMP-1: an echo request with a bad checksum never waits for ARP", async (t) => {
  const stack = await StackHarness.quiet();
  const peer = stack.peer(PEER);
  stack.inject(peer.icmp({ type: 8, rest: 1, checksum: 0x4242 }, pattern(100)));
  t.deepEqual(stack.exchange(peer.arpReply()), []);
});

test("L-1, CVE-2003-0001: echo of one byte and error messages are padded with zeros", async (t) => {
  const stack = await StackHarness.quiet();
  const peer = stack.neighbour(PEER);
  stack.inject(peer.frame(new Uint8Array(1500).fill(0xa5)));
  stack.poison();
  const [reply] = stack.exchange(peer.echo(pattern(1)));
  t.deepEqual(reply?.bytes.subarray(43), new Uint8Array(17));
  const datagram = udpDatagram(
    { source: peer.address, destination: STACK_ADDRESS, sourcePort: 1, destinationPort: 2 },
    pattern(1),
  );
  t.is(stack.exchange(peer.ip(PROTOCOL.UDP, datagram)).length, 1);
});
