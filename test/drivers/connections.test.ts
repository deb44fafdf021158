/** What happens to a chip must cost time, and no connection: troubles one after the other, and one TCP connection through all. */
import test, { type ExecutionContext } from "ava";
import type { Enc28j60 } from "../../host-tools/sim/chips/enc28j60/index.js";
import type { W5500 } from "../../host-tools/sim/chips/w5500/index.js";
import { Random } from "../../host-tools/sim/random.js";
import { Bench, DEVICE_ADDRESS, type Script } from "../apps/bench.js";
import { status } from "../apps/http.js";
import { NIC_COUNTERS, type NicCounters } from "../support/nic-harness.js";
import { ENC28J60_TROUBLES, W5500_TROUBLES, type Trouble } from "./troubles.js";

/** Bytes that the echo gives back around each trouble, and how long that may take, simulated. */
const BYTES = 20_000;
const LIMIT_MS = 15_000;
/** A trouble has passed by then, and what is looked for now and then has been looked at (4 s). */
const REST_MS = 5000;

/** Counters that tell of trouble. */
const names: readonly (keyof NicCounters)[] = NIC_COUNTERS.filter(
  (name) => name !== "rxFrames" && name !== "txFrames",
);

function* counters(bench: Bench): Script<NicCounters> {
  return ((yield* status(bench)) as unknown as { nic: NicCounters }).nic;
}

/** One connection through all the troubles of a chip. */
async function through<Chip extends W5500 | Enc28j60>(
  t: ExecutionContext,
  board: string,
  troubles: readonly Trouble<Chip>[],
): Promise<void> {
  const bench = await Bench.create({ board, tolerate: /^(W5500|ENC28J60)\b/ });
  const { world } = bench;
  const chip = world.device.machine.chip as unknown as Chip;
  const random = new Random(4);
  const took: string[] = [];
  const end = bench.run(
    (function* (): Script<NicCounters> {
      const connection = yield* bench.peer.connect(DEVICE_ADDRESS, 7);
      let before = yield* counters(bench);
      for (const trouble of troubles) {
        const { what, lastsMs } = trouble;
        const data = Buffer.from(Array.from({ length: BYTES }, () => random.below(256)));
        const startMs = bench.nowMs;
        // The trouble comes while data is under way, both ways.
        world.clock.schedule(3e6, () => trouble.begin(chip, bench));
        world.clock.schedule(3e6 + (lastsMs ?? 0) * 1e6, () => trouble.end?.(chip));
        yield* connection.send(data);
        const back = yield* connection.receive((got) => got.length >= BYTES);
        t.true(connection.take(BYTES).equals(data), what);
        t.is(back.length, BYTES, what);
        const tookMs = bench.nowMs - startMs;
        t.true(tookMs < LIMIT_MS, `${what}: ${Math.round(tookMs)} ms`);
        yield* bench.sleep(REST_MS);
        const after = yield* counters(bench);
        const moved = names.filter((name) => after[name] > before[name]);
        // 10,000 frames a second that nobody answers are taken in while frames wait to be sent.
        if (what === "a broadcast storm") t.false(moved.includes("rxOverflow"), what);
        if (trouble.counters === "any") t.true(moved.length > 0, what);
        else for (const name of trouble.counters) t.true(moved.includes(name), `${what}: ${moved}`);
        took.push(`${what} ${Math.round(tookMs)} (${moved.join(" ")})`);
        before = after;
      }
      connection.close();
      return before;
    })(),
  );
  t.log(`milliseconds: ${took.join(", ")}`);
  // The flap alone is six changes.
  t.true(end.linkChanges >= 6, JSON.stringify(end));
}

test("10.4: one connection through a W5500 lives through each of its troubles, and each is counted", (t) =>
  through(t, "virtual-w5500", W5500_TROUBLES));

test("10.4: one connection through an ENC28J60 lives through each of its troubles and errata, and each is counted", (t) =>
  through(t, "virtual-enc28j60", ENC28J60_TROUBLES));
