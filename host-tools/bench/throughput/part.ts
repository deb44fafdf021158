import { join } from "node:path";
import { compileFirmware } from "../../build/compile.js";
import { HostedStack, SOCK_DGRAM, hostedFirmware } from "../../net/hosted-stack.js";
import { PERFECT } from "../../net/link.js";
import { checksum, put16, put32 } from "../../net/packets.js";
import { packageRoot } from "../../root.js";
import { encodeSettings } from "../../settings.js";
import type { Rp2040Machine } from "../../sim/machine-rp2040.js";
import { VirtualWorld } from "../../sim/world-virtual.js";
import { table } from "../table.js";
import { Scripts, type Script } from "./script.js";

const DEVICE = 0xc0a84d02;
const PEER = 0xc0a84d03;
const FLOODER = 0xc0a84d04;
const MASK = 0xffffff00;
const DEVICE_MAC = 0x0200_0000_0002;

/** The link of a W5500 comes up after 1.6 seconds; then the address is probed. */
const START_MS = 5000;
export const WARM_MS = 100;
export const MEASURE_MS = 250;
const FLOOD_PER_SECOND = 1500;

/** The boards and what bounds them: 1,460 of the bytes that a full frame takes there. */
const BOARDS: Record<string, { boundMbps: number; bound: string }> = {
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

export interface BoardThroughput {
  boundMbps: number;
  tcpIn: Rate;
  tcpOut: Rate;
  tcpBoth: Rate;
  udpEcho: Rate;
  pingFlood: { tcpIn: Rate; tcpOut: Rate };
  broadcastStorm: { tcpIn: Rate; tcpOut: Rate };
  /** Connections with 100 bytes of request and 1,024 of answer, one after the other. */
  pagesPerSecond: number;
  /** Round trip of 64 bytes over an open connection, microseconds. */
  echo64Us: number;
}

export type ThroughputResult = Record<string, BoardThroughput>;

type Load = "none" | "pings" | "broadcasts";

interface Bench {
  world: VirtualWorld;
  scripts: Scripts;
  /** Counts payload while the measurement runs. */
  count: (bytes: number) => void;
}

function flood(load: Load): Uint8Array {
  const frame = new Uint8Array(60);
  frame.set([2, 0, 0, 0, 0, 2]);
  if (load === "broadcasts") frame.fill(0xff, 0, 6);
  frame.set([2, 0, 0, 0, 0, 4], 6);
  put16(frame, 12, 0x0800);
  frame[14] = 0x45;
  put16(frame, 16, 46);
  frame[22] = 64;
  frame[23] = load === "pings" ? 1 : 17;
  put32(frame, 26, FLOODER);
  put32(frame, 30, load === "pings" ? DEVICE : 0xffffffff);
  put16(frame, 24, checksum(frame, 14, 20));
  if (load === "pings") {
    frame[34] = 8;
    put16(frame, 36, checksum(frame, 34, 26));
  } else {
    // A datagram without checksum to a port where nobody listens.
    put16(frame, 34, 4000);
    put16(frame, 36, 4001);
    put16(frame, 38, 26);
  }
  return frame;
}

/** Runs `script` against the board, and gives the rate while it measures. */
export async function run(
  board: string,
  load: Load,
  script: (bench: Bench) => Script,
): Promise<{ bytes: number; cpu: number; realMs: number }> {
  const firmware = await compileFirmware({ board, app: join(packageRoot, "firmware/bench/board") });
  const address = { address: DEVICE, mask: MASK, gateway: 0, dns: 0 };
  const world = await VirtualWorld.create({
    firmware,
    settings: encodeSettings({ mac: DEVICE_MAC, address }),
    seed: 7,
    impairments: { ...PERFECT },
    timeoutNs: 100e9,
  });
  const { clock } = world;
  const port = world.lan.ethernet.attach("peer", (frame) => stack.receive(frame));
  const stack = new HostedStack(await hostedFirmware(), {
    clock,
    mac: 0x0200_0000_0003,
    address: PEER,
    seed: 7,
    send: port.send,
  });
  const scripts = new Scripts(stack, clock);
  let bytes = 0;
  let measuring = false;
  let cpu = 0;
  let startMs = 0;
  const { board: chip } = world.device.machine as Rp2040Machine;
  const cycles = (): number => chip.count.cycles;
  const flooder = world.lan.ethernet.attach("flood", () => undefined);
  const frame = flood(load);
  const floodOn = (): void => {
    flooder.send(frame);
    clock.schedule(1e9 / FLOOD_PER_SECOND, floodOn);
  };
  if (load !== "none") clock.schedule(START_MS * 1e6, floodOn);
  scripts.run(
    (function* (): Script {
      yield* scripts.sleep(START_MS);
      startMs = performance.now();
      scripts.run(script({ world, scripts, count: (n) => void (measuring && (bytes += n)) }));
      yield* scripts.sleep(WARM_MS);
      measuring = true;
      const before = cycles();
      yield* scripts.sleep(MEASURE_MS);
      cpu = (cycles() - before) / (chip.mcu.clkSys * (MEASURE_MS / 1000));
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

export function* tcpIn({ scripts, count }: Bench): Script {
  const fd = yield* scripts.connect(DEVICE, 9);
  yield* scripts.pour(fd, BLOCK, count);
}

export function* tcpOut({ scripts, count }: Bench): Script {
  const fd = yield* scripts.connect(DEVICE, 19);
  yield* scripts.drain(fd, count);
}

export function* tcpBoth(bench: Bench): Script {
  bench.scripts.run(tcpIn(bench));
  yield* tcpOut(bench);
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

/** Measures both boards. */
export async function measureThroughput(onStep: (what: string) => void): Promise<ThroughputResult> {
  const result: ThroughputResult = {};
  for (const [board, { boundMbps }] of Object.entries(BOARDS)) {
    const rate = async (
      name: string,
      script: (bench: Bench) => Script,
      load: Load = "none",
    ): Promise<Rate> => {
      onStep(`${board}: ${name}${load === "none" ? "" : ` under ${load}`}`);
      const { bytes, cpu } = await run(board, load, script);
      const mbps = (bytes * 8) / (MEASURE_MS * 1000);
      const three = (value: number): number => Math.round(value * 1000) / 1000;
      return { mbps: three(mbps), share: three(mbps / boundMbps), cpu: three(cpu) };
    };
    const perSecond = async (name: string, script: (bench: Bench) => Script): Promise<number> => {
      onStep(`${board}: ${name}`);
      return ((await run(board, "none", script)).bytes * 1000) / MEASURE_MS;
    };
    result[board] = {
      boundMbps: Math.round(boundMbps * 100) / 100,
      tcpIn: await rate("TCP in", tcpIn),
      tcpOut: await rate("TCP out", tcpOut),
      tcpBoth: await rate("TCP both ways", tcpBoth),
      udpEcho: await rate("UDP echo", udpEcho),
      pingFlood: {
        tcpIn: await rate("TCP in", tcpIn, "pings"),
        tcpOut: await rate("TCP out", tcpOut, "pings"),
      },
      broadcastStorm: {
        tcpIn: await rate("TCP in", tcpIn, "broadcasts"),
        tcpOut: await rate("TCP out", tcpOut, "broadcasts"),
      },
      pagesPerSecond: await perSecond("pages", pages),
      echo64Us: Math.round(1e6 / (await perSecond("echoes", echoes))),
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
  return [
    table(
      ["emulated, Mbit/s (of the bound)", ...boards.map(([name]) => name)],
      [
        row("bound", (b) => b.boundMbps.toFixed(1)),
        row("TCP in", (b) => cell(b.tcpIn)),
        row("TCP out, zero-copy", (b) => cell(b.tcpOut)),
        row("TCP both ways, sum", (b) => cell(b.tcpBoth)),
        row("UDP echo 1400 B, sum", (b) => cell(b.udpEcho)),
        row("in, 1,500 pings a second", (b) => cell(b.pingFlood.tcpIn)),
        row("out, 1,500 pings a second", (b) => cell(b.pingFlood.tcpOut)),
        row("in, 1,500 broadcasts a second", (b) => cell(b.broadcastStorm.tcpIn)),
        row("out, 1,500 broadcasts a second", (b) => cell(b.broadcastStorm.tcpOut)),
        row("pages a second", (b) => String(b.pagesPerSecond)),
        row("echo of 64 B, microseconds", (b) => String(b.echo64Us)),
      ],
    ),
    `Simulated time on the emulated RP2040; bounds: ${Object.entries(BOARDS)
      .map(([name, { bound }]) => `${name} its ${bound}`)
      .join(
        ", ",
      )}. Others: W5500 in MACRAW with lwIP 9.2 Mbit/s, 1.5 under a ping flood (published).`,
  ].join("\n\n");
}
