import test from "ava";
import { VirtualClock } from "../../host-tools/sim/virtual-clock.js";
import { COMMON, makeW5500, S0, S0_TX, socketBlock, SpiMaster } from "../support/w5500.js";

function bench(options: Parameters<typeof makeW5500>[1] = {}): SpiMaster {
  const clock = new VirtualClock();
  return new SpiMaster(clock, makeW5500(clock, options));
}

const zeros = (n: number): number[] => new Array<number>(n).fill(0);
const COMMON_RESET = [
  ...zeros(25), // MR to SIMR
  ...[0x07, 0xd0, 0x08, 0x28, 0x00], // RTR, RCR, PTIMER, PMAGIC
  ...zeros(8), // PHAR, PSID
  ...[0xff, 0xff], // PMRU
  ...zeros(6), // UIPR, UPORTR
  0xb8, // PHYCFGR without link
];
const SOCKET_RESET = [
  ...zeros(6),
  ...[0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  ...zeros(10), // Sn_DIPR to Sn_TOS
  0x80,
];

test("W5500 datasheet 4.1: common registers after reset", (t) => {
  const spi = bench();
  t.deepEqual(spi.read(COMMON, 0, 0x2f), COMMON_RESET);
  t.is(spi.read8(COMMON, 0x39), 0x04);
});

test("W5500 datasheet 4.2: registers of every socket after reset", (t) => {
  const spi = bench();
  for (let n = 0; n < 8; n++) {
    t.deepEqual(spi.read(socketBlock(n), 0, 0x17), SOCKET_RESET);
    const buffers = [2, 2, 0x08, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0x40, 0, 0];
    t.deepEqual(spi.read(socketBlock(n), 0x1e, 18), buffers);
  }
});

test("W5500 datasheet 4.1 MR: RST clears itself and puts every register back", (t) => {
  const spi = bench({ softResetNs: 5000 });
  spi.openMacraw();
  spi.write(COMMON, 0x00, 0x10);
  spi.write(COMMON, 0x18, 1);
  spi.write(COMMON, 0x00, 0x80);
  t.is(spi.read8(COMMON, 0x00), 0x80);
  spi.clock.advance(5000);
  t.deepEqual(spi.read(COMMON, 0, 0x2f), COMMON_RESET);
  t.is(spi.read8(S0, 0x03), 0);
  t.deepEqual(spi.read(S0, 0x1e, 4), [2, 2, 8, 0]);
});

test("W5500 datasheet 4.1 MR: only MR may be read while RST is set", (t) => {
  const spi = bench({ softResetNs: 5000 });
  spi.write(COMMON, 0x00, 0x80);
  t.throws(() => spi.read8(COMMON, 0x39), { message: /not-ready/ });
});

test("W5500 datasheet 5.5.1: RSTn is low for 500 us, and the PLL needs 1 ms to lock", (t) => {
  const spi = bench();
  spi.write(COMMON, 0x09, 2, 3, 4, 5, 6, 7);
  spi.chip.reset(true);
  spi.clock.advance(500_000);
  spi.chip.reset(false);
  spi.clock.advance(999_000);
  t.throws(() => spi.read8(COMMON, 0x39), { message: /not-ready/ });
  spi.clock.advance(1_000);
  t.deepEqual(spi.read(COMMON, 0x09, 6), zeros(6));
  spi.chip.reset(true);
  spi.clock.advance(499_000);
  t.throws(() => spi.chip.reset(false), { message: /reset-time/ });
});

test("Field: some chips show VERSIONR 0 for a while after reset", (t) => {
  const spi = bench({ faults: { versionZeroNs: 3_000_000 } });
  t.is(spi.read8(COMMON, 0x39), 0);
  spi.clock.advance(3_000_000);
  t.is(spi.read8(COMMON, 0x39), 4);
  spi.chip.reset(true);
  spi.clock.advance(500_000);
  spi.chip.reset(false);
  spi.clock.advance(1_000_000);
  t.is(spi.read8(COMMON, 0x39), 0);
});

test("W5500 datasheet 4.2: memory is shared out in socket order, and masked by size inside a burst", (t) => {
  const spi = bench();
  spi.write(socketBlock(1) + 8, 0, 0xaa);
  // Socket 1's memory begins 2 KB behind socket 0's; with 4 KB for socket 0 that byte is socket 0's.
  spi.write(S0, 0x1f, 4);
  t.is(spi.read8(S0_TX, 2048), 0xaa);
  spi.write(S0_TX, 4094, 1, 2, 3, 4);
  t.deepEqual(spi.read(S0_TX, 0, 2), [3, 4]);
  // Any pointer is valid: 0xfffe is 4094 modulo 4096.
  t.deepEqual(spi.read(S0_TX, 0xfffe, 4), [1, 2, 3, 4]);
});

test("Packet memory at power-on is not zero, and the same for the same seed", (t) => {
  const memory = (seed: number): number[] => bench({ seed }).read(S0_TX, 0, 64);
  t.notDeepEqual(memory(1), zeros(64));
  t.deepEqual(memory(1), memory(1));
  t.notDeepEqual(memory(1), memory(2));
});

test("W5500 datasheet 4.2: a buffer has 0, 1, 2, 4, 8 or 16 KB", (t) => {
  t.throws(() => bench().write(S0, 0x1e, 3), { message: /reserved-value/ });
});

test("W5500 datasheet 4.2: a socket with 0 KB has no memory to access", (t) => {
  const spi = bench();
  spi.write(S0, 0x1f, 0);
  t.throws(() => spi.read8(S0_TX, 0), { message: /buffer-size/ });
});

test("W5500: PPPoE and wake on LAN are reported as left out of the model", (t) => {
  t.throws(() => bench().write(COMMON, 0, 0x08), { message: /not-modelled/ });
  t.throws(() => bench().write(COMMON, 0, 0x20), { message: /not-modelled/ });
});
