import test from "../conformance/proves.js";
import { Random } from "../../host-tools/sim/random.js";
import { ERRNO, SOCK_STREAM, type StackHarness } from "../support/stack-harness.js";
import { TcpPeer, deviceStack } from "../support/tcp-peer.js";
import { pattern } from "../support/wire.js";
import { TIGHT } from "../support/option-sets.js";

const FLAGS = [
  "A",
  "A",
  "A",
  "PA",
  "PA",
  "FA",
  "FPA",
  "S",
  "SA",
  "R",
  "RA",
  "U",
  "UPA",
  "F",
  "",
  "SFRPAU",
];
const WINDOWS = [0, 0, 1, 10, 100, 1459, 1460, 4000, 65535, 65535];
const DISTANCES = [
  0, 0, 0, 0, 1, -1, 10, 500, 1460, 4000, 8191, 8192, 9000, -100, -9000, 0x7fffffff,
];

interface Chaos {
  stack: StackHarness;
  random: Random;
  listener: number;
  peers: TcpPeer[];
  fds: number[];
  nextPort: number;
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[random.below(from.length)] as T;
}

/** A segment that is nearly right: numbers around the true ones, any flags, any window. */
function speak({ stack, random, peers }: Chaos): void {
  if (peers.length === 0) return;
  const peer = pick(random, peers);
  const rightAck =
    random.below(4) !== 0 && peer.last ? peer.last.seq + peer.last.data.length : peer.ack;
  const seq = (peer.seq + pick(random, DISTANCES)) >>> 0;
  const ack = (rightAck + (random.below(6) === 0 ? pick(random, DISTANCES) : 0)) >>> 0;
  const data = pattern(pick(random, [0, 0, 0, 1, 20, 500, 1460]), random.below(99));
  const window = pick(random, WINDOWS);
  const frame = peer.frame(pick(random, FLAGS), { seq, ack, window }, data);
  if (random.below(50) === 0) frame[34 + random.below(20)] = random.below(256);
  stack.queue(frame);
  if (random.below(3) !== 0) stack.run();
  peer.segments();
  if (seq === peer.seq && random.below(2) === 0) peer.seq = (peer.seq + data.length) >>> 0;
}

function begin(it: Chaos): void {
  const { stack, random } = it;
  const host = stack.neighbour();
  const config = {
    iss: pick(random, [0, 0xfffffff0, 0x7ffffff0, random.u32()]),
    mss: pick(random, [0, 48, 536, 1460]),
  };
  if (random.below(2) === 0) {
    const peer = new TcpPeer(stack, host, (it.nextPort++ % 60_000) + 1024, 80, config);
    peer.syn();
    if (random.below(4) !== 0) peer.say("A");
    it.peers.push(peer);
  } else {
    const fd = stack.wasm.sysSocket(2, SOCK_STREAM, 0);
    if (fd < 0) return;
    it.fds.push(fd);
    const port = (it.nextPort++ % 60_000) + 1024;
    stack.take();
    if (stack.wasm.sysConnect(fd, host.address, port) !== -ERRNO.EINPROGRESS) return;
    stack.run();
    const syn = stack.take().find((frame) => frame.tcp?.destinationPort === port);
    const peer = new TcpPeer(stack, host, port, syn?.tcp?.sourcePort ?? 0, config);
    if (syn) peer.of([syn]);
    if (random.below(4) !== 0) peer.say("SA");
    if (random.below(4) !== 0) peer.seq = (peer.seq + 1) >>> 0;
    it.peers.push(peer);
  }
  if (it.peers.length > 20) it.peers.shift();
}

/** A call of the application. */
function call(it: Chaos): void {
  const { stack, random, fds, listener } = it;
  const { wasm } = stack;
  const accepted = wasm.sysAccept(listener);
  if (accepted >= 0) fds.push(accepted);
  if (fds.length === 0) return;
  const index = random.below(fds.length);
  const fd = fds[index] as number;
  const scratch = wasm.scratch();
  const bytes = pick(random, [0, 1, 10, 1460, 5000, 9000]);
  const kind = random.below(20);
  if (kind < 8) wasm.sysSend(fd, scratch, bytes, kind < 2 ? 0x4000000 : 0);
  else if (kind < 15) wasm.sysRecv(fd, scratch, bytes, kind === 8 ? 2 : 0);
  else if (kind < 17) wasm.sysShutdown(fd, random.below(3));
  else if (kind === 17) wasm.sysSetOption(fd, 6, 1, random.below(2));
  else {
    if (kind === 18) wasm.sysClose(fd);
    else wasm.sysAbort(fd);
    fds.splice(index, 1);
  }
  if (random.below(2) === 0) stack.run();
}

for (const seed of [1, 2, 3, 4]) {
  test(`T-9, T-13: any segments, calls and times in any order, seed ${seed}: no trap, and all tables empty in the end`, async (t) => {
    const stack = await deviceStack(seed < 3 ? {} : TIGHT);
    const listener = stack.listen(80, 4);
    const it: Chaos = {
      stack,
      random: new Random(seed),
      listener,
      peers: [],
      fds: [],
      nextPort: 0,
    };
    for (let step = 0; step < 30_000; step++) {
      const what = it.random.below(100);
      if (what < 5) begin(it);
      else if (what < 65) speak(it);
      else if (what < 90) call(it);
      else stack.advance(pick(it.random, [1, 10, 50, 200, 1000, 70_000]));
      stack.take();
    }
    for (const fd of it.fds) stack.wasm.sysClose(fd);
    stack.wasm.sysClose(listener);
    stack.advance(200_000);
    t.deepEqual(stack.tables(), [0, 0, 0, 0]);
    t.true(stack.answers(stack.neighbour()));
  });
}
