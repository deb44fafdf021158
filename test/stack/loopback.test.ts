import test from "../conformance/proves.js";
import { ERRNO, SOCK_DGRAM, SOCK_STREAM, StackHarness } from "../support/stack-harness.js";
import { ip, pattern } from "../support/wire.js";

const LOCALHOST = ip("127.0.0.1");

test("loopback: datagrams to 127.0.0.0/8 and to our own address arrive without touching the wire", async (t) => {
  const stack = await StackHarness.quiet();
  const server = stack.udpSocket(7);
  const client = stack.udpSocket(5000);
  for (const [to, from] of [
    [LOCALHOST, LOCALHOST],
    [ip("127.1.2.3"), LOCALHOST],
    [stack.address, stack.address],
  ] as const) {
    for (const bytes of [0, 1, 999, 1472]) {
      t.is(stack.sendTo(client, pattern(bytes), to, 7), bytes);
      t.deepEqual(stack.receiveFrom(server), { data: pattern(bytes), address: from, port: 5000 });
    }
  }
  t.deepEqual(stack.take(), []);
});

test("loopback works before there is any address", async (t) => {
  const stack = await StackHarness.create({ address: 0 });
  const server = stack.udpSocket(7);
  const client = stack.socket(SOCK_DGRAM);
  stack.sendTo(client, pattern(10), LOCALHOST, 7);
  const taken = stack.receiveFrom(server);
  t.deepEqual(typeof taken === "number" ? taken : taken.data, pattern(10));
});

test("loopback: a closed port tells the connected socket", async (t) => {
  const stack = await StackHarness.quiet();
  const client = stack.socket(SOCK_DGRAM);
  t.is(stack.wasm.sysConnect(client, LOCALHOST, 9999), 0);
  stack.send(client, pattern(10));
  t.is(stack.wasm.sysError(client), ERRNO.ECONNREFUSED);
  t.deepEqual(stack.take(), []);
});

test("loopback: a TCP connection to ourselves carries data both ways and closes", async (t) => {
  const stack = await StackHarness.quiet();
  const tables = stack.tables();
  const listener = stack.listen(80);
  const client = stack.socket(SOCK_STREAM);
  stack.wasm.sysConnect(client, LOCALHOST, 80);
  stack.advance(10);
  const server = stack.wasm.sysAccept(listener);
  t.true(server >= 0);
  const sent = pattern(100_000);
  let out = 0;
  let back = 0;
  for (let turn = 0; turn < 5000 && back < sent.length; turn++) {
    if (out < sent.length) out += Math.max(0, stack.send(client, sent.subarray(out, out + 3000)));
    const echoed = stack.receive(server);
    if (typeof echoed !== "number") {
      let done = 0;
      while (done < echoed.length) done += Math.max(0, stack.send(server, echoed.subarray(done)));
    }
    const received = stack.receive(client);
    if (typeof received !== "number") {
      t.deepEqual(received, sent.slice(back, back + received.length));
      back += received.length;
    }
    stack.advance(1);
  }
  t.is(back, sent.length);
  for (const fd of [client, server, listener]) stack.wasm.sysClose(fd);
  stack.advance(200_000);
  t.deepEqual(stack.tables(), tables);
  t.deepEqual(stack.take(), [], "nothing of it was on the wire");
});

test("IP-5, I-6: packets from and to 127.0.0.0/8 on the wire are dropped, and none is sent there", async (t) => {
  const stack = await StackHarness.quiet();
  const peer = stack.neighbour();
  const fd = stack.udpSocket(7);
  const frame = { sourcePort: 1, destinationPort: 7 };
  stack.inject(peer.udp(frame, pattern(4), { ip: { destination: LOCALHOST } }));
  stack.inject(peer.udp(frame, pattern(4), { ip: { source: LOCALHOST } }));
  t.is(stack.receive(fd), -ERRNO.EAGAIN);
  const local = stack.udpSocket(8, LOCALHOST);
  t.is(stack.sendTo(local, pattern(4), peer.address, 7), -ERRNO.ENETUNREACH);
  t.deepEqual(stack.take(), []);
});

test("loopback: a full ring refuses, loses nothing that it took, and goes on afterwards", async (t) => {
  const stack = await StackHarness.quiet();
  const server = stack.udpSocket(7);
  const client = stack.udpSocket(5000);
  const at = stack.wasm.scratch();
  let taken = 0;
  for (let i = 0; i < 50; i++) {
    const result = stack.wasm.sysSendTo(client, at, 1000, 0, LOCALHOST, 7);
    if (result === 1000) taken += 1;
    else t.is(result, -ERRNO.EAGAIN);
  }
  t.true(taken >= 6 && taken < 8, `${taken} datagrams in the ring`);
  stack.run();
  for (let i = 0; i < taken; i++) t.not(stack.receive(server), -ERRNO.EAGAIN);
  t.is(stack.receive(server), -ERRNO.EAGAIN);
  t.is(stack.sendTo(client, pattern(1472), LOCALHOST, 7), 1472);
  t.deepEqual(stack.receive(server), pattern(1472));
});
