import test from "ava";
import { VirtualClock } from "../../host-tools/sim/virtual-clock.js";
import type { W5500 } from "../../host-tools/sim/chips/w5500/index.js";
import { NicHarness, testFrame } from "../support/nic-harness.js";
import { COMMON, makeW5500, S0, SpiMaster } from "../support/w5500.js";

function open(
  mode: number,
  options: Parameters<typeof makeW5500>[1] = {},
): { spi: SpiMaster; chip: W5500; clock: VirtualClock; sent: Uint8Array[] } {
  const clock = new VirtualClock();
  const chip = makeW5500(clock, { autoNegotiationMs: 1, ...options });
  const sent: Uint8Array[] = [];
  chip.onTransmit = (frame) => void sent.push(frame);
  const spi = new SpiMaster(clock, chip);
  spi.openMacraw(mode);
  spi.waitForLink();
  return { spi, chip, clock, sent };
}

const to = (...destination: number[]): Uint8Array => testFrame(60, 0, Uint8Array.from(destination));
const ipv6 = (): Uint8Array => {
  const frame = testFrame(80);
  frame.set([0x86, 0xdd], 12);
  return frame;
};
const FRAMES: Record<string, Uint8Array> = {
  own: testFrame(60),
  other: to(2, 9, 9, 9, 9, 9),
  broadcast: to(255, 255, 255, 255, 255, 255),
  ip4Group: to(0x01, 0x00, 0x5e, 0, 0, 1),
  ip6Group: to(0x33, 0x33, 0, 0, 0, 1),
  otherGroup: to(0x01, 0x80, 0xc2, 0, 0, 0),
  ipv6: ipv6(),
};

/** Names of the frames that are delivered. */
function delivered(mode: number, options: Parameters<typeof makeW5500>[1] = {}): string[] {
  const { spi, chip } = open(mode, options);
  return Object.keys(FRAMES).filter((name) => {
    const before = spi.read16(S0, 0x26);
    chip.receive(FRAMES[name] as Uint8Array);
    return spi.read16(S0, 0x26) > before;
  });
}

const ALL = Object.keys(FRAMES);

for (const [title, mode, expected] of [
  ["no filter: everything", 0x04, ALL],
  [
    "MFEN: own address, broadcast, groups of IP",
    0x84,
    ["own", "broadcast", "ip4Group", "ip6Group", "ipv6"],
  ],
  ["MFEN and MMB: no groups", 0xa4, ["own", "broadcast", "ipv6"]],
  ["MFEN and MIP6B: no IPv6", 0x94, ["own", "broadcast", "ip4Group", "ip6Group"]],
  ["MFEN and BCASTB: no broadcast", 0xc4, ["own", "ip4Group", "ip6Group", "ipv6"]],
  ["BCASTB alone: no broadcast", 0x44, ALL.filter((name) => name !== "broadcast")],
  ["MFEN, BCASTB, MMB, MIP6B: own address", 0xf4, ["own"]],
] as const) {
  test(`W5500 datasheet 4.2 Sn_MR, ${title}`, (t) => {
    t.deepEqual(delivered(mode), [...expected]);
  });
}

test("W5500: groups that pass MFEN are a switch, because sources disagree", (t) => {
  t.true(delivered(0x84, { multicast: "all" }).includes("otherGroup"));
  t.deepEqual(delivered(0x84, { multicast: "none" }), ["own", "broadcast", "ipv6"]);
});

test("W5500: filter bits may be changed while the socket is open", (t) => {
  const { spi, chip } = open(0x84);
  chip.receive(FRAMES["other"] as Uint8Array);
  spi.write(S0, 0x00, 0x04);
  chip.receive(FRAMES["other"] as Uint8Array);
  t.is(spi.read16(S0, 0x26), 62);
  t.is(chip.drops.filtered, 1);
});

const PEER_MAC = [2, 0, 0, 0, 0, 9];
const OWN_IP = [10, 0, 0, 2];
const PEER_IP = [10, 0, 0, 1];

function arpRequest(target: number[], sender = PEER_IP): Uint8Array {
  const frame = new Uint8Array(60);
  frame.set([255, 255, 255, 255, 255, 255, ...PEER_MAC, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1]);
  frame.set([...PEER_MAC, ...sender, 0, 0, 0, 0, 0, 0, ...target], 22);
  return frame;
}

function echoRequest(payload: number): Uint8Array {
  const total = 28 + payload;
  const frame = new Uint8Array(Math.max(60, 14 + total));
  frame.set([...NicHarness.MAC, ...PEER_MAC, 8, 0, 0x45, 0, total >> 8, total & 0xff]);
  frame.set([0, 1, 0, 0, 64, 1, 0, 0, ...PEER_IP, ...OWN_IP, 8, 0, 0, 0, 0x12, 0x34, 0, 1], 18);
  for (let i = 0; i < payload; i++) frame[42 + i] = i & 0xff;
  return frame;
}

/** Ones' complement sum of a range that holds its checksum: 0xffff if that is right. */
function sum(frame: Uint8Array, from: number, bytes: number): number {
  let total = 0;
  for (let i = 0; i < bytes; i++) total += (frame[from + i] as number) << (i & 1 ? 0 : 8);
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
  return total;
}

test("Field: next to MACRAW the hardware stack answers ARP for SIPR, and the host sees the request too", (t) => {
  const { spi, chip, clock, sent } = open(0x84);
  spi.write(COMMON, 0x0f, ...OWN_IP);
  chip.receive(arpRequest([10, 0, 0, 3]));
  chip.receive(arpRequest(OWN_IP));
  clock.advance(50_000);
  t.is(sent.length, 1);
  const reply = [...(sent[0] as Uint8Array)];
  t.deepEqual(reply.slice(0, 14), [...PEER_MAC, ...NicHarness.MAC, 8, 6]);
  t.deepEqual(reply.slice(20, 42), [0, 2, ...NicHarness.MAC, ...OWN_IP, ...PEER_MAC, ...PEER_IP]);
  t.is(spi.read16(S0, 0x26), 124);
});

test("Field: the hardware stack answers ping for SIPR unless MR.PB is set", (t) => {
  for (const payload of [0, 5, 56, 1472]) {
    const { spi, chip, clock, sent } = open(0x84);
    spi.write(COMMON, 0x0f, ...OWN_IP);
    const request = echoRequest(payload);
    chip.receive(request);
    clock.advance(200_000);
    t.is(sent.length, 1);
    const reply = sent[0] as Uint8Array;
    t.deepEqual([...reply.slice(26, 35)], [...OWN_IP, ...PEER_IP, 0]);
    t.is(sum(reply, 14, 20), 0xffff);
    t.is(sum(reply, 34, 8 + payload), 0xffff);
    t.deepEqual(reply.slice(38), request.slice(38));
    spi.write(COMMON, 0x00, 0x10);
    chip.receive(request);
    clock.advance(200_000);
    t.is(sent.length, 1, "ping is blocked");
  }
});

test("W5500: with SIPR 0 the hardware stack is silent", (t) => {
  const { chip, clock, sent } = open(0x84);
  chip.receive(arpRequest(OWN_IP));
  chip.receive(arpRequest([0, 0, 0, 0]));
  chip.receive(echoRequest(56));
  clock.advance(1e6);
  t.is(sent.length, 0);
});

test("W5500 datasheet 4.1 IR: CONFLICT when another station claims SIPR", (t) => {
  const { spi, chip } = open(0x84);
  spi.write(COMMON, 0x0f, ...OWN_IP);
  chip.receive(arpRequest([10, 0, 0, 7], OWN_IP));
  t.is(spi.read8(COMMON, 0x15), 0x80);
  spi.write(COMMON, 0x15, 0x80);
  t.is(spi.read8(COMMON, 0x15), 0x00);
});
