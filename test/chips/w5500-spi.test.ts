import test from "ava";
import { VirtualClock } from "../../host-tools/sim/virtual-clock.js";
import { COMMON, makeW5500, S0, S0_RX, S0_TX, socketBlock, SpiMaster } from "../support/w5500.js";

function bench(options: Parameters<typeof makeW5500>[1] = {}): SpiMaster {
  const clock = new VirtualClock();
  return new SpiMaster(clock, makeW5500(clock, options));
}

test("W5500 datasheet 2.2: MISO carries 01 02 03 during the header, data follows at once", (t) => {
  t.deepEqual(bench().transfer([0x00, 0x39, 0x00, 0x00]), [0x01, 0x02, 0x03, 0x04]);
});

test("W5500 datasheet 2.3: in variable length mode the address counts up until SCSn is high", (t) => {
  const spi = bench();
  spi.write(COMMON, 0x01, 192, 168, 1, 1, 255, 255, 255, 0, 2, 0, 0, 0, 0, 9, 192, 168, 1, 2);
  t.deepEqual(spi.read(COMMON, 0x05, 4), [255, 255, 255, 0]);
  t.deepEqual(spi.read(COMMON, 0x09, 6), [2, 0, 0, 0, 0, 9]);
  t.deepEqual(spi.read(COMMON, 0x0f, 4), [192, 168, 1, 2]);
});

test("W5500 datasheet 2.4: fixed length frames of 1, 2 and 4 bytes may follow each other", (t) => {
  const spi = bench();
  const miso = spi.transfer([
    ...[0x00, 0x39, 0x01, 0], // VERSIONR, 1 byte
    ...[0x00, 0x19, 0x02, 0, 0], // RTR, 2 bytes
    ...[0x00, 0x01, 0x07, 10, 0, 0, 1], // GAR written, 4 bytes
    ...[0x00, 0x01, 0x03, 0, 0, 0, 0], // GAR read, 4 bytes
  ]);
  t.is(miso[3], 0x04);
  t.deepEqual(miso.slice(7, 9), [0x07, 0xd0]);
  t.deepEqual(miso.slice(-7), [0x01, 0x02, 0x03, 10, 0, 0, 1]);
});

test("W5500 datasheet 2.2.2: each block has its own address space", (t) => {
  const spi = bench();
  spi.write(S0_TX, 0, 0x11);
  spi.write(S0_RX, 0, 0x22);
  spi.write(socketBlock(7), 0x04, 0x33);
  spi.write(socketBlock(7) + 8, 0, 0x44);
  t.deepEqual(
    [S0_TX, S0_RX, socketBlock(7) + 8].map((block) => spi.read8(block, 0)),
    [0x11, 0x22, 0x44],
  );
  t.is(spi.read8(socketBlock(7), 4), 0x33);
  t.is(spi.read8(S0, 4), 0);
});

test("W5500 datasheet 2.2: bytes while SCSn is high are not for the chip", (t) => {
  const spi = bench();
  t.is(spi.chip.exchange(0), 0xff);
  t.is(spi.read8(COMMON, 0x39), 4);
});

for (const [name, rule, action] of [
  [
    "5.5.4: SCSn must be high for 30 ns",
    "cs-high-time",
    (spi: SpiMaster) => {
      spi.read8(COMMON, 0);
      spi.chip.select();
      spi.chip.deselect();
      spi.clock.advance(29);
      spi.chip.select();
    },
  ],
  [
    "2.2.2: block select bits 4n are reserved",
    "reserved-block",
    (spi: SpiMaster) => spi.transfer([0, 0, 0x20, 0]),
  ],
  ["2.2: a header without data", "frame-cut", (spi: SpiMaster) => spi.transfer([0, 0, 0])],
  ["2.2: a cut header", "frame-cut", (spi: SpiMaster) => spi.transfer([0, 0])],
  ["2.4: a cut fixed frame", "frame-cut", (spi: SpiMaster) => spi.transfer([0, 1, 0x03, 0, 0])],
  [
    "4.1: reserved common registers",
    "unknown-register",
    (spi: SpiMaster) => spi.read8(COMMON, 0x2f),
  ],
  [
    "4.1: addresses behind the common registers",
    "unknown-register",
    (spi: SpiMaster) => spi.read(COMMON, 0x39, 2),
  ],
  [
    "4.2: reserved socket registers",
    "unknown-register",
    (spi: SpiMaster) => spi.write(S0, 0x17, 0),
  ],
  [
    "4.1: VERSIONR is read-only",
    "read-only-register",
    (spi: SpiMaster) => spi.write(COMMON, 0x39, 5),
  ],
  ["4.2: Sn_SR is read-only", "read-only-register", (spi: SpiMaster) => spi.write(S0, 0x03, 0)],
  [
    "4.2: Sn_RX_WR is read-only",
    "read-only-register",
    (spi: SpiMaster) => spi.write16(S0, 0x2a, 0),
  ],
] as const) {
  test(`W5500 datasheet ${name}: reported in strict mode, tolerated on request`, (t) => {
    t.throws(() => action(bench()), { message: new RegExp(`^W5500 \\[${rule}\\]`) });
    t.notThrows(() => action(bench({ tolerate: [rule] })));
    t.notThrows(() => action(bench({ strict: false })));
  });
}

test("W5500 datasheet 5.5.4: SCLK above 33.3 MHz is not guaranteed", (t) => {
  t.notThrows(() => bench({ spiHz: 33_300_000 }));
  t.throws(() => bench({ spiHz: 40_000_000 }), { message: /spi-clock.*33\.3 MHz/ });
  t.throws(() => bench({ spiHz: 81_000_000 }), { message: /spi-clock.*80 MHz/ });
});
