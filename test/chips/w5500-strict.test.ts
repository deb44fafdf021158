import test from "ava";
import { VirtualClock } from "../../host-tools/sim/virtual-clock.js";
import type { W5500, W5500Options } from "../../host-tools/sim/chips/w5500/index.js";
import { testFrame } from "../support/nic-harness.js";
import { makeW5500, S0, S0_RX, S0_TX, socketBlock, SpiMaster } from "../support/w5500.js";

interface Bench {
  spi: SpiMaster;
  chip: W5500;
  clock: VirtualClock;
  violations: string[];
}

/** An open MACRAW socket on a chip that collects what it has to report. */
function open(options: Partial<W5500Options> = {}): Bench {
  const clock = new VirtualClock();
  const violations: string[] = [];
  const chip = makeW5500(clock, {
    autoNegotiationMs: 1,
    onViolation: (message) => void violations.push(message),
    ...options,
  });
  const spi = new SpiMaster(clock, chip);
  spi.openMacraw();
  spi.waitForLink();
  return { spi, chip, clock, violations };
}

const cases: [title: string, rule: string, misuse: (bench: Bench) => void][] = [
  [
    "4.2 Sn_CR: a command while the last is being taken",
    "command-busy",
    ({ spi }) => {
      spi.write(S0, 0x01, 0x10);
      spi.transfer([0, 1, 0x0d, 0x01]);
    },
  ],
  ["4.2 Sn_CR: a command that does not exist", "command", ({ spi }) => spi.command(0x03)],
  [
    "4.2 Sn_CR: SEND on a closed socket",
    "command",
    ({ spi }) => {
      spi.command(0x10);
      spi.command(0x20);
    },
  ],
  [
    "4.2 Sn_CR: RECV on a closed socket",
    "command",
    ({ spi }) => {
      spi.command(0x10);
      spi.command(0x40);
    },
  ],
  ["4.2 Sn_CR: CONNECT in MACRAW mode", "command", ({ spi }) => spi.command(4)],
  [
    "4.2 Sn_MR: MACRAW on another socket than 0",
    "mode",
    ({ spi }) => {
      spi.write(socketBlock(3), 0x00, 0x04);
      spi.command(0x01, 3);
    },
  ],
  [
    "4.2 Sn_MR: OPEN without a protocol",
    "mode",
    ({ spi }) => {
      spi.command(0x10);
      spi.write(S0, 0x00, 0x00);
      spi.command(0x01);
    },
  ],
  [
    "4.2 Sn_CR: SEND in TCP mode before a connection stands",
    "command",
    ({ spi }) => {
      spi.write(socketBlock(1), 0x00, 0x01);
      spi.command(0x01, 1);
      spi.command(0x20, 1);
    },
  ],
  [
    "4.2 Sn_RXBUF_SIZE: more than 16 KB over all sockets",
    "buffer-size",
    ({ spi }) => {
      spi.command(0x10);
      spi.write(socketBlock(1), 0x1e, 1);
      spi.command(0x01);
    },
  ],
  [
    "4.2 Sn_TXBUF_SIZE: a size changed while open",
    "buffer-size",
    ({ spi }) => spi.write(S0, 0x1f, 8),
  ],
  [
    "4.2 Sn_TX_WR: moved further than the free size",
    "tx-pointer",
    ({ spi }) => {
      spi.write16(S0, 0x24, 16385);
      spi.command(0x20);
    },
  ],
  [
    "4.2 Sn_TX_WR: masked by the size",
    "tx-pointer",
    ({ spi, clock }) => {
      for (let i = 0; i < 11; i++) {
        spi.send(testFrame(1514));
        clock.advance(130_000);
      }
      spi.write16(S0, 0x24, (12 * 1514) & 0x3fff);
      spi.command(0x20);
    },
  ],
  [
    "4.2 Sn_RX_RD: beyond Sn_RX_WR",
    "rx-pointer",
    ({ spi, chip }) => {
      chip.receive(testFrame(60));
      spi.write16(S0, 0x28, 64);
      spi.command(0x40);
    },
  ],
  ["4.2 MACRAW: SEND of nothing", "tx-length", ({ spi }) => spi.command(0x20)],
  [
    "4.2 MACRAW: SEND of 1515 bytes",
    "tx-length",
    ({ spi }) => {
      spi.send(testFrame(1515));
      spi.clock.advance(2000);
    },
  ],
  [
    "4.2 Sn_IR SENDOK: SEND before the last frame is sent",
    "send-before-sendok",
    ({ spi }) => {
      spi.send(testFrame(1514));
      spi.clock.advance(2000);
      spi.command(0x20);
    },
  ],
  [
    "4.2 Sn_TX_WR: moved while a frame is sent",
    "send-before-sendok",
    ({ spi }) => {
      spi.send(testFrame(1514));
      spi.clock.advance(2000);
      spi.write16(S0, 0x24, 3000);
    },
  ],
  [
    "4.2: memory of the frame being sent overwritten",
    "overwrite-in-flight",
    ({ spi }) => {
      spi.send(testFrame(1514));
      spi.clock.advance(2000);
      spi.write(S0_TX, 1513, 0);
    },
  ],
];

for (const [title, rule, misuse] of cases) {
  test(`W5500 datasheet ${title}: reported`, (t) => {
    const bench = open({ commandNs: 1500 });
    t.deepEqual(bench.violations, []);
    misuse(bench);
    t.true(bench.violations.length > 0);
    t.true((bench.violations[0] as string).startsWith(`W5500 [${rule}]`), bench.violations[0]);
  });
}

test("A driver that does not wait for SENDOK can be tolerated: each SEND is a frame of its own", (t) => {
  const { spi, chip, clock, violations } = open({ tolerate: ["send-before-sendok"] });
  const sent: Uint8Array[] = [];
  chip.onTransmit = (frame) => void sent.push(frame);
  spi.send(testFrame(1514, 1));
  clock.advance(2000);
  spi.send(testFrame(100, 2));
  clock.advance(2000);
  spi.send(testFrame(60, 3));
  clock.advance(200_000);
  t.deepEqual(sent, [testFrame(1514, 1), testFrame(100, 2), testFrame(60, 3)]);
  t.deepEqual(violations, []);
});

test("A correct host: thousands of frames both ways without a report", (t) => {
  const { spi, chip, clock, violations } = open();
  for (let i = 0; i < 300; i++) {
    chip.receive(testFrame(60 + ((i * 97) % 1455), i));
    t.deepEqual(spi.receive(), testFrame(60 + ((i * 97) % 1455), i));
    spi.send(testFrame(60 + ((i * 61) % 1455), i));
    clock.advance(130_000);
  }
  t.deepEqual(violations, []);
});

test("Field: Sn_RX_RSR can be torn between its two bytes", (t) => {
  const { spi, chip } = open({ faults: { tornRsr: 1 } });
  chip.receive(testFrame(200));
  chip.receive(testFrame(200));
  t.is(spi.read16(S0, 0x26), (202 & 0xff00) | (404 & 0xff));
  t.is(spi.read16(S0, 0x26), 404);
});

test("Sn_RX_RSR is torn by itself when a frame arrives between its two bytes", (t) => {
  const { spi, chip, clock } = open();
  chip.receive(testFrame(200));
  clock.schedule(240 * 4 + 100, () => chip.receive(testFrame(200)));
  t.is(spi.read16(S0, 0x26), (202 & 0xff00) | (404 & 0xff));
});

test("Field: a length in front of a frame can be wrong", (t) => {
  const { spi, chip } = open({ faults: { corruptLength: 1 } });
  chip.receive(testFrame(60));
  const length = spi.read16(S0_RX, 0);
  t.false(length >= 62 && length <= 1520);
});

test("Field: SENDOK can be lost while the frame is sent, or the frame can hang", (t) => {
  const { spi, clock } = open({ faults: { loseSendOk: 1 } });
  spi.send(testFrame(60));
  clock.advance(20_000);
  t.is(spi.read8(S0, 0x02), 0);
  t.is(spi.read16(S0, 0x22), 60);
  const hung = open({ faults: { hangSend: 1 } });
  hung.spi.send(testFrame(60));
  hung.clock.advance(1e9);
  t.is(hung.spi.read8(S0, 0x02), 0);
  t.is(hung.spi.read16(S0, 0x22), 0);
});

test("A chip that is not there reads as a floating bus and reports nothing", (t) => {
  const { spi, chip, violations } = open();
  chip.faults.absent = true;
  t.deepEqual(spi.read(0, 0x39, 2), [0xff, 0xff]);
  chip.faults.absentLevel = 0;
  t.deepEqual(spi.read(0, 0x39, 2), [0, 0]);
  t.deepEqual(violations, []);
});
