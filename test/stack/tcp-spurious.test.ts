/**
 * Losses that were none (RFC 3522, 3708, 4015, 5682): the segment was overtaken, or the answer late. Segments have 1000 bytes and are
 * named by their number.
 */
import test from "../conformance/proves.js";
import { BIG } from "../support/option-sets.js";
import type { StackHarness } from "../support/stack-harness.js";
import { TcpPeer, deviceStack } from "../support/tcp-peer.js";
import { pattern } from "../support/wire.js";

const ROUND_TRIP_MS = 40;
const START = 0x1000_0000;

type Block = [from: number, to: number];

class Sender {
  /** The first segment that was not sent yet. */
  unsent = 0;
  private clock = 0;

  private constructor(
    readonly stack: StackHarness,
    private readonly peer: TcpPeer,
    private readonly stamped: boolean,
  ) {}

  /** Slow start: 0 to 3 have arrived, 4 to 11 have just been sent; `queued` segments more wait to be sent. */
  static async create({ stamped = false, queued = 20 } = {}): Promise<Sender> {
    const stack = await deviceStack(BIG);
    const listener = stack.listen(80);
    const peer = new TcpPeer(stack, stack.neighbour(), 5000, 80);
    const mss = stamped ? 1012 : 1000;
    peer.syn({
      options: { mss, sackPermitted: true, ...(stamped ? { timestamps: [START, 0] } : {}) },
    });
    const it = new Sender(stack, peer, stamped);
    stack.advance(ROUND_TRIP_MS);
    it.clock = peer.last?.options.timestamps?.[0] ?? 0;
    peer.say("A", it.fields());
    stack.send(stack.wasm.sysAccept(listener), pattern((12 + queued) * 1000));
    it.sent();
    stack.advance(ROUND_TRIP_MS);
    it.hear(4);
    return it;
  }

  /** Our clock on what was sent last: an echo that is given to `hear`. */
  get echo(): number {
    return this.clock;
  }

  /** The peer has all before `ack` and these blocks, and echoes `echo`; what is sent then. */
  hear(ack: number, blocks: Block[] = [], echo = this.clock): number[] {
    const sack = blocks.map(([from, to]): [number, number] => [this.at(from), this.at(to)]);
    this.peer.ack = this.at(ack);
    this.stack.take();
    this.stack.inject(this.peer.frame("A", this.fields(echo, sack)));
    return this.sent();
  }

  /** What is sent within a time. */
  during(ms: number): number[] {
    this.stack.advance(ms);
    return this.sent();
  }

  private at(segment: number): number {
    return this.peer.theirs(1 + segment * 1000);
  }

  private fields(echo = this.clock, sack: [number, number][] = []): object {
    const timestamps = [START + 1, echo >>> 0];
    return {
      options: { ...(this.stamped ? { timestamps } : {}), ...(sack.length > 0 ? { sack } : {}) },
    };
  }

  private sent(): number[] {
    const segments = this.peer.segments();
    this.clock = segments.at(-1)?.options.timestamps?.[0] ?? this.clock;
    const numbers = segments.map((s) => ((s.seq - this.peer.irs - 1) >>> 0) / 1000);
    this.unsent = Math.max(this.unsent, ...numbers.map((number) => number + 1));
    return numbers;
  }
}

/**
 * 4 was overtaken by those behind it, and sent again; then all have arrived. Gives how many segments a round trip later has, when the peer
 * has said `report` meanwhile.
 */
async function after(report: (it: Sender) => unknown): Promise<number> {
  const it = await Sender.create();
  it.stack.advance(ROUND_TRIP_MS);
  const cut = it.hear(4, [[5, 8]]);
  if (cut[0] !== 4) throw new Error(`4 was not sent again: ${cut.join()}`);
  it.stack.advance(1);
  it.hear(12);
  report(it);
  it.stack.advance(ROUND_TRIP_MS);
  return it.hear(it.unsent).length;
}

test("RFC 3708 3, RFC 4015 3.2: a fast retransmit that the peer reports as a duplicate is taken back: the window grows on as before", async (t) => {
  const cut = await after(() => []);
  t.true(cut >= 4 && cut <= 6, `${cut}`);
  const restored = await after((it) => it.hear(12, [[4, 5]]));
  t.true(restored >= 8, `${restored}`);
});

test("RFC 3708 3: a duplicate of what was not sent again says nothing", async (t) => {
  const cut = await after(() => []);
  t.is(await after((it) => it.hear(12, [[3, 4]])), cut);
  t.is(await after((it) => it.hear(12, [[5, 6]])), cut);
});

test("RFC 3708 3: of two that were sent again one as a duplicate is not enough, both are", async (t) => {
  const restored = async (...reports: Block[]): Promise<number> => {
    const it = await Sender.create();
    it.stack.advance(ROUND_TRIP_MS);
    t.is(it.hear(4, [[5, 8]])[0], 4);
    t.true(
      it
        .hear(4, [
          [9, 12],
          [5, 8],
        ])
        .includes(8),
    );
    it.stack.advance(1);
    it.hear(12);
    for (const block of reports) it.hear(12, [block]);
    it.stack.advance(ROUND_TRIP_MS);
    return it.hear(it.unsent).length;
  };
  const one = await restored([4, 5]);
  t.true(one <= 6, `${one}`);
  const both = await restored([4, 5], [8, 9]);
  t.true(both >= 8, `${both}`);
});

test("RFC 3522 3.2: the echo of the first sending takes a fast retransmit back at once, that of the second does not", async (t) => {
  const sent = async (late: boolean): Promise<number> => {
    const it = await Sender.create({ stamped: true });
    const first = it.echo;
    it.stack.advance(ROUND_TRIP_MS);
    t.is(it.hear(4, [[5, 8]], first)[0], 4);
    const again = it.echo;
    t.is(again - first, ROUND_TRIP_MS);
    it.stack.advance(1);
    it.hear(12, [], late ? first : again);
    it.stack.advance(ROUND_TRIP_MS);
    return it.hear(it.unsent).length;
  };
  const [cut, restored] = [await sent(false), await sent(true)];
  t.true(cut <= 6, `${cut}`);
  t.true(restored >= 8, `${restored}`);
});

/** Nothing was answered until the timeout has sent 4 again, after a probe: the first that was not sent yet is 13. */
async function timedOut(queued = 20): Promise<Sender> {
  const it = await Sender.create({ queued });
  const sent = it.during(350);
  if (sent[1] !== 4) throw new Error(sent.join());
  return it;
}

test("RFC 5682 3.1: after a timeout the first answer brings two new segments, and one more to what was sent before shows that nothing was lost", async (t) => {
  const it = await timedOut();
  t.deepEqual(it.hear(5), [13, 14]);
  const on = it.hear(6);
  t.true(on.length > 0 && on.every((number) => number > 14), `nothing is sent again: ${on.join()}`);
  // Slow start goes on to where the window was.
  t.true(it.hear(13).length >= 6);
});

test("RFC 5682 3.1 step 3: so does a report of what was sent before", async (t) => {
  const it = await timedOut();
  t.deepEqual(it.hear(5), [13, 14]);
  const on = it.hear(5, [[6, 7]]);
  t.true(
    on.every((number) => number > 14),
    on.join(),
  );
});

test("RFC 5682 3.1 step 3a: the report of the new ones alone sends the old ones again, three at most", async (t) => {
  const it = await timedOut();
  t.deepEqual(it.hear(5), [13, 14]);
  t.deepEqual(it.hear(5, [[13, 14]]), [5, 6, 7]);
});

test("RFC 5682 3.1 step 2: without new text, after a second timeout and where a loss was known it is as ever", async (t) => {
  t.deepEqual((await timedOut(1)).hear(5), [5, 6]);
  const twice = await timedOut();
  t.deepEqual(twice.during(500), [4]);
  t.deepEqual(twice.hear(5), [5, 6]);
});

test("RFC 3708 3: a timeout whose repetition alone is a duplicate is believed as long as what followed is missing", async (t) => {
  const it = await timedOut(1);
  t.deepEqual(it.hear(5, [[4, 5]]), [5, 6]);
});
