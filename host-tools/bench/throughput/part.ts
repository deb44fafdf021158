import { join } from "node:path";
import { compileFirmware } from "../../build/compile.js";
import { HostedStack, SOCK_DGRAM, hostedFirmware } from "../../net/hosted-stack.js";
import { PERFECT } from "../../net/link.js";
import { formatMac } from "../../net/addresses.js";
import { packageRoot } from "../../root.js";
import { encodeSettings } from "../../settings.js";
import type { Rp2040Machine } from "../../sim/machine-rp2040.js";
import { VirtualWorld } from "../../sim/world-virtual.js";
import type { BarGroup } from "../chart.js";
import { table } from "../table.js";
import { Scripts, type Script } from "../../net/scripts.js";
import { Stranger, type Load } from "./stranger.js";

const DEVICE = 0xc0a84d02;
const PEER = 0xc0a84d03;
const STRANGER = 0xc0a84d04;
const STRANGER_MAC = "02:00:00:00:00:04";
const MASK = 0xffffff00;
const DEVICE_MAC = 0x0200_0000_0002;

/** The link of a W5500 comes up after 1.6 seconds; then the address is probed. */
const START_MS = 5000;
export const WARM_MS = 100;
export const MEASURE_MS = 250;
const FLOOD_PER_SECOND = 1500;
const SEGMENT_BYTES = 1460;
const DATAGRAM_BYTES = 1472;
/** What is still in queues has come by then. */
const SETTLE_MS = 50;
/** Port of the board that takes and forgets. */
const DISCARD = 9;
/** Part of the bound that datagrams for the board come with. */
const OFFERED = 0.9;

/** The boards and what bounds them: 1,460 of the bytes that a full frame takes there. */
export const BOARDS: Record<string, { boundMbps: number; bound: string }> = {
  // 1,514 bytes and 24 of protocol on a bus of 31.25 MHz.
  "w5500-evb-pico": { boundMbps: (31.25 * 1460) / 1538, bound: "SPI bus" },
  // Preamble, FCS and gap on 10 Mbit/s.
  "pico-enc28j60": { boundMbps: (10 * 1460) / 1538, bound: "wire" },
};

export interface Rate {
  /** Payload of simulated time, Mbit/s; of "both" and of echoes the sum of the two directions. */
  mbps: number;
  /** Of the bound of one direction. */
  share: number;
  /** Part of the time in which the processor was awake. */
  cpu: number;
}

/** What goes each way. */
export interface Rates {
  tcpIn: Rate;
  tcpOut: Rate;
  tcpBoth: Rate;
  /** Datagrams of 1,472 bytes: those that the board's application has taken of nine tenths of the bound, and those that it sent. */
  udpIn: Rate;
  udpOut: Rate;
}

export interface BoardThroughput extends Rates {
  boundMbps: number;
  udpEcho: Rate;
  /** The same while a stranger sends 1,500 frames a second. */
  pingFlood: Rates;
  broadcastStorm: Rates;
  /** Connections with 100 bytes of request and 1,024 of answer, one after the other. */
  pagesPerSecond: number;
  /** Round trip of 64 bytes over an open connection, and of a ping with 56 bytes, microseconds. */
  echo64Us: number;
  pingUs: number;
}

export type ThroughputResult = Record<string, BoardThroughput>;

type Make = (bench: Bench) => Script;

/** What is measured of each board alone and under both loads: its key, its name, and what the peer does. */
export const RATES: Record<keyof Rates, { name: string; make: (boundMbps: number) => Make }> = {
  tcpIn: { name: "TCP in", make: () => tcpIn },
  tcpOut: { name: "TCP out", make: () => tcpOut },
  tcpBoth: { name: "TCP both ways", make: () => tcpBoth },
  udpIn: { name: "UDP in", make: (boundMbps) => udpIn(boundMbps) },
  udpOut: { name: "UDP out", make: () => udpOut },
};

interface Bench {
  world: VirtualWorld;
  scripts: Scripts;
  stranger: Stranger;
  /** Counts payload while the measurement runs. */
  count: (bytes: number) => void;
  /** Called when the measurement begins, and when it is over and the load is gone: for a count that only the board has. */
  begin: () => void;
  finish: () => Script;
  /** Set by who pours into port 9 of the board: told how much more of it the board has acknowledged. */
  onAcknowledged: (bytes: number) => void;
}

/** What is left to chance is drawn from this where nothing else is said. */
const SEED = 7;

/** A world with the bench's program on the board. */
async function worldOf(board: string, seed: number): Promise<VirtualWorld> {
  const firmware = await compileFirmware({ board, app: join(packageRoot, "firmware/bench/board") });
  const address = { address: DEVICE, mask: MASK, gateway: 0, dns: 0 };
  return VirtualWorld.create({
    firmware,
    settings: encodeSettings({ mac: DEVICE_MAC, address }),
    seed,
    impairments: { ...PERFECT },
    timeoutNs: 100e9,
  });
}

/** Runs `script` against the board, and gives the rate while it measures; `seed`: what is left to chance on board and peer. */
export async function run(
  board: string,
  load: Load,
  script: Make,
  seed = SEED,
): Promise<{ bytes: number; cpu: number; realMs: number }> {
  const world = await worldOf(board, seed);
  const { clock } = world;
  const acknowledged = acknowledgments((more) => bench.onAcknowledged(more));
  const port = world.lan.ethernet.attach("peer", (frame) => {
    acknowledged(frame);
    stack.receive(frame);
  });
  const stack = new HostedStack(await hostedFirmware(), {
    clock,
    mac: 0x0200_0000_0003,
    address: PEER,
    seed,
    send: port.send,
  });
  const scripts = new Scripts(stack, clock);
  let bytes = 0;
  let measuring = false;
  let cpu = 0;
  let startMs = 0;
  const { board: chip } = world.device.machine as Rp2040Machine;
  const cycles = (): number => chip.count.cycles;
  const stranger = new Stranger(world.lan.ethernet, clock, STRANGER_MAC, STRANGER, {
    mac: formatMac(DEVICE_MAC),
    address: DEVICE,
  });
  const bench: Bench = {
    world,
    scripts,
    stranger,
    count: (n) => void (measuring && (bytes += n)),
    begin: () => undefined,
    finish: function* () {},
    onAcknowledged: () => undefined,
  };
  clock.schedule(START_MS * 1e6, () => stranger.flood(load, FLOOD_PER_SECOND));
  scripts.run(
    (function* (): Script {
      yield* scripts.sleep(START_MS);
      startMs = performance.now();
      scripts.run(script(bench));
      yield* scripts.sleep(WARM_MS);
      measuring = true;
      bench.begin();
      const before = cycles();
      yield* scripts.sleep(MEASURE_MS);
      cpu = (cycles() - before) / (chip.mcu.clkSys * (MEASURE_MS / 1000));
      stranger.stop();
      yield* bench.finish();
      world.stop();
    })(),
  );
  const end = world.run();
  const realMs = performance.now() - startMs;
  stack.close();
  if (end.reason !== "stopped") throw new Error(`${board}: ${end.reason} ${end.message ?? ""}`);
  return { bytes, cpu, realMs };
}

const BLOCK = new Uint8Array(16384);

/** Takes the frames of the board and tells of each that acknowledges more of what came to its port 9. */
function acknowledgments(tell: (bytes: number) => void): (frame: Uint8Array) => void {
  let last: number | undefined;
  return (frame) => {
    const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
    if (view.getUint16(12) !== 0x0800 || view.getUint8(23) !== 6) return;
    const at = 14 + (view.getUint8(14) & 15) * 4;
    if (view.getUint16(at) !== DISCARD) return;
    const ack = view.getUint32(at + 8);
    const more = last === undefined ? 0 : (ack - last) | 0;
    if (more < 0) return;
    last = ack;
    tell(more);
  };
}

/** Counted is what the board has acknowledged: the peer's own queue takes text in steps of 8 KB, a quarter of a Mbit/s. */
export function* tcpIn(bench: Bench): Script {
  const { scripts } = bench;
  const fd = yield* scripts.connect(DEVICE, DISCARD);
  bench.onAcknowledged = bench.count;
  yield* scripts.pour(fd, BLOCK, () => undefined);
}

export function* tcpOut({ scripts, count }: Bench): Script {
  const fd = yield* scripts.connect(DEVICE, 20);
  yield* scripts.drain(fd, count);
}

export function* tcpBoth(bench: Bench): Script {
  bench.scripts.run(tcpIn(bench));
  yield* tcpOut(bench);
}

/**
 * Datagrams come as fast as the bound allows while it is measured. The board is asked behind it how many bytes it has: before, neither question nor
 * answer would get through on a wire that is full.
 */
function udpIn(boundMbps: number): Make {
  return function* (bench: Bench): Script {
    const { scripts, world } = bench;
    const { stack } = scripts;
    const fd = stack.socket(SOCK_DGRAM);
    const data = BLOCK.subarray(0, DATAGRAM_BYTES);
    const eachNs = (SEGMENT_BYTES * 8000) / (boundMbps * OFFERED);
    let pouring = true;
    const pour = (): void => {
      if (!pouring) return;
      stack.sendTo(fd, data, DEVICE, 9);
      world.clock.schedule(eachNs, pour);
    };
    let begun = false;
    bench.begin = () => void (begun = true);
    bench.finish = function* (): Script {
      pouring = false;
      yield* scripts.sleep(SETTLE_MS);
      stack.sendTo(fd, BLOCK.subarray(0, 1), DEVICE, 9);
      yield () => stack.recvFrom(fd) === 4;
      bench.count(Buffer.from(stack.data(4)).readUInt32LE());
    };
    yield () => begun;
    pour();
  };
}

function* udpOut({ scripts, count }: Bench): Script {
  const { stack } = scripts;
  const fd = stack.socket(SOCK_DGRAM);
  stack.sendTo(fd, BLOCK.subarray(0, 1), DEVICE, 19);
  for (;;) {
    let got = 0;
    yield () => (got = stack.recvFrom(fd)) > 0;
    count(got);
  }
}

/** Two datagrams of 1,400 bytes are always on their way. */
export function* udpEcho({ scripts, count }: Bench): Script {
  const { stack } = scripts;
  const fd = stack.socket(SOCK_DGRAM);
  const data = BLOCK.subarray(0, 1400);
  for (let i = 0; i < 2; i++) stack.sendTo(fd, data, DEVICE, 7);
  for (;;) {
    let got = 0;
    yield () => (got = stack.recvFrom(fd)) > 0;
    count(2 * got);
    stack.sendTo(fd, data, DEVICE, 7);
  }
}

export function* pages({ scripts, count }: Bench): Script {
  const { stack } = scripts;
  for (;;) {
    const fd = yield* scripts.connect(DEVICE, 80);
    stack.send(fd, BLOCK.subarray(0, 100));
    yield* scripts.drain(fd, () => undefined, 1024);
    count(1);
    stack.shutdown(fd, 1);
    yield* scripts.drain(fd, () => undefined);
    stack.closeSocket(fd);
  }
}

export function* echoes({ scripts, count }: Bench): Script {
  const fd = yield* scripts.connect(DEVICE, 7);
  for (;;) {
    scripts.stack.send(fd, BLOCK.subarray(0, 64));
    yield* scripts.drain(fd, () => undefined, 64);
    count(1);
  }
}

/** Pings, one after the other. */
function* pings({ scripts, count, stranger }: Bench): Script {
  let answered = false;
  stranger.onReply = () => {
    answered = true;
    count(1);
    scripts.stack.wake();
  };
  for (;;) {
    answered = false;
    stranger.ping();
    yield () => answered;
  }
}

/** Measures both boards. */
export async function measureThroughput(onStep: (what: string) => void): Promise<ThroughputResult> {
  const result: ThroughputResult = {};
  for (const [board, { boundMbps }] of Object.entries(BOARDS)) {
    const rate = async (name: string, script: Make, load: Load = "none"): Promise<Rate> => {
      onStep(`${board}: ${name}${load === "none" ? "" : ` under ${load}`}`);
      const { bytes, cpu } = await run(board, load, script);
      const mbps = (bytes * 8) / (MEASURE_MS * 1000);
      const payload = name.startsWith("UDP") ? DATAGRAM_BYTES : SEGMENT_BYTES;
      const share = mbps / ((boundMbps * payload) / SEGMENT_BYTES);
      const three = (value: number): number => Math.round(value * 1000) / 1000;
      return { mbps: three(mbps), share: three(share), cpu: three(cpu) };
    };
    const perSecond = async (name: string, script: Make): Promise<number> => {
      onStep(`${board}: ${name}`);
      return ((await run(board, "none", script)).bytes * 1000) / MEASURE_MS;
    };
    const rates = async (load: Load): Promise<Rates> => {
      const measured: Partial<Rates> = {};
      for (const [key, { name, make }] of Object.entries(RATES)) {
        measured[key as keyof Rates] = await rate(name, make(boundMbps), load);
      }
      return measured as Rates;
    };
    result[board] = {
      boundMbps: Math.round(boundMbps * 100) / 100,
      ...(await rates("none")),
      udpEcho: await rate("UDP echo", udpEcho),
      pingFlood: await rates("pings"),
      broadcastStorm: await rates("broadcasts"),
      pagesPerSecond: await perSecond("pages", pages),
      echo64Us: Math.round(1e6 / (await perSecond("echoes", echoes))),
      pingUs: Math.round(1e6 / (await perSecond("pings", pings))),
    };
  }
  return result;
}

/** The result for people. */
export function printThroughput(result: ThroughputResult): string {
  const cell = ({ mbps, share, cpu }: Rate): string =>
    `${mbps.toFixed(1)} (${(share * 100).toFixed(0)} %, CPU ${(cpu * 100).toFixed(0)} %)`;
  const boards = Object.entries(result);
  const row = (title: string, of: (board: BoardThroughput) => string): string[] => [
    title,
    ...boards.map(([, board]) => of(board)),
  ];
  const rows = (under: string, of: (board: BoardThroughput) => Rates): string[][] => [
    row(`TCP in${under}`, (b) => cell(of(b).tcpIn)),
    row(`TCP out, zero-copy${under}`, (b) => cell(of(b).tcpOut)),
    row(`TCP both ways, sum${under}`, (b) => cell(of(b).tcpBoth)),
    row(`UDP in${under}`, (b) => cell(of(b).udpIn)),
    row(`UDP out${under}`, (b) => cell(of(b).udpOut)),
  ];
  return [
    table(
      ["emulated, Mbit/s (of the bound)", ...boards.map(([name]) => name)],
      [
        row("bound", (b) => b.boundMbps.toFixed(1)),
        ...rows("", (b) => b),
        row("UDP echo 1400 B, sum", (b) => cell(b.udpEcho)),
        ...rows(", 1,500 pings a second", (b) => b.pingFlood),
        ...rows(", 1,500 broadcasts a second", (b) => b.broadcastStorm),
        row("pages a second", (b) => String(b.pagesPerSecond)),
        row("echo of 64 B, microseconds", (b) => String(b.echo64Us)),
        row("ping, microseconds", (b) => String(b.pingUs)),
      ],
    ),
    `Simulated time on the emulated RP2040; bounds: ${Object.entries(BOARDS)
      .map(([name, { bound }]) => `${name} its ${bound}`)
      .join(
        ", ",
      )}. Others: W5500 in MACRAW with lwIP 9.2 Mbit/s, 1.5 under a ping flood (published).`,
  ].join("\n\n");
}

/** Bars for the chart: Mbit/s alone and under both floods. */
export function chartThroughput(result: ThroughputResult): BarGroup[] {
  const rates = ["tcpIn", "tcpOut", "tcpBoth", "udpIn", "udpOut"] as const;
  return Object.entries(result).flatMap(([board, all]) =>
    rates.map((name) => ({
      label: `${board.includes("w5500") ? "W5500" : "ENC28J60"} ${name}`,
      bars: [all, all.pingFlood, all.broadcastStorm].map((under) => under[name].mbps),
    })),
  );
}
