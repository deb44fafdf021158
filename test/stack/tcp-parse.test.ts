import test from "../conformance/proves.js";
import { SOCK_STREAM } from "../support/stack-harness.js";
import { TcpPeer, accepted, deviceStack } from "../support/tcp-peer.js";
import { concat, ip, pattern } from "../support/wire.js";

/** MSS that the stack uses towards a client with these raw options in its SYN. */
async function mssFor(raw: Uint8Array): Promise<number> {
  const stack = await deviceStack();
  const listener = stack.listen(80);
  const peer = new TcpPeer(stack, stack.neighbour(), 5000, 80);
  if (!peer.syn({ options: { raw } }).includes("SA 0:1")) throw new Error("no SYN-ACK");
  peer.say("A");
  const fd = stack.wasm.sysAccept(listener);
  stack.send(fd, pattern(3000));
  return peer.segments()[0]?.data.length ?? 0;
}

test("RFC 9293 MUST-3, T-14: a segment with a bad checksum vanishes", async (t) => {
  const stack = await deviceStack();
  const listener = stack.listen(80);
  const { peer, fd } = accepted(stack, listener, 5000);
  for (const checksum of [0, 0xffff, 0x1234]) {
    const counted = stack.counted(() => {
      t.deepEqual(peer.say("PA", { checksum }, pattern(50)), []);
      t.deepEqual(peer.say("R", { checksum }), []);
      stack.inject(
        peer.host.tcp({ sourcePort: 1, destinationPort: 9, seq: 1, flags: 2, checksum }),
      );
    });
    t.is(counted.tcpBadChecksum, 3);
  }
  for (let bit = 34 * 8; bit < 104 * 8; bit += 13) {
    const frame = peer.frame("PA", {}, pattern(50));
    frame[bit >> 3] = (frame[bit >> 3] as number) ^ (1 << (bit & 7));
    t.deepEqual(stack.exchange(frame), []);
  }
  t.is(stack.receive(fd), -11);
  t.deepEqual(peer.text(pattern(50)), []);
  t.deepEqual(stack.receive(fd), pattern(50));
});

test("T-1: every data offset with every short length is dropped without an answer, or handled", async (t) => {
  const stack = await deviceStack();
  const tables = stack.tables();
  const host = stack.neighbour();
  for (let dataOffset = 0; dataOffset < 16; dataOffset++) {
    const fields = { sourcePort: 5000, destinationPort: 81, seq: 1, flags: 2, dataOffset };
    for (let bytes = 0; bytes <= 60; bytes++) {
      const whole = host.tcp(fields, new Uint8Array(Math.max(bytes - 20, 0)));
      const frame = bytes >= 20 ? whole : host.ip(6, whole.slice(34, 34 + bytes));
      const good = bytes >= 20 && dataOffset >= 5 && dataOffset * 4 <= bytes;
      t.is(stack.exchange(frame).length, good ? 1 : 0, `offset ${dataOffset}, ${bytes} bytes`);
    }
  }
  t.deepEqual(stack.tables(), tables);
  t.true(stack.answers(host));
});

test("T-2, T-3: every option kind with every length, at the very end of the header, leaves the SYN answered", async (t) => {
  const stack = await deviceStack();
  stack.listen(80);
  const host = stack.neighbour();
  const tables = stack.tables();
  for (let kind = 0; kind < 256; kind++) {
    for (const length of [0, 1, 2, 3, 4, 5, 10, 39, 40, 41, 255]) {
      const peer = new TcpPeer(stack, host, 6000 + kind, 80);
      const room = (kind + length) % 39;
      const raw = concat(new Uint8Array(room).fill(1), [kind, length]);
      t.deepEqual(peer.syn({ options: { raw } }), ["SA 0:1"]);
      peer.say("R");
    }
  }
  t.deepEqual(stack.tables(), tables);
});

test("RFC 9293 MUST-4, MUST-6, MUST-64: MSS is found behind NOPs and unknown options, at odd offsets", async (t) => {
  t.is(await mssFor(Uint8Array.of(2, 4, 3, 232)), 1000);
  t.is(await mssFor(Uint8Array.of(1, 2, 4, 3, 232)), 1000);
  t.is(await mssFor(Uint8Array.of(200, 6, 9, 9, 9, 9, 1, 2, 4, 3, 232)), 1000);
  t.is(await mssFor(Uint8Array.of(34, 10, 0, 0, 0, 1, 0, 0, 0, 0, 3, 3, 255, 2, 4, 3, 232)), 1000);
});

test("RFC 9293 MUST-7, MUST-69: a senseless length or EOL ends the options; what came before counts", async (t) => {
  t.is(await mssFor(Uint8Array.of(2, 4, 3, 232, 9, 0)), 1000);
  t.is(await mssFor(Uint8Array.of(0, 2, 4, 3, 232)), 536);
  t.is(await mssFor(Uint8Array.of(2, 1, 2, 4, 3, 232)), 536);
  t.is(await mssFor(Uint8Array.of(254, 0, 2, 4, 3, 232)), 536);
  t.is(await mssFor(Uint8Array.of(1, 2, 4, 3)), 536);
  t.is(await mssFor(Uint8Array.of(2, 6, 3, 232, 0, 0)), 536);
});

test("RFC 9293 MUST-15, MUST-16, MSS-2, MSS-3, MSS-4, T-4: no MSS means 536; the floor is 88, the cap our MTU", async (t) => {
  t.is(await mssFor(new Uint8Array(0)), 536);
  t.is(await mssFor(Uint8Array.of(2, 4, 5, 180)), 1460);
  t.is(await mssFor(Uint8Array.of(2, 4, 255, 255)), 1460);
  for (const tiny of [0x00, 0x01, 0x30]) {
    const expected = tiny === 0 ? 536 : 88;
    t.is(await mssFor(Uint8Array.of(2, 4, 0, tiny)), expected);
  }
});

test("RFC 9293 MUST-14, MUST-65, MUST-67, MUST-68, SHLD-5, MAY-3, MSS-1: MSS 1460 on SYN and SYN-ACK, no option on anything else", async (t) => {
  const stack = await deviceStack();
  stack.listen(80);
  const client = new TcpPeer(stack, stack.neighbour(), 5000, 80, { mss: 0 });
  client.syn();
  t.deepEqual(client.last?.options, { mss: 1460 });
  client.say("A");
  client.text(pattern(3000).subarray(0, 1460));
  client.text(pattern(1460));
  t.deepEqual(client.last?.options, {});
  const fd = stack.socket(SOCK_STREAM);
  const server = TcpPeer.dialled(stack, client.host, fd, 81);
  const { timestamps, ...others } = server.last?.options ?? {};
  t.deepEqual(others, { mss: 1460, windowScale: 0, sackPermitted: true });
  t.is(timestamps?.[1], 0);
});

test("RFC 9293 MUST-5, T-5, T-6: options on data and FIN are passed over", async (t) => {
  const stack = await deviceStack();
  const listener = stack.listen(80);
  const { peer, fd } = accepted(stack, listener, 5000);
  const options = {
    windowScale: 255,
    mss: 1,
    sack: [
      [9, 3],
      [0, 0],
    ] as [number, number][],
  };
  peer.say("PA", { options }, pattern(10));
  peer.seq += 10;
  t.deepEqual(stack.receive(fd), pattern(10));
  stack.send(fd, pattern(1000));
  t.is(peer.segments()[0]?.data.length, 1000);
  peer.acknowledge(1001, { options: { timestamps: [1, 2] } });
  t.deepEqual(peer.say("FA", { options: { timestamps: [1, 2] } }), ["A 1001:12"]);
});

test("T-10, MUST-30, MUST-31: urgent data of any pointer is delivered in line", async (t) => {
  const stack = await deviceStack();
  const listener = stack.listen(80);
  const { peer, fd } = accepted(stack, listener, 5000);
  const pointers = [0, 1, 5, 0xffff, 0x8000];
  for (const urgentPointer of pointers) {
    peer.say("UPA", { urgentPointer }, pattern(20, urgentPointer & 7));
    peer.seq += 20;
    // A read ends at the mark; the text is all there.
    const parts = [stack.receive(fd), stack.receive(fd)].filter((part) => typeof part !== "number");
    t.deepEqual(concat(...parts), pattern(20, urgentPointer & 7));
    peer.say("UA", { urgentPointer });
  }
  t.is(stack.receive(fd), -11);
  const other = new TcpPeer(stack, peer.host, 5001, 80);
  t.deepEqual(other.syn({ urgentPointer: 77 }), ["SA 0:1"]);
});

test("T-11: text on a SYN waits for its repetition; SYN+FIN is dropped; RST wins over SYN", async (t) => {
  const stack = await deviceStack();
  const listener = stack.listen(80);
  const host = stack.neighbour();
  const peer = new TcpPeer(stack, host, 5000, 80);
  t.deepEqual(peer.say("SF"), []);
  t.deepEqual(peer.say("SR"), []);
  t.deepEqual(peer.say("S", {}, pattern(100)), ["SA 0:1"]);
  peer.seq += 1;
  peer.say("A");
  const fd = stack.wasm.sysAccept(listener);
  t.is(stack.receive(fd), -11);
  peer.text(pattern(100));
  t.deepEqual(stack.receive(fd), pattern(100));
});

test("RFC 9293 MUST-57, MUST-63: SYNs to broadcast or multicast, or from nobody, get no answer", async (t) => {
  const stack = await deviceStack();
  stack.listen(80);
  const host = stack.neighbour();
  const fields = { sourcePort: 5000, destinationPort: 80, seq: 1, flags: 2 };
  const broadcast = "ff:ff:ff:ff:ff:ff";
  const none = new Uint8Array(0);
  const tables = stack.tables();
  for (const destination of ["255.255.255.255", "192.168.7.255", "224.0.0.1"]) {
    const below = { ethernet: { destination: broadcast }, ip: { destination: ip(destination) } };
    t.deepEqual(stack.exchange(host.tcp(fields, none, below)), []);
  }
  t.deepEqual(stack.exchange(host.tcp(fields, none, { ethernet: { destination: broadcast } })), []);
  for (const source of ["0.0.0.0", "255.255.255.255", "192.168.7.255", "224.0.0.1", "127.0.0.1"]) {
    t.deepEqual(stack.exchange(host.as(ip(source)).tcp(fields)), []);
  }
  t.deepEqual(stack.exchange(host.as(stack.address).tcp(fields)), []);
  t.deepEqual(stack.exchange(host.tcp({ ...fields, sourcePort: 0 })), []);
  t.deepEqual(stack.exchange(host.tcp({ ...fields, destinationPort: 0 })), []);
  t.deepEqual(stack.tables(), tables);
});

test("RFC 9293 MUST-50: IP options that mean nothing to TCP are ignored", async (t) => {
  const stack = await deviceStack();
  stack.listen(80);
  const peer = new TcpPeer(stack, stack.neighbour(), 5000, 80);
  const below = { ip: { options: Uint8Array.of(1, 1, 68, 4, 5, 0, 1, 0) } };
  stack.take();
  stack.inject(peer.frame("S", {}, undefined, below));
  t.deepEqual(peer.heard(), ["SA 0:1"]);
});
