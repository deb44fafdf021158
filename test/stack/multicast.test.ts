/** Groups of datagram sockets on the wire: RFC 1112, RFC 2236. */
import test from "ava";
import { SOCK_DGRAM, StackHarness } from "../support/stack-harness.js";
import { deviceStack } from "../support/tcp-peer.js";
import { internetChecksum, ip } from "../support/wire.js";
import type { Parsed } from "../support/wire-parse.js";

const GROUP = ip("239.1.2.3");
const MAC = "01:00:5e:01:02:03";
const [ADD, DROP, TTL, LOOP] = [35, 36, 33, 34];
const [REUSEADDR, BINDTODEVICE] = [2, 25];

const quiet = (): Promise<StackHarness> => deviceStack({ MULTICAST_GROUPS: 2, MDNS: 0 });

/** Type of IGMP messages among frames, with where they went. */
const igmp = (frames: Parsed[]): string[] =>
  frames
    .filter((frame) => frame.ip?.protocol === 2)
    .map((frame) => {
      const bytes = Buffer.from(frame.ip?.payload ?? []);
      const group = bytes.readUInt32BE(4) === GROUP ? "the group" : "?";
      const to = frame.ip?.destination === GROUP ? "the group" : "all routers";
      return `${bytes.readUInt8(0).toString(16)} of ${group} to ${to}, ttl ${frame.ip?.ttl}`;
    });

test("RFC 2236 3: a report when a group is joined, one more within 10 s, a word when the last one leaves", async (t) => {
  const stack = await quiet();
  const [a, b] = [stack.udpSocket(5000), stack.udpSocket(5001)];
  t.is(stack.wasm.sysSetOption(a, 0, ADD, GROUP), 0);
  t.is(stack.wasm.sysSetOption(b, 0, ADD, GROUP), 0);
  stack.run();
  const report = "16 of the group to the group, ttl 1";
  t.deepEqual(igmp(stack.take()), [report]);
  stack.advance(10_001);
  t.deepEqual(igmp(stack.take()), [report]);
  stack.wasm.sysClose(a);
  stack.run();
  t.deepEqual(igmp(stack.take()), [], "another member is left");
  t.is(stack.wasm.sysSetOption(b, 0, DROP, GROUP), 0);
  stack.run();
  t.deepEqual(igmp(stack.take()), ["17 of the group to all routers, ttl 1"]);
  stack.advance(20_000);
  t.deepEqual(igmp(stack.take()), []);
});

test("a cable that comes back: groups are reported anew", async (t) => {
  const stack = await quiet();
  stack.wasm.sysSetOption(stack.udpSocket(5000), 0, ADD, GROUP);
  stack.advance(20_000);
  stack.take();
  stack.wasm.linkChanged(0);
  stack.wasm.linkChanged(1);
  stack.advance(20_000);
  t.is(igmp(stack.take()).length, 2);
});

test("RFC 1112 6.4: a datagram to a group goes to its MAC with the socket's time to live for groups", async (t) => {
  const stack = await quiet();
  const fd = stack.udpSocket(5000);
  const sent = (): string[] =>
    stack.take().map((frame) => `${frame.destination} ${frame.ip?.ttl} ${frame.udp?.data.length}`);
  stack.sendTo(fd, Buffer.from("abc"), GROUP, 5000);
  t.deepEqual(sent(), [`${MAC} 1 3`]);
  stack.wasm.sysSetOption(fd, 0, TTL, 8);
  stack.sendTo(fd, Buffer.from("abc"), GROUP, 5000);
  t.deepEqual(sent(), [`${MAC} 8 3`]);
  // 0 stays here.
  stack.wasm.sysSetOption(fd, 0, TTL, 0);
  t.is(stack.sendTo(fd, Buffer.from("abc"), GROUP, 5000), 3);
  t.deepEqual(sent(), []);
});

test("IP_MULTICAST_LOOP: members of ours hear it, or do not", async (t) => {
  const stack = await quiet();
  const [fd, from] = [stack.udpSocket(5000), stack.udpSocket(5001)];
  stack.wasm.sysSetOption(fd, 0, ADD, GROUP);
  const heard = (): number => {
    stack.sendTo(from, Buffer.from("abc"), GROUP, 5000);
    const got = stack.receive(fd);
    return typeof got === "number" ? got : got.length;
  };
  t.is(heard(), 3);
  stack.wasm.sysSetOption(from, 0, LOOP, 0);
  t.is(heard(), -11);
});

test("SO_BINDTODEVICE: a member that uses the loopback device alone does not hear a group of the wire", async (t) => {
  const stack = await quiet();
  const peer = stack.neighbour();
  const [near, far] = [stack.socket(SOCK_DGRAM), stack.socket(SOCK_DGRAM)];
  for (const fd of [near, far]) {
    stack.wasm.sysSetOption(fd, 1, REUSEADDR, 1);
    stack.wasm.sysBind(fd, 0, 5000);
    stack.wasm.sysSetOption(fd, 0, ADD, GROUP);
  }
  stack.wasm.sysSetOption(near, 1, BINDTODEVICE, 1);
  stack.inject(
    peer.udp({ sourcePort: 9, destinationPort: 5000 }, Buffer.from("hello"), {
      ip: { destination: GROUP },
      ethernet: { destination: MAC },
    }),
  );
  t.is(stack.receive(near), -11);
  t.deepEqual(stack.receive(far), new Uint8Array(Buffer.from("hello")));
  stack.sendTo(stack.udpSocket(5001), Buffer.from("near"), GROUP, 5000);
  t.deepEqual(stack.receive(near), new Uint8Array(Buffer.from("near")));
});

test("from the wire: members' packets come to all of the port; other groups' to nobody, and without an error", async (t) => {
  const stack = await quiet();
  const peer = stack.neighbour();
  const [a, b] = [stack.udpSocket(5000), stack.udpSocket(5001)];
  const say = (): Parsed[] =>
    stack.exchange(
      peer.udp({ sourcePort: 9, destinationPort: 5000 }, Buffer.from("hello"), {
        ip: { destination: GROUP },
        ethernet: { destination: MAC },
      }),
    );
  t.deepEqual(say(), []);
  t.is(stack.receive(a), -11);
  stack.wasm.sysSetOption(b, 0, ADD, GROUP);
  stack.run();
  t.deepEqual(
    say().filter((frame) => frame.icmp),
    [],
  );
  t.is(Buffer.from(stack.receive(a) as Uint8Array).toString(), "hello");
});

const ALL_HOSTS = ip("224.0.0.1");

/** An IGMP message of `bytes` bytes from another station. */
function says(
  stack: StackHarness,
  type: number,
  code: number,
  group: number,
  { to = GROUP, bytes = 8 } = {},
): Parsed[] {
  const message = Buffer.alloc(bytes);
  message.writeUInt8(type, 0);
  message.writeUInt8(code, 1);
  message.writeUInt32BE(group, 4);
  message.writeUInt16BE(internetChecksum(message), 2);
  const mac = to === GROUP ? MAC : "01:00:5e:00:00:01";
  return stack.exchange(
    stack
      .neighbour()
      .ip(2, message, { ip: { destination: to, ttl: 1 }, ethernet: { destination: mac } }),
  );
}

/** A member that has told all that it tells by itself. */
async function member(): Promise<{ stack: StackHarness; fd: number }> {
  const stack = await quiet();
  const fd = stack.udpSocket(5000);
  stack.wasm.sysSetOption(fd, 0, ADD, GROUP);
  stack.advance(20_000);
  stack.take();
  return { stack, fd };
}

test("RFC 2236 3: who hears another member's report while it waits with its own keeps it back", async (t) => {
  const { stack } = await member();
  t.deepEqual(says(stack, 0x11, 100, 0, { to: ALL_HOSTS }), []);
  t.deepEqual(says(stack, 0x16, 0, GROUP), []);
  stack.advance(20_000);
  t.deepEqual(igmp(stack.take()), []);
  says(stack, 0x11, 100, 0, { to: ALL_HOSTS });
  stack.advance(10_001);
  t.deepEqual(igmp(stack.take()), ["16 of the group to the group, ttl 1"], "the next query");
});

test("RFC 2236 4: with a router of version 1 reports are of version 1 for 400 s, and nobody says that he leaves", async (t) => {
  const { stack, fd } = await member();
  says(stack, 0x11, 0, 0, { to: ALL_HOSTS });
  stack.advance(10_001);
  t.deepEqual(igmp(stack.take()), ["12 of the group to the group, ttl 1"]);
  stack.wasm.sysSetOption(fd, 0, DROP, GROUP);
  stack.run();
  t.deepEqual(igmp(stack.take()), []);
  stack.advance(400_000);
  stack.wasm.sysSetOption(fd, 0, ADD, GROUP);
  stack.run();
  t.deepEqual(igmp(stack.take()), ["16 of the group to the group, ttl 1"]);
});

test("RFC 3376 4.1.1: a query of version 3 is answered in its time, which from 128 on is a floating-point number", async (t) => {
  const { stack } = await member();
  // 0x8f: (15 | 16) << 3 = 248 tenths of a second.
  let late = 0;
  for (let i = 0; i < 20; i++) {
    says(stack, 0x11, 0x8f, 0, { to: ALL_HOSTS, bytes: 12 });
    stack.advance(14_400);
    late += igmp(stack.take()).length === 0 ? 1 : 0;
    stack.advance(10_500);
    stack.take();
  }
  t.true(late > 0 && late < 20, `${late} of 20 after 14.4 s`);
  t.deepEqual(
    igmp(says(stack, 0x11, 0, 0, { to: ALL_HOSTS, bytes: 12 })),
    ["16 of the group to the group, ttl 1"],
    "no router of version 1",
  );
});
