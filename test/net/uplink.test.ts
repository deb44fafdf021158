import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import test from "ava";
import { UserError } from "../../host-tools/errors.js";
import { parseResolver, type Resolver } from "../../host-tools/net/dns-forwarder.js";
import { pingArguments } from "../../host-tools/net/ping-out.js";
import { FLOWS_MAX, IDLE_NS } from "../../host-tools/net/udp-out.js";
import { Uplink, type UplinkOptions } from "../../host-tools/net/uplink.js";
import { parseMac } from "../../host-tools/net/addresses.js";
import { VirtualClock } from "../../host-tools/sim/virtual-clock.js";
import { freePort } from "../support/cli.js";
import { parseFrame, type Parsed } from "../support/wire-parse.js";
import { Peer } from "../support/wire-peer.js";
import { TCP, ip, pattern } from "../support/wire.js";

const GATEWAY = ip("192.168.77.1");
const DEVICE = ip("192.168.77.50");
/** A host of documentation (RFC 5737), which the bench puts at 127.0.0.1. */
const OUTSIDE = ip("203.0.113.5");
/** One that the system refuses to route to. */
const NOWHERE = ip("203.0.113.99");
const GATEWAY_MAC = "02:41:53:54:4d:01";
const DEVICE_MAC = "02:00:00:00:00:50";

/** An uplink without a stack: what it sends to the device, and what it leaves to the stack. */
class Bench {
  readonly clock = new VirtualClock();
  readonly toDevice: Parsed[] = [];
  readonly toStack: Parsed[] = [];
  readonly uplink: Uplink;
  private waiting: (() => void) | undefined;

  constructor(options: Partial<UplinkOptions> = {}) {
    const into = (list: Parsed[]) => (frame: Uint8Array) => {
      list.push(parseFrame(new Uint8Array(frame)));
      this.waiting?.();
    };
    this.uplink = new Uplink({
      clock: this.clock,
      mac: parseMac(GATEWAY_MAC),
      subnet: { address: GATEWAY, mask: 0xffffff00 },
      send: into(this.toDevice),
      toStack: into(this.toStack),
      ownsUdp: () => false,
      reach: (address) => (address === NOWHERE ? "255.255.255.255" : "127.0.0.1"),
      ...options,
    });
  }

  /** The device as it sends to this address. */
  to(address: number): Peer {
    return new Peer(DEVICE_MAC, DEVICE, GATEWAY_MAC, address);
  }

  /** The next frame that comes; both lists are then empty. */
  async frame(list: Parsed[] = this.toDevice): Promise<Parsed> {
    while (list.length === 0) await new Promise<void>((resolve) => (this.waiting = resolve));
    return list.shift() as Parsed;
  }
}

/** A UDP server of this computer: what it answers, and how often it was asked. */
async function server(
  answer: (data: Buffer) => Uint8Array | undefined,
): Promise<{ socket: Socket; port: number; heard: Buffer[]; from: RemoteInfo[] }> {
  const socket = createSocket("udp4");
  const heard: Buffer[] = [];
  const from: RemoteInfo[] = [];
  socket.on("message", (data, remote) => {
    heard.push(data);
    from.push(remote);
    const reply = answer(data);
    if (reply) socket.send(reply, remote.port, remote.address);
  });
  socket.bind(0, "127.0.0.1").unref();
  await once(socket, "listening");
  return { socket, port: socket.address().port, heard, from };
}

const local = (port: number): Resolver => ({ host: "127.0.0.1", port });

for (const [name, address] of [
  ["the gateway's address is this computer", GATEWAY],
  ["another host answers under its own address", OUTSIDE],
] as const) {
  test(`UDP: ${name}`, async (t) => {
    const bench = new Bench();
    const { socket, port, from } = await server((data) => Buffer.from([...data].reverse()));
    const device = bench.to(address);
    for (let round = 0; round < 2; round++) {
      const data = pattern(10, round);
      const frame = device.udp({ sourcePort: 4000, destinationPort: port }, data);
      t.true(bench.uplink.take(frame));
      const answer = await bench.frame();
      t.deepEqual(answer.problems, []);
      t.is(answer.destination, DEVICE_MAC);
      t.like(answer.ip, { source: address, destination: DEVICE });
      t.like(answer.udp, { sourcePort: port, destinationPort: 4000 });
      t.deepEqual(answer.udp?.data, data.reverse());
    }
    t.is(from[0]?.port, from[1]?.port, "one flow, one socket");
    bench.uplink.close();
    socket.close();
  });
}

test("UDP: a closed port comes back as the other host's ICMP error", async (t) => {
  const bench = new Bench();
  const port = await freePort();
  const sent = bench.to(OUTSIDE).udp({ sourcePort: 4000, destinationPort: port }, pattern(4));
  bench.uplink.take(sent);
  const { icmp, ip: header, problems } = await bench.frame();
  t.deepEqual(problems, []);
  t.is(header?.source, OUTSIDE);
  t.like(icmp, { type: 3, code: 3 });
  t.deepEqual(icmp?.data, sent.slice(14, 42));
  bench.uplink.close();
});

test("UDP: a network without a route comes back as the gateway's ICMP error", async (t) => {
  const bench = new Bench();
  bench.uplink.take(bench.to(NOWHERE).udp({ sourcePort: 1, destinationPort: 9 }, pattern(4)));
  const { icmp, ip: header } = await bench.frame();
  t.is(header?.source, GATEWAY);
  t.is(icmp?.type, 3);
  bench.uplink.close();
});

test("UDP: flows are bounded, and end when nobody uses them", async (t) => {
  const bench = new Bench();
  const { socket, port } = await server(() => undefined);
  const device = bench.to(GATEWAY);
  const send = (sourcePort: number): boolean =>
    bench.uplink.take(device.udp({ sourcePort, destinationPort: port }, pattern(1)));
  for (let i = 0; i < FLOWS_MAX + 10; i++) send(1000 + i);
  t.is(bench.uplink.udp.size, FLOWS_MAX);
  bench.clock.advance(IDLE_NS / 2);
  send(5000);
  bench.clock.advance(IDLE_NS / 2 + 30e9);
  t.is(bench.uplink.udp.size, 1);
  bench.clock.advance(IDLE_NS);
  t.is(bench.uplink.udp.size, 0);
  t.is(bench.clock.nextNs, undefined, "nothing is looked for any more");
  bench.uplink.close();
  socket.close();
});

test("what is not the uplink's goes to the stack, what is a neighbour's nowhere", (t) => {
  const bench = new Bench({ ownsUdp: (port) => port === 50000 });
  const device = bench.to(GATEWAY);
  const numbers = { sourcePort: 7, destinationPort: 50000 };
  t.false(bench.uplink.take(device.udp(numbers, pattern(4))), "an answer for a forward");
  t.false(bench.uplink.take(device.arpRequest()));
  t.false(bench.uplink.take(device.echo(pattern(4))));
  t.false(bench.uplink.take(device.tcp({ ...numbers, seq: 1, ack: 1, flags: TCP.ACK })));
  t.false(bench.uplink.take(bench.to(ip("224.0.0.251")).udp(numbers, pattern(4))));
  t.false(bench.uplink.take(bench.to(ip("127.0.0.1")).udp(numbers, pattern(4))));
  t.true(bench.uplink.take(bench.to(ip("192.168.77.51")).udp(numbers, pattern(4))));
  t.true(
    bench.uplink.take(bench.to(ip("192.168.77.51")).tcp({ ...numbers, seq: 1, flags: TCP.SYN })),
  );
  t.deepEqual([...bench.toDevice, ...bench.toStack], []);
  bench.uplink.close();
});

test("a packet at the end of its life is reported, as traceroute wants it", async (t) => {
  const bench = new Bench();
  t.true(bench.uplink.take(bench.to(OUTSIDE).echo(pattern(4), 1, 1, { ip: { ttl: 1 } })));
  const { icmp, ip: header } = await bench.frame();
  t.like(icmp, { type: 11, code: 0 });
  t.is(header?.source, GATEWAY);
  t.true(
    bench.uplink.take(
      bench.to(OUTSIDE).icmp({ type: 3, code: 3 }, pattern(28), { ip: { ttl: 1 } }),
    ),
  );
  t.deepEqual(bench.toDevice, [], "no error about an error");
});

test("echo requests to other hosts: an answer where the system's ping has one", async (t) => {
  const asked: string[] = [];
  const ping = (host: string): Promise<boolean> => Promise.resolve(asked.push(host) === 1);
  const bench = new Bench({ ping, reach: () => "192.0.2.1" });
  t.true(bench.uplink.take(bench.to(OUTSIDE).echo(pattern(33), 7, 8)));
  const { icmp, ip: header, problems } = await bench.frame();
  t.deepEqual(problems, []);
  t.like(header, { source: OUTSIDE, destination: DEVICE });
  t.like(icmp, { type: 0, code: 0, rest: 0x70008 });
  t.deepEqual(icmp?.data, pattern(33));
  t.true(bench.uplink.take(bench.to(OUTSIDE).echo(pattern(33), 7, 9)));
  await Promise.resolve();
  t.deepEqual(bench.toDevice, []);
  t.deepEqual(asked, ["192.0.2.1", "192.0.2.1"]);
});

test("the system's ping is asked for one request and little time", (t) => {
  t.deepEqual(pingArguments("linux", "1.2.3.4"), ["-c", "1", "-W", "2", "1.2.3.4"]);
  t.deepEqual(pingArguments("darwin", "1.2.3.4"), ["-c", "1", "-t", "2", "1.2.3.4"]);
  t.deepEqual(pingArguments("win32", "1.2.3.4"), ["-n", "1", "-w", "2000", "1.2.3.4"]);
});

/** A question with this identifier, recursion desired. */
function question(id: number): Uint8Array {
  const name = [1, 0x61, 0, 0, 1, 0, 1];
  return Uint8Array.from([id >> 8, id & 255, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...name]);
}

/** The answer of a server: its header, and some more. */
function answerTo(query: Uint8Array, bytes = 40): Buffer {
  const message = Buffer.alloc(bytes);
  message.set(query);
  message[2] = 0x81;
  return message;
}

test("DNS: the question goes to the next server as it is, and the answer comes from the gateway", async (t) => {
  const { socket, port, heard } = await server((query) => answerTo(query));
  const closed = await freePort();
  const bench = new Bench({ resolvers: [local(closed), local(port)] });
  const query = question(0x1234);
  bench.uplink.take(bench.to(GATEWAY).udp({ sourcePort: 6000, destinationPort: 53 }, query));
  // The same once more, as a client does that waits: it is not asked twice.
  bench.uplink.take(bench.to(GATEWAY).udp({ sourcePort: 6000, destinationPort: 53 }, query));
  const { udp, ip: header } = await bench.frame();
  t.deepEqual(
    heard.map((data) => new Uint8Array(data)),
    [query],
  );
  t.is(header?.source, GATEWAY);
  t.like(udp, { sourcePort: 53, destinationPort: 6000 });
  t.deepEqual(udp?.data, new Uint8Array(answerTo(query)));
  t.deepEqual(bench.toDevice, []);
  bench.uplink.close();
  socket.close();
});

test("DNS: a silent server gives way to the next one; none left is SERVFAIL", async (t) => {
  const silent = await server(() => undefined);
  const foreign = await server((query) => answerTo(question(query.readUInt16BE(0) ^ 1)));
  const bench = new Bench({ resolvers: [local(silent.port), local(foreign.port)] });
  const query = question(0x4321);
  bench.uplink.take(bench.to(GATEWAY).udp({ sourcePort: 6000, destinationPort: 53 }, query));
  await once(silent.socket, "message");
  bench.clock.advance(2e9);
  await once(foreign.socket, "message");
  t.deepEqual(bench.toDevice, [], "an answer to another question is none");
  bench.clock.advance(2e9);
  const { udp } = await bench.frame();
  const expected = question(0x4321);
  expected.set([0x81, 0x82], 2);
  t.deepEqual(udp?.data, expected);
  bench.uplink.close();
  silent.socket.close();
  foreign.socket.close();
});

test("DNS: no server at all is SERVFAIL at once; an answer too long for a frame says so (TC)", async (t) => {
  const none = new Bench({ resolvers: [] });
  none.uplink.take(none.to(GATEWAY).udp({ sourcePort: 1, destinationPort: 53 }, question(5)));
  t.is(((await none.frame()).udp?.data[3] as number) & 15, 2);
  const { socket, port } = await server((query) => answerTo(query, 3000));
  const bench = new Bench({ resolvers: [local(port)] });
  bench.uplink.take(bench.to(GATEWAY).udp({ sourcePort: 1, destinationPort: 53 }, question(6)));
  const { udp } = await bench.frame();
  t.deepEqual([...(udp?.data ?? [])], [0, 6, 0x83, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  bench.uplink.close();
  socket.close();
});

test("name servers are read as people and Node write them", (t) => {
  t.deepEqual(parseResolver("10.0.0.1"), { host: "10.0.0.1", port: 53 });
  t.deepEqual(parseResolver("10.0.0.1:5353"), { host: "10.0.0.1", port: 5353 });
  t.deepEqual(parseResolver("[::1]:5353"), { host: "::1", port: 5353 });
  t.deepEqual(parseResolver("fe80::1"), { host: "fe80::1", port: 53 });
  t.throws(() => parseResolver("localhost"), { instanceOf: UserError });
});

test("TCP: the SYN reaches the stack once the host's connection stands, the latest one and only once", async (t) => {
  const bench = new Bench();
  const host = createServer((socket) => socket.on("error", () => undefined));
  host.listen(0, "127.0.0.1").unref();
  await once(host, "listening");
  const { port } = host.address() as AddressInfo;
  const device = bench.to(OUTSIDE);
  const syn = (seq: number): Uint8Array =>
    device.tcp({ sourcePort: 5000, destinationPort: port, seq, flags: TCP.SYN });
  t.true(bench.uplink.take(syn(100)));
  t.true(bench.uplink.take(syn(101)), "sent again");
  t.deepEqual(bench.toStack, []);
  t.is((await bench.frame(bench.toStack)).tcp?.seq, 101);
  t.false(bench.uplink.take(syn(101)), "later ones are the stack's");
  const socket = bench.uplink.tcp.claim(DEVICE, 5000, OUTSIDE, port);
  t.is(socket?.remotePort, port);
  bench.uplink.close();
  host.close();
});

test("TCP: a closed port answers RST, which acknowledges the SYN", async (t) => {
  const bench = new Bench();
  const numbers = { sourcePort: 5000, destinationPort: await freePort() };
  bench.uplink.take(bench.to(OUTSIDE).tcp({ ...numbers, seq: 0xffffffff, flags: TCP.SYN }));
  const { tcp, ip: header, problems } = await bench.frame();
  t.deepEqual(problems, []);
  t.is(header?.source, OUTSIDE);
  t.like(tcp, { flags: TCP.RST | TCP.ACK, seq: 0, ack: 0, destinationPort: 5000 });
  t.deepEqual(bench.toStack, []);
});

test("TCP: the gateway's address is this computer, by IPv6 where IPv4 refuses", async (t) => {
  const bench = new Bench();
  const host = createServer((socket) => socket.on("error", () => undefined)).unref();
  host.listen(0, "::1");
  const listening = await new Promise((resolve) => {
    host.once("listening", () => resolve(true));
    host.once("error", () => resolve(false));
  });
  if (listening !== true) return t.pass("no IPv6 here");
  const { port } = host.address() as AddressInfo;
  const numbers = { sourcePort: 5000, destinationPort: port };
  bench.uplink.take(bench.to(GATEWAY).tcp({ ...numbers, seq: 7, flags: TCP.SYN }));
  t.is((await bench.frame(bench.toStack)).tcp?.seq, 7);
  t.is(bench.uplink.tcp.claim(DEVICE, 5000, GATEWAY, port)?.remoteAddress, "::1");
  bench.uplink.close();
  host.close();
});

test("TCP: the gateway's closed port answers RST", async (t) => {
  const bench = new Bench();
  const numbers = { sourcePort: 5000, destinationPort: await freePort() };
  bench.uplink.take(bench.to(GATEWAY).tcp({ ...numbers, seq: 1, flags: TCP.SYN }));
  t.like((await bench.frame()).tcp, { flags: TCP.RST | TCP.ACK, ack: 2 });
});

test("TCP: a host that cannot be reached is an ICMP error, for each SYN anew", async (t) => {
  const bench = new Bench();
  const syn = bench.to(NOWHERE).tcp({ sourcePort: 1, destinationPort: 9, seq: 5, flags: TCP.SYN });
  for (let round = 0; round < 2; round++) {
    bench.uplink.take(syn);
    const { icmp, ip: header, problems } = await bench.frame();
    t.deepEqual(problems, []);
    t.is(header?.source, GATEWAY);
    t.is(icmp?.type, 3);
    t.true(icmp?.code === 0 || icmp?.code === 1);
    t.deepEqual(icmp?.data, syn.slice(14, 42));
  }
  t.deepEqual(bench.toStack, []);
});

test("TCP: a device that does not finish its handshake loses the host's connection", async (t) => {
  const bench = new Bench();
  const host = createServer((socket) => socket.on("error", () => undefined));
  host.listen(0, "127.0.0.1").unref();
  await once(host, "listening");
  const { port } = host.address() as AddressInfo;
  const accepted = once(host, "connection");
  const numbers = { sourcePort: 5000, destinationPort: port };
  const syn = bench.to(GATEWAY).tcp({ ...numbers, seq: 1, flags: TCP.SYN });
  bench.uplink.take(syn);
  await bench.frame(bench.toStack);
  const [socket] = (await accepted) as [import("node:net").Socket];
  socket.on("error", () => undefined).resume();
  bench.clock.advance(75e9);
  await new Promise((resolve) => socket.once("close", resolve));
  t.is(bench.uplink.tcp.claim(DEVICE, 5000, GATEWAY, port), undefined);
  host.close();
});

test("damaged frames are nobody's", (t) => {
  const bench = new Bench({ resolvers: [] });
  const device = bench.to(OUTSIDE);
  const frames = [
    device.tcp({ sourcePort: 1, destinationPort: 9, seq: 5, flags: TCP.SYN }),
    device.udp({ sourcePort: 1, destinationPort: 9 }, pattern(4)),
    device.echo(pattern(4)),
  ];
  for (const frame of frames) {
    frame[40] = (frame[40] as number) ^ 4;
    t.true(bench.uplink.take(frame));
  }
  t.is(bench.uplink.udp.size, 0);
  bench.uplink.close();
});
