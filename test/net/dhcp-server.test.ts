import test from "ava";
import { formatAddress, MAC_BROADCAST, macAt, type Mac } from "../../host-tools/net/addresses.js";
import { DhcpServer, defaultPool, type Lease } from "../../host-tools/net/dhcp-server.js";
import { buildUdp, get32, parseUdp, put32 } from "../../host-tools/net/packets.js";
import { VirtualClock } from "../../host-tools/sim/virtual-clock.js";

const SERVER = 0xc0a84d01;
const SUBNET = { address: SERVER, mask: 0xffffff00 };
const ALICE: Mac = 0x0200_0000_000a;
const BOB: Mac = 0x0200_0000_000b;
const [DISCOVER, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM] = [1, 2, 3, 4, 5, 6, 7, 8];

interface Reply {
  type: number;
  yiaddr: string;
  ciaddr: string;
  xid: number;
  toMac: Mac;
  toAddress: string;
  options: Map<number, number>;
}

interface Message {
  mac?: Mac;
  ciaddr?: number;
  flags?: number;
  requested?: number;
  server?: number;
  xid?: number;
}

/** A server on a bench: `ask` sends a client's message and gives the reply. */
class Bench {
  readonly clock = new VirtualClock();
  readonly leases: Lease[] = [];
  private replies: Reply[] = [];
  readonly server = new DhcpServer({
    clock: this.clock,
    mac: 0x0200_0000_0001,
    subnet: SUBNET,
    router: SERVER,
    dns: SERVER,
    send: (frame) => this.replies.push(read(frame)),
    onLease: (lease) => this.leases.push(lease),
  });

  ask(type: number | undefined, message: Message = {}): Reply | undefined {
    this.replies = [];
    this.server.handle(build(type as number, message));
    return this.replies[0];
  }

  /** The whole exchange; gives the address. */
  lease(mac: Mac): number {
    const offer = this.ask(DISCOVER, { mac }) as Reply;
    const requested = address(offer.yiaddr);
    const ack = this.ask(REQUEST, { mac, requested, server: SERVER });
    if (ack?.type !== ACK) throw new Error("no lease");
    return requested;
  }
}

const address = (text: string): number =>
  text.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);

function build(type: number, { mac = ALICE, ...m }: Message): Uint8Array {
  const payload = new Uint8Array(300);
  payload.set([1, 1, 6]);
  put32(payload, 4, m.xid ?? 0x1234_5678);
  put32(payload, 8, m.flags ?? 0);
  put32(payload, 12, m.ciaddr ?? 0);
  for (let i = 0; i < 6; i++) payload[28 + i] = Math.floor(mac / 256 ** (5 - i)) % 256;
  put32(payload, 236, 0x6382_5363);
  const options = [53, 1, type];
  const word = (code: number, value: number | undefined): void => {
    if (value === undefined) return;
    options.push(code, 4, ...[24, 16, 8, 0].map((shift) => (value >>> shift) & 255));
  };
  word(50, m.requested);
  word(54, m.server);
  payload.set([...options, 12, 3, 0x64, 0x65, 0x76, 255], 240);
  return buildUdp(
    { from: mac, to: MAC_BROADCAST },
    {
      sourceAddress: m.ciaddr ?? 0,
      destinationAddress: m.ciaddr ? SERVER : 0xffff_ffff,
      sourcePort: 68,
      destinationPort: 67,
      payload,
    },
  );
}

function read(frame: Uint8Array): Reply {
  const udp = parseUdp(frame);
  if (!udp || udp.sourcePort !== 67 || udp.destinationPort !== 68) throw new Error("not a reply");
  const options = new Map<number, number>();
  const { payload } = udp;
  for (let at = 240; payload[at] !== 255; at += 2 + (payload[at + 1] as number)) {
    const code = payload[at] as number;
    const value = payload[at + 1] === 1 ? (payload[at + 2] as number) : get32(payload, at + 2);
    options.set(code, value);
  }
  return {
    type: options.get(53) ?? 0,
    yiaddr: formatAddress(get32(payload, 16)),
    ciaddr: formatAddress(get32(payload, 12)),
    xid: get32(payload, 4),
    toMac: macAt(frame, 0),
    toAddress: formatAddress(udp.destinationAddress),
    options,
  };
}

test("RFC 2131 4.3.1: DISCOVER is answered with an offer from the pool and the parameters", (t) => {
  const offer = new Bench().ask(DISCOVER, { xid: 0xabcd_ef01 });
  t.is(offer?.type, OFFER);
  t.is(offer?.yiaddr, "192.168.77.50");
  t.is(offer?.xid, 0xabcd_ef01);
  t.deepEqual(Object.fromEntries(offer?.options ?? []), {
    1: 0xffffff00,
    3: SERVER,
    6: SERVER,
    51: 3600,
    53: OFFER,
    54: SERVER,
    58: 1800,
    59: 3150,
  });
});

test("RFC 2131 4.3.2 SELECTING: REQUEST is answered with ACK, and the lease is announced", (t) => {
  const bench = new Bench();
  bench.ask(DISCOVER);
  const ack = bench.ask(REQUEST, { requested: 0xc0a84d32, server: SERVER });
  t.is(ack?.type, ACK);
  t.is(ack?.yiaddr, "192.168.77.50");
  t.deepEqual(bench.leases, [{ address: 0xc0a84d32, mac: ALICE, hostName: "dev" }]);
});

test("RFC 2131 4.1: replies go to the client's address, or to all when it asks so", (t) => {
  const bench = new Bench();
  const unicast = bench.ask(DISCOVER);
  t.deepEqual([unicast?.toMac, unicast?.toAddress], [ALICE, "192.168.77.50"]);
  const broadcast = bench.ask(DISCOVER, { flags: 0x8000 });
  t.deepEqual([broadcast?.toMac, broadcast?.toAddress], [MAC_BROADCAST, "255.255.255.255"]);
});

test("two clients get two addresses, and each its own again", (t) => {
  const bench = new Bench();
  t.is(bench.lease(ALICE), 0xc0a84d32);
  t.is(bench.lease(BOB), 0xc0a84d33);
  t.is(bench.lease(ALICE), 0xc0a84d32);
});

test("a client may ask for a free address of the pool, not for one that is taken", (t) => {
  const bench = new Bench();
  t.is(bench.ask(DISCOVER, { requested: 0xc0a84d40 })?.yiaddr, "192.168.77.64");
  t.is(bench.ask(DISCOVER, { mac: BOB, requested: 0xc0a84d40 })?.yiaddr, "192.168.77.50");
});

test("RFC 2131 4.3.2: a REQUEST for another server frees the offer and is not answered", (t) => {
  const bench = new Bench();
  bench.ask(DISCOVER);
  t.is(bench.ask(REQUEST, { requested: 0xc0a84d32, server: 0x0a000001 }), undefined);
  t.is(bench.ask(DISCOVER, { mac: BOB })?.yiaddr, "192.168.77.50");
});

test("RFC 2131 4.3.2 SELECTING: a REQUEST for an address that was not offered gets NAK", (t) => {
  const bench = new Bench();
  bench.ask(DISCOVER);
  const nak = bench.ask(REQUEST, { requested: 0xc0a84d33, server: SERVER });
  t.is(nak?.type, NAK);
  t.deepEqual([nak?.toMac, nak?.toAddress], [MAC_BROADCAST, "255.255.255.255"]);
  t.is(nak?.options.has(51), false);
});

test("RFC 2131 4.3.2 INIT-REBOOT: right address ACK, wrong network NAK, no record silence", (t) => {
  const bench = new Bench();
  bench.lease(ALICE);
  t.is(bench.ask(REQUEST, { requested: 0xc0a84d32 })?.type, ACK);
  t.is(bench.ask(REQUEST, { requested: 0xc0a84d33 })?.type, NAK);
  t.is(bench.ask(REQUEST, { mac: BOB, requested: 0x0a000005 })?.type, NAK);
  t.is(bench.ask(REQUEST, { mac: BOB, requested: 0xc0a84d32 }), undefined);
});

test("RFC 2131 4.3.2 RENEWING: the lease is extended; a stranger's address is refused", (t) => {
  const bench = new Bench();
  bench.lease(ALICE);
  bench.clock.advance(3000e9);
  const ack = bench.ask(REQUEST, { ciaddr: 0xc0a84d32 });
  t.deepEqual([ack?.type, ack?.toAddress, ack?.ciaddr], [ACK, "192.168.77.50", "192.168.77.50"]);
  bench.clock.advance(3000e9);
  t.is(bench.ask(DISCOVER, { mac: BOB, requested: 0xc0a84d32 })?.yiaddr, "192.168.77.51");
  t.is(bench.ask(REQUEST, { mac: BOB, ciaddr: 0xc0a84d32 })?.type, NAK);
});

test("an expired address is given to another client only when no unused one is left or it asks", (t) => {
  const bench = new Bench();
  bench.lease(ALICE);
  bench.clock.advance(3601e9);
  t.is(bench.ask(DISCOVER, { mac: BOB })?.yiaddr, "192.168.77.51");
  t.is(
    bench.ask(DISCOVER, { mac: 0x0200_0000_000c, requested: 0xc0a84d32 })?.yiaddr,
    "192.168.77.50",
  );
});

test("RFC 2131 4.3.3: a declined address is not offered again soon", (t) => {
  const bench = new Bench();
  bench.lease(ALICE);
  bench.ask(DECLINE, { requested: 0xc0a84d32, server: SERVER });
  t.is(bench.ask(DISCOVER)?.yiaddr, "192.168.77.51");
});

test("RFC 2131 4.3.4: a released address is free for others, and kept for its client if it can be", (t) => {
  const bench = new Bench();
  bench.lease(ALICE);
  bench.ask(RELEASE, { ciaddr: 0xc0a84d32, server: SERVER });
  t.is(bench.ask(DISCOVER)?.yiaddr, "192.168.77.50");
  bench.lease(ALICE);
  bench.ask(RELEASE, { ciaddr: 0xc0a84d32, server: SERVER });
  bench.clock.advance(61e9);
  t.is(bench.ask(DISCOVER, { mac: BOB, requested: 0xc0a84d32 })?.yiaddr, "192.168.77.50");
  t.is(bench.ask(DISCOVER)?.yiaddr, "192.168.77.51");
});

test("RFC 2131 4.3.5: INFORM gets parameters without address and lease time", (t) => {
  const ack = new Bench().ask(INFORM, { ciaddr: 0xc0a84d05 });
  t.deepEqual([ack?.type, ack?.yiaddr, ack?.toAddress], [ACK, "0.0.0.0", "192.168.77.5"]);
  t.false(ack?.options.has(51));
  t.is(ack?.options.get(1), 0xffffff00);
});

test("when the pool is used up a new client gets no offer", (t) => {
  const bench = new Bench();
  for (let i = 0; i < 50; i++) bench.lease(0x0200_0000_0100 + i);
  t.is(bench.ask(DISCOVER, { mac: BOB }), undefined);
});

test("what is not DHCP for this server is left to others, and what is malformed is swallowed", (t) => {
  const bench = new Bench();
  const good = build(DISCOVER as number, {});
  const wrongPort = good.slice();
  wrongPort[37] = 68;
  t.false(bench.server.handle(wrongPort));
  t.false(bench.server.handle(good.subarray(0, 100)));
  t.false(bench.server.handle(new Uint8Array(0)));
});

test("the pool of a small network is all of its hosts", (t) => {
  t.deepEqual(defaultPool({ address: 0x0a000001, mask: 0xfffffff8 }), [0x0a000001, 0x0a000006]);
  t.deepEqual(defaultPool(SUBNET), [0xc0a84d32, 0xc0a84d63]);
});
