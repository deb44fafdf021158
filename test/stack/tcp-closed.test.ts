import test from "../conformance/proves.js";
import { SOCK_STREAM, type StackHarness } from "../support/stack-harness.js";
import { ALL_FLAGS, TcpPeer, accepted, flagBits, deviceStack } from "../support/tcp-peer.js";
import { TCP, pattern } from "../support/wire.js";

test("RFC 9293 SEG-1, T-9: a closed port answers every combination of flags as 3.10.7.1 says", async (t) => {
  const stack = await deviceStack();
  const peer = new TcpPeer(stack, stack.neighbour(), 5000, 81);
  for (const letters of ALL_FLAGS) {
    for (const bytes of [0, 10]) {
      const bits = flagBits(letters);
      const answers = peer.say(letters, { ack: 777 }, pattern(bytes));
      if ((bits & TCP.RST) !== 0) {
        t.deepEqual(answers, [], letters);
      } else if ((bits & TCP.ACK) !== 0) {
        t.deepEqual(answers, ["R 777"], letters);
      } else {
        const length = bytes + ((bits & TCP.SYN) >> 1) + (bits & TCP.FIN);
        t.deepEqual(answers, [`RA 0:${length}`], letters);
      }
    }
  }
});

test("RFC 9293 SEG-2, T-9: a listener answers every combination of flags as 3.10.7.2 says", async (t) => {
  const stack = await deviceStack();
  stack.listen(80);
  const tables = stack.tables();
  const host = stack.neighbour();
  ALL_FLAGS.forEach((letters, i) => {
    const peer = new TcpPeer(stack, host, 5000 + i, 80);
    const bits = flagBits(letters) & ~(TCP.PSH | TCP.URG);
    const answers = peer.say(letters, { ack: 777 });
    if ((bits & TCP.RST) !== 0) t.deepEqual(answers, [], letters);
    else if ((bits & TCP.ACK) !== 0) t.deepEqual(answers, ["R 777"], letters);
    else if (bits === TCP.SYN) t.deepEqual(answers, ["SA 0:1"], letters);
    else t.deepEqual(answers, [], letters);
    peer.say("R", { seq: peer.iss + 1 });
  });
  t.deepEqual(stack.tables(), tables);
});

interface Conversation {
  peer: TcpPeer;
  fd: number;
}

const NOTHING = new Uint8Array(0);

/** Half-closes and lets the FIN go out. */
function finish(stack: StackHarness, fd: number): void {
  stack.wasm.sysShutdown(fd, 1);
  stack.run();
}

/** How a connection comes into each state. */
const STATES: Record<string, (stack: StackHarness, it: Conversation) => void> = {
  ESTABLISHED: () => undefined,
  "FIN-WAIT-1": (stack, { fd }) => finish(stack, fd),
  "FIN-WAIT-2": (stack, { peer, fd }) => {
    finish(stack, fd);
    peer.acknowledge(2);
  },
  "FIN-WAIT-2 of nobody": (stack, { peer, fd }) => {
    stack.wasm.sysClose(fd);
    stack.run();
    peer.acknowledge(2);
  },
  "CLOSE-WAIT": (_, { peer }) => {
    peer.text(NOTHING, "FA");
  },
  CLOSING: (stack, { peer, fd }) => {
    finish(stack, fd);
    peer.text(NOTHING, "FA");
  },
  "LAST-ACK": (stack, { peer, fd }) => {
    peer.text(NOTHING, "FA");
    finish(stack, fd);
  },
  "TIME-WAIT": (stack, { peer, fd }) => {
    finish(stack, fd);
    peer.acknowledge(2);
    peer.text(NOTHING, "FA");
  },
};
const OFFSETS = [0, 1, -1, 100, 8191, 8192, 70000, 0x7fffffff, 0x80000000, -0x7ffffff0];

/** Speaks with all flags at many numbers; returns the most segments that one of ours caused. */
function provoke(peer: TcpPeer, letters: string): number {
  let most = 0;
  const base = peer.seq;
  for (const offset of OFFSETS) {
    for (const bytes of [0, 20]) {
      const answers = peer.say(letters, { seq: (base + offset) >>> 0 }, pattern(bytes));
      most = Math.max(most, answers.length);
    }
  }
  return most;
}

for (const [state, enter] of Object.entries(STATES)) {
  test(`T-9: every combination of flags at many numbers in ${state}: few answers, no trap, nothing leaks`, async (t) => {
    const stack = await deviceStack();
    const listener = stack.listen(80);
    let port = 2000;
    for (const letters of ALL_FLAGS) {
      const it = accepted(stack, listener, port++, { iss: (port & 1) !== 0 ? 0xffffff00 : 77 });
      enter(stack, it);
      const most = provoke(it.peer, letters);
      t.true(most <= 2, `${most} answers to ${letters}`);
      stack.wasm.sysAbort(it.fd);
      stack.advance(200_000);
    }
    t.true(stack.answers(stack.neighbour()));
    t.deepEqual(stack.tables(), [0, 0, 0, 1]);
  });
}

test("T-9: every combination of flags at many numbers in SYN-RECEIVED and SYN-SENT: the same", async (t) => {
  const stack = await deviceStack();
  const listener = stack.listen(80);
  ALL_FLAGS.forEach((letters, i) => {
    const host = stack.neighbour();
    const half = new TcpPeer(stack, host, 5000 + i, 80);
    half.syn();
    t.true(provoke(half, letters) <= 2, letters);
    const fd = stack.socket(SOCK_STREAM);
    const dialled = TcpPeer.dialled(stack, host, fd, 81);
    t.true(provoke(dialled, letters) <= 2, letters);
    stack.wasm.sysAbort(fd);
    stack.wasm.sysAbort(stack.wasm.sysAccept(listener));
    stack.advance(200_000);
  });
  t.deepEqual(stack.tables(), [0, 0, 0, 1]);
});
