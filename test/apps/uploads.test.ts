import test from "ava";
import { Bench, DEVICE_ADDRESS, type Script } from "./bench.js";
import { status } from "./http.js";

/** Simulated seconds of each run. */
const SECONDS = 3;
const UPLOADS = 8;

for (const board of ["virtual-w5500", "virtual-enc28j60"]) {
  test(`L4: ${UPLOADS} uploads at once to ${board} share its memory: within a factor of 2, and no loss by overflow`, async (t) => {
    const bench = await Bench.create({ board });
    const sent = new Array<number>(UPLOADS).fill(0);
    const chunk = Buffer.alloc(4096);
    const upload = function* (index: number): Script {
      const connection = yield* bench.peer.connect(DEVICE_ADDRESS, 9);
      const end = bench.nowMs + SECONDS * 1000;
      while (bench.nowMs < end) {
        yield* connection.send(chunk);
        sent[index] = (sent[index] ?? 0) + chunk.length;
      }
      connection.abort();
    };
    const counters = bench.run(
      (function* () {
        yield* bench.all(Array.from({ length: UPLOADS }, (_unused, index) => upload(index)));
        return (yield* status(bench)).counters;
      })(),
    );
    t.log(`${sent.map((b) => ((b * 8) / SECONDS / 1e6).toFixed(2)).join(" ")} Mbit/s`);
    // With more of them than the chip holds frames their windows take turns.
    t.true(Math.max(...sent) < 2 * Math.min(...sent));
    // What the chip loses shows as text out of order: before windows were shared that was every tenth segment.
    const { tcpIn = 0, tcpOutOfOrder = 0 } = counters as Record<string, number>;
    t.true(tcpOutOfOrder < tcpIn / 100, `${tcpOutOfOrder} of ${tcpIn}`);
  });
}
