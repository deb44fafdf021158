import test from "../conformance/proves.js";
import { StackHarness } from "../support/stack-harness.js";
import { BROADCAST_MAC, ETHERTYPE, concat, pattern } from "../support/wire.js";

const PEER = "192.168.7.9";

test("ETH-2: frames for another station, or from a group of stations, are dropped", async (t) => {
  const stack = await StackHarness.quiet();
  const peer = stack.neighbour(PEER);
  const data = pattern(10);
  for (const destination of [
    "02:00:00:00:00:ab",
    "00:00:00:00:00:00",
    "02:00:00:00:01:aa",
    "03:ff:00:00:00:aa",
  ]) {
    t.deepEqual(
      stack.exchange(peer.echo(data, 1, 1, { ethernet: { destination } })),
      [],
      destination,
    );
  }
  for (const source of [BROADCAST_MAC, "01:00:5e:00:00:01"]) {
    const frame = peer.echo(data, 1, 1, { ethernet: { source } });
    t.is(stack.counted(() => stack.inject(frame)).ethernetBadSource, 1);
  }
  t.true(stack.answers(peer));
});

/** The frame with an 802.1Q tag. */
function tagged(frame: Uint8Array, tag: number): Uint8Array {
  return concat(
    frame.subarray(0, 12),
    Uint8Array.of(0x81, 0x00, tag >> 8, tag & 0xff),
    frame.subarray(12),
  );
}

test("G8, IEEE 802.1Q: VLAN 0 is the untagged network, whatever the priority; other VLANs are not ours", async (t) => {
  const stack = await StackHarness.quiet();
  const peer = stack.peer(PEER);
  for (const tag of [0x0000, 0xe000, 0x1000]) {
    t.is(stack.exchange(tagged(peer.arpRequest(), tag))[0]?.arp?.operation, 2, "ARP");
    const [pong] = stack.exchange(tagged(peer.echo(pattern(33)), tag));
    t.deepEqual(pong?.icmp?.data, pattern(33));
    const short = tagged(peer.echo(pattern(4)), tag);
    t.is(stack.exchange(short).length, 1);
    for (let bytes = 1; bytes < 42; bytes++) {
      t.deepEqual(stack.exchange(short.subarray(0, bytes)), [], `${bytes} bytes`);
    }
    const twice = tagged(tagged(peer.echo(pattern(4)), 0), tag);
    t.deepEqual(stack.exchange(twice), []);
  }
  for (const tag of [0x0001, 0x0fff, 0xe123, 0x0100]) {
    t.is(stack.counted(() => stack.inject(tagged(peer.arpRequest(), tag))).ethernetUnknownType, 1);
  }
  t.deepEqual(stack.take(), []);
});

test("ETH-1: unknown types, 802.3 lengths and other VLANs are dropped and counted", async (t) => {
  const stack = await StackHarness.quiet();
  const peer = stack.neighbour(PEER);
  for (const type of [0x0000, 0x0026, 0x05dc, 0x0801, ETHERTYPE.IPV6, 0x88a8, 0x88cc, 0xffff]) {
    const frame = peer.echo(pattern(10), 1, 1, { ethernet: { type } });
    t.is(stack.counted(() => stack.inject(frame)).ethernetUnknownType, 1, type.toString(16));
  }
  t.deepEqual(stack.take(), []);
});

test("L-3, Ripple20 CVE-2020-11906: runts of every length do nothing", async (t) => {
  const stack = await StackHarness.quiet();
  const peer = stack.neighbour(PEER);
  const listener = stack.listen(80);
  t.true(listener >= 0);
  const tables = stack.tables();
  const whole = [
    peer.echo(pattern(30)),
    peer.udp({ sourcePort: 7, destinationPort: 9 }, pattern(30)),
    peer.tcp({ sourcePort: 1, destinationPort: 80, seq: 1, flags: 2 }, pattern(18)),
    peer.frame(pattern(46), { type: 0x88b5 }),
  ];
  for (const frame of whole) {
    for (let bytes = 1; bytes < frame.length; bytes++) {
      stack.inject(frame.subarray(0, bytes));
      t.deepEqual(stack.take(), [], `${bytes} bytes`);
    }
  }
  t.deepEqual(stack.tables(), tables);
  t.true(stack.answers(peer));
});

test("L-2, ETH-1: the IP total length ends the data, not the frame", async (t) => {
  const stack = await StackHarness.quiet();
  const peer = stack.neighbour(PEER);
  const tooLong = peer.echo(pattern(18), 1, 1, { ip: { totalLength: 1500 } });
  t.is(tooLong.length, 60);
  t.is(stack.counted(() => stack.inject(tooLong)).ipBadLength, 1);
  t.deepEqual(stack.take(), []);
  stack.poison();
  const short = peer.echo(pattern(1));
  short.fill(0xee, 43);
  const [reply] = stack.exchange(short);
  t.deepEqual(reply?.icmp?.data, pattern(1));
  t.deepEqual(reply?.bytes.subarray(43), new Uint8Array(17), "padding is zero");
});

test("a million-frame class: random frames of 0 to 1600 bytes leave the stack as it was", async (t) => {
  const stack = await StackHarness.quiet();
  const peer = stack.neighbour(PEER);
  stack.listen(80);
  stack.udpSocket(7);
  const tables = stack.tables();
  let state = 12345;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const template = peer.tcp({ sourcePort: 1, destinationPort: 80, seq: 1, flags: 2 }, pattern(200));
  for (let i = 0; i < 20_000; i++) {
    const bytes = Math.min(1 + random(1600), 1536);
    const frame = Uint8Array.from({ length: bytes }, () => random(256));
    // Most begin like a frame for us, so that the noise gets as deep as it can.
    if (i % 8 !== 0) frame.set(template.subarray(0, Math.min(bytes, 14 + random(30))));
    if (i % 3 === 0 && bytes > 24) frame[23] = [1, 6, 17][random(3)] as number;
    stack.inject(frame);
    if (i % 100 === 0) stack.advance(10);
  }
  stack.advance(200_000);
  stack.take();
  t.deepEqual(stack.tables(), tables);
  stack.inject(peer.arpRequest());
  t.true(stack.answers(peer));
});
