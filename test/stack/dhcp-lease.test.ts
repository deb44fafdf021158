/** What a lease holds, how long it lasts, and what becomes of it when the network is another one. */
import test from "../conformance/proves.js";
import { DhcpBench, LEASED, LEASE_SECONDS, SERVER, type Reply } from "../support/dhcp-bench.js";
import { ERRNO } from "../support/stack-harness.js";
import { DHCP } from "../support/wire-dhcp.js";
import { ip, pattern } from "../support/wire.js";

const OUTSIDE = ip("8.8.8.8");

/** The neighbour that something for the world is sent to, or asked for; 0 = there is no route. */
function router(bench: DhcpBench): number | undefined {
  const sent = bench.stack.sendTo(bench.stack.udpSocket(0), pattern(4), OUTSIDE, 53);
  if (sent === -ERRNO.ENETUNREACH) return 0;
  const frame = bench.stack.take()[0];
  return frame?.destination === bench.server.mac ? SERVER : frame?.arp?.targetAddress;
}

test("A19, N5: a router outside the subnet, or at our own address, is dropped and the address taken", async (t) => {
  for (const lie of ["10.0.0.1", "192.168.7.50", "192.168.7.0", "192.168.7.255", "224.0.0.1"]) {
    const bench = await DhcpBench.bound({ change: [[3, ip(lie)]] });
    t.is(bench.address, LEASED, lie);
    t.is(router(bench), 0, lie);
  }
});

test("A19: a mask of 255.255.255.255 is one: everything goes to the router at the other end of the line", async (t) => {
  for (const at of ["10.0.0.1", "192.168.7.1"]) {
    const bench = await DhcpBench.bound({
      change: [
        [1, 0xffffffff],
        [3, ip(at)],
      ],
    });
    t.is(bench.address, LEASED);
    t.is(router(bench), ip(at));
    const line = bench.server.as(ip(at), "02:00:00:00:00:fe");
    const [datagram] = bench.stack.exchange(line.arpReply({ targetAddress: LEASED }));
    t.is(datagram?.ip?.destination, OUTSIDE, "its ARP reply is believed");
    t.is(datagram?.destination, line.mac);
  }
});

test("N5, RFC 3021: a mask of 31 bits leaves two hosts and no broadcast address", async (t) => {
  for (const last of [50, 51]) {
    const bench = await DhcpBench.bound({
      yiaddr: ip(`192.168.7.${last}`),
      change: [
        [1, 0xfffffffe],
        [3, ip(`192.168.7.${101 - last}`)],
      ],
    });
    t.is(bench.address, ip(`192.168.7.${last}`));
    t.is(router(bench), ip(`192.168.7.${101 - last}`));
  }
});

test("G7: a renewal that names neither mask nor router nor server for names changes none of them", async (t) => {
  const bench = await DhcpBench.bound();
  const renew = bench.next(LEASE_SECONDS * 1000);
  const said: Reply = {
    change: [
      [1, null],
      [3, null],
      [6, null],
      [51, null],
    ],
  };
  bench.reply(renew, DHCP.ACK, said);
  t.is(router(bench), SERVER);
  const at = bench.stack.nowMs;
  bench.next(LEASE_SECONDS * 1000);
  const seconds = (bench.stack.nowMs - at) / 1000;
  t.true(seconds > LEASE_SECONDS * 0.45 && seconds <= LEASE_SECONDS / 2, `${seconds} s`);
});

test("G7: a server that names no lease time leases for an hour", async (t) => {
  const bench = await DhcpBench.bound({ change: [[51, null]] });
  t.is(bench.address, LEASED);
  const at = bench.stack.nowMs;
  bench.next(3600_000);
  t.true(bench.stack.nowMs - at > 1600_000);
});

test("G7, DHCP-5, D-5, RFC 2131 4.1: options in file and sname are read when the server says so, and only then", async (t) => {
  const sname = Uint8Array.of(3, 4, 192, 168, 7, 3, 255);
  const file = Uint8Array.of(1, 4, 255, 255, 0, 0, 3, 4, 192, 168, 99, 99, 255);
  const names = new Uint8Array(192);
  names.set(sname);
  names.set(file, 64);
  const without: [number, null][] = [
    [1, null],
    [3, null],
  ];
  for (const [overload, expected] of [
    [1, ip("192.168.99.99")],
    [2, ip("192.168.7.3")],
    [3, ip("192.168.99.99")],
  ] as const) {
    const bench = await DhcpBench.bound({ names, change: [...without, [52, [overload]]] });
    t.is(bench.address, LEASED);
    t.is(router(bench), expected, `overload ${overload}`);
  }
  const both = await DhcpBench.bound({ names, change: [[52, [3]]] });
  t.is(router(both), SERVER, "what the options say goes before the names");
  const none = await DhcpBench.bound({ names });
  t.is(router(none), SERVER);
});

test("L10, RFC 2131 4.4.5: a lease of 15 s ends after 15 s, with several tries to renew it before", async (t) => {
  const bench = await DhcpBench.create();
  const request = bench.offered({ change: [[51, 15]] });
  const began = bench.stack.nowMs;
  bench.reply(request, DHCP.ACK, { change: [[51, 15]] });
  bench.stack.advance(2500);
  bench.stack.take();
  t.is(bench.address, LEASED);
  const tries = bench.during(began + 14_900 - bench.stack.nowMs);
  t.true(tries.length >= 4 && tries.length <= 10, `${tries.length} tries`);
  t.is(bench.address, LEASED);
  bench.stack.advance(101);
  t.is(bench.address, 0);
});

test("A20: a lease counts from a REQUEST that is not later than the one that was answered", async (t) => {
  const bench = await DhcpBench.create();
  bench.offered({ change: [[51, 60]] });
  const began = bench.stack.nowMs;
  const again = bench.next(6000);
  t.is(again.type, DHCP.REQUEST);
  bench.reply(again, DHCP.ACK, { change: [[51, 60]] });
  bench.stack.advance(2500);
  t.is(bench.address, LEASED);
  bench.during(began + 59_900 - bench.stack.nowMs);
  t.is(bench.address, LEASED);
  bench.stack.advance(101);
  t.is(bench.address, 0);
});

test("A20: an acknowledgment of an earlier renewal does not count from the later one", async (t) => {
  const bench = await DhcpBench.bound();
  const first = bench.next(LEASE_SECONDS * 1000);
  const second = bench.next(LEASE_SECONDS * 1000);
  t.not(first.xid, second.xid);
  bench.reply(first, DHCP.ACK);
  t.is(bench.next(LEASE_SECONDS * 1000).type, DHCP.REQUEST, "it is asked for on");
});

test("G4, RFC 4436: a lease whose server is silent is used on when the gateway that we know answers", async (t) => {
  const bench = await DhcpBench.bound();
  bench.stack.inject(bench.server.arpRequest({ targetAddress: LEASED }));
  bench.stack.wasm.linkChanged(0);
  bench.stack.wasm.linkChanged(1);
  t.deepEqual(
    bench.during(20_000).map(({ message }) => message.type),
    [DHCP.REQUEST, DHCP.REQUEST],
  );
  t.true(bench.pings());
  const renew = bench.next(LEASE_SECONDS * 500);
  t.is(renew.to, SERVER);
});

test("G4, RFC 2131 3.2: on a network where nobody knows the address a new one is asked for while it is kept", async (t) => {
  for (const gateway of [undefined, "02:00:00:00:00:99"]) {
    const bench = await DhcpBench.bound();
    bench.stack.inject(bench.server.arpRequest({ targetAddress: LEASED }));
    bench.stack.wasm.linkChanged(0);
    bench.stack.wasm.linkChanged(1);
    const types: number[] = [];
    const end = bench.stack.nowMs + 30_000;
    while (bench.stack.nowMs < end) {
      for (const frame of bench.stack.untilSent(1000)) {
        const asked = frame.arp?.operation === 1 && frame.arp.targetAddress === SERVER;
        if (asked && gateway) {
          const other = bench.server.as(SERVER, gateway);
          bench.stack.inject(other.arpReply({ targetAddress: LEASED }));
        }
        if (frame.udp) types.push(frame.udp.data[242] as number);
      }
    }
    t.deepEqual(types.slice(0, 3), [DHCP.REQUEST, DHCP.REQUEST, DHCP.DISCOVER]);
    t.is(bench.address, LEASED, "kept meanwhile");
    const discover = bench.next(70_000);
    const moved = { yiaddr: ip("192.168.7.51") };
    bench.reply(discover, DHCP.OFFER, moved);
    bench.reply(bench.next(0), DHCP.ACK, moved);
    bench.stack.advance(2500);
    t.is(bench.address, moved.yiaddr);
  }
});

test("G4: the address that is kept while a new one is asked for is given up when its lease ends", async (t) => {
  const bench = await DhcpBench.bound({ change: [[51, 120]] });
  bench.stack.wasm.linkChanged(1);
  bench.during(100_000);
  t.is(bench.address, LEASED);
  bench.during(25_000);
  t.is(bench.address, 0);
});

test("G12: a client that starts just before the clock wraps asks at the same times as any other", async (t) => {
  const times = async (startMs: number): Promise<number[]> => {
    const bench = await DhcpBench.create({ startMs });
    return Array.from({ length: 5 }, () => {
      bench.next(100_000);
      return bench.stack.nowMs - startMs;
    });
  };
  const usual = await times(0);
  for (const startMs of [2 ** 32 - 3000, 2 ** 32 - 100, 2 ** 31 - 3000]) {
    t.deepEqual(await times(startMs), usual);
  }
});
