import test from "ava";
import { hasCrossCompiler } from "../../host-tools/setup/cross-compiler.js";
import type { Rp2040Board } from "../../host-tools/sim/rp2040/board.js";
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
  "the checksum of what DMA reads is summed while it moves, and taken once",
  async (t) => {
    const { log } = await runOnPico({ app: "spi", slave: new ScriptedSlave() });
    // Of 13 lengths four are below 256 bytes and summed when they are asked for: the byte that was changed by then is in.
    t.deepEqual(numbers(log, "sums"), [9, 13]);
  },
);

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
    // It began about 35 ms after power-on; the interrupt ends a sleep of 100 s at once.
    const [ms] = numbers(log, "interrupt after");
    t.true(Math.abs((ms as number) - 7742) < 8, `${ms}`);
    const [ten] = numbers(log, "ten sleeps took");
    t.true((ten as number) < 100, `${ten}`);
    t.is(log.at(-1), "done");
  });
}

withCompiler("docs/log-wire.md: arguments that look like frame ends arrive unharmed", async (t) => {
  const { log } = await runOnPico({ app: "probe" });
  t.true(log.includes("escapes c0dbc0db dbdcdddb c0c0c0c0 0"), log.join("; "));
});

/** Runs the probe; its two words of entropy, its log, and when the oscillator's bit was read. */
async function probeEntropy(
  seed: number,
  prepare: (mcu: Rp2040Board["mcu"]) => void = () => undefined,
): Promise<{ words: string[]; log: string[]; readNs: number[] }> {
  const readNs: number[] = [];
  const { log } = await runOnPico({
    app: "probe",
    seed,
    prepare: ({ mcu }) => {
      prepare(mcu);
      const rosc = mcu.peripherals[0x40060] as { readUint32(offset: number): number };
      const read = rosc.readUint32.bind(rosc);
      rosc.readUint32 = (offset) => {
        readNs.push(mcu.clock.nanos);
        return read(offset);
      };
    },
  });
  const words = (log.find((line) => line.startsWith("entropy")) as string).split(" ").slice(1);
  return { words, log, readNs };
}

withCompiler("K8: 1,024 samples of the ring oscillator, 10 us apart, make a seed", async (t) => {
  const { words, log, readNs } = await probeEntropy(1);
  t.true(readNs.length >= 1024, `${readNs.length}`);
  const gaps = readNs.slice(1).map((ns, i) => ns - (readNs[i] as number));
  t.true(Math.min(...gaps) >= 10_000, `${Math.min(...gaps)}`);
  t.deepEqual(words, (await probeEntropy(1)).words);
  t.notDeepEqual(words, (await probeEntropy(2)).words);
  t.not(words[0], words[1]);
  t.false(log.some((line) => line.includes("does not move")));
});

withCompiler("K8: a dead oscillator is told, and id and RAM still keep boards apart", async (t) => {
  const dead = (mcu: Rp2040Board["mcu"]): void => {
    const rosc = mcu.peripherals[0x40060];
    if (rosc) rosc.readUint32 = () => 1;
  };
  const one = await probeEntropy(1, dead);
  const two = await probeEntropy(2, dead);
  t.true(one.log.includes("warn: a noise source for random numbers does not move"));
  t.is(new Set([...one.words, ...two.words]).size, 4);
});

for (const [what, clock, warning, prepare] of [
  [
    "a crystal that does not start",
    6.5e6,
    "no 12 MHz crystal, running from the ring oscillator",
    (mcu: Rp2040Board["mcu"]): void => {
      mcu.xoscFreq = 0;
      const xosc = mcu.peripherals[0x40024] as { readUint32(offset: number): number };
      xosc.readUint32 = () => 0;
    },
  ],
  [
    "a PLL that does not lock",
    12e6,
    "the PLL does not lock, running from the crystal at 12 MHz",
    (mcu: Rp2040Board["mcu"]): void => {
      const pll = mcu.peripherals[0x40028] as { readUint32(offset: number): number };
      pll.readUint32 = () => 0;
    },
  ],
] as const) {
  withCompiler(`K9: ${what} leaves a slow board, not a dead one`, async (t) => {
    let hz = 0;
    const { end, log, violations } = await runOnPico({
      app: "probe",
      ms: 5000,
      prepare: ({ mcu }) => {
        prepare(mcu);
        mcu.addClockListener(() => (hz = mcu.clkSys));
      },
    });
    t.is(end, "timeout");
    t.is(hz, clock);
    // The log's rate suits the clock; the bus is slower than promised, and no faster.
    t.deepEqual(
      violations.filter((violation) => !violation.startsWith("SPI0 runs at")),
      [],
    );
    t.is(log[0], `warn: ${warning}`);
    t.true(log.includes("slept 20 ms"), log.join("; "));
  });
}

withCompiler(
  "pico-sdk runtime_init_clocks: nobody watches clk_sys while it is set up",
  async (t) => {
    const writes: [number, number][] = [];
    await runOnPico({
      app: "probe",
      prepare: ({ mcu }) => {
        const clocks = mcu.peripherals[0x40008] as { writeUint32(offset: number, v: number): void };
        const write = clocks.writeUint32.bind(clocks);
        clocks.writeUint32 = (offset, value) => {
          writes.push([offset, value]);
          write(offset, value);
        };
      },
    });
    t.deepEqual(writes[0], [0x78, 0]);
  },
);

withCompiler("K11: MISO is pulled up while no chip drives it", async (t) => {
  await runOnPico({
    app: "probe",
    prepare: ({ mcu }, time) => {
      time.clock.schedule(50e6, () => t.true(mcu.gpio[16]?.pullupEnabled));
    },
  });
});

withCompiler("K11: blocks are reset before use, whatever ran before", async (t) => {
  const held: number[] = [];
  await runOnPico({
    app: "probe",
    prepare: ({ mcu }) => {
      const resets = mcu.peripherals[0x4000c] as { writeUint32(offset: number, v: number): void };
      const write = resets.writeUint32.bind(resets);
      // A loader that went before has let everything go.
      write(0, 0);
      resets.writeUint32 = (offset, value) => {
        if (offset === 0) held.push(value);
        write(offset, value);
      };
    },
  });
  const all = held.reduce((sum, value) => sum | value, 0);
  for (const bit of [2, 5, 8, 12, 16, 21, 22]) t.true((all & (1 << bit)) !== 0, `block ${bit}`);
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
