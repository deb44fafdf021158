import test from "../conformance/proves.js";
import { SOCK_STREAM, type StackHarness } from "../support/stack-harness.js";
import { TcpPeer, deviceStack } from "../support/tcp-peer.js";
import { pattern } from "../support/wire.js";
import type { Peer } from "../support/wire-peer.js";

async function dial(): Promise<{ stack: StackHarness; host: Peer; fd: number; peer: TcpPeer }> {
  const stack = await deviceStack();
  const host = stack.neighbour();
  const fd = stack.socket(SOCK_STREAM);
  return { stack, host, fd, peer: TcpPeer.dialled(stack, host, fd, 80) };
}

/** What a router at the gateway's place says about the stack's last segment. */
function icmp(peer: TcpPeer, type: number, code: number, seq: number, rest = 0): Uint8Array {
  const host = peer.host;
  const fields = { sourcePort: peer.stackPort, destinationPort: peer.port, seq, flags: 16 };
  const ours = { ip: { source: peer.stack.address, destination: host.address } };
  return host.icmp({ type, code, rest }, host.tcp(fields, undefined, ours).slice(14, 42));
}

test("RFC 5927, ICMPT-1, ICMPT-2, MUST-54, MUST-56: what ends a connection that is being opened, and what does not", async (t) => {
  for (const [type, code, error] of [
    [3, 2, -111],
    [3, 3, -111],
    [3, 0, -114],
    [3, 1, -114],
    [3, 5, -114],
    [11, 0, -114],
    [12, 0, -114],
    [4, 0, -114],
  ] as const) {
    const { stack, host, fd, peer } = await dial();
    stack.inject(icmp(peer, type, code, peer.irs + 5));
    t.is(stack.wasm.sysConnect(fd, host.address, 80), -114);
    stack.inject(icmp(peer, type, code, peer.irs));
    t.is(stack.wasm.sysConnect(fd, host.address, 80), error, `${type}/${code}`);
  }
});

test("RFC 9293 MUST-47, SHLD-25: a soft error is the reason that a timeout gives", async (t) => {
  for (const [type, code, error] of [
    [3, 0, -101],
    [3, 1, -113],
    [11, 0, -113],
    [4, 0, -110],
  ] as const) {
    const { stack, host, fd, peer } = await dial();
    stack.inject(icmp(peer, type, code, peer.irs));
    while (peer.next().length > 0);
    t.is(stack.wasm.sysConnect(fd, host.address, 80), error, `${type}/${code}`);
  }
});

test("RFC 5927 5.2, C-3, MUST-55, SHLD-26, ICMPT-4, RFC 6633: in ESTABLISHED every ICMP error is soft and source quench nothing", async (t) => {
  const stack = await deviceStack();
  const { peer, fd } = TcpPeer.server(stack, stack.neighbour());
  stack.send(fd, pattern(8000));
  const sent = peer.segments();
  t.is(sent.length, 3);
  for (const [type, code] of [
    [3, 2],
    [3, 3],
    [3, 1],
    [11, 0],
    [12, 0],
    [4, 0],
  ] as const) {
    stack.inject(icmp(peer, type, code, peer.theirs(1)));
  }
  t.deepEqual(peer.heard(), []);
  t.deepEqual(peer.acknowledge(1461), ["A 4381:1+1460", "A 5841:1+1460"]);
  t.is(stack.receive(fd), -11);
});

test("RFC 9293 SHLD-20: who asks for no report gets none and is not even woken; who asks sees the same trouble", async (t) => {
  const stack = await deviceStack();
  const host = stack.neighbour();
  const [deaf, curious] = [80, 81].map((port) => TcpPeer.server(stack, host, port));
  if (!deaf || !curious) throw new Error("two connections");
  for (const { fd } of [deaf, curious]) stack.send(fd, pattern(100));
  stack.take();
  const events = stack.wasm.sysEvents(deaf.fd);
  const woken = stack.wasm.readyCount();
  // Soft errors, and R1 passed: three retransmissions (RFC 9293 3.9.1.8).
  for (const type of [0, 1, 5]) {
    for (const { peer } of [deaf, curious]) stack.inject(icmp(peer, 3, type, peer.theirs(1)));
  }
  while ((stack.tcpInfo(curious.fd).bytes[2] ?? 0) < 3) curious.peer.next();
  t.is(stack.wasm.readyCount(), woken);
  t.is(stack.wasm.sysEvents(deaf.fd), events);
  t.is(stack.receive(deaf.fd), -11);
  t.is(stack.send(deaf.fd, pattern(50)), 50);
  // The trouble is over: nothing has been lost by not asking.
  t.deepEqual(deaf.peer.acknowledge(101), ["PA 101:1+50"]);
  deaf.peer.acknowledge(151);
  deaf.peer.text(pattern(10));
  t.deepEqual(stack.receive(deaf.fd), pattern(10));
  // The other stays in trouble: asked, it says so, and its end has a reason.
  t.true((stack.tcpInfo(curious.fd).bytes[2] ?? 0) >= 3);
  while (curious.peer.next().length > 0);
  t.is(stack.wasm.sysError(curious.fd), 113, "SO_ERROR: the last soft error");
  t.is(stack.wasm.sysError(deaf.fd), 0);
});

test("RFC 5927 7.2, ICMPT-3, C-2: a smaller MTU is believed only when the segment does not get through, and not below 576", async (t) => {
  for (const [mtu, bytes] of [
    [1000, 960],
    [68, 536],
    [0, 536],
    [1500, 1460],
    [9000, 1460],
  ] as const) {
    const stack = await deviceStack();
    const { peer, fd } = TcpPeer.server(stack, stack.neighbour());
    stack.send(fd, pattern(8000));
    stack.inject(icmp(peer, 3, 4, peer.theirs(1), mtu));
    t.deepEqual(peer.heard().at(-1), "A 2921:1+1460");
    t.deepEqual(peer.during(210), [`A 1:1+${bytes}`], `MTU ${mtu}`);
  }
  const stack = await deviceStack();
  const { peer, fd } = TcpPeer.server(stack, stack.neighbour());
  stack.send(fd, pattern(8000));
  stack.inject(icmp(peer, 3, 4, peer.theirs(9000), 1000));
  t.deepEqual(peer.heard().length, 3);
  t.deepEqual(peer.during(210), ["A 1:1+1460"]);
});

test("RFC 5927 7.2, ICMPT-3: a smaller MTU is forgotten when what it was said of has got through", async (t) => {
  const stack = await deviceStack();
  const { peer, fd } = TcpPeer.server(stack, stack.neighbour());
  stack.send(fd, pattern(1000));
  stack.inject(icmp(peer, 3, 4, peer.theirs(1), 1000));
  peer.acknowledge(1001);
  stack.advance(2000);
  stack.send(fd, pattern(8000));
  t.deepEqual(peer.heard().at(-1), "A 3921:1+1460");
  t.true(peer.during(3100).includes("A 1001:1+1460"));
});

test("A20, RFC 1191 6.3: ten minutes after a smaller MTU the full segment is tried again; a router may still object", async (t) => {
  const stack = await deviceStack();
  const { peer, fd } = TcpPeer.server(stack, stack.neighbour());
  let sent = 1;
  /** Sends a full ring and acknowledges all; gives the bytes of the first segment. */
  const flight = (bytes: number): number => {
    // The neighbour is known, however long the silence was.
    stack.inject(peer.host.arpRequest());
    stack.take();
    stack.send(fd, pattern(bytes));
    const first = peer.segments()[0]?.data.length ?? 0;
    sent += bytes;
    for (let i = 0; i < 12; i++) {
      peer.acknowledge(Math.min(sent, sent - bytes + (i + 1) * 1000));
      stack.take();
    }
    return first;
  };
  const object = (): void => {
    stack.inject(peer.host.arpRequest());
    stack.take();
    stack.send(fd, pattern(1460));
    stack.take();
    stack.inject(icmp(peer, 3, 4, peer.theirs(sent), 1000));
    t.deepEqual(
      peer.next(5000).map((line) => line.split("+")[1]),
      ["960"],
    );
    sent += 1460;
    peer.acknowledge(sent);
    stack.take();
  };
  t.is(flight(1460), 1460);
  object();
  stack.advance(500_000);
  stack.take();
  t.is(flight(1460), 960);
  stack.advance(260_000);
  stack.take();
  flight(1460);
  t.is(flight(1460), 1460, "tried again");
  object();
  stack.advance(300_000);
  stack.take();
  flight(1460);
  t.is(flight(1460), 960, "believed for ten minutes more");
});
