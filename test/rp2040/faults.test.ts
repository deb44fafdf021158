import test from "ava";
import { hasCrossCompiler } from "../../host-tools/setup/cross-compiler.js";
import { runOnPico, type Run } from "../support/rp2040.js";

const withCompiler = hasCrossCompiler() ? test : test.skip;

/** Runs the fixture with one of its faults. */
function fault(number: number, ms = 50): Promise<Run> {
  return runOnPico({ app: "faults", settings: Uint8Array.of(number, 1), ms });
}

withCompiler("a firmware without a fault is not objected to", async (t) => {
  const { end, log, violations } = await fault(0);
  t.is(end, "timeout");
  t.deepEqual(violations, []);
  t.deepEqual(log, ["still here"]);
});

for (const [number, title, expected] of [
  [1, "ARMv6-M A3.2.1: an unaligned word", /unaligned 32-bit access: 0x2000\w+/],
  [6, "ARMv6-M A3.2.1: an unaligned halfword", /unaligned 16-bit access/],
  [2, "a store into flash", /write into flash: 0x10001000/],
  [3, "a read through a null pointer", /read through a null pointer: 0x8/],
  [4, "a read where nothing is", /invalid memory address: 60000000/],
  [5, "a read behind the flash's end", /read behind the end of the flash: 0x10200000/],
  [
    10,
    "RP2040 datasheet 4.4.2: SPI data while the block is off",
    /data is written while the block is off/,
  ],
  [
    11,
    "RP2040 datasheet 4.4.2.9: DMA from a block that was not told to ask",
    /DMA waits for request 16/,
  ],
  [
    12,
    "RP2040 datasheet 2.14: an access to a block in reset",
    /0x4004c000, whose block is held in reset/,
  ],
  [13, "chip select that ends in the middle of a byte", /CSn goes high while a byte is on the bus/],
  [14, "RP2040 datasheet 2.19.6.3: a pad without its input", /pad of MISO has its input disabled/],
  [15, "a byte to a chip that is not selected", /clocked while the chip is not selected/],
  [16, "RP2040 datasheet 2.19.2: a pin without its function", /GP18 \(SCK\) is not its pin/],
  [
    17,
    "an SPI clock that the board does not promise",
    /runs at 62500000 Hz, the board promises 31250000/,
  ],
] as const) {
  withCompiler(`${title} is reported`, async (t) => {
    const { violations } = await fault(number);
    t.is(violations.length > 0, true);
    t.regex(violations[0] as string, expected);
  });
}

withCompiler(
  "a DMA transfer that nobody asks for ends by its bound, and the firmware goes on",
  async (t) => {
    const { end, log } = await fault(11);
    t.is(end, "timeout");
    t.deepEqual(log, ["the wait has ended", "still here"]);
  },
);

withCompiler(
  "docs/log-wire.md: a failed assertion is the last thing that the board says",
  async (t) => {
    const { end, log } = await fault(20);
    t.is(end, "last words 105 true");
    t.deepEqual(log, []);
  },
);

withCompiler(
  "K7: what was logged is said before the last words, although DMA is at it",
  async (t) => {
    const { end, log } = await fault(25, 2000);
    t.is(end, "last words 105 true");
    t.deepEqual(log, [...Array.from({ length: 60 }, (_, i) => `line ${i} of 60`), "one more"]);
  },
);

withCompiler("a division by zero and a main that returns are last words too", async (t) => {
  t.is((await fault(21)).end, "last words 103 true");
  t.is((await fault(23)).end, "last words 100 true");
});

withCompiler(
  "RP2040 datasheet 4.7, erratum E1: a watchdog that is not fed resets after 8 seconds",
  async (t) => {
    const { end, simulatedMs } = await fault(22, 20_000);
    t.is(end, "the watchdog has reset the board");
    t.true(Math.abs(simulatedMs - 8000) < 10, `${simulatedMs}`);
  },
);

withCompiler("a watchdog that is fed each second stays quiet", async (t) => {
  t.is((await fault(24, 20_000)).end, "timeout");
});
