import { Worker } from "node:worker_threads";
import test from "ava";
import { Random } from "../../host-tools/sim/random.js";
import { FrameRing } from "../../host-tools/sim/worker-ring.js";

test("frames come out as they went in, with the state of their FCS", (t) => {
  const ring = new FrameRing(FrameRing.allocate(4096));
  t.true(ring.empty);
  t.true(ring.put(Uint8Array.of(1, 2, 3)));
  t.true(ring.put(new Uint8Array(0), false));
  t.false(ring.empty);
  t.deepEqual(ring.take(), Uint8Array.of(1, 2, 3));
  t.true(ring.fcsGood);
  t.deepEqual(ring.take(), new Uint8Array(0));
  t.false(ring.fcsGood);
  t.is(ring.take(), null);
});

test("a full ring refuses a frame and keeps what it has", (t) => {
  const ring = new FrameRing(FrameRing.allocate(4096));
  t.true(ring.put(new Uint8Array(2000).fill(1)));
  t.true(ring.put(new Uint8Array(2000).fill(2)));
  t.false(ring.put(new Uint8Array(100).fill(3)));
  t.true(ring.put(new Uint8Array(84).fill(4)));
  t.false(ring.put(new Uint8Array(0)));
  t.deepEqual(
    [ring.take(), ring.take(), ring.take()].map((f) => [f?.length, f?.[0]]),
    [
      [2000, 1],
      [2000, 2],
      [84, 4],
    ],
  );
});

test("frames of all lengths wrap around the end unharmed", (t) => {
  const ring = new FrameRing(FrameRing.allocate(4096));
  const random = new Random(3);
  const waiting: Uint8Array[] = [];
  let moved = 0;
  for (let i = 0; i < 20_000; i++) {
    const frame = new Uint8Array(random.below(1515));
    random.fill(frame);
    if (ring.put(frame)) {
      waiting.push(frame);
      moved += frame.length;
    }
    if (random.chance(0.5)) {
      const got = ring.take();
      const expected = waiting.shift() ?? null;
      if (Buffer.compare(got ?? Buffer.of(), expected ?? Buffer.of()) !== 0) t.fail(`frame ${i}`);
    }
  }
  t.true(moved > 1_000_000);
});

test("two threads: every frame that was put arrives once, in order", async (t) => {
  const memory = FrameRing.allocate(8192);
  const module = new URL("../../host-tools/sim/worker-ring.js", import.meta.url).href;
  const source = `
    import { workerData } from "node:worker_threads";
    const { FrameRing } = await import(${JSON.stringify(module)});
    const ring = new FrameRing(workerData);
    for (let i = 0; i < 50000; ) {
      const frame = new Uint8Array(4 + (i % 700)).fill(i);
      new DataView(frame.buffer).setUint32(0, i);
      if (ring.put(frame)) i++;
    }`;
  const url = new URL(`data:text/javascript,${encodeURIComponent(source)}`);
  const worker = new Worker(url, { workerData: memory });
  const ended = new Promise((resolve, reject) => worker.on("exit", resolve).on("error", reject));
  const ring = new FrameRing(memory);
  let next = 0;
  while (next < 50_000) {
    const frame = ring.take();
    if (!frame) {
      await new Promise(setImmediate);
      continue;
    }
    const number = new DataView(frame.buffer).getUint32(0);
    if (number !== next || frame.length !== 4 + (next % 700)) break;
    if (frame.length > 4 && frame[frame.length - 1] !== (next & 255)) break;
    next++;
  }
  t.is(next, 50_000);
  await ended;
});
