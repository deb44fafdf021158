import type { Clock } from "./types.js";

interface Timer {
  atNs: number;
  order: number;
  action: () => void;
  cancelled: boolean;
}

/**
 * Simulated time: a number that moves only when told to, and the actions that wait for it, in a binary heap. Actions run
 * at exactly their instant, and actions of one instant in the order in which they were scheduled.
 *
 * Whoever simulates a processor calls `advance` as its instructions take time; where nothing runs, `runNext` jumps to
 * the next action. An action must not advance the clock itself: it schedules another action.
 */
export class VirtualClock implements Clock {
  nowNs = 0;
  private readonly heap: Timer[] = [];
  private order = 0;
  private cancelled = 0;
  private running = false;

  schedule(delayNs: number, action: () => void): () => void {
    if (!(delayNs >= 0)) throw new RangeError(`a delay of ${delayNs} ns`);
    const timer: Timer = {
      atNs: this.nowNs + delayNs,
      order: this.order++,
      action,
      cancelled: false,
    };
    this.heap.push(timer);
    this.siftUp(this.heap.length - 1);
    return () => {
      if (timer.cancelled) return;
      timer.cancelled = true;
      this.cancelled++;
      if (this.cancelled > 64 && this.cancelled * 2 > this.heap.length) this.compact();
    };
  }

  /** Lets `ns` pass, running what falls due. */
  advance(ns: number): void {
    const target = this.nowNs + ns;
    const first = this.heap[0];
    if (first === undefined || first.atNs > target) this.nowNs = target;
    else this.advanceTo(target);
  }

  /** Lets time pass until `atNs`, running what falls due; nothing happens if that is over. */
  advanceTo(atNs: number): void {
    if (this.running) throw new Error("an action must not advance the clock");
    for (;;) {
      const next = this.nextNs;
      if (next === undefined || next > atNs) break;
      this.runNext();
    }
    if (atNs > this.nowNs) this.nowNs = atNs;
  }

  /** When the next action is due; undefined when nothing waits. */
  get nextNs(): number | undefined {
    while (this.heap[0]?.cancelled) {
      this.pop();
      this.cancelled--;
    }
    return this.heap[0]?.atNs;
  }

  /** Jumps to the next action and runs it; false when nothing waits. */
  runNext(): boolean {
    if (this.running) throw new Error("an action must not advance the clock");
    if (this.nextNs === undefined) return false;
    const timer = this.pop();
    // From here on a cancel comes too late, and must not be counted as one that lies in the heap.
    timer.cancelled = true;
    this.nowNs = timer.atNs;
    this.running = true;
    try {
      timer.action();
    } finally {
      this.running = false;
    }
    return true;
  }

  private pop(): Timer {
    const first = this.heap[0] as Timer;
    const last = this.heap.pop() as Timer;
    if (this.heap.length > 0) {
      this.heap[0] = last;
      this.siftDown(0);
    }
    return first;
  }

  private compact(): void {
    const live = this.heap.filter((timer) => !timer.cancelled);
    this.heap.length = 0;
    this.cancelled = 0;
    // A sorted array is a heap.
    this.heap.push(...live.sort((a, b) => (before(a, b) ? -1 : 1)));
  }

  private siftUp(from: number): void {
    const timer = this.heap[from] as Timer;
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = this.heap[parent] as Timer;
      if (!before(timer, above)) break;
      this.heap[at] = above;
      at = parent;
    }
    this.heap[at] = timer;
  }

  private siftDown(from: number): void {
    const timer = this.heap[from] as Timer;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      const right = this.heap[child + 1];
      if (right && before(right, this.heap[child] as Timer)) child++;
      const below = this.heap[child];
      if (below === undefined || !before(below, timer)) break;
      this.heap[at] = below;
      at = child;
    }
    this.heap[at] = timer;
  }
}

function before(a: Timer, b: Timer): boolean {
  return a.atNs < b.atNs || (a.atNs === b.atNs && a.order < b.order);
}
