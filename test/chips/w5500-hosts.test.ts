/** The model under the manners of other hosts: what their drivers do at set-up, in receiving and in sending, in our own words. */
import test, { type ExecutionContext } from "ava";
import { Random } from "../../host-tools/sim/random.js";
import { VirtualClock } from "../../host-tools/sim/virtual-clock.js";
import type { W5500, W5500Rule } from "../../host-tools/sim/chips/w5500/index.js";
import { compareFrames, NicHarness, testFrame } from "../support/nic-harness.js";
import { COMMON, makeW5500, S0, S0_RX, S0_TX, socketBlock, SpiMaster } from "../support/w5500.js";

interface Bench {
  spi: SpiMaster;
  chip: W5500;
  clock: VirtualClock;
  sent: Uint8Array[];
}

function bench(tolerate: W5500Rule[] = []): Bench {
  const clock = new VirtualClock();
  const chip = makeW5500(clock, { autoNegotiationMs: 1, tolerate });
  const sent: Uint8Array[] = [];
  chip.onTransmit = (frame) => void sent.push(frame);
  return { spi: new SpiMaster(clock, chip), chip, clock, sent };
}

/** A 16-bit register that may change between its bytes: read until two readings agree. */
function settled(spi: SpiMaster, at: number): number {
  for (let last = spi.read16(S0, at); ;) {
    const value = spi.read16(S0, at);
    if (value === last) return value;
    last = value;
  }
}

function command(spi: SpiMaster, code: number, n = 0): void {
  spi.write(socketBlock(n), 0x01, code);
  while (spi.read8(socketBlock(n), 0x01) !== 0);
}

/** Set-up of the vendor's library: reset with the identity kept, memory shared out, PHY reset by reading and writing back. */
function vendorSetUp({ spi }: Bench, kilobytes: number): void {
  const shar = spi.read(COMMON, 0x09, 6);
  spi.write(COMMON, 0x00, 0x80);
  while (spi.read8(COMMON, 0x00) & 0x80);
  spi.write(COMMON, 0x09, ...shar);
  for (let n = 0; n < 8; n++) {
    spi.write(socketBlock(n), 0x1f, n === 0 ? kilobytes : 0);
    spi.write(socketBlock(n), 0x1e, n === 0 ? kilobytes : 0);
  }
  const phy = spi.read8(COMMON, 0x2e);
  spi.write(COMMON, 0x2e, phy & 0x7f);
  spi.write(COMMON, 0x2e, spi.read8(COMMON, 0x2e) | 0x80);
  spi.write(COMMON, 0x09, ...NicHarness.MAC);
  spi.write(COMMON, 0x18, 1);
  // A socket is closed before it is opened, though it is closed.
  command(spi, 0x10);
  spi.write(S0, 0x02, 0xff);
  while (spi.read8(S0, 0x03) !== 0);
  spi.write(S0, 0x00, 0x84);
  spi.write16(S0, 0x04, 5000);
  command(spi, 0x01);
  while (spi.read8(S0, 0x03) === 0);
  spi.waitForLink();
}

/** Takes a frame as the vendor's library does: its length and its bytes are given back apart. */
function vendorReceive({ spi }: Bench): Uint8Array {
  if (settled(spi, 0x26) === 0) return new Uint8Array(0);
  const take = (bytes: number): number[] => {
    const pointer = spi.read16(S0, 0x28);
    const data = spi.read(S0_RX, pointer, bytes);
    spi.write16(S0, 0x28, pointer + bytes);
    command(spi, 0x40);
    return data;
  };
  const [high, low] = take(2) as [number, number];
  return Uint8Array.from(take(((high << 8) | low) - 2));
}

function vendorSend({ spi, clock }: Bench, frame: Uint8Array): void {
  while (settled(spi, 0x20) < frame.length) clock.advance(10_000);
  const pointer = spi.read16(S0, 0x24);
  spi.write(S0_TX, pointer, ...frame);
  spi.write16(S0, 0x24, pointer + frame.length);
  command(spi, 0x20);
  while ((spi.read8(S0, 0x02) & 0x10) === 0) clock.advance(1000);
  spi.write(S0, 0x02, 0x10);
}

/** Frames of all sizes in both directions, through the wraps of memory and of the 16-bit pointers. */
function exchange(t: ExecutionContext, made: Bench, frames: number): void {
  const random = new Random(5);
  for (let i = 0; i < frames; i++) {
    const frame = testFrame(60 + random.below(1455), i);
    made.chip.receive(frame);
    t.is(compareFrames([vendorReceive(made)], [frame]), "same");
    vendorSend(made, frame);
    t.is(compareFrames(made.sent.splice(0), [frame]), "same");
  }
}

for (const kilobytes of [2, 16]) {
  test(`a host that frees length and frame apart, with ${kilobytes} KB: through 64 KB of pointers both ways`, (t) => {
    const made = bench();
    vendorSetUp(made, kilobytes);
    t.is(made.spi.read16(S0, 0x20), kilobytes * 1024);
    exchange(t, made, 120);
    t.is(made.spi.read16(S0, 0x20), kilobytes * 1024);
  });
}

test("a host that uses fixed length frames for every register, SCSn low all the time", (t) => {
  const { spi, chip, clock } = bench();
  chip.select();
  const exchangeBytes = (bytes: number[]): number[] =>
    bytes.map((byte) => {
      clock.advance(250);
      return chip.exchange(byte);
    });
  t.deepEqual(exchangeBytes([0x00, 0x39, 0x01, 0]).slice(3), [0x04]);
  exchangeBytes([0x00, 0x13, 0x06, 0x12, 0x34]);
  exchangeBytes([0x00, 0x0f, 0x07, 10, 0, 0, 1]);
  t.deepEqual(exchangeBytes([0x00, 0x13, 0x02, 0, 0]).slice(3), [0x12, 0x34]);
  t.deepEqual(exchangeBytes([0x00, 0x0f, 0x03, 0, 0, 0, 0]).slice(3), [10, 0, 0, 1]);
  chip.deselect();
  clock.advance(40);
  t.deepEqual(spi.read(COMMON, 0x0f, 4), [10, 0, 0, 1]);
});

test("a host that forces the PHY: 00, then F8; OPMDC reads back, the link comes with the mode", (t) => {
  const { spi, clock } = bench();
  spi.waitForLink();
  spi.write(COMMON, 0x2e, 0x00);
  t.is(spi.read8(COMMON, 0x2e) & 0x87, 0);
  spi.write(COMMON, 0x2e, 0xf8);
  clock.advance(2e9);
  t.is(spi.read8(COMMON, 0x2e), 0xff);
  for (const [code, status] of [
    [0, 0x01],
    [1, 0x05],
    [2, 0x03],
    [3, 0x07],
  ] as const) {
    spi.write(COMMON, 0x2e, 0x40 | (code << 3));
    spi.write(COMMON, 0x2e, 0xc0 | (code << 3));
    clock.advance(2e9);
    t.is(spi.read8(COMMON, 0x2e), 0xc0 | (code << 3) | status);
  }
});

test("a host that opens hardware sockets: states and pointers as the sheet has them, and nobody answers", (t) => {
  const { spi, clock } = bench();
  spi.write(COMMON, 0x19, 0x00, 0x64);
  spi.write(COMMON, 0x1b, 3);
  const status = (n: number): number => spi.read8(socketBlock(n), 0x03);
  for (const [n, mode, opened] of [
    [1, 1, 0x13],
    [2, 2, 0x22],
    [3, 3, 0x32],
  ] as const) {
    spi.write(socketBlock(n), 0x00, mode);
    spi.write16(socketBlock(n), 0x04, 5000 + n);
    command(spi, 0x01, n);
    t.is(status(n), opened);
    t.deepEqual(spi.read(socketBlock(n), 0x20, 8), [8, 0, 0, 0, 0, 0, 0, 0]);
  }
  command(spi, 0x02, 1);
  t.is(status(1), 0x14);
  command(spi, 0x10, 1);
  t.is(status(1), 0x00);
  // 10 ms, four times: ARP for the peer of CONNECT and of a datagram.
  command(spi, 0x01, 1);
  command(spi, 0x04, 1);
  t.is(status(1), 0x15);
  spi.write(socketBlock(2) + 8, 0, ...new Uint8Array(100));
  spi.write16(socketBlock(2), 0x24, 100);
  t.is(spi.read16(socketBlock(2), 0x20), 2048 - 100);
  command(spi, 0x20, 2);
  clock.advance(39e6);
  t.deepEqual([status(1), spi.read8(socketBlock(2), 0x02)], [0x15, 0]);
  clock.advance(2e6);
  t.deepEqual([status(1), status(2)], [0x00, 0x22]);
  t.deepEqual([spi.read8(socketBlock(1), 0x02), spi.read8(socketBlock(2), 0x02)], [0x08, 0x08]);
  t.is(spi.read16(socketBlock(2), 0x20), 2048);
});

test("a host with level interrupts: INTLEVEL FFFF, RECV cleared first, drained until RX_RSR is 0", (t) => {
  const made = bench();
  const { spi, chip, clock } = made;
  vendorSetUp(made, 16);
  spi.write16(COMMON, 0x13, 0xffff);
  spi.write(S0, 0x2c, 0x04);
  const frames = Array.from({ length: 20 }, (_, i) => testFrame(100 + i, i));
  const got: Uint8Array[] = [];
  for (const frame of frames) {
    chip.receive(frame);
    clock.advance(400_000);
    if (!chip.interrupt) continue;
    spi.write(S0, 0x02, 0x04);
    while (spi.read16(S0, 0x26) !== 0) got.push(spi.receive());
  }
  clock.advance(2e6);
  if (chip.interrupt) while (spi.read16(S0, 0x26) !== 0) got.push(spi.receive());
  t.is(compareFrames(got, frames), "same");
});

test("a host that hears edges of INTn only: SIMR 0 while it serves, one frame for each, SIMR 1 behind it", (t) => {
  const made = bench();
  const { spi, chip, clock } = made;
  vendorSetUp(made, 16);
  let edges = 0;
  chip.onInterrupt = (low) => void (edges += low ? 1 : 0);
  const random = new Random(6);
  const frames = Array.from({ length: 60 }, (_, i) => testFrame(60 + random.below(1455), i));
  const got: Uint8Array[] = [];
  const serve = (): void => {
    while (edges > 0) {
      edges--;
      spi.write(COMMON, 0x18, 0);
      const flags = spi.read8(S0, 0x02);
      spi.write(S0, 0x02, flags);
      // "Also set if received data remains after RECV": so each frame that is left has an edge of its own.
      const frame = flags & 0x04 ? vendorReceive(made) : new Uint8Array(0);
      if (frame.length > 0) got.push(frame);
      spi.write(COMMON, 0x18, 1);
    }
  };
  for (const frame of frames) {
    chip.receive(frame);
    clock.advance(random.below(300_000));
    if (random.below(3) === 0 || settled(spi, 0x26) > 12_000) serve();
  }
  serve();
  t.is(compareFrames(got, frames), "same");
});

test("a host that throws away what has come by RX_RD := RX_WR, closes its socket with the link and opens it again", (t) => {
  const made = bench();
  const { spi, chip, sent } = made;
  vendorSetUp(made, 16);
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 4; i++) chip.receive(testFrame(300, i));
    spi.write16(S0, 0x28, spi.read16(S0, 0x2a));
    command(spi, 0x40);
    t.is(spi.read16(S0, 0x26), 0);
    chip.setLink(false);
    command(spi, 0x10);
    t.is(spi.read8(S0, 0x03), 0);
    chip.setLink(true);
    spi.waitForLink();
    spi.write(S0, 0x01, 0x01);
    // Some look at the status without looking at Sn_CR first.
    t.is(spi.read8(S0, 0x03), 0x42);
    t.deepEqual([spi.read16(S0, 0x24), spi.read16(S0, 0x28), spi.read16(S0, 0x2a)], [0, 0, 0]);
    const frame = testFrame(200, round);
    chip.receive(frame);
    t.is(compareFrames([vendorReceive(made)], [frame]), "same");
    vendorSend(made, frame);
    t.is(compareFrames(sent.splice(0), [frame]), "same");
  }
});

test("a host that writes the next frames behind TX_WR while one is on the wire, and finds TX_RD where that one ends", (t) => {
  const made = bench();
  const { spi, clock, sent } = made;
  vendorSetUp(made, 16);
  const frames = Array.from({ length: 40 }, (_, i) => testFrame(60 + ((i * 211) % 1455), i));
  let end = 0;
  let written = 0;
  let next = 0;
  for (const frame of frames) {
    while (next < frames.length && next <= frames.indexOf(frame) + 5) {
      spi.write(S0_TX, written, ...(frames[next] as Uint8Array));
      written = (written + (frames[next++] as Uint8Array).length) & 0xffff;
    }
    end = (end + frame.length) & 0xffff;
    spi.write16(S0, 0x24, end);
    spi.write(S0, 0x01, 0x20);
    while ((spi.read8(S0, 0x02) & 0x10) === 0) clock.advance(1000);
    spi.write(S0, 0x02, 0x10);
    t.is(spi.read16(S0, 0x22), end);
  }
  t.is(compareFrames(sent, frames), "same");
});
