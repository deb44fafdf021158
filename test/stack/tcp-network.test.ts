import test from "../conformance/proves.js";
import { DhcpBench, LEASED } from "../support/dhcp-bench.js";
import { OPTIONS } from "../../stack/options.js";
import { SOCK_STREAM } from "../support/stack-harness.js";
import { TcpPeer, accepted, deviceStack } from "../support/tcp-peer.js";
import { pattern } from "../support/wire.js";

/** Leaves the peer's ARP entry to be lost: nobody answers for a while. */
const SILENCE_MS = 700_000;

test("the ARP entry is lost in the middle of a connection: text waits for the neighbour and then goes at once", async (t) => {
  const stack = await deviceStack();
  const { peer, fd } = accepted(stack, stack.listen(80), 5000);
  stack.advance(SILENCE_MS);
  stack.take();
  stack.send(fd, pattern(100));
  t.deepEqual(
    stack.take().map((frame) => frame.arp?.operation),
    [1],
  );
  stack.inject(peer.host.arpReply());
  t.deepEqual(peer.heard(), ["PA 1:1+100"]);
  t.deepEqual(peer.acknowledge(101), []);
});

test("A14: a neighbour that comes back after ARP has given it up gets the text that waits, at once", async (t) => {
  const stack = await deviceStack();
  const { peer, fd } = accepted(stack, stack.listen(80), 5000);
  stack.advance(SILENCE_MS);
  stack.send(fd, pattern(100));
  stack.advance(4000);
  t.is(stack.take().filter((frame) => frame.arp).length, 3, "asked three times, in vain");
  stack.inject(peer.host.arpRequest());
  t.deepEqual(peer.heard(), ["PA 1:1+100"]);
});

test("a retransmission goes on when the neighbour was away for a while", async (t) => {
  const stack = await deviceStack();
  const { peer, fd } = accepted(stack, stack.listen(80), 5000);
  stack.send(fd, pattern(100));
  stack.advance(90_000);
  t.is(stack.receive(fd), -11);
  peer.wait(60_000);
  t.deepEqual(peer.acknowledge(101), []);
  t.is(stack.wasm.sysEvents(fd), 4);
});

test("an ACK that had to wait for ARP leaves no timer behind: the idle connection lives on", async (t) => {
  const stack = await deviceStack();
  const { peer, fd } = accepted(stack, stack.listen(80), 5000);
  stack.advance(SILENCE_MS);
  peer.text(pattern(100));
  stack.advance(100);
  stack.take();
  stack.inject(peer.host.arpReply());
  t.deepEqual(peer.heard(), ["A 1:101"]);
  peer.wait(1_000_000);
  stack.receive(fd);
  t.is(stack.receive(fd), -11);
  t.deepEqual(peer.text(pattern(2000).subarray(0, 1000)), []);
  t.deepEqual(peer.during(50), ["A 1:1101"]);
});

test("text for a neighbour that never comes back ends with EHOSTUNREACH, and the TCB is free", async (t) => {
  const stack = await deviceStack();
  const { fd } = accepted(stack, stack.listen(80), 5000);
  stack.advance(SILENCE_MS);
  stack.send(fd, pattern(100));
  stack.advance(600_000);
  t.is(stack.receive(fd), -113);
  t.is(stack.tables()[0], 0);
});

test("SYNs from more addresses than the ARP table holds, none of which answers, hold up nobody", async (t) => {
  const stack = await deviceStack();
  const { peer, fd } = accepted(stack, stack.listen(80), 5000);
  const strangers = OPTIONS.ARP_ENTRIES + 3;
  for (let i = 0; i < strangers; i++) {
    const host = stack.peer(`192.168.7.${100 + i}`);
    stack.inject(new TcpPeer(stack, host, 5000, 80).frame("S"));
  }
  stack.take();
  stack.advance(3500);
  stack.take();
  const refusals = stack.counter("ipNoRoute");
  stack.send(fd, pattern(100));
  stack.run();
  t.deepEqual(peer.heard(), ["PA 1:1+100"]);
  stack.advance(10_000);
  const tries = stack.counter("ipNoRoute") - refusals;
  t.true(tries < 8 * strangers, `each waits for its timer (${tries})`);
});

test("the lease is lost: connections end with ENETDOWN and hold no TCB; loopback goes on", async (t) => {
  const bench = await DhcpBench.bound();
  const { stack } = bench;
  const listener = stack.listen(80, 8);
  const client = stack.peer("192.168.7.9");
  const host = new (client.constructor as typeof import("../support/wire-peer.js").Peer)(
    client.mac,
    client.address,
    stack.mac,
    LEASED,
  );
  stack.inject(host.arpRequest());
  const idle = TcpPeer.client(stack, host, 5000, 80);
  const fd = stack.wasm.sysAccept(listener);
  t.true(fd >= 0);
  TcpPeer.client(stack, host, 5001, 80);
  const local = stack.socket(SOCK_STREAM);
  stack.wasm.sysConnect(local, 0x7f000001, 80);
  stack.run();
  t.is(stack.wasm.sysConnect(local, 0x7f000001, 80), 0);
  stack.wasm.sysClose(stack.wasm.sysAccept(listener));
  stack.advance(8_000_000);
  t.is(bench.address, 0);
  t.is(stack.receive(fd), -100);
  t.is(stack.wasm.sysEvents(fd) & 16, 16);
  stack.send(local, pattern(10));
  const other = stack.wasm.sysAccept(listener);
  t.deepEqual(stack.receive(other), pattern(10));
  t.is(stack.tables()[0], 2);
  void idle;
});
