import test from "../conformance/proves.js";
import { DhcpBench, LEASED, SERVER, LEASE_SECONDS } from "../support/dhcp-bench.js";
import { ERRNO } from "../support/stack-harness.js";
import { DHCP, type ClientMessage } from "../support/wire-dhcp.js";
import { BROADCAST_MAC, ip, pattern } from "../support/wire.js";

const BROADCAST = 0xffffffff;

test("DHCP-1: the first DISCOVER comes after 32 to 288 ms, another wait for another seed", async (t) => {
  const waits = new Set<number>();
  for (let seed = 1; seed <= 8; seed++) {
    const bench = await DhcpBench.create({ seeds: [seed, 7] });
    t.deepEqual(bench.stack.take(), [], "nothing before that");
    bench.next(1000);
    t.true(bench.stack.nowMs >= 32 && bench.stack.nowMs <= 288);
    waits.add(bench.stack.nowMs);
  }
  t.true(waits.size > 4);
});

test("DHCP-4, DHCP-9, DHCP-10: DISCOVER is a broadcast from 0.0.0.0 with all that a server wants to know", async (t) => {
  const bench = await DhcpBench.create();
  bench.stack.poison();
  const message = bench.next(1000);
  t.is(message.type, DHCP.DISCOVER);
  t.deepEqual([message.from, message.to, message.mac], [0, BROADCAST, BROADCAST_MAC]);
  t.deepEqual([message.ciaddr, message.flags, message.chaddr], [0, 0x8000, bench.stack.mac]);
  t.not(message.xid, 0);
  t.deepEqual(message.options.get(61), Uint8Array.of(1, 2, 0, 0, 0, 0, 0xaa));
  t.deepEqual(message.options.get(57), Uint8Array.of(576 >> 8, 576 & 0xff));
  t.deepEqual(message.options.get(55), Uint8Array.of(1, 3, 6, 51, 58, 59));
  t.false(message.options.has(50) || message.options.has(54));
});

test("DHCP: offer, request, acknowledgment, ARP check, announcement: the address is ours", async (t) => {
  const bench = await DhcpBench.create();
  const discover = bench.next(1000);
  bench.reply(discover, DHCP.OFFER);
  const request = bench.next(0);
  t.is(request.type, DHCP.REQUEST);
  t.is(request.xid, discover.xid);
  t.deepEqual([request.number(50), request.number(54)], [LEASED, SERVER]);
  t.deepEqual([request.from, request.to, request.ciaddr], [0, BROADCAST, 0]);
  bench.reply(request, DHCP.ACK);
  t.is(bench.address, 0, "not before the check");
  bench.stack.advance(3000);
  const arps = bench.stack.take().map((f) => f.arp);
  t.deepEqual(
    arps.map((arp) => [arp?.senderAddress, arp?.targetAddress]),
    [
      [0, LEASED],
      [0, LEASED],
      [0, LEASED],
      [LEASED, LEASED],
    ],
  );
  t.is(bench.address, LEASED);
  t.true(bench.pings());
  bench.stack.sendTo(bench.stack.udpSocket(5000), pattern(4), ip("8.8.8.8"), 53);
  t.is(bench.stack.take()[0]?.destination, bench.server.mac, "the router is set");
});

test("DHCP-2: DISCOVER is repeated after 4, 8, 16, 32, 64, 64 s, each up to a second off", async (t) => {
  const bench = await DhcpBench.create();
  const sent = bench.during(300_000);
  const gaps = sent.slice(1).map(({ at }, i) => at - (sent[i]?.at as number));
  [4, 8, 16, 32, 64, 64].forEach((seconds, i) => {
    t.true(Math.abs((gaps[i] as number) - seconds * 1000) <= 1000, `${gaps[i]} ms`);
  });
  t.true(gaps.some((gap) => gap % 1000 !== 0));
  t.is(new Set(sent.map(({ message }) => message.xid)).size, 1, "one exchange, one identifier");
  t.is(
    sent[2]?.message.secs,
    Math.floor(((sent[2]?.at as number) - (sent[0]?.at as number)) / 1000),
  );
});

test("DHCP-2: REQUEST is repeated four times, then the client begins anew with another identifier", async (t) => {
  const bench = await DhcpBench.create();
  const request = bench.offered();
  const sent = bench.during(62_000);
  t.deepEqual(
    sent.map(({ message }) => message.type),
    [DHCP.REQUEST, DHCP.REQUEST, DHCP.REQUEST, DHCP.DISCOVER].slice(0, sent.length),
  );
  const anew = bench.next(10_000);
  t.is(anew.type, DHCP.DISCOVER);
  t.not(anew.xid, request.xid);
});

test("DHCP-3, D-2: a reply with anything wrong in it is ignored", async (t) => {
  const bench = await DhcpBench.create();
  const discover = bench.next(1000);
  const { stack } = bench;
  for (const lie of [
    { op: 1 },
    { hardware: 6 },
    { hardwareBytes: 0 },
    { hardwareBytes: 255 },
    { xid: discover.xid ^ 1 },
    { chaddr: "02:00:00:00:00:ab" },
    { magic: 0x63825364 },
    { sourcePort: 68 },
    { destinationPort: 67 },
    { checksum: 0x1234 },
    { change: [[53, null]] as [number, null][] },
    { change: [[53, [5]]] as [number, number[]][] },
    { change: [[54, null]] as [number, null][] },
    { change: [[53, [2, 2]]] as [number, number[]][] },
  ]) {
    stack.inject(bench.frame(discover, DHCP.OFFER, lie));
    t.deepEqual(stack.take(), [], JSON.stringify(lie));
  }
  bench.reply(discover, DHCP.OFFER, { checksum: 0 });
  const request = bench.next(0);
  t.is(request.type, DHCP.REQUEST, "a good one, even without checksum, is taken");
  for (const lie of [{ server: ip("192.168.7.99") }, { xid: request.xid + 1 }, { checksum: 1 }]) {
    bench.reply(request, DHCP.ACK, lie);
    bench.stack.advance(2000);
    t.is(bench.address, 0, JSON.stringify(lie));
  }
});

test("D-8, D-1: every truncated length of an offer and of an acknowledgment is safe", async (t) => {
  const bench = await DhcpBench.create();
  const discover = bench.next(1000);
  const offer = bench.frame(discover, DHCP.OFFER);
  const whole = offer.subarray(42);
  const to = { ip: { destination: BROADCAST }, ethernet: { destination: BROADCAST_MAC } };
  const ports = { sourcePort: 67, destinationPort: 68 };
  for (let bytes = 0; bytes < 240; bytes++) {
    bench.stack.inject(bench.server.udp(ports, whole.subarray(0, bytes), to));
    bench.stack.inject(offer.subarray(0, Math.max(1, bytes)));
  }
  t.deepEqual(bench.stack.take(), []);
  bench.reply(discover, DHCP.OFFER);
  const request = bench.next(0);
  const ack = bench.frame(request, DHCP.ACK).subarray(42);
  for (let bytes = 0; bytes < 250; bytes++) {
    bench.stack.inject(bench.server.udp(ports, ack.subarray(0, bytes), to));
  }
  t.is(bench.address, 0);
});

test("D-1, URGENT/11 CVE-2019-12257: options of every length, in every message, are safe", async (t) => {
  const bench = await DhcpBench.create();
  let message = bench.next(1000);
  for (const code of [0, 1, 3, 6, 12, 15, 50, 51, 52, 53, 54, 58, 59, 61, 119, 121, 254, 255]) {
    for (let length = 0; length < 256; length += length < 12 ? 1 : 27) {
      const reply = { change: [[code, pattern(length)]] as [number, Uint8Array][] };
      const type = message.type === DHCP.DISCOVER ? DHCP.OFFER : DHCP.ACK;
      bench.reply(message, type, reply);
      // The option claims to be longer than the message.
      const cut = bench.frame(message, type, {
        raw: Uint8Array.of(53, 1, type, 54, 4, 192, 168, 7, 1, code, length),
      });
      bench.stack.inject(cut);
      message = bench.nextOrNone(0) ?? message;
      bench.stack.advance(1);
    }
  }
  bench.stack.advance(200_000);
  bench.stack.take();
  t.notThrows(() => bench.next(200_000_000), "the client goes on");
});

test("D-1: options of a wrong length count as not given; strange ones are stepped over", async (t) => {
  const bench = await DhcpBench.create();
  const raw = Uint8Array.from([
    ...[0, 0, 53, 1, 2, 0, 12, 3, 65, 66, 67, 119, 2, 0xc0, 0x0c],
    ...[
      54, 4, 192, 168, 7, 1, 3, 3, 1, 1, 1, 3, 6, 10, 0, 0, 1, 10, 0, 6, 8, 9, 9, 9, 9, 8, 8, 8, 8,
    ],
    ...[51, 4, 0, 0, 14, 16, 1, 4, 255, 255, 255, 0, 255, 0, 53, 1, 6],
  ]);
  const discover = bench.next(1000);
  bench.reply(discover, DHCP.OFFER, { raw });
  const request = bench.next(0);
  const ack = Uint8Array.from(raw);
  ack[4] = DHCP.ACK;
  bench.reply(request, DHCP.ACK, { raw: ack });
  bench.stack.advance(3000);
  t.is(bench.address, LEASED, "what stands behind the end option is not read");
  bench.stack.take();
  const fd = bench.stack.udpSocket(5000);
  t.is(bench.stack.sendTo(fd, pattern(4), ip("8.8.8.8"), 53), -ERRNO.ENETUNREACH, "no router");
});

test("DHCP-8, D-3, URGENT/11 CVE-2019-12264: an impossible address or mask, or a lease of no time, is refused", async (t) => {
  const bad: { yiaddr?: number; change?: [number, number][] }[] = [
    ...["0.0.0.0", "255.255.255.255", "224.0.0.5", "240.1.1.1", "127.0.0.1", "0.1.2.3"].map(
      (address) => ({ yiaddr: ip(address) }),
    ),
    { yiaddr: ip("192.168.7.0") },
    { yiaddr: ip("192.168.7.255") },
    { change: [[1, 0]] },
    { change: [[1, ip("255.0.255.0")]] },
    { change: [[1, ip("0.0.0.255")]] },
    { change: [[51, 0]] },
  ];
  for (const reply of bad) {
    const bench = await DhcpBench.create();
    const discover = bench.next(1000);
    bench.reply(discover, DHCP.OFFER, reply);
    t.is(bench.nextOrNone(0), undefined, `offer ${JSON.stringify(reply)}`);
    bench.reply(discover, DHCP.OFFER);
    const request = bench.next(0);
    bench.reply(request, DHCP.ACK, reply);
    bench.stack.advance(3000);
    t.is(bench.address, 0, `acknowledgment ${JSON.stringify(reply)}`);
    t.is(bench.next(70_000).type, DHCP.DISCOVER);
  }
});

test("DHCP-6, RFC 2131 3.1: an address in use is declined, and asked for again after 10 s at least", async (t) => {
  const user = "02:00:00:00:00:55";
  for (const [sender, target] of [
    [LEASED, SERVER],
    [0, LEASED],
  ] as const) {
    const bench = await DhcpBench.create();
    const request = bench.offered();
    bench.reply(request, DHCP.ACK);
    t.truthy(bench.stack.untilSent(1000)[0]?.arp);
    bench.stack.inject(
      bench.server.arpRequest({ senderMac: user, senderAddress: sender, targetAddress: target }),
    );
    const decline = bench.next(0);
    t.is(decline.type, DHCP.DECLINE);
    t.deepEqual([decline.number(50), decline.number(54)], [LEASED, SERVER]);
    t.is(decline.from, 0);
    t.is(bench.address, 0);
    const at = bench.stack.nowMs;
    t.is(bench.next(20_000).type, DHCP.DISCOVER);
    t.true(bench.stack.nowMs - at >= 10_000);
  }
});

test("DHCP-7: at T1 the server is asked by unicast, with ciaddr and without server or address option", async (t) => {
  const bench = await DhcpBench.bound();
  const bound = bench.stack.nowMs;
  const renew = bench.next(LEASE_SECONDS * 1000);
  const half = (LEASE_SECONDS * 1000) / 2;
  t.true(bench.stack.nowMs > bound - 10_000 + half * (15 / 16) && bench.stack.nowMs < bound + half);
  t.deepEqual([renew.type, renew.ciaddr, renew.flags], [DHCP.REQUEST, LEASED, 0]);
  t.deepEqual([renew.from, renew.to], [LEASED, SERVER]);
  t.false(renew.options.has(50) || renew.options.has(54));
  bench.reply(renew, DHCP.ACK);
  bench.stack.advance(half * 0.9);
  t.deepEqual(
    bench.stack.take().filter((f) => f.udp),
    [],
    "renewed from then on",
  );
  t.is(bench.address, LEASED);
});

test("DHCP-7: retries at half the time left but no closer than 60 s; T2 by broadcast; the end drops the address", async (t) => {
  const bench = await DhcpBench.bound();
  const began = bench.stack.nowMs;
  const sent = bench
    .during(LEASE_SECONDS * 1000 - 30_000)
    .map(({ at, message }) => ({ at, to: message.to }));
  const t2 = began + LEASE_SECONDS * 875;
  t.true(sent.length >= 6 && sent.length <= 16, `${sent.length} requests`);
  t.true(
    sent.every(
      ({ at, to }) => to === (at > t2 + 5000 ? BROADCAST : SERVER) || Math.abs(at - t2) < 15_000,
    ),
  );
  t.true(sent.some(({ to }) => to === SERVER) && sent.some(({ to }) => to === BROADCAST));
  sent.slice(1).forEach(({ at }, i) => {
    const gap = at - (sent[i]?.at as number);
    t.true(gap >= 50_000 || sent[i + 1]?.to !== sent[i]?.to, `${gap} ms`);
  });
  t.true(bench.pings());
  bench.stack.advance(40_000);
  t.false(bench.pings(), "the lease is over");
  t.is(bench.address, 0);
});

test("DHCP-7, DHCP-8, D-4: T1 and T2 of the server count only in good order", async (t) => {
  for (const [t1, t2, first] of [
    [600, 1200, 600],
    [1200, 600, 1800],
    [4000, 5000, 1800],
    [600, 3600, 1800],
    [600, 0, 1800],
    // Each second, for ever: no sooner than after a minute.
    [1, 2, 1800],
    [59, 1200, 1800],
    [60, 1200, 60],
  ] as const) {
    const bench = await DhcpBench.bound({
      change: [
        [58, t1],
        [59, t2],
      ],
    });
    const at = bench.stack.nowMs;
    bench.next(LEASE_SECONDS * 1000);
    const seconds = (bench.stack.nowMs - at) / 1000;
    t.true(seconds > first * 0.92 - 10 && seconds <= first, `${seconds} s for ${t1}, ${t2}`);
  }
});

test("D-4: a lease of a second makes no storm, for ever is for ever", async (t) => {
  const short = await DhcpBench.bound({ change: [[51, 1]] });
  const sent = short.during(600_000);
  t.true(sent.length >= 2 && sent.length <= 30, `${sent.length} messages in 10 minutes`);
  const forever = await DhcpBench.bound({ change: [[51, 0xffffffff]] });
  t.deepEqual(forever.during(2_000_000_000), []);
  t.is(forever.address, LEASED);
  const long = await DhcpBench.bound({ change: [[51, 0xfffffffe]] });
  const renew = long.next(864_000_000);
  t.is(renew.type, DHCP.REQUEST, "136 years are taken as 20 days");
});

test("DHCP-9, D-6: a NAK begins anew at once, a storm of them ever later", async (t) => {
  const bench = await DhcpBench.create();
  const gaps: number[] = [];
  let discover = bench.next(1000);
  for (let i = 0; i < 7; i++) {
    bench.reply(discover, DHCP.OFFER);
    bench.reply(bench.next(0), DHCP.NAK);
    const at = bench.stack.nowMs;
    discover = bench.next(100_000);
    t.is(discover.type, DHCP.DISCOVER);
    gaps.push(bench.stack.nowMs - at);
  }
  t.true((gaps[0] as number) < 300);
  [4, 8, 16, 32, 64, 64].forEach((seconds, i) => {
    t.true(Math.abs((gaps[i + 1] as number) - seconds * 1000) <= 1000, gaps.join(" "));
  });
});

test("DHCP-9: a NAK to a renewal takes the address away at once", async (t) => {
  const bench = await DhcpBench.bound();
  const renew = bench.next(LEASE_SECONDS * 1000);
  bench.reply(renew, DHCP.NAK, { server: ip("192.168.7.99") });
  t.is(bench.address, LEASED, "not a NAK of another server");
  bench.reply(renew, DHCP.NAK);
  t.is(bench.address, 0);
  t.is(bench.next(1000).type, DHCP.DISCOVER);
});

test("DHCP-10: an offer by unicast to the address that is offered is taken", async (t) => {
  const bench = await DhcpBench.create();
  const discover = bench.next(1000);
  const offer = bench.frame({ ...discover, ciaddr: LEASED }, DHCP.OFFER);
  bench.stack.inject(offer);
  t.is(bench.next(0).type, DHCP.REQUEST);
});

test("DHCP: stray replies change nothing once the lease is held", async (t) => {
  const bench = await DhcpBench.bound();
  const request = bench.last as ClientMessage;
  for (const type of [DHCP.OFFER, DHCP.ACK, DHCP.NAK]) bench.reply(request, type);
  bench.stack.advance(3000);
  t.deepEqual(bench.stack.take(), []);
  t.is(bench.address, LEASED);
});

test("DHCP-2: two stacks with different seeds use different identifiers", async (t) => {
  const ids = new Set<number>();
  for (let seed = 0; seed < 10; seed++) {
    const bench = await DhcpBench.create({ seeds: [seed, 3] });
    ids.add(bench.next(1000).xid);
  }
  t.is(ids.size, 10);
});

test("RFC 2131 3.2: when the cable comes back the lease is verified; the address stays in use meanwhile", async (t) => {
  const bench = await DhcpBench.bound();
  const before = bench.last?.xid;
  bench.stack.wasm.linkChanged(0);
  t.deepEqual(bench.during(5000), []);
  bench.stack.wasm.linkChanged(1);
  const verify = bench.next(300);
  t.is(verify.type, DHCP.REQUEST);
  t.deepEqual([verify.number(50), verify.number(54), verify.ciaddr], [LEASED, undefined, 0]);
  t.deepEqual([verify.from, verify.to], [0, BROADCAST]);
  t.not(verify.xid, before);
  t.true(bench.pings());
  bench.reply(verify, DHCP.ACK);
  t.is(bench.address, LEASED);
  t.deepEqual(bench.during(60_000), []);
});

test("RFC 2131 3.2: another network's server says NAK, and the address is gone at once", async (t) => {
  const bench = await DhcpBench.bound();
  bench.stack.wasm.linkChanged(1);
  const verify = bench.next(300);
  bench.reply(verify, DHCP.NAK, { server: ip("192.168.7.3") });
  t.is(bench.address, 0);
  t.is(bench.next(300).type, DHCP.DISCOVER);
});

test("DHCP: a cable that comes back in the middle of an exchange begins it anew", async (t) => {
  const bench = await DhcpBench.create();
  bench.during(100_000);
  bench.stack.wasm.linkChanged(1);
  const at = bench.stack.nowMs;
  t.is(bench.next(300).type, DHCP.DISCOVER);
  const next = bench.next(5000);
  t.is(next.type, DHCP.DISCOVER);
  t.true(bench.stack.nowMs - at < 5300, "with short waits again");
});

test("ETH: when the cable comes back neighbours are asked for again", async (t) => {
  const bench = await DhcpBench.bound();
  const fd = bench.stack.udpSocket(5000);
  bench.stack.inject(bench.server.arpRequest({ targetAddress: LEASED }));
  bench.stack.take();
  bench.stack.wasm.linkChanged(1);
  bench.stack.take();
  bench.stack.sendTo(fd, pattern(3), SERVER, 9);
  t.is(bench.stack.take()[0]?.arp?.targetAddress, SERVER);
});
