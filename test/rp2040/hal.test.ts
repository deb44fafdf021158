import test from "ava";
import { hasCrossCompiler } from "../../host-tools/setup/cross-compiler.js";
import { runOnPico, ScriptedSlave } from "../support/rp2040.js";

const withCompiler = hasCrossCompiler() ? test : test.skip;
const BOARDS = ["w5500-evb-pico", "pico-enc28j60"];

/** Numbers in the log line that begins with `text`. */
function numbers(log: string[], text: string): number[] {
  const line = log.find((l) => l.startsWith(text)) ?? "";
  return [...line.slice(text.length).matchAll(/[0-9]+/g)].map(Number);
}

for (const board of BOARDS) {
  withCompiler(
    `${board}: transfers of every length arrive whole, by polling and by DMA`,
    async (t) => {
      const slave = new ScriptedSlave();
      const { end, log, violations } = await runOnPico({ app: "spi", board, slave });
      t.is(end, "timeout");
      t.deepEqual(violations, []);
      t.is(log.at(-1), "done");
      t.deepEqual(
        log.filter((line) => line.startsWith("error")),
        [],
      );
      const lengths = [...Array.from({ length: 40 }, (_unused, i) => i + 1), 600];
      for (const [i, bytes] of lengths.entries()) {
        const written = slave.transactions[2 * i]?.mosi;
        const expected = Array.from({ length: bytes }, (_unused, k) => {
          const at = k + (bytes & 3);
          return (at ^ (at >> 8)) & 0xff;
        });
        t.deepEqual(written, [0x57, ...expected]);
        t.deepEqual(slave.transactions[2 * i + 1]?.mosi, [0x52, ...Array<number>(bytes).fill(0)]);
      }
      // 1 + 30 bytes, one read, five, one, a byte and three written, thirty read.
      t.is(slave.transactions.at(-1)?.mosi.length, 1 + 30 + 1 + 5 + 1 + 1 + 3 + 30);
      t.deepEqual(numbers(log, "mixed"), [31, 37]);
      t.true(log.includes("mixed 42 71"), log.join("; "));
    },
  );
}

withCompiler(
  "PL022 in mode 3: DMA keeps the bus full, eight clocks a byte at 31.25 MHz",
  async (t) => {
    const slave = new ScriptedSlave();
    await runOnPico({ app: "spi", slave });
    for (const transaction of slave.transactions.filter(({ mosi }) => mosi.length === 601)) {
      const { timesNs } = transaction;
      const first = timesNs[1] as number;
      const last = timesNs.at(-1) as number;
      t.is(Math.round(last - first), 599 * 256);
    }
  },
);

withCompiler(
  "PL022 in mode 0: the ENC28J60's bytes are 8 clocks at 20 MHz and a pause",
  async (t) => {
    const slave = new ScriptedSlave();
    await runOnPico({ app: "spi", board: "pico-enc28j60", slave });
    const { timesNs } = slave.transactions.find(({ mosi }) => mosi.length === 601) as {
      timesNs: number[];
    };
    t.is(Math.round((timesNs.at(-1) as number) - (timesNs[1] as number)), 599 * (400 + 75));
  },
);

for (const board of BOARDS) {
  withCompiler(`${board}: clocks, delays and sleep keep their promises`, async (t) => {
    const slave = new ScriptedSlave();
    const { log, violations } = await runOnPico({
      app: "probe",
      board,
      slave,
      ms: 10_000,
      prepare: (_board, time) => {
        time.clock.schedule(7777e6, () => slave.setInterrupt(true));
      },
    });
    t.deepEqual(violations, []);
    const [us] = numbers(log, "delayUs took");
    t.true((us as number) >= 250 && (us as number) < 260, `${us}`);
    const [ns] = numbers(log, "delayNs took");
    t.true((ns as number) >= 500 && (ns as number) < 650, `${ns}`);
    t.deepEqual(numbers(log, "slept"), [20]);
    // It began about 24 ms after power-on; the interrupt ends a sleep of 100 s at once.
    const [ms] = numbers(log, "interrupt after");
    t.true(Math.abs((ms as number) - 7752) < 8, `${ms}`);
    const [ten] = numbers(log, "ten sleeps took");
    t.true((ten as number) < 100, `${ten}`);
    t.is(log.at(-1), "done");
  });
}

withCompiler("docs/log-wire.md: arguments that look like frame ends arrive unharmed", async (t) => {
  const { log } = await runOnPico({ app: "probe" });
  t.true(log.includes("escapes c0dbc0db dbdcdddb c0c0c0c0 0"), log.join("; "));
});

withCompiler("entropy comes from the oscillator: by seed, not by boot", async (t) => {
  const words = async (seed: number, dead = false): Promise<string> => {
    const { log } = await runOnPico({
      app: "probe",
      seed,
      prepare: (board) => {
        const rosc = board.mcu.peripherals[0x40060];
        if (dead && rosc) rosc.readUint32 = () => 1;
      },
    });
    return log.find((line) => line.startsWith("entropy")) as string;
  };
  const first = await words(1);
  t.is(first, await words(1));
  t.not(first, await words(2));
  const [, one, two] = first.split(" ");
  t.not(one, two);
  // A dead oscillator ends the sampling, and calls still differ.
  const [, deadOne, deadTwo] = (await words(1, true)).split(" ");
  t.not(deadOne, deadTwo);
});

withCompiler(
  "W25Q datasheet 8.2.27: the second-stage loader leaves the flash's unique id",
  async (t) => {
    const ids = await Promise.all(
      [1, 2].map(async (seed) => {
        const { log } = await runOnPico({ app: "probe", seed });
        t.true(log.includes("id of 8 bytes"));
        return log.find((line) => line.startsWith("id ") && !line.includes("bytes"));
      }),
    );
    t.not(ids[0], ids[1]);
  },
);

withCompiler(
  "RP2040 datasheet 2.8.1.3.1: an image with a damaged loader does not start",
  async (t) => {
    const { end } = await runOnPico({
      app: "probe",
      prepare: (board) => board.mcu.flash.fill(0, 17, 18),
    });
    t.regex(end, /finds no second-stage loader with a good CRC/);
  },
);

withCompiler("one seed gives one run, to the nanosecond", async (t) => {
  const run = async (): Promise<unknown> => {
    const slave = new ScriptedSlave();
    const result = await runOnPico({ app: "spi", slave });
    return [result, slave.transactions];
  };
  t.deepEqual(await run(), await run());
});
