/** What happens to a chip must cost time, and no connection: troubles one after the other, and one TCP connection through all. */
import test from "ava";
import type { Enc28j60 } from "../../host-tools/sim/chips/enc28j60/index.js";
import type { W5500 } from "../../host-tools/sim/chips/w5500/index.js";
import { Random } from "../../host-tools/sim/random.js";
import { Bench, DEVICE_ADDRESS, type Script } from "../apps/bench.js";
import { status } from "../apps/http.js";

type Chip = W5500 | Enc28j60;

/** Bytes that the echo gives back around each trouble, and how long that may take, simulated. */
const BYTES = 20_000;
const LIMIT_MS = 15_000;

interface Trouble {
  what: string;
  begin: (chip: Chip, bench: Bench) => void;
  /** Ends it after `lastsMs`. */
  end?: (chip: Chip) => void;
  lastsMs?: number;
}

const isW5500 = (chip: Chip): chip is W5500 => chip.name === "W5500";

/** Each byte on the bus has a wrong bit now and then, in either direction. */
function bitErrors(chip: Chip, rate: number): () => void {
  const random = new Random(9);
  const wrong = (byte: number): number =>
    random.chance(rate) ? byte ^ (1 << random.below(8)) : byte;
  const exchange = chip.exchange.bind(chip);
  chip.exchange = (mosi) => wrong(exchange(wrong(mosi)));
  return () => (chip.exchange = exchange);
}

let healBus: () => void = () => undefined;

const TROUBLES: Trouble[] = [
  { what: "power loss", begin: (chip) => chip.powerCycle() },
  {
    what: "a glitch on RSTn",
    begin: (chip) => chip.reset(true),
    end: (chip) => chip.reset(false),
    lastsMs: 1,
  },
  {
    what: "bit errors on SPI",
    begin: (chip) => (healBus = bitErrors(chip, 1 / 3000)),
    end: () => healBus(),
    lastsMs: 100,
  },
  {
    what: "more bit errors on SPI",
    begin: (chip) => (healBus = bitErrors(chip, 1 / 50)),
    end: () => healBus(),
    lastsMs: 100,
  },
  {
    what: "a chip that is not there",
    begin: (chip) => {
      if (isW5500(chip)) chip.faults.absent = true;
      else chip.faults.misoStuck = 0;
    },
    end: (chip) => {
      if (isW5500(chip)) chip.faults.absent = false;
      else chip.faults.misoStuck = undefined;
    },
    lastsMs: 1500,
  },
  {
    what: "lost interrupts",
    begin: (chip) => {
      if (isW5500(chip)) chip.faults.loseInterrupt = 3;
      else chip.faults.interruptStuckHigh = true;
    },
    end: (chip) => {
      if (isW5500(chip)) return;
      chip.faults.interruptStuckHigh = undefined;
      chip.refreshInterrupt();
    },
    lastsMs: 1000,
  },
  {
    what: "a cable that flaps",
    begin: (chip, { world: { clock } }) => {
      for (let i = 0; i < 6; i++) {
        clock.schedule(i * 150e6, () => chip.setLink(i % 2 === 1));
      }
    },
  },
  {
    what: "a broadcast storm",
    begin: (chip, { world: { clock } }) => {
      const frame = new Uint8Array(60).fill(0xff, 0, 6);
      frame[12] = 0x88;
      frame[13] = 0xb5;
      for (let i = 0; i < 4000; i++) clock.schedule(i * 100e3, () => chip.receive(frame));
    },
  },
];

for (const board of ["virtual-w5500", "virtual-enc28j60"]) {
  test(`10.4: one connection to ${board} lives through ${TROUBLES.map(({ what }) => what).join(", ")}`, async (t) => {
    const bench = await Bench.create({ board, tolerate: /^(W5500|ENC28J60)\b/ });
    const { world } = bench;
    const chip = world.device.machine.chip as unknown as Chip;
    const random = new Random(4);
    const took: string[] = [];
    const counters = bench.run(
      (function* (): Script<Record<string, number>> {
        const connection = yield* bench.peer.connect(DEVICE_ADDRESS, 7);
        for (const { what, begin, end, lastsMs } of TROUBLES) {
          const data = Buffer.from(Array.from({ length: BYTES }, () => random.below(256)));
          const startMs = bench.nowMs;
          // The trouble comes while data is under way, both ways.
          world.clock.schedule(3e6, () => begin(chip, bench));
          if (end) world.clock.schedule(3e6 + (lastsMs ?? 0) * 1e6, () => end(chip));
          yield* connection.send(data);
          const back = yield* connection.receive((got) => got.length >= BYTES);
          t.true(connection.take(BYTES).equals(data), what);
          t.is(back.length, BYTES, what);
          const tookMs = bench.nowMs - startMs;
          took.push(`${what} ${Math.round(tookMs)}`);
          t.true(tookMs < LIMIT_MS, `${what}: ${Math.round(tookMs)} ms`);
          yield* bench.sleep(2000);
        }
        connection.close();
        return ((yield* status(bench)) as unknown as { nic: Record<string, number> }).nic;
      })(),
    );
    t.log(`milliseconds: ${took.join(", ")}`);
    // Power loss, reset, bit errors and absence each cost a chip its configuration; the flap is six changes.
    t.true((counters["reinits"] as number) >= 3, JSON.stringify(counters));
    t.true((counters["linkChanges"] as number) >= 6, JSON.stringify(counters));
    // 10,000 frames a second that nobody answers are taken in while frames wait to be sent.
    t.is(counters["rxOverflow"], 0);
  });
}
