import test from "../conformance/proves.js";
import { STACK_ADDRESS, StackHarness, type CounterName } from "../support/stack-harness.js";
import type { Below } from "../support/wire-peer.js";
import type { Peer } from "../support/wire-peer.js";
import {
  BROADCAST_MAC,
  PROTOCOL,
  concat,
  icmpMessage,
  ip,
  ipv4Packet,
  pattern,
} from "../support/wire.js";

const PEER = "192.168.7.9";

/** One frame of each transport that would be answered if it were good. */
function asking(peer: Peer, below: Below): Uint8Array[] {
  return [
    peer.echo(pattern(30), 1, 1, below),
    peer.udp({ sourcePort: 1000, destinationPort: 1001 }, pattern(30), below),
    peer.tcp({ sourcePort: 1000, destinationPort: 1001, seq: 5, flags: 2 }, pattern(18), below),
  ];
}

/** Injects the frames of every transport; each must be dropped, uncounted by any transport, for the reason given. */
async function dropped(
  t: { deepEqual: (a: unknown, b: unknown, message?: string) => void; true: (v: boolean) => void },
  reason: CounterName,
  belows: Below[],
): Promise<void> {
  const stack = await StackHarness.quiet();
  const peer = stack.neighbour(PEER);
  const tables = stack.tables();
  for (const below of belows) {
    for (const frame of asking(peer, below)) {
      const changed = stack.counted(() => stack.inject(frame));
      const message = JSON.stringify(below);
      t.deepEqual(changed, { ethernetIn: 1, ipIn: 1, [reason]: 1 }, message);
      t.deepEqual(stack.take(), [], message);
    }
  }
  t.deepEqual(stack.tables(), tables);
  t.true(stack.answers(peer));
}

test("IP-1: a version other than 4 is dropped", async (t) => {
  const versions = [0, 1, 2, 3, 5, 6, 15].map((version) => ({ ip: { version } }));
  await dropped(t, "ipBadHeader", versions);
});

test("IP-2, I-1: a header length below 5 words is dropped", async (t) => {
  await dropped(
    t,
    "ipBadHeader",
    [0, 1, 2, 3, 4].map((ihl) => ({ ip: { ihl } })),
  );
});

test("IP-2, I-2, I-3: a total length below the header or beyond the frame is dropped", async (t) => {
  await dropped(
    t,
    "ipBadLength",
    [0, 1, 19, 1500, 65535].map((totalLength) => ({ ip: { totalLength } })),
  );
});

test("I-1, FreeRTOS CVE-2018-16601: every header length against every total length is safe", async (t) => {
  const stack = await StackHarness.quiet();
  const peer = stack.neighbour(PEER);
  for (let ihl = 0; ihl < 16; ihl++) {
    for (let totalLength = 0; totalLength <= 60; totalLength++) {
      const frame = peer.ip(PROTOCOL.ICMP, new Uint8Array(26).fill(1), {
        ip: { ihl, totalLength },
      });
      stack.inject(frame);
      for (const reply of stack.take())
        t.fail(`answered ${reply.ip?.protocol} to ${ihl}, ${totalLength}`);
    }
  }
  t.true(stack.answers(peer));
});

test("IP-3: a wrong header checksum is dropped silently", async (t) => {
  await dropped(t, "ipBadChecksum", [{ ip: { checksum: 0 } }, { ip: { checksum: 0x1234 } }]);
});

test("IP-4: a packet for another address is dropped", async (t) => {
  await dropped(
    t,
    "ipNotOurs",
    [
      "192.168.7.3",
      "10.0.0.1",
      "224.0.0.1",
      "239.1.2.3",
      "192.168.7.0",
      "127.0.0.1",
      "0.0.0.0",
    ].map((to) => ({ ip: { destination: ip(to) } })),
  );
});

test("IP-5, I-5, I-6: a source that is no single other host is dropped, LAND included", async (t) => {
  const more = [
    {},
    // The general way: options, a broadcast.
    { options: Uint8Array.of(1, 1, 1, 1) },
    { destination: 0xffffffff },
  ];
  await dropped(
    t,
    "ipBadSource",
    [
      "127.0.0.1",
      "0.0.0.0",
      "0.1.2.3",
      "224.0.0.1",
      "239.255.255.255",
      "240.0.0.1",
      "255.255.255.255",
      "192.168.7.255",
      "192.168.7.2",
    ].flatMap((from) => more.map((rest) => ({ ip: { source: ip(from), ...rest } }))),
  );
});

test("I-5, CVE-1999-0016: 10 000 LAND packets cost nothing and answer nothing", async (t) => {
  const stack = await StackHarness.quiet();
  stack.listen(80);
  const tables = stack.tables();
  const land = stack
    .peer("192.168.7.2")
    .tcp({ sourcePort: 80, destinationPort: 80, seq: 1, flags: 2 });
  for (let i = 0; i < 10_000; i++) stack.inject(land);
  t.deepEqual(stack.take(), []);
  t.deepEqual(stack.tables(), tables);
});

test("RFC 1122 3.3.6: an IP unicast in a link broadcast is dropped", async (t) => {
  await dropped(t, "ipNotOurs", [
    { ethernet: { destination: BROADCAST_MAC } },
    { ethernet: { destination: "01:00:5e:00:00:01" } },
  ]);
});

test("IP-6, RFC 1122 3.2.1.7: TTL 1 and 0 reach us, and we send 64", async (t) => {
  const stack = await StackHarness.quiet();
  const peer = stack.neighbour(PEER);
  for (const ttl of [0, 1, 255]) {
    const [reply] = stack.exchange(peer.echo(pattern(8), 1, 1, { ip: { ttl } }));
    t.is(reply?.ip?.ttl, 64);
  }
});

test("ID-1, RFC 6864 4.1, F-10: all we send is atomic: DF set, identification 0", async (t) => {
  const stack = await StackHarness.quiet();
  const peer = stack.neighbour(PEER);
  const frames = asking(peer, {}).flatMap((frame) => stack.exchange(frame));
  t.is(frames.length, 3);
  for (const { ip: header } of frames) {
    t.true(header?.dontFragment);
    t.is(header?.id, 0);
    t.is(header?.options.length, 0);
  }
});

test("IP-7, I-4: unknown options are stepped over, and not in the answer", async (t) => {
  const stack = await StackHarness.quiet();
  const peer = stack.neighbour(PEER);
  for (const options of [
    [1, 1, 1, 1],
    [0, 0xff, 0xff, 0xff],
    [7, 7, 4, 0, 0, 0, 0, 0],
    [0x44, 4, 5, 0],
    [0x94, 4, 0, 0],
    [200, 2, 200, 6, 1, 2, 3, 4],
    [1, 250, 39, ...new Array<number>(37).fill(9)],
  ]) {
    const [reply] = stack.exchange(
      peer.echo(pattern(40), 1, 1, { ip: { options: Uint8Array.from(options) } }),
    );
    t.deepEqual(reply?.icmp?.data, pattern(40), JSON.stringify(options));
    t.is(reply?.ip?.options.length, 0);
  }
});

test("IP-7, I-4, URGENT/11 CVE-2019-12256: source routes are dropped", async (t) => {
  const routes = [
    [0x83, 3, 0, 0],
    [0x83, 0xff, 4, 0],
    [0x83, 7, 4, 10, 0, 0, 1, 0],
    [0x89, 0, 0, 0],
    [0x89, 11, 4, 1, 2, 3, 4, 0x89, 3, 4, 0, 0],
    [1, 1, 1, 0x89],
  ];
  await dropped(
    t,
    "ipSourceRoute",
    routes.map((options) => ({ ip: { options: Uint8Array.from(options) } })),
  );
});

test("I-4: options with a length of 0 or 1, or that run past the header, are dropped", async (t) => {
  const options = [
    [0x44, 0, 0, 0],
    [0x44, 1, 0, 0],
    [0x44, 5, 0, 0],
    [1, 1, 1, 0x44],
    [7, 255, 4, 0],
    [200, 3, 0, 200],
    [1, 1, 200, 3],
  ];
  await dropped(
    t,
    "ipBadHeader",
    options.map((bytes) => ({ ip: { options: Uint8Array.from(bytes) } })),
  );
});

test("a fragment that cannot be part of a datagram, and the reserved bit, are dropped under a counter of their own", async (t) => {
  await dropped(t, "ipFragment", [
    { ip: { dontFragment: false, moreFragments: true } },
    { ip: { dontFragment: false, offset: 0x1fff } },
    { ip: { moreFragments: true, offset: 3 } },
    { ip: { reserved: true } },
  ]);
});

test("IP-9: an unknown protocol is answered with protocol unreachable, quoting header and 8 bytes", async (t) => {
  const stack = await StackHarness.quiet();
  const peer = stack.neighbour(PEER);
  for (const bytes of [0, 3, 8, 200]) {
    const frame = peer.ip(253, pattern(bytes));
    const [error, ...more] = stack.exchange(frame);
    t.is(more.length, 0);
    t.is(error?.icmp?.type, 3);
    t.is(error?.icmp?.code, 2);
    t.is(error?.ip?.destination, peer.address);
    t.deepEqual(error?.icmp?.data, frame.slice(14, 34 + Math.min(bytes, 8)));
  }
});

test("I-7, Ripple20, CVE-2020-10136: nothing inside a tunnel is answered", async (t) => {
  const stack = await StackHarness.quiet();
  const peer = stack.neighbour(PEER);
  const inner = ipv4Packet(
    { source: peer.address, destination: STACK_ADDRESS, protocol: PROTOCOL.ICMP },
    icmpMessage({ type: 8, rest: 1 }, pattern(20)),
  );
  for (const protocol of [PROTOCOL.IPIP, PROTOCOL.IPV6, PROTOCOL.GRE]) {
    const payload = protocol === PROTOCOL.GRE ? concat([0, 0, 8, 0], inner) : inner;
    const answers = stack.exchange(peer.ip(protocol, payload));
    t.deepEqual(
      answers.map((f) => [f.icmp?.type, f.icmp?.code]),
      [[3, 2]],
    );
  }
});

test("a packet for us with no address configured, or none at all, is dropped", async (t) => {
  const stack = await StackHarness.create({ address: 0 });
  const peer = stack.peer(PEER);
  for (const frame of asking(peer, { ip: { destination: STACK_ADDRESS } })) stack.inject(frame);
  for (const frame of asking(peer, { ip: { destination: 0xffffffff } })) stack.inject(frame);
  t.deepEqual(stack.take(), []);
});
