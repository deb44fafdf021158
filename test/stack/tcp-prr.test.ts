/** How a recovery sends with TCP_PRR (RFC 9937 6.2). Segments have 1000 bytes and are named by their number. */
import test from "../conformance/proves.js";
import type { StackHarness } from "../support/stack-harness.js";
import { TcpPeer, accepted, deviceStack } from "../support/tcp-peer.js";
import { pattern } from "../support/wire.js";
import { BIG } from "../support/option-sets.js";

type Block = [from: number, to: number];

class Sender {
  private constructor(
    private readonly stack: StackHarness,
    private readonly peer: TcpPeer,
    private readonly fd: number,
  ) {}

  /** A connection with NewReno whose peer has acknowledged `acked` segments one by one; twice as many and more are in flight. */
  static async create(acked: number, segments = 64): Promise<Sender> {
    const stack = await deviceStack({ ...BIG, TCP_PRR: 1 });
    const config = { mss: 1000, options: { sackPermitted: true } };
    const it = new Sender(stack, ...ends(accepted(stack, stack.listen(80), 5000, config)));
    it.write(Math.min(segments, 32) * 1000);
    for (let i = 1; i <= acked; i++) {
      it.hear(i);
      if (segments > 32) it.write(1000);
    }
    stack.advance(20);
    return it;
  }

  /** The application writes; what is sent. */
  write(bytes: number): number[] {
    this.stack.send(this.fd, pattern(bytes));
    return this.sent();
  }

  /** The peer has all before `ack` and these blocks; what is sent then. */
  hear(ack: number, ...blocks: Block[]): number[] {
    const at = (segment: number): number => this.peer.theirs(1 + segment * 1000);
    const sack = blocks.map(([from, to]): [number, number] => [at(from), at(to)]);
    this.peer.ack = at(ack);
    this.stack.take();
    this.stack.inject(this.peer.frame("A", sack.length > 0 ? { options: { sack } } : {}));
    return this.sent();
  }

  private sent(): number[] {
    return this.peer.segments().map((s) => ((s.seq - this.peer.irs - 1) >>> 0) / 1000);
  }
}

function ends({ peer, fd }: { peer: TcpPeer; fd: number }): [TcpPeer, number] {
  return [peer, fd];
}

test("RFC 9937 6.2: as much as arrives goes, and one segment more only where something is acknowledged", async (t) => {
  const it = await Sender.create(4);
  t.deepEqual(it.hear(4, [5, 11]), [4]);
  t.deepEqual(it.hear(4, [5, 12]), [13]);
});

test("RFC 9937 6.2: nothing more goes where an acknowledgment tells of a further loss (SafeACK)", async (t) => {
  const it = await Sender.create(12);
  t.deepEqual(it.hear(12, [13, 25]), [12]);
  t.deepEqual(it.hear(25, [26, 29]), [25, 29, 30, 31]);
});

test("RFC 9937 6.2: what has arrived and not been answered yet is made up for when further losses are found", async (t) => {
  const it = await Sender.create(12);
  t.deepEqual(it.hear(12, [13, 16]), [12]);
  t.deepEqual(it.hear(12, [13, 20]), [29]);
  t.deepEqual(it.hear(12, [24, 27], [13, 20]), [20, 21, 22, 23]);
});

test("RFC 9937 6.2: an acknowledgment that says nothing new takes nothing of the window", async (t) => {
  const it = await Sender.create(4, 13);
  t.deepEqual(it.hear(4, [5, 11]), [4]);
  t.deepEqual(it.hear(4, [5, 12]), []);
  t.deepEqual(it.hear(4, [5, 12]), []);
  t.deepEqual(it.write(3000), [13]);
});
