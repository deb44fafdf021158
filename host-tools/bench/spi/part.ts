import { Enc28j60 } from "../../sim/chips/enc28j60/index.js";
import { W5500 } from "../../sim/chips/w5500/index.js";
import type { SpiSlave } from "../../sim/types.js";
import type { VirtualClock } from "../../sim/virtual-clock.js";
import { NicHarness, testFrame } from "../../testing/nic-harness.js";
import type { BarGroup } from "../chart.js";
import { table } from "../table.js";

/** What something has cost on the bus: bytes in either direction, chip selects. */
export interface BusCost {
  bytes: number;
  transactions: number;
}

export type ChipName = "w5500" | "enc28j60";
export type SpiResult = Record<ChipName, Record<string, BusCost>>;

/** Bytes a frame of 1,514 costs other drivers, counted from their code: receive, send. */
const PEERS: Record<ChipName, { driver: string; rx: string; tx: string }[]> = {
  w5500: [
    { driver: "Mongoose", rx: "1,546 / 7", tx: "1,544+4k / 7+k" },
    { driver: "embassy", rx: "1,550 / 8", tx: "1,536 / 5" },
    { driver: "Zephyr", rx: "1,586 / 20", tx: "1,543 / 7" },
    { driver: "ioLibrary (MACRAW)", rx: "1,594 / 20", tx: "1,607 / 22" },
    { driver: "floor of the protocol", rx: "1,535 / 4 (batch of 4: 1,521 / 1)", tx: "1,532 / 4" },
  ],
  enc28j60: [
    { driver: "RIOT", rx: "1,536 / 9+", tx: "-" },
    { driver: "embassy", rx: "1,540 / 11", tx: "1,527 / 7" },
    { driver: "EtherCard", rx: "1,542 / 12", tx: "1,535+2N / 11+N" },
    { driver: "Linux", rx: "1,558 / 18", tx: "1,549 / 18" },
    { driver: "Zephyr", rx: "1,577 / 34", tx: "1,552+2N / 25+N" },
    { driver: "EthernetENC", rx: "3,081 / 33", tx: "3,031+2N / 30+N" },
    { driver: "floor of the protocol", rx: "1,531 / 4", tx: "1,526 / 6" },
  ],
};

const FRAME = 1514;
const SHORT = 60;
/** Frames that wait together; the ENC28J60's receive memory holds three full ones. */
const BATCH = { w5500: 4, enc28j60: 3 };
/** Longest time that a frame takes on the wire of a chip, with room. */
const WIRE_NS = { w5500: 200_000, enc28j60: 1_400_000 };

interface Bench {
  nic: NicHarness;
  receive: (frame: Uint8Array) => void;
}

/** Options that both models know. */
interface ChipOptions {
  clock: VirtualClock;
  seed: number;
  onViolation: (message: string) => void;
}

function strict(message: string): never {
  throw new Error(message);
}

/** A driver that is up and has a link, on a strict model; errata that depend on chance are off, so that counts repeat. */
async function start(chip: ChipName): Promise<Bench> {
  const common = (clock: VirtualClock): ChipOptions => ({ clock, seed: 1, onViolation: strict });
  const bench = await NicHarness.create<SpiSlave & { receive(frame: Uint8Array): void }>({
    board: `virtual-${chip}`,
    chip: (clock) =>
      chip === "w5500"
        ? new W5500({ ...common(clock), spiHz: 33_300_000, autoNegotiationMs: 20 })
        : new Enc28j60({
            ...common(clock),
            spiHz: 20_000_000,
            errata: [2, 5, 6, 9, 10, 12, 14, 15, 17, 18, 19],
          }),
  });
  if (bench.chip instanceof Enc28j60) bench.chip.setLink(true);
  if (bench.init() !== 0) throw new Error(`${chip}: the driver does not start`);
  bench.run(250, 5);
  if ((bench.nic.nicLink() & 1) === 0) throw new Error(`${chip}: no link`);
  bench.drain();
  return { nic: bench, receive: (frame) => void bench.chip.receive(frame) };
}

function received({ nic, receive }: Bench, chip: ChipName, bytes: number, count: number): BusCost {
  for (let i = 0; i < count; i++) receive(testFrame(bytes, i));
  nic.clock.advance(count * WIRE_NS[chip]);
  const cost = nic.cost(() => {
    const got = nic.drain().length;
    if (got !== count) throw new Error(`${chip}: ${got} of ${count} frames were received`);
  });
  return { bytes: cost.bytes / count, transactions: cost.transactions / count };
}

/** A frame from idle to idle, completion included; the second one, for the first also sets what stays. */
function sent({ nic }: Bench, chip: ChipName, bytes: number): BusCost {
  const once = (): BusCost =>
    nic.cost(() => {
      if (!nic.send(testFrame(bytes))) throw new Error(`${chip}: no room to send`);
      nic.clock.advance(WIRE_NS[chip]);
      nic.poll();
    });
  once();
  return once();
}

/** A second without a frame, the main loop turning each millisecond. */
function idle({ nic }: Bench): BusCost {
  nic.poll();
  nic.drain();
  return nic.cost(() => {
    for (let ms = 0; ms < 1000; ms++) {
      nic.clock.advance(1e6);
      nic.poll();
      nic.drain();
    }
  });
}

/** Counts the bytes of the driver's whole path on the model's bus. */
export async function countSpi(onStep: (what: string) => void): Promise<SpiResult> {
  const result: Partial<SpiResult> = {};
  for (const chip of ["w5500", "enc28j60"] as const) {
    onStep(`${chip}: counting on the model's bus`);
    const bench = await start(chip);
    result[chip] = {
      rx1514: received(bench, chip, FRAME, 1),
      rxBatch4PerFrame: received(bench, chip, FRAME, BATCH[chip]),
      tx1514: sent(bench, chip, FRAME),
      rx60: received(bench, chip, SHORT, 1),
      tx60: sent(bench, chip, SHORT),
      idlePollPerSecond: idle(bench),
    };
  }
  return result as SpiResult;
}

const TITLES: Record<string, string> = {
  rx1514: "receive 1,514 B",
  rxBatch4PerFrame: "each of 4 (ENC28J60: 3) that wait",
  tx1514: "send 1,514 B",
  rx60: "receive 60 B",
  tx60: "send 60 B",
  idlePollPerSecond: "idle, a second",
};

/** The result for people: bytes / transactions. */
export function printSpi(result: SpiResult): string {
  const show = ({ bytes, transactions }: BusCost): string =>
    `${Number(bytes.toFixed(1)).toLocaleString("en-US")} / ${Number(transactions.toFixed(2))}`;
  const parts = Object.entries(result).map(([chip, rows]) =>
    [
      table(
        [`${chip}: bytes / chip selects`, "as-tcpip"],
        Object.entries(rows).map(([name, cost]) => [TITLES[name] ?? name, show(cost)]),
      ),
      table(
        ["others, 1,514 B", "receive", "send"],
        PEERS[chip as ChipName].map(({ driver, rx, tx }) => [driver, rx, tx]),
      ),
    ].join("\n\n"),
  );
  return parts.join("\n\n");
}

/** Bars for the chart: bytes of both chips, one group a frame. */
export function chartSpi(result: SpiResult): BarGroup[] {
  return ["rx1514", "rxBatch4PerFrame", "tx1514", "rx60", "tx60"].map((name) => ({
    label: name.replace("Batch4PerFrame", "1514 of 4"),
    bars: (["w5500", "enc28j60"] as const).map((chip) => result[chip][name]?.bytes ?? 0),
  }));
}
