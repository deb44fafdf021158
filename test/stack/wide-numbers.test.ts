/** More connections than a byte tells apart: record numbers are two bytes wide (`RecordNumber`, stack/config.ts). */
import test from "ava";
import { SOCK_STREAM, type StackHarness } from "../support/stack-harness.js";
import { TcpPeer, deviceStack } from "../support/tcp-peer.js";
import { recordNumberType } from "../../host-tools/build/option-values.js";
import { OPTIONS, type Options } from "../../stack/options.js";
import { pattern } from "../support/wire.js";

const COUNT = 300;
const MANY: Partial<Options> = {
  SOCKETS: 310,
  TCP_TCBS: COUNT,
  TCP_SYN_RECORDS: 16,
  TCP_TIME_WAIT_RECORDS: 320,
  TCP_RX_BYTES: 1024,
  TCP_TX_BYTES: 1024,
};
const text = (number: number): Uint8Array => pattern(100 + (number % 50), number);

test("a number takes two bytes only where one does not tell all records of a kind apart", (t) => {
  const type = (options: Partial<Options>): string => recordNumberType({ ...OPTIONS, ...options });
  t.is(type({}), "u8");
  t.is(type({ TCP_TCBS: 200, TCP_SYN_RECORDS: 16, TCP_TIME_WAIT_RECORDS: 32 }), "u8");
  t.is(type({ TCP_TCBS: 203, TCP_SYN_RECORDS: 16, TCP_TIME_WAIT_RECORDS: 32 }), "u16");
  t.is(type({ SOCKETS: 254 }), "u8");
  t.is(type({ SOCKETS: 256 }), "u16");
  t.is(type({ UDP_SOCKETS: 300 }), "u16");
  t.is(type({ RING_ENTRIES: 300 }), "u16");
  t.is(type({ TCP_LISTENERS: 254, LOCAL_SOCKETS: 255 }), "u8");
  t.is(type({ TCP_LISTENERS: 255 }), "u16");
  t.is(type({ LOCAL_SOCKETS: 256 }), "u16");
});

const [SOCKET, REUSEADDR, REUSEPORT] = [1, 2, 15];

/** One of two listeners that share port 80. */
function sharer(stack: StackHarness): number {
  const fd = stack.socket(SOCK_STREAM);
  for (const option of [REUSEADDR, REUSEPORT]) stack.wasm.sysSetOption(fd, SOCKET, option, 1);
  if (stack.wasm.sysBind(fd, 0, 80) < 0 || stack.wasm.sysListen(fd, 255) < 0) throw new Error();
  return fd;
}

test("300 connections at a time: one accept queue, one turn, each its own text in both directions, and every record comes back", async (t) => {
  const stack = await deviceStack(MANY);
  const { wasm } = stack;
  const host = stack.neighbour();
  const [first, second] = [sharer(stack), sharer(stack)];
  const peers = Array.from({ length: COUNT }, (_none, number) =>
    TcpPeer.client(stack, host, 2000 + number, 80),
  );
  t.deepEqual(stack.tables(), [COUNT, 0, 0, 2]);
  // The one that stays inherits what waits with the other: a queue of 300.
  t.is(wasm.sysClose(first), 0);
  const fds = new Map<number, number>();
  for (let number = 0; number < COUNT; number++) {
    const fd = wasm.sysAccept(second);
    fds.set(wasm.sysPeerPort(fd), fd);
  }
  t.is(wasm.sysAccept(second), -11);
  t.is(new Set(fds.values()).size, COUNT);
  const fdOf = (peer: TcpPeer): number => fds.get(peer.port) as number;
  t.true(peers.every((peer) => fdOf(peer) >= 0));

  peers.forEach((peer, number) => peer.text(text(number)));
  peers.forEach((peer, number) => {
    t.deepEqual(stack.receive(fdOf(peer)), text(number), `to ${number}`);
  });

  // All have something to send before any has its turn.
  stack.take();
  peers.forEach((peer, number) => {
    const bytes = text(number + 7);
    new Uint8Array(wasm.memory.buffer).set(bytes, wasm.scratch());
    t.is(wasm.sysSend(fdOf(peer), wasm.scratch(), bytes.length, 0), bytes.length);
  });
  stack.run();
  const sent = stack.take();
  peers.forEach((peer, number) => {
    const segments = peer.of(sent);
    t.deepEqual(
      segments.map(({ data }) => data),
      [text(number + 7)],
      `from ${number}`,
    );
    t.deepEqual(peer.acknowledge(1 + text(number + 7).length), []);
  });

  // Unanswered they all come again, each by its own timer.
  peers.forEach((peer) => {
    wasm.sysSend(fdOf(peer), wasm.scratch(), 3, 0);
  });
  stack.run();
  stack.take();
  const again = stack.untilSent(400);
  stack.advance(200);
  again.push(...stack.take());
  t.is(new Set(again.map((frame) => frame.tcp?.destinationPort)).size, COUNT);

  // Both sides close: all are in TIME-WAIT together, then none is.
  peers.forEach((peer, number) => {
    const end = 1 + text(number + 7).length + 3;
    peer.acknowledge(end);
    wasm.sysClose(fdOf(peer));
    stack.run();
    peer.acknowledge(end + 1);
    peer.text(new Uint8Array(0), "FA");
  });
  t.deepEqual(stack.tables(), [0, 0, COUNT, 1]);
  stack.advance(61_000);
  t.deepEqual(stack.tables(), [0, 0, 0, 1]);
  t.is(wasm.sysAccept(second), -11);
});

test("300 listeners and as many local sockets: each is itself", async (t) => {
  const options = { SOCKETS: 1000, TCP_LISTENERS: COUNT, LOCAL_SOCKETS: 310, LOCAL_RING_BYTES: 64 };
  const stack = await deviceStack(options);
  const { wasm } = stack;
  const host = stack.neighbour();
  const listeners = Array.from({ length: COUNT }, (_none, number) => stack.listen(1000 + number));
  for (const number of [0, 253, 254, 255, 256, COUNT - 1]) {
    const peer = TcpPeer.client(stack, host, 3000 + number, 1000 + number);
    const fd = wasm.sysAccept(listeners[number] as number);
    t.true(fd >= 0);
    peer.say("PA", {}, text(number));
    t.deepEqual(stack.receive(fd), text(number));
    wasm.sysClose(fd);
  }
  const [AF_UNIX, at] = [1, wasm.scratch() >>> 0];
  const pairs = Array.from({ length: 155 }, () => {
    t.is(wasm.sysSocketPair(AF_UNIX, SOCK_STREAM, 0, at), 0);
    const fds = new Int32Array(wasm.memory.buffer, at, 2);
    return [fds[0], fds[1]] as [number, number];
  });
  pairs.forEach(([from], number) => t.is(stack.send(from, pattern(8, number)), 8));
  pairs.forEach(([, to], number) => t.deepEqual(stack.receive(to), pattern(8, number)));
});
