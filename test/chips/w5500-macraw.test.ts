import test from "ava";
import { VirtualClock } from "../../host-tools/sim/virtual-clock.js";
import type { W5500 } from "../../host-tools/sim/chips/w5500/index.js";
import { testFrame } from "../support/nic-harness.js";
import { COMMON, makeW5500, S0, S0_RX, S0_TX, socketBlock, SpiMaster } from "../support/w5500.js";

interface Bench {
  spi: SpiMaster;
  chip: W5500;
  clock: VirtualClock;
  sent: { frame: Uint8Array; atNs: number }[];
}

/** A chip with a link and socket 0 open in MACRAW mode. */
function open(options: Parameters<typeof makeW5500>[1] = {}): Bench {
  const clock = new VirtualClock();
  const chip = makeW5500(clock, { autoNegotiationMs: 1, ...options });
  const sent: Bench["sent"] = [];
  chip.onTransmit = (frame) => void sent.push({ frame, atNs: clock.nowNs });
  const spi = new SpiMaster(clock, chip);
  spi.openMacraw();
  spi.waitForLink();
  return { spi, chip, clock, sent };
}

const RSR = 0x26;
const FSR = 0x20;

test("W5500 datasheet 4.2 Sn_CR OPEN: MACRAW status is 42, and all pointers are 0", (t) => {
  const { spi } = open();
  t.is(spi.read8(S0, 0x03), 0x42);
  t.deepEqual(spi.read(S0, 0x20, 12), [0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
});

test("W5500 datasheet 4.2 Sn_CR: reads back until the command is taken, then 0", (t) => {
  const clock = new VirtualClock();
  const spi = new SpiMaster(clock, makeW5500(clock, { commandNs: 4000 }));
  spi.write(S0, 0x00, 0x04);
  spi.write(S0, 0x01, 0x01);
  t.deepEqual(spi.read(S0, 0x01, 3), [0x01, 0x00, 0x00]);
  clock.advance(4000);
  t.deepEqual(spi.read(S0, 0x01, 3), [0x00, 0x00, 0x42]);
});

test("W5500 datasheet 4.2 MACRAW: a frame lies behind its length, which counts its own two bytes", (t) => {
  const { spi, chip } = open();
  const frame = testFrame(60, 3);
  chip.receive(frame);
  t.is(spi.read16(S0, RSR), 62);
  t.is(spi.read16(S0, 0x2a), 62);
  t.deepEqual(spi.read(S0_RX, 0, 62), [0, 62, ...frame]);
  t.is(spi.read8(S0, 0x02), 0x04);
});

test("W5500 datasheet 4.2 Sn_CR RECV: RX_RD means nothing until RECV", (t) => {
  const { spi, chip } = open();
  chip.receive(testFrame(60));
  chip.receive(testFrame(100));
  spi.write16(S0, 0x28, 62);
  t.is(spi.read16(S0, RSR), 164);
  spi.command(0x40);
  t.is(spi.read16(S0, RSR), 102);
});

test("W5500 datasheet 4.2: pointers run freely modulo 65536, far beyond the memory's size", (t) => {
  const { spi, chip } = open();
  for (let i = 0; i < 100; i++) {
    const frame = testFrame(1514, i);
    chip.receive(frame);
    t.deepEqual(spi.receive(), frame);
  }
  t.is(spi.read16(S0, 0x2a), (100 * 1516) & 0xffff);
  t.is(spi.read16(S0, RSR), 0);
});

test("W5500 datasheet 4.2: a frame that does not fit is dropped whole, older ones are kept", (t) => {
  const { spi, chip } = open();
  for (let i = 0; i < 12; i++) chip.receive(testFrame(1514, i));
  t.is(chip.drops.full, 2);
  t.is(spi.read16(S0, RSR), 10 * 1516);
  // 1224 bytes are left: a smaller frame still goes in, to the last byte.
  chip.receive(testFrame(1222, 20));
  t.is(spi.read16(S0, RSR), 16384);
  t.deepEqual(spi.receive(), testFrame(1514, 0));
});

test("W5500 datasheet 4.2 MACRAW: runts, jumbos and frames with a bad FCS are not delivered", (t) => {
  const { spi, chip } = open();
  chip.receive(testFrame(59));
  chip.receive(testFrame(1515));
  chip.receive(testFrame(100), false);
  const { runt, jumbo, badFcs } = chip.drops;
  t.deepEqual({ runt, jumbo, badFcs }, { runt: 1, jumbo: 1, badFcs: 1 });
  t.is(spi.read16(S0, RSR), 0);
});

test("IEEE 802.1Q: a tagged frame may have 1518 bytes", (t) => {
  const { spi, chip } = open();
  const frame = testFrame(1518);
  frame.set([0x81, 0x00], 12);
  chip.receive(frame);
  t.is(spi.read16(S0, RSR), 1520);
});

test("W5500 datasheet 4.2 Sn_CR SEND: SENDOK comes when preamble, frame, FCS and gap are over", (t) => {
  for (const [mbits, byteNs] of [
    [100, 80],
    [10, 800],
  ] as const) {
    const { spi, clock, sent } = open({ commandNs: 0, partner: { mbits, fullDuplex: true } });
    const startNs = clock.nowNs;
    spi.send(testFrame(1514));
    const takenNs = clock.nowNs;
    clock.advance((8 + 1514 + 4 + 12) * byteNs - 3000);
    t.is(spi.read8(S0, 0x02), 0, "not yet");
    clock.advance(3000);
    t.is(spi.read8(S0, 0x02), 0x10);
    t.is(sent.length, 1);
    const wireNs = (8 + 1514 + 4) * byteNs;
    t.true((sent[0] as { atNs: number }).atNs >= startNs + wireNs);
    t.true((sent[0] as { atNs: number }).atNs <= takenNs + wireNs);
  }
});

test("W5500 datasheet 4.2: SEND moves TX_RD to TX_WR when the frame is sent, and frees its memory", (t) => {
  const { spi, clock } = open();
  spi.send(testFrame(1000));
  spi.clock.advance(2000);
  t.is(spi.read16(S0, 0x22), 0);
  t.is(spi.read16(S0, FSR), 16384 - 1000);
  clock.advance(100_000);
  t.is(spi.read16(S0, 0x22), 1000);
  t.is(spi.read16(S0, FSR), 16384);
});

test("W5500: short frames are padded to 60 bytes", (t) => {
  const { spi, clock, sent } = open();
  const frame = testFrame(42);
  spi.send(frame);
  clock.advance(20_000);
  t.deepEqual(sent[0]?.frame, Uint8Array.from([...frame, ...new Array<number>(18).fill(0)]));
});

test("W5500: the next frame may be written while one is on the wire", (t) => {
  const { spi, clock, sent } = open();
  const frames = [testFrame(1514, 1), testFrame(1514, 2)] as const;
  spi.send(frames[0]);
  spi.write(S0_TX, 1514, ...frames[1]);
  clock.advance(130_000);
  spi.write(S0, 0x02, 0x10);
  spi.write16(S0, 0x24, 3028);
  spi.command(0x20);
  clock.advance(130_000);
  t.deepEqual(
    sent.map((s) => s.frame),
    [...frames],
  );
});

test("W5500 datasheet 4.2 Sn_IR: a written 1 clears a flag, a written 0 does not", (t) => {
  const { spi, chip, clock } = open();
  chip.receive(testFrame(60));
  spi.send(testFrame(60));
  clock.advance(20_000);
  t.is(spi.read8(S0, 0x02), 0x14);
  spi.write(S0, 0x02, 0x10);
  t.is(spi.read8(S0, 0x02), 0x04);
  spi.write(S0, 0x02, 0xff);
  t.is(spi.read8(S0, 0x02), 0x00);
});

test("W5500 datasheet 4.2 Sn_CR CLOSE: status 0 at once, nothing is received any more", (t) => {
  const { spi, chip } = open();
  spi.command(0x10);
  t.is(spi.read8(S0, 0x03), 0x00);
  chip.receive(testFrame(60));
  t.is(chip.drops.closed, 1);
});

test("Field: a SEND whose link goes does not end until the link is back, and then without the host's help", (t) => {
  const { spi, chip, clock, sent } = open();
  spi.send(testFrame(1514, 1));
  chip.setLink(false);
  clock.advance(5e9);
  t.is(spi.read8(S0, 0x02), 0);
  t.is(spi.read16(S0, 0x22), 0);
  chip.setLink(true);
  clock.advance(5e9);
  t.is(spi.read8(S0, 0x02), 0x10);
  t.is(spi.read16(S0, 0x22), 1514);
  spi.send(testFrame(100, 2));
  clock.advance(100_000);
  t.deepEqual(
    sent.map(({ frame }) => frame),
    [testFrame(1514, 1), testFrame(100, 2)],
  );
});

test("W5500 datasheet 4.2 Sn_CR CLOSE: a frame that waits for the link is forgotten", (t) => {
  const { spi, chip, clock, sent } = open();
  chip.setLink(false);
  spi.send(testFrame(200));
  clock.advance(1e9);
  spi.command(0x10);
  spi.command(0x01);
  chip.setLink(true);
  clock.advance(5e9);
  t.is(sent.length, 0);
  t.is(spi.read16(S0, FSR), 16384);
});

test("Field: a SEND without a link can hang for good; CLOSE and OPEN help", (t) => {
  const { spi, chip, clock, sent } = open({ sendWithoutLink: "hang" });
  spi.send(testFrame(1514));
  chip.setLink(false);
  clock.advance(5e9);
  t.is(spi.read8(S0, 0x02), 0);
  t.is(spi.read16(S0, 0x22), 0);
  chip.setLink(true);
  clock.advance(5e9);
  t.is(spi.read8(S0, 0x02), 0);
  spi.command(0x10);
  spi.command(0x01);
  spi.send(testFrame(100));
  clock.advance(100_000);
  t.is(spi.read8(S0, 0x02), 0x10);
  t.is(sent.length, 1);
});

test("W5500 datasheet 4.2: buffers of sockets 1 to 7 may be taken away, leaving all to socket 0", (t) => {
  const { spi } = open();
  t.is(spi.read8(socketBlock(7), 0x1e), 0);
  t.is(spi.read16(socketBlock(7), FSR), 0);
  t.is(spi.read8(COMMON, 0x17), 0);
});
