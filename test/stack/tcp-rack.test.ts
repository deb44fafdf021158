/** Losses by the times of sending (RACK, RFC 8985). Segments have 1000 bytes and are named by their number. */
import test from "../conformance/proves.js";
import type { StackHarness } from "../support/stack-harness.js";
import { TcpPeer, accepted, deviceStack } from "../support/tcp-peer.js";
import { pattern } from "../support/wire.js";
import { BIG } from "../support/option-sets.js";

const ROUND_TRIP_MS = 40;
/** RACK.reo_wnd at first: a quarter of the shortest round trip. */
const WINDOW_MS = ROUND_TRIP_MS / 4;

type Block = [from: number, to: number];

class Sender {
  /** The first segment that was not sent yet, and the first that the peer does not have. */
  unsent = 0;
  private acked = 0;

  private constructor(
    readonly stack: StackHarness,
    private readonly peer: TcpPeer,
    private readonly fd: number,
  ) {}

  /** A connection with a steady round trip; the eight segments that fit the peer's window have just been sent. */
  static async create(roundTripMs = ROUND_TRIP_MS): Promise<{ it: Sender; first: number }> {
    const stack = await deviceStack(BIG);
    const options = { sackPermitted: true };
    const config = { mss: 1000, window: 8000, options };
    const { peer, fd } = accepted(stack, stack.listen(80), 5000, config);
    const it = new Sender(stack, peer, fd);
    it.write();
    let first = 0;
    for (let i = 0; i < 60; i++) {
      stack.advance(roundTripMs);
      first = it.unsent;
      it.hear(first);
      it.write();
    }
    return { it, first };
  }

  /** Segments on the way. */
  get flight(): number {
    return this.unsent - this.acked;
  }

  /** Fills the send ring. */
  write(): void {
    this.stack.send(this.fd, pattern(32768));
    this.sent();
  }

  /** The peer has all before `ack` and these blocks; what is sent then. */
  hear(ack: number, ...blocks: Block[]): number[] {
    const at = (segment: number): number => this.peer.theirs(1 + segment * 1000);
    const sack = blocks.map(([from, to]): [number, number] => [at(from), at(to)]);
    this.peer.ack = at(ack);
    this.acked = ack;
    this.stack.take();
    this.stack.inject(this.peer.frame("A", sack.length > 0 ? { options: { sack } } : {}));
    return this.sent();
  }

  /** What is sent within a time. */
  during(ms: number): number[] {
    this.stack.advance(ms);
    return this.sent();
  }

  private sent(): number[] {
    const numbers = this.peer.segments().map((s) => ((s.seq - this.peer.irs - 1) >>> 0) / 1000);
    this.unsent = Math.max(this.unsent, ...numbers.map((number) => number + 1));
    return numbers;
  }
}

test("RFC 8985 6.2 step 5: a retransmission is lost, too, when one that was sent later has arrived", async (t) => {
  const { it, first } = await Sender.create();
  const block = (from: number, to: number): Block => [first + from, first + to];
  it.stack.advance(ROUND_TRIP_MS);
  t.deepEqual(it.hear(first, block(1, 4)), [first]);
  it.stack.advance(5);
  // The first and the fifth are missing; all that is beyond has arrived.
  t.deepEqual(it.hear(first, block(5, 8), block(1, 4)), [first + 4]);
  it.stack.advance(ROUND_TRIP_MS);
  // No new text fits the window: only the times tell that the repetition of the first, sent before that of the fifth, is lost.
  t.deepEqual(it.hear(first, block(1, 8)), [first]);
  t.deepEqual(it.during(ROUND_TRIP_MS), []);
});

/** The first and the fifth of eight are sent again, `apartMs` after each other; that of the first is lost. What is sent for it then. */
async function lostAgain(apartMs: number): Promise<{ it: Sender; first: number; again: number[] }> {
  const { it, first } = await Sender.create();
  const block = (from: number, to: number): Block => [first + from, first + to];
  it.stack.advance(ROUND_TRIP_MS);
  it.hear(first, block(1, 4));
  it.stack.advance(apartMs);
  it.hear(first, block(5, 8), block(1, 4));
  it.stack.advance(ROUND_TRIP_MS);
  return { it, first, again: it.hear(first, block(1, 8)) };
}

test("RFC 8985 6.2 step 5: of repetitions that left in one millisecond the number tells the order, or a lost one would wait for the timeout", async (t) => {
  const { it, first, again } = await lostAgain(0);
  t.deepEqual(again, [first]);
  t.deepEqual(it.during(ROUND_TRIP_MS), [], "not again at once");
});

test("RFC 8985 9.3, RFC 5681 4.3: a lost repetition cuts the window once more", async (t) => {
  const { it, first } = await lostAgain(5);
  it.write();
  it.stack.advance(ROUND_TRIP_MS);
  t.is(it.hear(first + 8).length, 2, "of a flight of eight, half of half");
});

/**
 * Of four segments that left at once, after `before` others and before six that each left in a millisecond of its own, the third and the
 * fourth are lost. What is sent again of the fourth when the third has been.
 */
async function fourAmong(before: number): Promise<number[]> {
  const { it, first } = await Sender.create();
  let next = first;
  const one = (): void => {
    it.write();
    it.stack.advance(1);
    next += 1;
    it.hear(next);
  };
  for (let i = 0; i < before; i++) one();
  it.write();
  next += 4;
  it.hear(next);
  for (let i = 0; i < 6; i++) one();
  it.stack.advance(ROUND_TRIP_MS);
  it.hear(next, [next + 2, next + 5]);
  return it.hear(next, [next + 2, next + 8]).map((number) => number - next);
}

test("RFC 8985 5.2: a segment sent again has a time of its own, however many that are acknowledged left before it", async (t) => {
  for (let before = 4; before < 16; before++) t.deepEqual(await fourAmong(before), [1]);
});

test("RFC 8985 7.2: a probe comes two round trips after what was sent last, and two turns of the clock", async (t) => {
  for (const roundTripMs of [1, 4, 40]) {
    const { it, first } = await Sender.create(roundTripMs);
    t.deepEqual(it.during(2 * roundTripMs + 1), []);
    t.deepEqual(it.during(1), [first + 7]);
  }
});

test("RFC 8985 6.2 step 4: fewer than three segments beyond it do not tell of a loss, but a quarter of a round trip later they do", async (t) => {
  const { it, first } = await Sender.create();
  it.stack.advance(ROUND_TRIP_MS);
  t.deepEqual(it.hear(first, [first + 1, first + 2]), []);
  t.deepEqual(it.during(WINDOW_MS - 1), []);
  t.deepEqual(it.during(1), [first], "long before the timeout");
});

test("RFC 8985 6.2 step 4: what comes late in that time is not sent again", async (t) => {
  const { it, first } = await Sender.create();
  it.stack.advance(ROUND_TRIP_MS);
  t.deepEqual(it.hear(first, [first + 1, first + 3]), []);
  it.stack.advance(WINDOW_MS - 1);
  const eight = [8, 9, 10, 11, 12, 13, 14, 15].map((i) => first + i);
  t.deepEqual(it.hear(first + 8), eight);
});

test("RFC 8985 7.2: what is reported takes the place of a tail loss probe, also where that would come sooner", async (t) => {
  const { it, first } = await Sender.create(1);
  it.stack.advance(1);
  // The probe was due a millisecond later, two round trips after the flight; the first is lost two turns of the clock later.
  t.deepEqual(it.hear(first, [first + 1, first + 2]), []);
  t.deepEqual([it.during(1), it.during(1)], [[], [first]]);
});

test("RFC 8985 6.2 step 3: several blocks that are news at once came in the order of their segments: no reordering", async (t) => {
  const { it, first } = await Sender.create();
  it.stack.advance(ROUND_TRIP_MS);
  // The first and the fifth are missing; the answer to what came between them was lost.
  t.deepEqual(it.hear(first, [first + 5, first + 8], [first + 1, first + 4]), [first, first + 4]);
});

/** The peer gets segment `first` after the two that follow it: reordering is seen. Gives the first of the next eight. */
function reorder(it: Sender, first: number): number {
  it.stack.advance(ROUND_TRIP_MS);
  it.hear(first, [first + 1, first + 3]);
  it.stack.advance(1);
  it.hear(first + 3);
  it.hear(first + 8);
  it.write();
  it.stack.advance(ROUND_TRIP_MS);
  it.hear(first + 11);
  it.write();
  it.stack.advance(ROUND_TRIP_MS);
  it.hear(first + 16);
  it.write();
  it.stack.advance(ROUND_TRIP_MS);
  it.hear(first + 24);
  it.write();
  return first + 24;
}

test("RFC 8985 6.2 step 3: once segments have changed places three beyond a hole do not count, only the time does", async (t) => {
  const { it, first } = await Sender.create();
  const next = reorder(it, first);
  it.stack.advance(ROUND_TRIP_MS);
  t.deepEqual(it.hear(next, [next + 1, next + 8]), []);
  t.deepEqual(it.during(WINDOW_MS - 1), []);
  t.deepEqual(it.during(1), [next]);
});

test("RFC 8985 6.2 step 3: what one acknowledgment tells of arrived in ascending order; three beyond a hole count at once", async (t) => {
  const { it, first } = await Sender.create();
  it.stack.advance(ROUND_TRIP_MS);
  // As a peer does that delays: the last segment before the hole with the first one behind it.
  const hole = first + 2;
  it.hear(hole, [hole + 1, hole + 2]);
  it.hear(hole, [hole + 1, hole + 3]);
  t.true(it.hear(hole, [hole + 1, hole + 4]).includes(hole));
});

/** A round trip in which the peer has the two segments after the first; when that is sent again, and `answer`, tell the window. */
function windowOf(it: Sender, first: number, answer: Block[]): { windowMs: number; next: number } {
  it.stack.advance(ROUND_TRIP_MS);
  it.hear(first, [first + 1, first + 3]);
  const start = it.stack.nowMs;
  while (!it.during(1).includes(first));
  const windowMs = it.stack.nowMs - start;
  it.hear(it.unsent, ...answer);
  it.write();
  // A round trip in between, so that the congestion window has room for another such flight.
  for (let i = 0; i < 4; i++) {
    it.stack.advance(ROUND_TRIP_MS);
    it.hear(it.unsent);
    it.write();
  }
  return { windowMs, next: it.unsent - it.flight };
}

test("RFC 8985 6.2 step 4: a round trip with a reported duplicate grants another quarter of it; sixteen recoveries without one take it back", async (t) => {
  const { it, first } = await Sender.create();
  let next = reorder(it, first);
  const windows: number[] = [];
  for (let recoveries = 0; recoveries < 19; recoveries++) {
    const sentTwice: Block[] = recoveries < 2 ? [[next, next + 1]] : [];
    const found = windowOf(it, next, sentTwice);
    windows.push(found.windowMs / WINDOW_MS);
    next = found.next;
  }
  t.deepEqual(windows, [1, 2, ...Array<number>(16).fill(3), 1]);
});
